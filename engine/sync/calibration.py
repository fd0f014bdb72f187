"""From what the towers believe to what is true: confidence and uncertainty fitted on speakers they never saw.

The tables are made by ``training/`` from cross-validated trials and travel inside the weights file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.sync.search import Peak

Floats = npt.NDArray[np.float64]


def doubt_of(mass: npt.ArrayLike) -> Floats:
    """Return ``-log10(1 - mass)``, capped at 6: the scale on which posterior mass is spread evenly."""
    return np.asarray(-np.log10(np.clip(1 - np.asarray(mass, np.float64), 1e-6, 1.0)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Tables over the length of the evidence.

    Attributes:
        seconds: lengths the tables hold for, ascending, shape ``(n,)``.
        doubts: see :func:`doubt_of`, ascending, shape ``(m,)``.
        right: share of trials within 40 ms of the truth, shape ``(n, m)``, non-decreasing along doubts.
        sigma_scale: true over believed standard deviation of the peak.
        sigma_floor_ms: deviation that remains however long one looks: speakers differ.
    """

    seconds: Floats
    doubts: Floats
    right: Floats
    sigma_scale: float
    sigma_floor_ms: float

    @classmethod
    def of(cls, tables: dict[str, Floats]) -> Calibration:
        """Build from the weights file's tables."""
        return cls(
            seconds=tables["seconds"],
            doubts=tables["doubts"],
            right=tables["right"],
            sigma_scale=float(tables["sigma_scale"]),
            sigma_floor_ms=float(tables["sigma_floor_ms"]),
        )

    def confidence(self, peak: Peak, seconds: float) -> float:
        """Return the probability that the peak is within 40 ms of the truth."""
        doubt = float(doubt_of(peak.mass))
        per_length = np.array([np.interp(doubt, self.doubts, row) for row in self.right])
        return float(np.interp(np.log(max(seconds, 0.1)), np.log(self.seconds), per_length))

    def uncertainty_ms(self, peak: Peak) -> float:
        """Return the half-width of the interval around the peak that holds the truth with 95 % probability."""
        return float(1.96 * np.hypot(self.sigma_scale * peak.sigma_ms, self.sigma_floor_ms))

    def noise_ms(self, peak: Peak) -> float:
        """Return the same without what all windows of one speaker share: for comparing windows of one clip."""
        return float(1.96 * self.sigma_scale * peak.sigma_ms)

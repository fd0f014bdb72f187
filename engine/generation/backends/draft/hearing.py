"""What the articulation model hears: log-mel rows, 50 a second, free of level and of the recording's colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.sound.features import log_mel

Floats = npt.NDArray[np.float32]

ROW_RATE = 50
"""Rows per second; row ``r`` describes 20 ms around ``r / 50 + 0.005`` seconds (two rows of 10 ms, side by side)."""

ROW_CENTRE = 0.005
"""Seconds from ``r / ROW_RATE`` to the middle of what row ``r`` describes."""

SAMPLE_RATE = 16_000
BANDS = 40
WIDTH = 2 * BANDS

_FLOOR = 1e-5
_QUIET = 0.003
"""Magnitude, relative to loud speech, below which sound counts as silence (about -50 dB)."""
_ACTIVE = 0.06
"""Rows at least this loud, relative to loud speech, tell the recording's colour (about -24 dB)."""
_SPREAD = 1.5
"""Typical standard deviation of a log-mel band of speech, in nepers: brings the rows to about unit size."""
_FAINTEST = 3e-4
"""Loud speech is taken to be no fainter than this (about -70 dB): a recording of nothing is not turned up."""


def magnitudes(samples: Floats) -> Floats:
    """Return mel band magnitudes, 100 rows a second, shape ``(rows, 40)``.

    Args:
        samples: mono sound at 16 kHz, shape ``(n,)``.
    """
    return np.asarray(np.exp(log_mel(samples, SAMPLE_RATE, bands=BANDS, floor=_FLOOR)) - _FLOOR, np.float32)


@dataclass(frozen=True, slots=True)
class Colour:
    """What a recording adds to every voice in it.

    Attributes:
        loud: mean band magnitude of loud speech.
        mean: mean log magnitude of each band while somebody speaks, relative to ``loud``, shape ``(40,)``.
    """

    loud: float
    mean: Floats

    @classmethod
    def of(cls, blocks: Iterable[Floats]) -> Colour:
        """Fit on blocks of mel magnitudes, each of shape ``(rows, 40)``."""
        kept = [block for block in blocks if len(block)]
        bands = np.concatenate(kept) if kept else np.zeros((1, BANDS), np.float32)
        level = bands.mean(1)
        loud = max(float(np.percentile(level, 95)), _FAINTEST)
        active = level >= min(_ACTIVE * loud, float(level.max()))
        return cls(loud, np.log(bands[active] / loud + _QUIET).mean(0))

    def rows(self, bands: Floats) -> Floats:
        """Return the model's input for mel magnitudes ``(2 * rows, 40)``, shape ``(rows, 80)``."""
        count = len(bands) // 2
        log = (np.log(bands[: 2 * count] / self.loud + _QUIET) - self.mean) / _SPREAD
        return np.asarray(log.reshape(count, WIDTH), np.float32)

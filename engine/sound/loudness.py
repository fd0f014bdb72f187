"""Programme loudness and true peak, block by block, in constant memory."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import soxr
from scipy.signal import sosfilt

FloatArray = npt.NDArray[np.float32]

_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_BLOCKS_PER_WINDOW = 4
"""400 ms windows every 100 ms."""

_BIN = 0.05
"""Width in LU of the steps in which loudness is counted."""
_EDGES = np.arange(_ABSOLUTE_GATE, 10 + _BIN, _BIN)


def k_weighting(sample_rate: int) -> npt.NDArray[np.float64]:
    """Return the K-weighting of ITU-R BS.1770-4 at any sample rate as second-order sections, shape ``(2, 6)``.

    The standard prints coefficients for 48 kHz only; these analogue prototypes reproduce them (B. De Man, "Evaluation
    of Implementations of the EBU R128 Loudness Measurement", AES 2018).
    """
    sections = []
    gain, quality, corner = 10 ** (3.99984385397 / 20), 0.7071752369554193, 1681.9744509555319
    tangent = math.tan(math.pi * corner / sample_rate)
    middle = gain**0.499666774155
    scale = 1 + tangent / quality + tangent**2
    sections.append(
        [
            (gain + middle * tangent / quality + tangent**2) / scale,
            2 * (tangent**2 - gain) / scale,
            (gain - middle * tangent / quality + tangent**2) / scale,
            1.0,
            2 * (tangent**2 - 1) / scale,
            (1 - tangent / quality + tangent**2) / scale,
        ]
    )
    quality, corner = 0.5003270373253953, 38.13547087613982
    tangent = math.tan(math.pi * corner / sample_rate)
    scale = 1 + tangent / quality + tangent**2
    sections.append([1.0, -2.0, 1.0, 1.0, 2 * (tangent**2 - 1) / scale, (1 - tangent / quality + tangent**2) / scale])
    return np.array(sections)


class LoudnessMeter:
    """Gated programme loudness of ITU-R BS.1770-4 for one channel, in LUFS.

    Args:
        sample_rate: a multiple of 10.
    """

    def __init__(self, sample_rate: int) -> None:
        self._filter = k_weighting(sample_rate)
        self._state = np.zeros((2, 2))
        self._hop = sample_rate // 10
        self._rest = np.zeros(0)
        self._recent = np.zeros(0)
        self._counts = np.zeros(len(_EDGES), np.int64)
        self._energy = np.zeros(len(_EDGES))
        self._total = 0.0
        self._samples = 0

    def add(self, samples: FloatArray) -> None:
        """Take the next samples, shape ``(n,)``."""
        if samples.size == 0:
            return
        weighted, self._state = sosfilt(self._filter, samples.astype(np.float64), zi=self._state)
        self._total += float(np.square(weighted).sum())
        self._samples += len(samples)
        joined = np.concatenate([self._rest, weighted])
        count = len(joined) // self._hop
        parts = joined[: count * self._hop].reshape(count, self._hop)
        self._rest = joined[count * self._hop :]
        self._recent = np.concatenate([self._recent, np.einsum("bh,bh->b", parts, parts) / self._hop])
        if len(self._recent) < _BLOCKS_PER_WINDOW:
            return
        power = np.lib.stride_tricks.sliding_window_view(self._recent, _BLOCKS_PER_WINDOW).mean(axis=1)
        self._recent = self._recent[-(_BLOCKS_PER_WINDOW - 1) :]
        loudness = -0.691 + 10 * np.log10(power + 1e-20)
        heard = loudness >= _ABSOLUTE_GATE
        bins = np.minimum(((loudness[heard] - _ABSOLUTE_GATE) / _BIN).astype(np.int64), len(_EDGES) - 1)
        np.add.at(self._counts, bins, 1)
        np.add.at(self._energy, bins, power[heard])

    @property
    def lufs(self) -> float | None:
        """Integrated loudness; ``None`` when nothing is louder than the absolute gate (-70 LUFS).

        Sound shorter than one 400 ms window is measured without gating.
        """
        total = int(self._counts.sum())
        if total == 0:
            power = self._total / self._samples if self._samples else 0.0
            ungated = -0.691 + 10 * math.log10(power + 1e-20)
            short = self._samples < _BLOCKS_PER_WINDOW * self._hop
            return ungated if short and ungated >= _ABSOLUTE_GATE else None
        gate = -0.691 + 10 * math.log10(self._energy.sum() / total) + _RELATIVE_GATE
        kept = np.greater_equal(_EDGES, gate - _BIN)
        return -0.691 + 10 * math.log10(self._energy[kept].sum() / self._counts[kept].sum())


class TruePeakMeter:
    """Highest level between samples too: the signal is looked at four times as densely (BS.1770-4, annex 2).

    Args:
        sample_rate: samples per second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._dense = soxr.ResampleStream(sample_rate, 4 * sample_rate, 1, dtype="float32", quality="MQ")
        self.peak = 0.0

    def add(self, samples: FloatArray, *, last: bool = False) -> None:
        """Take the next samples, shape ``(n,)``; ``last`` flushes what the interpolator still holds."""
        dense = self._dense.resample_chunk(np.ascontiguousarray(samples, np.float32), last=last)
        for part in (samples, dense):
            if part.size:
                self.peak = max(self.peak, float(np.abs(part).max()))

    @property
    def dbtp(self) -> float:
        """The true peak in dB relative to full scale; -200 for silence."""
        return 20 * math.log10(max(self.peak, 1e-10))

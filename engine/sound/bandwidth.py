"""How high the frequencies of a recording reach, and what cut them off."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from engine.sound.spectra import fft_length, power_spectra

FloatArray = npt.NDArray[np.float32]

_WINDOWS_PER_SECOND = 20
_LOUD_BELOW_TOP = 1e-3
_LOUDEST_AT_LEAST = 1e-7
_LOWEST_CUT_HZ = 2500.0
_CUT_STEP_HZ = 50.0
_CUT_DB = 20.0
"""Voices and microphones fall by a few decibels within a tenth of the frequency; only filters fall by twenty."""

_FULL = 0.94
"""A cut above this share of half the sample rate is the converter's own filter."""

_LOWER_RATES = (8000, 11025, 12000, 16000, 22050, 24000)
_BELOW_NYQUIST = (0.90, 1.03)
"""Where resamplers begin to cut, as shares of half the lower rate; measured 0.92 to 0.98 for soxr and libswresample."""

_HOLES = 0.12
"""Share of loud windows without anything just below the cut: encoders at low bit rates leave such holes."""


class CutKind(StrEnum):
    """What a cut in the spectrum looks like."""

    UPSAMPLED = "upsampled"
    TELEPHONE = "telephone"
    LOSSY = "lossy"


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """How far up a recording reaches.

    Attributes:
        hz: frequency above which there is nothing.
        kind: what cut it, or ``None`` when it reaches as far as the sample rate allows.
        original_rate: the sample rate it probably had before, for ``UPSAMPLED`` and ``TELEPHONE``.
    """

    hz: float
    kind: CutKind | None
    original_rate: int | None = None


class BandwidthMeter:
    """Averages the spectrum of the loud moments of one channel, block by block.

    Args:
        sample_rate: samples per second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._width = 2048 if sample_rate >= 22_050 else 1024
        self._hop = max(1, sample_rate // _WINDOWS_PER_SECOND)
        self._bins = fft_length(self._width) // 2 + 1
        self._mean = np.zeros(self._bins)
        self._loud = 0
        self._top = 0.0
        self._rest = np.zeros(0, np.float32)
        self._history = _LevelHistory(self._bins)

    def add(self, samples: FloatArray) -> None:
        """Take the next samples, shape ``(n,)``."""
        joined = np.concatenate([self._rest, samples])
        count = (len(joined) - self._width) // self._hop + 1
        if count < 1:
            self._rest = joined
            return
        power = power_spectra(joined, count, self._hop, self._width // 2, self._width)
        self._rest = joined[count * self._hop :]
        total = power.sum(axis=1)
        self._top = max(self._top, float(total.max()))
        loud = power[total > max(self._top * _LOUD_BELOW_TOP, _LOUDEST_AT_LEAST)]
        self._mean += loud.sum(axis=0)
        self._loud += len(loud)
        self._history.add(loud)

    def bandwidth(self) -> Bandwidth | None:
        """Return the result, or ``None`` when nothing was loud enough."""
        if self._loud < _WINDOWS_PER_SECOND // 4:
            return None
        half = self._rate / 2
        frequency = np.arange(self._bins) * half / (self._bins - 1)
        level = 10 * np.log10(self._mean / self._loud + 1e-15)
        cut, depth = _deepest_cut(frequency, level, half)
        if depth < _CUT_DB or cut > _FULL * half:
            return Bandwidth(half, None)
        for rate in _LOWER_RATES:
            low, high = (rate / 2 * share for share in _BELOW_NYQUIST)
            if rate < 0.95 * self._rate and low <= cut <= high and self._history.holes(frequency, cut) < _HOLES:
                return Bandwidth(cut, CutKind.TELEPHONE if rate == _LOWER_RATES[0] else CutKind.UPSAMPLED, rate)
        if cut < _LOWER_RATES[0] / 2 * _BELOW_NYQUIST[0]:
            return Bandwidth(cut, CutKind.TELEPHONE, _LOWER_RATES[0])
        return Bandwidth(cut, CutKind.LOSSY)


def _deepest_cut(
    frequency: npt.NDArray[np.float64], level: npt.NDArray[np.float64], half: float
) -> tuple[float, float]:
    """Return ``(frequency, depth in dB)`` of the steepest fall after which nothing comes back."""
    best = (half, 0.0)
    for cut in np.arange(_LOWEST_CUT_HZ, 0.96 * half, _CUT_STEP_HZ):
        below = (frequency >= 0.90 * cut) & (frequency < 0.97 * cut)
        just_above = (frequency >= 1.03 * cut) & (frequency < min(1.10 * cut, 0.995 * half))
        above = (frequency >= 1.03 * cut) & (frequency < 0.99 * half)
        if not just_above.any() or not above.any():
            continue
        here = float(level[below].mean())
        depth = min(here - float(level[just_above].mean()), here - float(level[above].max()) + 6)
        if depth > best[1]:
            best = (float(cut), depth)
    return best


class _LevelHistory:
    """How often each part of the spectrum was empty while the sound was loud."""

    def __init__(self, bins: int) -> None:
        self._parts = np.linspace(0, bins, 65).astype(np.int64)
        self._counts = np.zeros((64, 90), np.int64)

    def add(self, power: FloatArray) -> None:
        if len(power) == 0:
            return
        mean = np.add.reduceat(power, self._parts[:-1], axis=1) / np.diff(self._parts)
        # Bins of 2 dB from -180 dB up.
        level = np.clip((10 * np.log10(mean + 1e-18) + 180) / 2, 0, 89).astype(np.int64)
        for part in range(64):
            self._counts[part] += np.bincount(level[:, part], minlength=90)

    def holes(self, frequency: npt.NDArray[np.float64], cut: float) -> float:
        """Return in what share of loud windows the band below ``cut`` was as empty as what lies above it."""
        centres = (self._parts[:-1] + self._parts[1:]) / 2 * frequency[-1] / (len(frequency) - 1)
        below = self._counts[(centres > 0.7 * cut) & (centres < 0.93 * cut)]
        above = self._counts[centres > 1.08 * cut].sum(axis=0)
        if len(below) == 0 or above.sum() == 0:
            return 0.0
        empty = int(np.searchsorted(np.cumsum(above), above.sum() / 2)) + 5  # 10 dB above the median of nothing
        return float((below[:, :empty].sum(axis=1) / below.sum(axis=1)).mean())

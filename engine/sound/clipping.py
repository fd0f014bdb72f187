"""Flat tops: peaks that were cut off because the recording was too loud."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_STEP = 1.5 / 32768
"""Neighbours within one and a half 16-bit steps are equal, whatever the depth of the file."""

_SHORTEST_RUN = 3
_LOUD = 0.1
_ABRUPT = 12 * _STEP
"""A cut peak is entered or left with a slope; the round top of slow hum is not."""

_NEAR_PEAK = 0.985
"""Share of the greatest level from which on a run of equal samples is a cut-off peak."""
_LEVELS = 2048
"""Steps of the level in which runs are counted."""
_MOST_RUNS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive samples at one extreme value.

    Attributes:
        first: index of the first sample.
        length: how many.
        level: absolute value.
    """

    first: int
    length: int
    level: float


class ClippingMeter:
    """Finds cut-off peaks in one channel of a stream.

    Args:
        coarse: the file has 8-bit samples, in which equal neighbours are normal: only full scale counts.
    """

    def __init__(self, *, coarse: bool = False) -> None:
        self._coarse = coarse
        self._received = 0
        self._tail: FloatArray | None = None
        self._runs: list[Run] = []
        self._counts = np.zeros(_LEVELS + 1, np.int64)
        self._samples = np.zeros(_LEVELS + 1, np.int64)
        self.peak = 0.0

    def add(self, samples: FloatArray) -> None:
        """Take the next samples, shape ``(n,)``."""
        if len(samples) == 0:
            return
        self.peak = max(self.peak, float(np.abs(samples).max()))
        joined = samples if self._tail is None else np.concatenate([self._tail, samples])
        begin = self._received - (len(joined) - len(samples))
        self._search(joined, begin, known=len(joined) - len(samples))
        self._received += len(samples)
        self._tail = joined[-_SHORTEST_RUN - 2 :].copy()

    def _search(self, x: FloatArray, begin: int, known: int) -> None:
        """Find runs that end inside the block; one cut by the block's end is found (shortened) in the next."""
        still = np.concatenate([[False], np.abs(np.diff(x)) <= _STEP, [False]])
        turns = np.flatnonzero(np.diff(still.astype(np.int8)))
        firsts, lasts = turns[::2], turns[1::2]
        long = (lasts - firsts + 1 >= _SHORTEST_RUN) & (np.abs(x[firsts]) >= _LOUD)
        # A run that touches the block's end is left to the next block, which starts with this block's tail.
        long &= (lasts < len(x) - 1) & (lasts >= known - 1)
        for first, last in zip(firsts[long].tolist(), lasts[long].tolist(), strict=True):
            level = float(np.abs(x[first : last + 1]).max())
            before = abs(float(x[first - 1])) if first else level
            after = abs(float(x[last + 1]))
            is_top = before < level and after < level and max(level - before, level - after) >= _ABRUPT
            if is_top or level >= 1 - 2 * _STEP:
                self._note(Run(begin + first, last - first + 1, level))

    def _note(self, run: Run) -> None:
        bin_ = min(_LEVELS, int(run.level * _LEVELS))
        self._counts[bin_] += 1
        self._samples[bin_] += run.length
        if len(self._runs) < _MOST_RUNS_KEPT:
            self._runs.append(run)

    @property
    def _threshold(self) -> float:
        # Decoders overshoot cut peaks a little, so full scale counts even where some sample went beyond it.
        near_peak = _NEAR_PEAK * min(self.peak, 1.0)
        return max(near_peak, 0.99) if self._coarse else near_peak

    @property
    def count(self) -> int:
        """Number of cut-off peaks."""
        return int(self._counts[int(self._threshold * _LEVELS) :].sum())

    @property
    def clipped_samples(self) -> int:
        """Number of samples inside them."""
        return int(self._samples[int(self._threshold * _LEVELS) :].sum())

    @property
    def runs(self) -> list[Run]:
        """The cut-off peaks in order of time, the first ten thousand runs being remembered."""
        threshold = int(self._threshold * _LEVELS) / _LEVELS
        return sorted((run for run in self._runs if run.level >= threshold), key=lambda run: run.first)

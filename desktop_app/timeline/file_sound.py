"""The sound of a file as the timeline draws it: extremes that grow while the file is read, samples where one looks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.media.peaks import BIN_SAMPLES, LEVEL_FACTOR, PeakBlock, Peaks

FULL_SCALE = 32767
Floats = npt.NDArray[np.float32]
Extremes = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Detail:
    """All samples of a stretch.

    Attributes:
        start: when the first one sounds, seconds.
        low: least sample of all channels, shape ``(n,)``.
        high: greatest sample of all channels, shape ``(n,)``.
        mean: their mean, shape ``(n,)``.
    """

    start: float
    low: Floats
    high: Floats
    mean: Floats


class FileSound:
    """Peaks and samples of one file; used in the GUI thread only.

    Args:
        seconds: how long the sound is about to be, to begin with.
    """

    def __init__(self, seconds: float) -> None:
        self._expected = seconds
        self._start = 0.0
        self._rate = 48_000
        self._bins = 0
        self._levels: list[Extremes] = []
        self._detail: Detail | None = None

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self._rate

    @property
    def start(self) -> float:
        """When the first sample sounds, seconds."""
        return self._start

    @property
    def stop(self) -> float:
        """Up to where the sound is known, seconds."""
        return self._start + self._bins * BIN_SAMPLES / self._rate

    def add(self, block: PeakBlock) -> None:
        """Take new extremes, which follow those taken before."""
        if not self._levels:
            self._start, self._rate = float(block.start), block.sample_rate
            bins = math.ceil(self._expected * self._rate / BIN_SAMPLES) + 1
            while bins:
                self._levels.append(np.zeros((bins, 2), np.int16))
                bins = math.ceil(bins / LEVEL_FACTOR) if bins > 512 else 0
        begin, self._bins = block.first_bin, block.first_bin + len(block.extremes)
        self._make_room()
        self._levels[0][begin : self._bins] = block.extremes
        first, last = begin, self._bins
        for below, above in zip(self._levels, self._levels[1:], strict=False):
            # The last bin of a level may be filled in part: it is made anew with the next block.
            first, last = first // LEVEL_FACTOR, math.ceil(last / LEVEL_FACTOR)
            groups = _padded(below[first * LEVEL_FACTOR : last * LEVEL_FACTOR], (last - first) * LEVEL_FACTOR)
            grouped = groups.reshape(-1, LEVEL_FACTOR, 2)
            above[first:last, 0] = grouped[:, :, 0].min(axis=1)
            above[first:last, 1] = grouped[:, :, 1].max(axis=1)

    def finish(self, peaks: Peaks) -> None:
        """Take the whole pyramid in place of what has grown."""
        self._start, self._rate = float(peaks.start), peaks.sample_rate
        self._levels, self._bins = list(peaks.levels), len(peaks.levels[0])

    @property
    def peak(self) -> float:
        """The greatest sample so far, either way; 1 is full scale."""
        if not self._bins:
            return 0.0
        known = self._levels[0][: self._bins]
        return max(-int(known[:, 0].min()), int(known[:, 1].max()), 0) / FULL_SCALE

    def set_detail(self, detail: Detail) -> None:
        """Take the samples of the stretch that is looked at; those of another one are forgotten."""
        self._detail = detail

    def lacks_detail(self, start: float, stop: float) -> bool:
        """Return whether samples of a stretch are missing, as far as there is sound."""
        start, stop = max(start, self.start), min(stop, self.stop)
        return stop > start and not self._holds(start, stop)

    def window(self, start: float, stop: float, columns: int) -> tuple[Floats, Floats]:
        """Return the least and the greatest sample of each of ``columns`` equal stretches; NaN where unknown."""
        per_column = (stop - start) * self._rate / columns
        inside = max(start, self.start), min(stop, self.stop)
        if per_column < BIN_SAMPLES and self._detail is not None and self._holds(*inside):
            first = (start - self._detail.start) * self._rate
            return _columns(self._detail.low, self._detail.high, first, per_column, columns, 1.0)
        if not self._levels:
            return np.full(columns, np.nan, np.float32), np.full(columns, np.nan, np.float32)
        level = math.floor(math.log(max(per_column / BIN_SAMPLES, 1.0), LEVEL_FACTOR))
        level = min(level, len(self._levels) - 1)
        size = BIN_SAMPLES * LEVEL_FACTOR**level
        known = self._levels[level][: math.ceil(self._bins / LEVEL_FACTOR**level)]
        first = (start - self._start) * self._rate / size
        return _columns(known[:, 0], known[:, 1], first, per_column / size, columns, 1 / FULL_SCALE)

    def samples(self, start: float, stop: float) -> tuple[float, Floats] | None:
        """Return the time of the first sample at or after ``start`` and the samples up to ``stop``."""
        detail = self._detail
        if detail is None or not self._holds(max(start, self.start), min(stop, self.stop)):
            return None
        first = max(0, math.ceil((start - detail.start) * self._rate))
        last = max(first, math.ceil((stop - detail.start) * self._rate))
        return detail.start + first / self._rate, detail.mean[first:last]

    def _holds(self, start: float, stop: float) -> bool:
        detail = self._detail
        if detail is None:
            return False
        # The last bin may be filled in part, so the sound may end up to a bin before its peaks do.
        slack = (BIN_SAMPLES + 1) / self._rate
        return detail.start <= start + slack and stop <= detail.start + len(detail.mean) / self._rate + slack

    def _make_room(self) -> None:
        """Lengthen the levels when the file turns out to be longer than it said."""
        wanted = self._bins
        for index, level in enumerate(self._levels):
            if wanted > len(level):
                self._levels[index] = np.concatenate([level, np.zeros((wanted, 2), np.int16)])
            wanted = math.ceil(wanted / LEVEL_FACTOR)


def _padded(extremes: Extremes, length: int) -> Extremes:
    return np.pad(extremes, ((0, length - len(extremes)), (0, 0)), mode="edge")


def _columns(
    low: npt.NDArray[np.generic],
    high: npt.NDArray[np.generic],
    first: float,
    per_column: float,
    columns: int,
    scale: float,
) -> tuple[Floats, Floats]:
    """Return extremes of columns of bins.

    Args:
        low: least value of each bin.
        high: greatest value of each bin.
        first: where the first column begins, in bins.
        per_column: width of a column in bins; columns narrower than a bin repeat it.
        columns: how many.
        scale: factor for the result.
    """
    edges = first + np.arange(columns + 1) * per_column
    begin = np.floor(edges[:-1] + 1e-6).astype(np.int64)
    end = np.maximum(np.ceil(edges[1:] - 1e-6).astype(np.int64), begin + 1)
    inside = (end > 0) & (begin < len(low))
    least, greatest = np.full(columns, np.nan, np.float32), np.full(columns, np.nan, np.float32)
    if inside.any():
        bounds = np.stack([np.clip(begin[inside], 0, len(low) - 1), np.clip(end[inside], 1, len(low))], axis=1)
        origin, farthest = int(bounds.min()), int(bounds.max())
        # reduceat takes indices below the length: one bin more makes the last end allowed.
        pairs = (bounds - origin).ravel()
        least[inside] = np.minimum.reduceat(_one_more(low[origin:farthest]), pairs)[::2] * scale
        greatest[inside] = np.maximum.reduceat(_one_more(high[origin:farthest]), pairs)[::2] * scale
    return least, greatest


def _one_more(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return np.concatenate([values, values[-1:]])

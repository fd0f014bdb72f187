"""How loud a recording is from row to row: speech level, noise floor, and where the sound begins and ends.

Everything here is fed block by block and keeps a fixed amount of memory, however long the recording is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.sound.features import ROW_RATE

FloatArray = npt.NDArray[np.float32]

_LOWEST_DB, _HIGHEST_DB, _STEP_DB = -120.0, 20.0, 0.5
_EDGES = np.arange(_LOWEST_DB, _HIGHEST_DB + _STEP_DB, _STEP_DB)
_SUSTAINED_ROWS = 3
"""A level counts as the beginning or end of the sound only when it holds for 30 ms: a mouse click does not."""

DIGITAL_SILENCE_DB = -100.0
"""Rows below this hold no recorded air: 16-bit dither alone is near -96 dBFS."""


def row_levels(samples: FloatArray, sample_rate: int) -> npt.NDArray[np.float64]:
    """Return the level of each whole 10 ms row in dB relative to a full-scale square wave (a sine reads -3 dB).

    A constant offset is not sound: each row's mean is taken off.

    Args:
        samples: sound, shape ``(n,)`` or ``(n, channels)``; a rest shorter than a row is ignored.
        sample_rate: a multiple of 100.

    Returns:
        Levels in dBFS, at least -120, shape ``(rows,)`` or ``(rows, channels)``.
    """
    hop = sample_rate // ROW_RATE
    rows = len(samples) // hop
    shaped = samples[: rows * hop].reshape(rows, hop, *samples.shape[1:])
    power = np.einsum("rh...,rh...->r...", shaped, shaped, dtype=np.float64) / hop
    power -= shaped.mean(axis=1, dtype=np.float64) ** 2
    return np.asarray(10 * np.log10(np.maximum(power, 0) + 10 ** (_LOWEST_DB / 10)), np.float64)


@dataclass(frozen=True, slots=True)
class Extent:
    """Rows that hold sound.

    Attributes:
        first: first row, inclusive.
        last: last row, inclusive.
    """

    first: int
    last: int


class LevelStatistics:
    """Level histogram of one channel, with the first and last moment every level was reached."""

    def __init__(self) -> None:
        self.rows = 0
        self._counts = np.zeros(len(_EDGES) - 1, np.int64)
        self._first = np.full(len(_EDGES), -1, np.int64)
        self._last = np.full(len(_EDGES), -1, np.int64)
        self._tail = np.zeros(0)

    def add(self, levels: npt.NDArray[np.float64]) -> None:
        """Take the next rows.

        Args:
            levels: dBFS per row, shape ``(rows,)``.
        """
        if levels.size == 0:
            return
        clipped = np.clip(levels, _LOWEST_DB, _HIGHEST_DB - _STEP_DB / 2)
        self._counts += np.histogram(clipped, _EDGES)[0]
        joined = np.concatenate([self._tail, levels])
        begin = self.rows - len(self._tail)
        self.rows += len(levels)
        self._tail = joined[-(_SUSTAINED_ROWS - 1) :]
        if len(joined) < _SUSTAINED_ROWS:
            return
        held = np.lib.stride_tricks.sliding_window_view(joined, _SUSTAINED_ROWS).min(axis=1)
        first = np.searchsorted(np.maximum.accumulate(held), _EDGES)
        new = (first < len(held)) & (self._first < 0)
        self._first[new] = begin + first[new]
        from_end = np.searchsorted(np.maximum.accumulate(held[::-1]), _EDGES)
        reached = from_end < len(held)
        self._last[reached] = begin + len(held) - 1 - from_end[reached] + _SUSTAINED_ROWS - 1

    def percentile(self, share: float) -> float | None:
        """Return the level below which ``share`` (0 to 1) of the rows lie, digital silence left out.

        Returns:
            dBFS, or ``None`` when every row is digital silence.
        """
        heard = np.where(_EDGES[:-1] >= DIGITAL_SILENCE_DB, self._counts, 0)
        total = int(heard.sum())
        if total == 0:
            return None
        index = int(np.searchsorted(np.cumsum(heard), max(1.0, share * total)))
        return float(_EDGES[index] + _STEP_DB / 2)

    def seconds_above(self, level_db: float) -> float:
        """Return how long the level is at least ``level_db`` (and not digital silence)."""
        loud = np.greater_equal(_EDGES[:-1], max(level_db, DIGITAL_SILENCE_DB))
        return int(self._counts[loud].sum()) / ROW_RATE

    @property
    def noise_floor_db(self) -> float | None:
        """Level of the pauses: the 5th percentile of rows."""
        return self.percentile(0.05)

    @property
    def speech_level_db(self) -> float | None:
        """Level of the louder syllables: the 95th percentile of rows."""
        return self.percentile(0.95)

    @property
    def digital_silence_share(self) -> float:
        """Share of rows that are digitally silent."""
        silent = int(self._counts[_EDGES[:-1] < DIGITAL_SILENCE_DB].sum())
        return silent / self.rows if self.rows else 1.0

    def extent(self) -> Extent | None:
        """Return the rows between the first and the last sustained sound.

        The threshold lies 10 dB above the pauses, but not less than 30 dB below the syllables (the s and f that begin
        a word are that weak), and always 4 dB above the pauses, so that steady noise is not sound.

        Returns:
            The extent, or ``None`` when nothing rises above the noise for 30 ms.
        """
        floor, speech = self.noise_floor_db, self.speech_level_db
        if floor is None or speech is None or speech < DIGITAL_SILENCE_DB + 20:
            return None
        if self.rows < _SUSTAINED_ROWS or speech - floor < 6:
            # Too short or too even to tell pauses from sound: everything that is not digital silence is kept.
            threshold = DIGITAL_SILENCE_DB
        else:
            threshold = max(min(floor + 10, speech - 30), floor + 4)
        held = self.reached(threshold)
        if held is None:
            return Extent(0, self.rows - 1) if self.rows < _SUSTAINED_ROWS else None
        return Extent(*held)

    def reached(self, level_db: float) -> tuple[int, int] | None:
        """Return the first and the last row of all stretches of 30 ms that reach a level (to half a decibel)."""
        edge = int(np.searchsorted(_EDGES, level_db, side="right")) - 1
        first = int(self._first[max(0, edge)])
        return None if first < 0 else (first, int(self._last[max(0, edge)]))

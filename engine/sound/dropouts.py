"""Holes of digital silence in the middle of sound: lost packets, buffer under-runs, damaged cards."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_SILENT = 1.0 / 32768
_LOUD = 10 ** (-40 / 20)
_SHORTEST_MS, _LONGEST_MS = 2, 400
"""Shorter holes are zero crossings, longer ones are pauses that somebody muted."""

_MOST = 10_000
"""Holes that are remembered; all are counted."""


class DropoutMeter:
    """Finds stretches of digital silence that begin and end abruptly, in one channel of a stream.

    Speech fades into a pause over tens of milliseconds, even behind a noise gate; here loud sound stops within a
    millisecond and comes back as loud.

    Args:
        sample_rate: samples per second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._slot = max(1, sample_rate // 1000)
        self._rest = np.zeros(0, np.float32)
        self._slots = 0
        self._last_loud = False
        self._in_hole = False
        self._hole_begin: int | None = None
        self.count = 0
        self.holes: list[tuple[int, int]] = []
        """``(first sample, sample after the last)`` of the first ten thousand holes, good to a millisecond."""

    def add(self, samples: FloatArray) -> None:
        """Take the next samples, shape ``(n,)``."""
        joined = np.concatenate([self._rest, samples])
        count = len(joined) // self._slot
        self._rest = joined[count * self._slot :]
        if count == 0:
            return
        peaks = np.abs(joined[: count * self._slot].reshape(count, self._slot)).max(axis=1)
        silent, loud = peaks <= _SILENT, peaks >= _LOUD
        before = np.concatenate([[self._last_loud], loud])
        edges = np.flatnonzero(np.diff(np.concatenate([[self._in_hole], silent]).astype(np.int8)))
        for edge in edges.tolist():
            if silent[edge]:
                self._hole_begin = self._slots + edge if before[edge] else None
                self._in_hole = True
            else:
                self._in_hole = False
                self._close(self._slots + edge, resumes=bool(loud[edge : edge + 2].any()))
        self._slots += count
        self._last_loud = bool(loud[-1])

    def _close(self, end: int, *, resumes: bool) -> None:
        begin, self._hole_begin = self._hole_begin, None
        if begin is not None and resumes and _SHORTEST_MS <= end - begin <= _LONGEST_MS:
            self.count += 1
            if len(self.holes) < _MOST:
                self.holes.append((begin * self._slot, end * self._slot))

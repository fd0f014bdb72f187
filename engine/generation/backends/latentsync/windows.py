"""Which frames are drawn together: windows of 16 on a grid of 25 per second, whatever the rate of the clip.

The network was trained on moving pictures of 25 frames per second. The clip keeps its own rate and its own pictures:
every drawn frame is drawn from the clip's picture nearest in time, and every picture of the clip gets the mouth drawn
nearest in time. The grid depends on nothing but the clock, so a render may begin at any window.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from engine.generation.plan import Segment

MODEL_FPS = Fraction(25)
WINDOW = 16
"""Frames the network was trained to see at once."""

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Grid:
    """Windows over a clip.

    Attributes:
        fps: rate of the clip.
        frame_count: pictures of the clip.
        overlap: frames that neighbouring windows share and fade over, less than a window.
    """

    fps: Fraction
    frame_count: int
    overlap: int = 0

    @property
    def stride(self) -> int:
        """Frames from one window's beginning to the next one's."""
        return WINDOW - self.overlap

    @property
    def drawn_count(self) -> int:
        """How many frames are drawn."""
        return self.drawn_for(self.frame_count - 1) + 1

    def drawn_for(self, frame: int) -> int:
        """Return the drawn frame that a picture of the clip shows: the one nearest in time."""
        return math.floor(frame * MODEL_FPS / self.fps + _HALF)

    def picture_for(self, drawn: int) -> int:
        """Return the picture of the clip that a drawn frame is drawn from: the one nearest in time."""
        return min(math.floor(drawn * self.fps / MODEL_FPS + _HALF), self.frame_count - 1)

    def drawn_from(self, frame: int) -> range:
        """Return the drawn frames that are drawn from a picture of the clip; there may be none or several."""
        first = max(0, math.floor((frame - 1) * MODEL_FPS / self.fps))
        while first < self.drawn_count and self.picture_for(first) < frame:
            first += 1
        stop = first
        while stop < self.drawn_count and self.picture_for(stop) == frame:
            stop += 1
        return range(first, stop)

    def window(self, index: int) -> range:
        """Return the drawn frames of a window; the last one may be shorter."""
        first = index * self.stride
        return range(first, min(first + WINDOW, self.drawn_count))

    def windows_of(self, drawn: int) -> range:
        """Return the windows a drawn frame lies in: two where they overlap."""
        last = min(drawn // self.stride, self.last_window)
        return range(max(0, -(-(drawn - WINDOW + 1) // self.stride)), last + 1)

    @property
    def last_window(self) -> int:
        """Index of the last window: none begins inside the one before and ends with it."""
        return max(0, -(-(self.drawn_count - self.overlap) // self.stride) - 1)

    def windows_for(self, segment: Segment) -> range:
        """Return all windows that a segment shows something of."""
        first, last = (self.drawn_for(frame) for frame in (segment.first_frame, segment.stop_frame - 1))
        return range(self.windows_of(first)[0], self.windows_of(last)[-1] + 1)

    def shares(self, drawn: int) -> tuple[tuple[int, float], ...]:
        """Return ``(window, share)`` for a drawn frame, the shares adding up to 1: a linear fade where two overlap."""
        windows = self.windows_of(drawn)
        if len(windows) == 1:
            return ((windows[0], 1.0),)
        newer = (drawn - self.window(windows[1])[0] + 1) / (self.overlap + 1)
        return ((windows[0], 1 - newer), (windows[1], newer))


def unbroken(frames: range, has_face: Sequence[bool], begins_shot: Sequence[bool]) -> Iterator[range]:
    """Yield the parts of a window that are drawn together: a frame without a face, or a cut, ends a part.

    Args:
        frames: drawn frames of a window.
        has_face: for each of them, whether there is a face to draw on.
        begins_shot: for each of them, whether a cut lies before it.
    """
    start: int | None = None
    for frame, face, cut in zip(frames, has_face, begins_shot, strict=True):
        if start is not None and (cut or not face):
            yield range(start, frame)
            start = None
        if face and start is None:
            start = frame
    if start is not None:
        yield range(start, frames.stop)

"""Any picture of a file, and the ones before and after it, by their true presentation times."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from desktop_app.player.behind import Behind
from desktop_app.player.pictures import MOST_THREADS
from engine.media.frames import Converter, VideoSource
from engine.media.opening import MediaPath
from engine.refusal import Refused

HISTORY_BYTES = 64 << 20
"""Decoded pictures that are kept for stepping back: 21 at 1920 x 1080."""

_KEPT_WHOLE = Fraction(1, 2)
"""Seconds before a target within which no picture is left out, so that the next steps back are there."""


class FrameWalker:
    """Walks through the pictures of a file; a context manager.

    Args:
        path: a local file with pictures.
        max_height: scale larger pictures down to this height.

    Raises:
        Refused: as :class:`~engine.media.frames.VideoSource`.
    """

    def __init__(self, path: MediaPath, max_height: int | None = None) -> None:
        self._path = path
        # Far targets are reached in half the time with two threads; the pictures that they decode too many come next.
        self._source = VideoSource(path, None, "frame", most_threads=MOST_THREADS)
        self._convert = Converter(max_height, "rgb24", self._source.sample_aspect)
        self._run: Iterator[tuple[int, VideoFrame]] = iter(())
        self._known: deque[tuple[int, VideoFrame]] = deque()
        self._ended = True
        self._whole_from: Fraction | None = None
        self._current: int | None = None
        self._is_resting = False
        self._goes_back = False
        self._behind: Behind | None = None
        self._beginning: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.forget()

    def forget(self) -> None:
        """Give the memory of all known pictures and of the decoder back, until :meth:`at` is called again."""
        self._forget_behind()
        self._known.clear()
        self._run, self._ended = iter(()), True
        self._source.close()
        self._is_resting = True

    def set_max_height(self, max_height: int | None) -> None:
        """Scale to another height from now on."""
        self._convert = Converter(max_height, "rgb24", self._source.sample_aspect)

    def at(self, seconds: float) -> tuple[float, npt.NDArray[np.uint8]]:
        """Return time and pixels, shape ``(h, w, 3)``, of the picture on screen at a time.

        Before the first one that is the first, after the last the last.

        Raises:
            Refused: ``media.undecodable`` when nothing can be decoded; after :meth:`forget` also as
                :class:`~engine.media.frames.VideoSource`.
        """
        # Half a microsecond forgives a presentation time that went through a float.
        self._goes_back = False
        if self._is_resting:
            self._source = VideoSource(self._path, None, "frame", most_threads=MOST_THREADS)
            self._is_resting = False
        target = math.floor((Fraction(seconds) + Fraction(1, 2_000_000)) / self._source.time_base)
        return self._show(target, hurries=True)

    def step(self, count: int) -> tuple[float, npt.NDArray[np.uint8]]:
        """Return time and pixels of the picture ``count`` after the one shown last (before, if negative)."""
        self._goes_back = count < 0
        for _ in range(abs(count)):
            before = self._current
            self._seek(self._after() if count > 0 else self._before())
            if self._current == before:
                break
        return self._show(self._current or 0)

    def look_back(self) -> bool:
        """Do a little for the next steps back: decode one picture before those that are known.

        Returns:
            Whether there is more to be done.

        Raises:
            Refused: ``media.undecodable``.
        """
        if self._behind is None:
            start = self._lacking()
            if start is None:
                return False
            # Room for what is found: these would have to go then.
            self._drop_newest(self._most() - self._most() // 2)
            self._behind = Behind(self._source, start, self._known[0][0])
            # The decoder goes elsewhere.
            self._come_back_later()
        if self._behind.decode_one():
            return True
        found = self._behind.pictures
        self._forget_behind()
        if not found:
            self._beginning = self._known[0][0]
            return False
        self._known.extendleft(reversed(found))
        self._drop_newest(self._most())
        self._come_back_later()
        return True

    def _lacking(self) -> Fraction | None:
        """Return from when on pictures will soon be needed, ``None`` while there are enough."""
        if not self._goes_back or len(self._known) < 2 or self._known[0][0] == self._beginning:
            return None
        before = sum(pts < (self._current or 0) for pts, _ in self._known)
        most = self._most()
        if before > most // 3:
            return None
        each = Fraction(self._known[-1][0] - self._known[0][0], len(self._known) - 1)
        return (self._known[0][0] - each * max(1, most // 2)) * self._source.time_base

    def _drop_newest(self, most: int) -> None:
        """Make room for older pictures; those dropped are decoded again when somebody comes back to them."""
        while len(self._known) > most and self._known[-1][0] > (self._current or 0):
            self._known.pop()
            self._ended = False

    def _come_back_later(self) -> None:
        """Let the decoder seek what follows the newest picture when somebody wants it."""
        newest = self._known[-1][0]
        self._run = (each for each in self._source.pictures(newest * self._source.time_base) if each[0] > newest)
        self._whole_from = None

    def _forget_behind(self) -> None:
        if self._behind is not None:
            self._behind.close()
            self._behind = None

    def _most(self) -> int:
        """Return how many pictures are kept."""
        picture = self._known[0][1]
        return max(3, HISTORY_BYTES // max(1, picture.width * picture.height * 3 // 2))

    def _show(self, target: int, *, hurries: bool = False) -> tuple[float, npt.NDArray[np.uint8]]:
        picture = self._seek(target, hurries=hurries)
        assert self._current is not None
        return float(self._current * self._source.time_base), self._convert(picture)

    def _after(self) -> int:
        """Return the tick of the picture after the current one, or of the current one if it is the last."""
        current = self._current if self._current is not None else 0
        while not self._ended and (not self._known or self._known[-1][0] <= current):
            self._decode_one()
        return next((pts for pts, _ in self._known if pts > current), current)

    def _before(self) -> int:
        """Return a tick at which the picture before the current one is on screen."""
        return (self._current if self._current is not None else 0) - 1

    def _seek(self, target: int, *, hurries: bool = False) -> VideoFrame:
        """Make the picture on screen at ``target`` the current one; in a hurry, most before it are left out."""
        if not self._reaches(target):
            self._forget_behind()
            self._known.clear()
            seconds = target * self._source.time_base
            self._whole_from = seconds - _KEPT_WHOLE if hurries else None
            self._run = self._source.pictures(seconds, whole_from=self._whole_from)
            self._ended = False
        while not self._ended and (not self._known or self._known[-1][0] < target):
            self._decode_one()
        if self._ended and self._is_patchy():
            # The file ends before the target: which picture is its last was left out.
            self._known.clear()
            return self._seek(target)
        if not self._known:
            raise Refused.because("media.undecodable", path=self._path)
        shown = [known for known in self._known if known[0] <= target]
        self._current, picture = shown[-1] if shown else self._known[0]
        return picture

    def _is_patchy(self) -> bool:
        """Whether pictures may be missing after the newest one that is known."""
        newest = self._known[-1][0] * self._source.time_base if self._known else -math.inf
        return self._whole_from is not None and newest < self._whole_from

    def _reaches(self, target: int) -> bool:
        """Whether the picture is known or so near ahead that decoding on is quicker than seeking."""
        if not self._known or target < self._known[0][0]:
            return False
        newest = self._known[-1][0]
        if target <= newest or self._ended:
            return True
        key = self._source.key_before(target)
        return key <= newest if key is not None else (target - newest) * self._source.time_base < Fraction(1, 2)

    def _decode_one(self) -> None:
        self._forget_behind()
        following = next(self._run, None)
        if following is None:
            self._ended = True
            return
        if self._known and self._is_patchy():
            # With holes after it, it does not say what is on screen until the next one.
            self._known.clear()
        self._known.append(following)
        while len(self._known) > self._most():
            self._known.popleft()

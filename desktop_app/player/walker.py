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

from engine.media.frames import Converter, VideoSource
from engine.media.opening import MediaPath
from engine.refusal import Refused

HISTORY_BYTES = 96 << 20
"""Decoded pictures that are kept for stepping back: 30 at 1920 x 1080."""

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
        # One picture at a time: frame threads would hold back as many pictures as there are threads.
        self._source = VideoSource(path, None, "slice")
        self._convert = Converter(max_height, "rgb24", self._source.sample_aspect)
        self._run: Iterator[tuple[int, VideoFrame]] = iter(())
        self._known: deque[tuple[int, VideoFrame]] = deque()
        self._ended = True
        self._whole_from: Fraction | None = None
        self._current: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._known.clear()
        self._source.close()

    def set_max_height(self, max_height: int | None) -> None:
        """Scale to another height from now on."""
        self._convert = Converter(max_height, "rgb24", self._source.sample_aspect)

    def at(self, seconds: float) -> tuple[float, npt.NDArray[np.uint8]]:
        """Return time and pixels, shape ``(h, w, 3)``, of the picture on screen at a time.

        Before the first one that is the first, after the last the last.

        Raises:
            Refused: ``media.undecodable`` when nothing can be decoded.
        """
        # Half a microsecond forgives a presentation time that went through a float.
        target = math.floor((Fraction(seconds) + Fraction(1, 2_000_000)) / self._source.time_base)
        return self._show(target, hurries=True)

    def step(self, count: int) -> tuple[float, npt.NDArray[np.uint8]]:
        """Return time and pixels of the picture ``count`` after the one shown last (before, if negative)."""
        for _ in range(abs(count)):
            before = self._current
            self._seek(self._after() if count > 0 else self._before())
            if self._current == before:
                break
        return self._show(self._current or 0)

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
        following = next(self._run, None)
        if following is None:
            self._ended = True
            return
        if self._known and self._is_patchy():
            # With holes after it, it does not say what is on screen until the next one.
            self._known.clear()
        self._known.append(following)
        size = max(1, following[1].width * following[1].height * 3 // 2)
        while len(self._known) > max(3, HISTORY_BYTES // size):
            self._known.popleft()

"""The pictures before those that are known, decoded while nothing else is to be done, for the next steps back."""

from __future__ import annotations

from fractions import Fraction

from av.video.frame import VideoFrame

from desktop_app.player.pictures import MOST_THREADS
from engine.media.frames import VideoSource
from engine.media.opening import MediaPath


class Behind:
    """Decodes a stretch with a decoder of its own, picture by picture, so that newer wishes need not wait.

    Args:
        path: a local file with pictures.
        start: from when on pictures are wanted, seconds.
        stop: up to which tick, without it.

    Attributes:
        pictures: ``(tick, picture)`` found so far, ascending.

    Raises:
        Refused: as :class:`~engine.media.frames.VideoSource`.
    """

    def __init__(self, path: MediaPath, start: Fraction, stop: int) -> None:
        self._source = VideoSource(path, None, "frame", most_threads=MOST_THREADS)
        self._first = start / self._source.time_base
        self._stop = stop
        self._run = self._source.pictures(max(start, Fraction(0)), whole_from=start)
        self.pictures: list[tuple[int, VideoFrame]] = []

    def decode_one(self) -> bool:
        """Decode one picture more; returns whether there may be another one.

        Raises:
            Refused: ``media.undecodable``.
        """
        following = next(self._run, None)
        if following is None or following[0] >= self._stop:
            return False
        # Those before the stretch are not all there.
        if following[0] >= self._first:
            self.pictures.append(following)
        return True

    def close(self) -> None:
        """Close the file."""
        self._source.close()

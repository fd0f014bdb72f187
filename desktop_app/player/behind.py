"""The pictures before those that are known, decoded while nothing else is to be done, for the next steps back."""

from __future__ import annotations

from fractions import Fraction

from av.video.frame import VideoFrame

from engine.media.frames import VideoSource


class Behind:
    """Decodes a stretch picture by picture, so that newer wishes need not wait.

    Args:
        source: decodes; nobody else may use it until :meth:`close`. One of its own would take 70 MB more in three hours
            of 1080p: an index, a decoder and the buffers of its pictures.
        start: from when on pictures are wanted, seconds.
        stop: up to which tick, without it.

    Attributes:
        pictures: ``(tick, picture)`` found so far, ascending.
    """

    def __init__(self, source: VideoSource, start: Fraction, stop: int) -> None:
        self._first = start / source.time_base
        self._stop = stop
        self._run = source.pictures(max(start, Fraction(0)), whole_from=start)
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
        """Decode no more."""
        self._run.close()

"""Pictures with their true presentation times, upright and at the size that is wanted.

Times are those of the file's own clock, on which sound and picture share zero: edit lists are applied, frames outside
them are left out, nothing is counted. The clock need not begin at 0 (a transport stream usually does not):
``probe(path).start`` says where it does.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Literal, Self

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from engine.media.decoding import decode, packets, pick_video, read_only
from engine.media.opening import MediaPath, open_media
from engine.media.orientation import Orientation, orientation_of
from engine.refusal import Refused
from engine.timing import Timecode

PixelFormat = Literal["rgb24", "bgr24", "gray"]
Threading = Literal["frame", "slice"]
"""``frame`` decodes several frames at a time where that is safe, for long runs; ``slice`` returns each one sooner, for
scrubbing."""

HISTORY_BYTES = 64 << 20
"""Decoded pictures that a reader keeps: 21 at 1920 x 1080."""
_MOST_PACKETS_WITHOUT_KEY = 600
"""Packets after a seek that may pass before a key frame is no longer waited for."""
_JUMP_BACK = Fraction(1)
"""Seconds: a larger step back in time is a new recording joined on, a smaller one a damaged timestamp."""
_FRAME_THREADED = {"h264", "libdav1d", "prores", "dnxhd", "mjpeg"}
"""Decoders whose frame threads survive damaged files. With FFmpeg 8.1 those of HEVC wait for ever on a missing
reference, and those of VP9 crash when a header changes; their slice threads do neither."""
_KNOWN_MATRICES = {0, 1, 4, 5, 6, 7, 9}
"""Matrix coefficients of ITU-T H.273 that swscale converts; it refuses pictures with others."""
_BT2020_CONSTANT_LUMINANCE = 10
_HD_HEIGHT = 720
"""From here up, an untagged picture is taken for ITU-R BT.709, below for BT.601, as players do."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Attributes:
        time: true presentation time on the file's clock.
        image: upright picture with square pixels, shape ``(h, w, 3)``, or ``(h, w)`` for ``gray``.
    """

    time: Timecode
    image: npt.NDArray[np.uint8]


def read_frames(
    path: MediaPath,
    *,
    stream: int | None = None,
    start: Fraction | float | None = None,
    stop: Fraction | float | None = None,
    max_height: int | None = None,
    pixel_format: PixelFormat = "rgb24",
    every: Fraction | None = None,
    threading: Threading = "frame",
) -> Generator[Frame, None, None]:
    """Yield the pictures of a file in order of presentation.

    Damaged frames are left out. Turning, cropping to square pixels and colour conversion happen after scaling.

    Args:
        path: a local file.
        stream: stream index in the file; by default its first moving picture.
        start: leave out frames shown before this time, in seconds on the file's clock.
        stop: leave out frames shown at or after this time.
        max_height: scale larger pictures down to this height, as displayed.
        pixel_format: ``gray`` skips the colour conversion.
        every: yield at most one frame per interval of this many seconds: the first one in it.
        threading: how to decode.

    Raises:
        Refused: as :func:`~engine.media.opening.open_media`, or ``media.no_picture``, ``media.unknown_codec``,
            ``media.undecodable``.
    """
    with VideoSource(path, stream, threading) as source:
        convert = Converter(max_height, pixel_format, source.sample_aspect)
        time_base = source.time_base
        first = -math.inf if start is None else math.ceil(Fraction(start) / time_base)
        end = math.inf if stop is None else math.ceil(Fraction(stop) / time_base)
        interval = None
        for pts, picture in source.pictures(start):
            if pts < first:
                continue
            if pts >= end:
                return
            if every is not None:
                current = math.floor(pts * time_base / every)
                if current == interval:
                    continue
                interval = current
            yield Frame(Timecode(pts, time_base), convert(picture))


class FrameReader:
    """Random access to the pictures of a file; a context manager.

    It keeps the last decoded pictures so that stepping back is quick, and decodes on instead of seeking when the wanted
    frame lies ahead in the same group of pictures.

    Args:
        path: a local file.
        stream: stream index in the file; by default its first moving picture.
        max_height: scale larger pictures down to this height, as displayed.
        pixel_format: as of :func:`read_frames`.
        history_bytes: how much the kept pictures may take; two are kept whatever they take.

    Raises:
        Refused: as :class:`VideoSource`.
    """

    def __init__(
        self,
        path: MediaPath,
        *,
        stream: int | None = None,
        max_height: int | None = None,
        pixel_format: PixelFormat = "rgb24",
        history_bytes: int = HISTORY_BYTES,
    ) -> None:
        self._history_bytes = history_bytes
        self._source = VideoSource(path, stream, "slice")
        self._convert = Converter(max_height, pixel_format, self._source.sample_aspect)
        self._run: Iterator[tuple[int, VideoFrame]] = iter(())
        self._history: deque[tuple[int, VideoFrame]] = deque()
        self._ended = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._history.clear()
        self._run, self._ended = iter(()), True
        self._source.close()

    def frame_at(self, seconds: Fraction | float) -> Frame:
        """Return the frame on screen at a time of the file's clock.

        Before the first frame that is the first, after the last the last.

        Raises:
            Refused: ``media.undecodable`` when the file has no frame that can be decoded.
        """
        time_base = self._source.time_base
        target = math.floor(Fraction(seconds) / time_base)
        if not self._reaches(target):
            self._history.clear()
            self._run = self._source.pictures(target * time_base)
            self._ended = False
        while not self._ended and (not self._history or self._history[-1][0] < target):
            following = next(self._run, None)
            if following is None:
                self._ended = True
            else:
                self._remember(*following)
        shown = [(pts, picture) for pts, picture in self._history if pts <= target]
        if not self._history:
            raise Refused.because("media.undecodable", path=self._source.path)
        pts, picture = shown[-1] if shown else self._history[0]
        return Frame(Timecode(pts, time_base), self._convert(picture))

    def _reaches(self, target: int) -> bool:
        """Whether the frame for ``target`` is remembered, or ahead in the group of pictures being decoded."""
        if not self._history:
            return False
        oldest, newest = self._history[0][0], self._history[-1][0]
        if target < oldest:
            return False
        if target <= newest or self._ended:
            return True
        key = self._source.key_before(target)
        if key is not None:
            return key <= newest
        return (target - newest) * self._source.time_base < Fraction(1, 2)

    def _remember(self, pts: int, picture: VideoFrame) -> None:
        self._history.append((pts, picture))
        size = max(1, picture.width * picture.height * 3 // 2)
        while len(self._history) > max(2, self._history_bytes // size):
            self._history.popleft()


class VideoSource:
    """The decoded pictures of one stream, unconverted, from any time on; a context manager.

    Args:
        path: a local file.
        index: stream index in the file; ``None`` is its first moving picture.
        threading: how to decode.
        keys_only: leave out all but key frames.
        most_threads: decode at most so many frames at a time, each of which takes the memory of a few pictures; by
            default as many as there are cores.

    Attributes:
        time_base: seconds per tick of the times that :meth:`pictures` yields.
        sample_aspect: width of a pixel divided by its height.
        path: the file as it was given.
    """

    def __init__(
        self,
        path: MediaPath,
        index: int | None,
        threading: Threading,
        *,
        keys_only: bool = False,
        most_threads: int | None = None,
    ) -> None:
        self.path = path
        self._most_threads = most_threads
        self._keys_only = keys_only
        self._whole_from: float = -math.inf
        self._threading = threading
        self._open(index)

    def _open(self, index: int | None) -> None:
        self._container = open_media(self.path)
        try:
            self._stream = pick_video(self._container, index, self.path)
        except Refused:
            self._container.close()
            raise
        read_only(self._container, self._stream)
        several = self._threading == "frame" and self._stream.codec_context.name in _FRAME_THREADED
        self._stream.thread_type = "AUTO" if several else "SLICE"
        if several and self._most_threads is not None:
            # libav's own choice is one thread more than there are cores.
            self._stream.codec_context.thread_count = min(self._most_threads, (os.cpu_count() or 1) + 1)
        if self._keys_only:
            self._stream.codec_context.skip_frame = "NONKEY"
        self._index = self._stream.index
        self.time_base = self._stream.time_base or Fraction(1, 90_000)
        self.sample_aspect = plausible_aspect(self._stream.sample_aspect_ratio)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, and give back the memory of its decoder; :meth:`pictures` does not work any more."""
        self._container.close()
        with suppress(AttributeError):
            # The decoder with its threads and pictures, 40 MB at 1920 x 1080, lasts as long as somebody has its stream.
            del self._stream

    def pictures(
        self, start: Fraction | float | None = None, *, whole_from: Fraction | None = None
    ) -> Generator[tuple[int, VideoFrame], None, None]:
        """Yield ``(pts, frame)``, ascending; with ``start``, from some frame at or before it on.

        Args:
            start: seconds on the file's clock.
            whole_from: before this time frames may be missing that no other frame refers to, which lets a far target be
                reached in half the time.

        Raises:
            Refused: ``media.undecodable`` when nothing at all can be decoded.
        """
        self._whole_from = -math.inf if whole_from is None else math.floor(whole_from / self.time_base)
        if start is not None:
            target = math.floor(Fraction(start) / self.time_base)
            for back in (0, 1, 3, 8, 20):
                run = self._from(target - math.ceil(back / self.time_base))
                first = next(run, None)
                if first is not None and first[0] <= target:
                    yield first
                    yield from run
                    return
        self.close()
        self._open(self._index)
        run = self._decoded(from_key=False)
        first = next(run, None)
        if first is None:
            raise Refused.because("media.undecodable", path=self.path)
        yield first
        yield from run

    def key_before(self, target: int) -> int | None:
        """Return the tick of the last indexed key frame at or before ``target``, ``None`` where there is no index."""
        entries = self._stream.index_entries
        found = entries.search_timestamp(target) if len(entries) else -1
        return entries[found].timestamp if found >= 0 else None

    def _from(self, target: int) -> Iterator[tuple[int, VideoFrame]]:
        try:
            self._container.seek(target, stream=self._stream)
        except av.error.FFmpegError:
            return iter(())
        return self._decoded(from_key=True)

    def _decoded(self, *, from_key: bool) -> Iterator[tuple[int, VideoFrame]]:
        """Decode from where the demuxer is, giving every frame a time later than the one before."""
        last: int | None = None
        shift = 0
        step = max(1, round(1 / ((self._stream.guessed_rate or 25) * self.time_base)))
        jump = math.ceil(_JUMP_BACK / self.time_base)
        for picture in self._raw(from_key=from_key):
            stamp = picture.pts
            pts = stamp + shift if stamp is not None else 0 if last is None else last + step
            if last is not None and pts <= last:
                if last - pts <= jump:
                    continue
                shift += last + step - pts
                pts = last + step
            last = pts
            yield pts, picture

    def _raw(self, *, from_key: bool) -> Iterator[VideoFrame]:
        passed = 0
        skips = not self._keys_only and self._whole_from > -math.inf
        if not self._keys_only:
            # A run before this one may have been left in a hurry.
            self._stream.codec_context.skip_frame = "NONREF" if skips else "DEFAULT"
        for packet in packets(self._container, self.path, self._stream):
            if skips and (packet.pts is None or packet.pts >= self._whole_from):
                skips = False
                self._stream.codec_context.skip_frame = "DEFAULT"
            # Frames whose references lie before the seek point would come out grey.
            if from_key and not packet.is_keyframe and passed < _MOST_PACKETS_WITHOUT_KEY:
                passed += 1
                continue
            from_key = False
            yield from decode(self._stream, packet)  # type: ignore[misc]
        yield from decode(self._stream, None)  # type: ignore[misc]


class Converter:
    """Scales, colour-converts and turns decoded pictures; keeps its scaler between calls.

    Args:
        max_height: greatest height as displayed.
        pixel_format: what to convert to.
        sample_aspect: width of a pixel divided by its height.
    """

    def __init__(self, max_height: int | None, pixel_format: PixelFormat, sample_aspect: Fraction) -> None:
        self._max_height = max_height
        self._aspect = sample_aspect
        self._format = pixel_format
        self._scaler = VideoReformatter()
        self._orientation: Orientation | None = None

    def __call__(self, picture: VideoFrame) -> npt.NDArray[np.uint8]:
        """Return the picture as an array, shape ``(h, w, 3)`` or ``(h, w)``."""
        if self._orientation is None:
            self._orientation = orientation_of(picture)
        width, height = self._size(picture)
        scaled = self._scaler.reformat(
            picture,
            width=width,
            height=height,
            format=self._format,
            src_colorspace=_matrix(picture),
            interpolation=Interpolation.AREA if height < picture.height else Interpolation.BILINEAR,
            threads=1,
        )
        return self._orientation.apply(scaled.to_ndarray().view(np.uint8))

    def _size(self, picture: VideoFrame) -> tuple[int, int]:
        width, height = displayed_size(picture.width, picture.height, self._aspect, Orientation())
        if self._max_height is None:
            return width, height
        turned = self._orientation is not None and self._orientation.swaps_sides
        shown_height = width if turned else height
        if shown_height <= self._max_height:
            return width, height
        scale = Fraction(self._max_height, shown_height)
        return max(1, round(width * scale)), max(1, round(height * scale))


def displayed_size(width: int, height: int, aspect: Fraction, orientation: Orientation) -> tuple[int, int]:
    """Return width and height with square pixels after turning; the longer-than-square side is stretched."""
    if aspect > 1:
        width = round(width * aspect)
    elif aspect < 1:
        height = round(height / aspect)
    return (height, width) if orientation.swaps_sides else (width, height)


def plausible_aspect(aspect: Fraction | None) -> Fraction:
    """Return a sample aspect ratio, or 1 where there is none or a damaged one."""
    return aspect if aspect is not None and Fraction(1, 4) <= aspect <= 4 else Fraction(1)


def _matrix(picture: VideoFrame) -> Colorspace | None:
    """Return the luma matrix to assume for a picture whose tag says nothing usable; ``None`` leaves it its own."""
    if picture.colorspace in _KNOWN_MATRICES:
        return None
    if picture.colorspace == _BT2020_CONSTANT_LUMINANCE:
        return Colorspace.BT2020
    return Colorspace.ITU709 if picture.height >= _HD_HEIGHT else Colorspace.ITU601

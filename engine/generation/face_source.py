"""The face as engines see it: upright pictures of one size, in step with the frames of the clip."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from engine.generation.backend import Capabilities, Picture, SourceKind
from engine.generation.plan import FrameMap
from engine.generation.spec import LengthPolicy, RenderSpec
from engine.media.decoding import packets, pick_video, read_only
from engine.media.frames import FrameReader, VideoSource
from engine.media.opening import open_media
from engine.media.orientation import orientation_of
from engine.media.probe import probe
from engine.refusal import Refused
from engine.timing import PictureTimes, snap_rate

_MOST_PIXELS = {SourceKind.PICTURE: 1920 * 1080, SourceKind.VIDEO: 3840 * 2160}
"""Size of a clip when none is asked for: a photograph of 50 megapixels is no reason for a film of that size."""

_BACKGROUND = 255
"""Where a picture is transparent, it is shown on white, as viewers and browsers show it."""

_SLOWEST, _FASTEST = Fraction(1), Fraction(120)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known about a source before anything is drawn.

    Attributes:
        path: the file.
        kind: picture or video.
        size: width and height, upright, with square pixels.
        fps: frames per second of a video, ``None`` for a picture.
        times: when each picture of a video is shown; ``None`` for a picture.
    """

    path: Path
    kind: SourceKind
    size: tuple[int, int]
    fps: Fraction | None = None
    times: PictureTimes | None = None

    @property
    def seconds(self) -> Fraction | None:
        """Length of a video."""
        return None if self.times is None else self.times.end - self.times.time(0)


def look_at(path: Path) -> SourceInfo:
    """Find out what a source is; a video's packets are read for the true times of its pictures.

    Raises:
        Refused: as :func:`engine.media.probe.probe`, or ``media.no_picture``.
    """
    info = probe(path)
    video = info.video
    if video is None:
        raise Refused.because("media.no_picture", path=path)
    size = (video.display_width, video.display_height)
    if info.is_picture or (video.frame_count == 1):
        return SourceInfo(path, SourceKind.PICTURE, size)
    times = _picture_times(path, video.index, video.start, video.rate)
    if len(times) == 1:
        return SourceInfo(path, SourceKind.PICTURE, size)
    return SourceInfo(path, SourceKind.VIDEO, size, min(max(snap_rate(video.rate), _SLOWEST), _FASTEST), times)


def _picture_times(path: Path, index: int, start: Fraction, rate: Fraction) -> PictureTimes:
    with open_media(path) as container:
        stream = pick_video(container, index, path)
        read_only(container, stream)
        time_base = stream.time_base or Fraction(1, 90_000)
        first = math.floor(start / time_base)
        ticks: set[int] = set()
        unstamped = 0
        last = 0
        for packet in packets(container, path, stream):
            if packet.pts is None:
                unstamped += packet.size > 0
            elif packet.pts >= first and not packet.is_discard:
                ticks.add(packet.pts)
                last = max(last, packet.pts + (packet.duration or 0))
    if unstamped > len(ticks):
        return PictureTimes([math.floor(n / rate / time_base) for n in range(unstamped)], time_base)
    if not ticks:
        raise Refused.because("media.undecodable", path=path)
    ordered = np.array(sorted(ticks), np.int64)
    return PictureTimes(ordered, time_base, last if last > ordered[-1] else None)


def clip_size(spec: RenderSpec, source: SourceInfo, capabilities: Capabilities) -> tuple[int, int]:
    """Return width and height of the clip: what was asked for, else the source's as far as the engine can.

    An engine that has a usual area gets the source's shape at that area, for a small picture, too.
    """
    if spec.size is not None:
        return spec.size
    width, height = source.size
    limit = capabilities.usual_pixels or capabilities.most_pixels
    most = limit or _MOST_PIXELS[source.kind]
    scale = math.sqrt(most / (width * height))
    if capabilities.usual_pixels is None and (capabilities.keeps_size or capabilities.most_pixels is None):
        scale = min(1.0, scale)
    step = capabilities.size_multiple

    def side(length: int) -> int:
        fitting = max(1, round(length * scale / step))
        # Rounding up must not lead out of the source, nor past what the engine can.
        return max(1, fitting - (scale <= 1 and fitting * step > length)) * step

    best = (side(width), side(height))
    while limit is not None and best[0] * best[1] > limit:
        best = (best[0] - step, best[1]) if best[0] >= best[1] else (best[0], best[1] - step)
    return best


def clip_fps(spec: RenderSpec, source: SourceInfo, capabilities: Capabilities) -> Fraction:
    """Return the clip's frame rate: what was asked for, else the video's where the engine can draw it."""
    if spec.fps is not None:
        return spec.fps
    if source.fps is not None and (not capabilities.fps or source.fps in capabilities.fps):
        return source.fps
    return capabilities.default_fps


def clip_frames(spec: RenderSpec, source: SourceInfo, voice_samples: int, frames: FrameMap) -> int:
    """Return how many frames the clip has, by the length policy and the limit of the spec; at least 1."""
    count = max(1, _by_policy(spec.length_policy, source, frames.frames_for(voice_samples), frames.fps))
    return count if spec.most_frames is None else min(count, spec.most_frames)


def _by_policy(policy: LengthPolicy, source: SourceInfo, voice: int, fps: Fraction) -> int:
    if source.seconds is None or policy is LengthPolicy.END_WITH_VOICE:
        return voice
    video = math.floor(source.seconds * fps + Fraction(1, 100))
    return min(voice, video) if policy is LengthPolicy.CUT else max(voice, video)


class PictureSource:
    """A still picture; see :class:`engine.generation.backend.Source`."""

    kind = SourceKind.PICTURE

    def __init__(self, info: SourceInfo, size: tuple[int, int]) -> None:
        self.path = info.path
        self.size = size
        self._picture = fitted(_still(info.path), size)
        self._picture.flags.writeable = False

    def picture_number(self, frame: int) -> int:  # noqa: ARG002 - always the same
        """Return 0."""
        return 0

    def frame_at(self, frame: int) -> Picture:  # noqa: ARG002 - always the same
        """Return the picture."""
        return self._picture

    def frames(self, first: int, count: int) -> Iterator[Picture]:  # noqa: ARG002 - always the same
        """Yield the picture ``count`` times."""
        for _ in range(count):
            yield self._picture

    def close(self) -> None:
        """Do nothing; the file is closed already."""


class VideoFaceSource:
    """A video at the clip's rate; see :class:`engine.generation.backend.Source`."""

    kind = SourceKind.VIDEO

    def __init__(self, info: SourceInfo, size: tuple[int, int], fps: Fraction, policy: LengthPolicy) -> None:
        assert info.times is not None  # only a picture has none
        self.path = info.path
        self.size = size
        self._fps = fps
        self._policy = policy
        self._times = info.times
        self._length = info.times.end - info.times.time(0)
        self._reader = FrameReader(info.path)
        self._last: tuple[int, Picture] | None = None

    def picture_number(self, frame: int) -> int:
        """Return the number of the picture shown, from 0, in the order of the video."""
        return self._times.frame_at(self._times.time(0) + self._position(frame / self._fps))

    def frame_at(self, frame: int) -> Picture:
        """Return the picture on screen when the frame begins."""
        number = self.picture_number(frame)
        if self._last is None or self._last[0] != number:
            shown = fitted(self._reader.frame_at(self._times.time(number)).image, self.size)
            shown.flags.writeable = False
            self._last = (number, shown)
        return self._last[1]

    def frames(self, first: int, count: int) -> Iterator[Picture]:
        """Yield the pictures of successive frames."""
        for frame in range(first, first + count):
            yield self.frame_at(frame)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def _position(self, seconds: Fraction) -> Fraction:
        """Return where in the video a moment of the clip is, in seconds from its first picture."""
        if seconds < self._length:
            return seconds
        match self._policy:
            case LengthPolicy.LOOP:
                return seconds % self._length
            case LengthPolicy.HOLD | LengthPolicy.CUT:
                return self._length
        turn = seconds % (2 * self._length)
        return turn if turn < self._length else max(Fraction(0), 2 * self._length - turn - 1 / (2 * self._fps))


def open_source(
    info: SourceInfo, spec: RenderSpec, size: tuple[int, int], fps: Fraction
) -> PictureSource | VideoFaceSource:
    """Open a source at the clip's size and rate.

    Raises:
        Refused: as :func:`engine.media.opening.open_media`.
    """
    if info.kind is SourceKind.PICTURE:
        return PictureSource(info, size)
    return VideoFaceSource(info, size, fps, spec.length_policy)


def fitted(image: Picture, size: tuple[int, int]) -> Picture:
    """Return a picture scaled to cover a size, what sticks out cut off evenly on both sides; contiguous.

    Args:
        image: shape ``(h, w, 3)``.
        size: width and height wanted.
    """
    height, width = image.shape[:2]
    if (width, height) == size:
        return np.ascontiguousarray(image)
    scale = max(size[0] / width, size[1] / height)
    keep_width, keep_height = min(width, round(size[0] / scale)), min(height, round(size[1] / scale))
    left, top = (width - keep_width) // 2, (height - keep_height) // 2
    part = image[top : top + keep_height, left : left + keep_width]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(part, size, interpolation=how), dtype=np.uint8)


def _still(path: Path) -> Picture:
    """Return the picture of a file, upright, what is transparent in it on a white ground."""
    with VideoSource(path, None, "slice") as source:
        _, picture = next(iter(source.pictures()))
        has_alpha = any(component.is_alpha for component in picture.format.components)
        if not has_alpha and not picture.format.has_palette:
            with FrameReader(path) as reader:
                return reader.frame_at(0).image
        pixels = picture.to_ndarray(format="rgba").astype(np.uint16)
        alpha = pixels[..., 3:]
        shown = ((pixels[..., :3] * alpha + _BACKGROUND * (255 - alpha) + 127) // 255).astype(np.uint8)
        return orientation_of(picture).apply(shown)

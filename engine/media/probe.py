"""What a file holds: its streams, and when each of them really begins.

Headers lie: the start times of a container include encoder priming, a frame rate may be an average, an edit list may
hide the first second. So the beginning is decoded, exactly as :mod:`engine.media.frames` and
:mod:`engine.media.samples` will decode it, and timestamps are read from packets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from av.container import InputContainer
from av.stream import Disposition
from av.stream import Stream as AvStream
from av.video.frame import VideoFrame

from engine.media.cut_off import is_cut_off
from engine.media.decoding import is_attached
from engine.media.edit_lists import Edit, edit_lists
from engine.media.frames import displayed_size, plausible_aspect
from engine.media.opening import MediaPath, local_file, open_media
from engine.media.orientation import orientation_of
from engine.media.scanning import PictureScan, SoundScan, scan
from engine.refusal import Refused

_PQ, _HLG = 16, 18
"""ITU-T H.273 transfer characteristics of HDR."""
_LEAST_BIT_RATE = 50
"""Bits per second: a file that claims to be so long that it holds less is damaged."""
_SHORT_SECONDS = 3600
"""A length up to this is believed whatever the size of the file."""
_UNKNOWN_LANGUAGES = {"und", "", None}


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without frames or samples, in seconds on the file's clock."""

    start: Fraction
    stop: Fraction


@dataclass(frozen=True, slots=True)
class VideoStream:
    """A moving picture.

    Attributes:
        index: number of the stream in the file.
        codec: short name, such as ``h264``.
        profile: profile of the codec, or ``None``.
        width: columns as encoded.
        height: rows as encoded.
        display_width: columns as displayed, with square pixels, after turning.
        display_height: rows as displayed.
        rotation: degrees clockwise by which the decoded picture is turned: 0, 90, 180, 270.
        is_mirrored: whether it is flipped left to right before that.
        sample_aspect: width of a pixel divided by its height.
        time_base: seconds per tick.
        rate: mean frames per second, a standard rate where it is near one.
        is_variable: whether frame durations differ.
        frame_count: number of frames, ``None`` where only reading the whole file would tell.
        start: when the first frame is shown, in seconds on the file's clock, edit list applied.
        duration: from then to the end of the last frame, in seconds, or ``None``.
        pixel_format: as decoded, such as ``yuv420p``.
        is_hdr: whether brightness is coded by PQ or HLG.
        color_primaries: number of ITU-T H.273; 2 is unspecified.
        color_transfer: number of ITU-T H.273; 2 is unspecified.
        color_matrix: number of ITU-T H.273; 2 is unspecified.
        color_range: 0 unspecified, 1 limited, 2 full.
        is_interlaced: whether the first frame holds two fields.
        edits: the track's edit list.
        gaps: interruptions, in the part that was looked at.
        is_default: whether players choose this stream.
        has_timestamps: whether the file says when frames are shown; if not, they are counted.
    """

    index: int
    codec: str
    profile: str | None
    width: int
    height: int
    display_width: int
    display_height: int
    rotation: int
    is_mirrored: bool
    sample_aspect: Fraction
    time_base: Fraction
    rate: Fraction
    is_variable: bool
    frame_count: int | None
    start: Fraction
    duration: Fraction | None
    pixel_format: str
    is_hdr: bool
    color_primaries: int
    color_transfer: int
    color_matrix: int
    color_range: int
    is_interlaced: bool
    edits: tuple[Edit, ...]
    gaps: tuple[Gap, ...]
    is_default: bool
    has_timestamps: bool


@dataclass(frozen=True, slots=True)
class AudioStream:
    """A sound.

    Attributes:
        index: number of the stream in the file.
        codec: short name, such as ``aac``.
        profile: profile of the codec, or ``None``.
        sample_rate: samples per second as decoded.
        channels: number of channels.
        layout: name of their arrangement, such as ``stereo``.
        time_base: seconds per tick.
        start: when the first sample sounds, in seconds on the file's clock, priming and edit list applied.
        duration: from then to the last sample, in seconds, or ``None``.
        priming_samples: samples that are decoded and thrown away at the beginning (encoder delay and whatever an edit
            list hides). 0 also where the file does not say, as in a transport stream.
        sample_format: as decoded, such as ``fltp``.
        bit_rate: bits per second, or ``None``.
        language: three-letter code, or ``None``.
        title: what the file calls the stream, or ``None``.
        edits: the track's edit list.
        gaps: interruptions, in the part that was looked at.
        is_default: whether players choose this stream.
    """

    index: int
    codec: str
    profile: str | None
    sample_rate: int
    channels: int
    layout: str
    time_base: Fraction
    start: Fraction
    duration: Fraction | None
    priming_samples: int
    sample_format: str
    bit_rate: int | None
    language: str | None
    title: str | None
    edits: tuple[Edit, ...]
    gaps: tuple[Gap, ...]
    is_default: bool


_Described = TypeVar("_Described", VideoStream, AudioStream)


@dataclass(frozen=True, slots=True)
class OtherStream:
    """Subtitles, data, attachments, cover pictures, and streams that cannot be decoded.

    Attributes:
        index: number of the stream in the file.
        kind: ``video``, ``audio``, ``subtitle``, ``data``, ``attachment`` or ``unknown``.
        codec: short name, or ``None``.
        is_cover: whether it is a cover picture.
    """

    index: int
    kind: str
    codec: str | None
    is_cover: bool


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file holds. Every time is in seconds on the file's own clock, shared by all its streams.

    Attributes:
        path: the file.
        container: short name of its format, such as ``mp4``, ``matroska`` or ``mpegts``.
        duration: from :attr:`start` to the end, in seconds; ``None`` for pictures and where it is unknown.
        start: when the first frame is shown or the first sample sounds, whichever is earlier. Players call this 0.
        size: bytes.
        videos: moving pictures that can be decoded.
        audios: sounds that can be decoded.
        others: everything else.
        metadata: the container's tags.
        chapters: ``(start, end, title)``.
        is_complete: whether the whole file was looked at, so that gaps, counts and variable rate are certain.
        has_negative_start: whether something is to be shown before the clock's zero.
        is_cut_off: whether its end is missing (see :mod:`engine.media.cut_off`): lengths are what they should be.
    """

    path: Path
    container: str
    duration: Fraction | None
    start: Fraction
    size: int
    videos: tuple[VideoStream, ...]
    audios: tuple[AudioStream, ...]
    others: tuple[OtherStream, ...]
    metadata: dict[str, str]
    chapters: tuple[tuple[Fraction, Fraction, str], ...]
    is_complete: bool
    has_negative_start: bool
    is_cut_off: bool = False

    @property
    def video(self) -> VideoStream | None:
        """The moving picture that players choose, or ``None``."""
        return _chosen(self.videos)

    @property
    def audio(self) -> AudioStream | None:
        """The sound that players choose, or ``None``."""
        return _chosen(self.audios)

    @property
    def is_picture(self) -> bool:
        """Whether the file is a still picture."""
        return self.container.endswith("_pipe") or (
            not self.audios and self.video is not None and self.video.frame_count == 1
        )

    @property
    def has_edit_list(self) -> bool:
        """Whether an edit list changes more than skipping priming: it delays, cuts or repeats."""
        lists = [stream.edits for stream in self.videos] + [stream.edits for stream in self.audios]
        return any(map(_is_cut, lists))

    @property
    def container_delay(self) -> Fraction | None:
        """How much later the sound begins than the picture, in seconds; ``None`` without both.

        It is not an error by itself: a microphone that was switched on late makes one too.
        """
        if self.video is None or self.audio is None:
            return None
        return self.audio.start - self.video.start


def probe(path: MediaPath, *, full: bool = False) -> MediaInfo:
    """Look into a file.

    Args:
        path: a local file.
        full: read all packets (without decoding them) instead of the first few seconds.

    Raises:
        Refused: as :func:`~engine.media.opening.open_media`; ``media.unknown_codec`` or ``media.undecodable`` when
            none of its pictures and sounds can be decoded.
    """
    file = local_file(path)
    with open_media(path) as container:
        edits = edit_lists(file) if container.format.name.startswith("mov") else {}
        pictures = [PictureScan(stream) for stream in container.streams.video if _is_usable(stream)]
        sounds = [SoundScan(stream) for stream in container.streams.audio if _is_usable(stream)]
        if not pictures and not sounds:
            raise Refused.because("media.unknown_codec", path=path)
        complete = scan(container, path, [*pictures, *sounds], full=full)
        videos = tuple(
            _described_picture(container, one, one.first, edits, complete) for one in pictures if one.first is not None
        )
        audios = tuple(_described_sound(container, one, edits, complete) for one in sounds if one.pieces)
        if not videos and not audios:
            raise Refused.because("media.undecodable", path=path)
        known: list[VideoStream | AudioStream] = [*videos, *audios]
        described = {stream.index for stream in known}
        start = min(stream.start for stream in known)
        name = _container_name(container, file)
        ends = [stream.start + stream.duration for stream in known if stream.duration is not None]
        return MediaInfo(
            path=Path(path),
            container=name,
            duration=max(ends) - start if ends and not name.endswith("_pipe") else None,
            start=start,
            size=file.stat().st_size,
            videos=videos,
            audios=audios,
            others=tuple(_other(stream) for stream in container.streams if stream.index not in described),
            metadata=dict(container.metadata),
            chapters=tuple(_chapters(container)),
            is_complete=complete,
            has_negative_start=start < 0,
            is_cut_off=is_cut_off(file),
        )


def _described_picture(
    container: InputContainer, found: PictureScan, frame: VideoFrame, edits: dict[int, tuple[Edit, ...]], complete: bool
) -> VideoStream:
    stream, times, tick = found.stream, found.times, found.time_base
    orientation = orientation_of(frame)
    aspect = plausible_aspect(stream.sample_aspect_ratio)
    display_width, display_height = displayed_size(frame.width, frame.height, aspect, orientation)
    start = (frame.pts or 0) * tick
    rate, is_variable = found.rate(complete=complete)
    return VideoStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        profile=stream.profile,
        width=frame.width,
        height=frame.height,
        display_width=display_width,
        display_height=display_height,
        rotation=orientation.rotation,
        is_mirrored=orientation.is_mirrored,
        sample_aspect=aspect,
        time_base=tick,
        rate=rate,
        is_variable=is_variable,
        frame_count=times.count if complete and found.has_timestamps else stream.frames or None,
        start=start,
        duration=_duration(container, stream, tick, start, found.end(rate) if complete else None),
        pixel_format=frame.format.name,
        is_hdr=frame.color_trc in {_PQ, _HLG},
        color_primaries=int(frame.color_primaries),
        color_transfer=int(frame.color_trc),
        color_matrix=int(frame.colorspace),
        color_range=int(frame.color_range),
        is_interlaced=frame.interlaced_frame,
        edits=edits.get(stream.id, ()),
        gaps=tuple(Gap(begin * tick, end * tick) for begin, end in times.gaps),
        is_default=bool(stream.disposition & Disposition.default),
        has_timestamps=found.has_timestamps,
    )


def _described_sound(
    container: InputContainer, found: SoundScan, edits: dict[int, tuple[Edit, ...]], complete: bool
) -> AudioStream:
    stream, tick = found.stream, found.time_base
    frame = found.pieces[0].frame
    context = stream.codec_context
    language = stream.metadata.get("language")
    start = found.start
    return AudioStream(
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=stream.profile,
        sample_rate=frame.sample_rate,
        channels=frame.layout.nb_channels,
        layout=frame.layout.name,
        time_base=tick,
        start=start,
        duration=_duration(container, stream, tick, start, found.end if complete else None),
        priming_samples=found.priming,
        sample_format=frame.format.name,
        bit_rate=context.bit_rate,
        language=None if language in _UNKNOWN_LANGUAGES else language,
        title=stream.metadata.get("title") or stream.metadata.get("handler_name"),
        edits=edits.get(stream.id, ()),
        gaps=tuple(Gap(begin * tick, end * tick) for begin, end in found.gaps),
        is_default=bool(stream.disposition & Disposition.default),
    )


def _duration(
    container: InputContainer, stream: AvStream, time_base: Fraction, start: Fraction, measured_end: Fraction | None
) -> Fraction | None:
    """Return how long a stream is, as measured or by its own header or by the container's; ``None`` if unbelievable."""
    if measured_end is not None:
        end = measured_end
    elif stream.duration is not None and stream.duration > 0:
        end = ((stream.start_time or 0) + stream.duration) * time_base
    elif container.duration is not None and container.duration > 0:
        end = Fraction((container.start_time or 0) + container.duration, 1_000_000)
    else:
        return None
    longest = max(_SHORT_SECONDS, container.size * 8 / _LEAST_BIT_RATE)
    return end - start if 0 <= end - start <= longest else None


def _is_usable(stream: AvStream) -> bool:
    return stream.codec_context is not None and not is_attached(stream)


def _chosen(streams: tuple[_Described, ...]) -> _Described | None:
    """Return the default stream, else the first."""
    default = [stream for stream in streams if stream.is_default]
    return next(iter(default or streams), None)


def _is_cut(edits: tuple[Edit, ...]) -> bool:
    """Whether an edit list does more than skip the beginning of a track once."""
    return len(edits) > 1 or any(edit.media_start is None for edit in edits)


def _other(stream: AvStream) -> OtherStream:
    context = stream.codec_context
    return OtherStream(
        index=stream.index,
        kind=stream.type,
        codec=context.codec.canonical_name if context is not None else getattr(stream, "name", None),
        is_cover=stream.type == "video" and is_attached(stream),
    )


def _chapters(container: InputContainer) -> Iterable[tuple[Fraction, Fraction, str]]:
    for chapter in container.chapters():
        tick = chapter["time_base"] or Fraction(1)
        yield chapter["start"] * tick, chapter["end"] * tick, chapter["metadata"].get("title", "")


def _container_name(container: InputContainer, file: Path) -> str:
    """Return one name for the format; demuxers that read several list them all."""
    names = container.format.name.split(",")
    if "mov" in names:
        return "mov" if container.metadata.get("major_brand", "").strip() == "qt" else "mp4"
    if "webm" in names:
        return "webm" if file.suffix.lower() == ".webm" else "matroska"
    return names[0]

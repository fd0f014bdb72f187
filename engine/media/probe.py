"""What a file holds: its streams, and when each of them really begins.

Headers lie: the start times of a container include encoder priming, a frame rate may be an average, an edit list may
hide the first second. So the beginning is decoded, exactly as :mod:`engine.media.frames` and
:mod:`engine.media.samples` will decode it, and timestamps are read from packets.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream as AvAudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.stream import Stream as AvStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from engine.media.decoding import decode, is_attached, packets
from engine.media.edit_lists import Edit, edit_lists
from engine.media.frames import displayed_size, plausible_aspect
from engine.media.opening import MediaPath, local_file, open_media
from engine.media.orientation import Orientation, orientation_of
from engine.media.placing import Piece, refined_start
from engine.media.sound_source import SURVEYED_FRAMES
from engine.refusal import Refused
from engine.timing import snap_rate

_SAMPLE_SECONDS = 4
_MOST_SAMPLED_PACKETS = 4000
_MOST_TRIED_PACKETS = 100
"""Packets of a stream that are decoded in search of its first frame."""
_REORDERED = 32
"""Frames by which decoding order can differ from presentation order (16 in H.264 and HEVC) with room to spare."""
_MOST_GAPS = 200
_PQ, _HLG = 16, 18
"""ITU-T H.273 transfer characteristics of HDR."""
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
        pictures = [_PictureScan(stream) for stream in container.streams.video if _is_usable(stream)]
        sounds = [_SoundScan(stream) for stream in container.streams.audio if _is_usable(stream)]
        if not pictures and not sounds:
            raise Refused.because("media.unknown_codec", path=path)
        complete = _scan(container, path, [*pictures, *sounds], full=full)
        videos = tuple(scan.described(container, edits, complete) for scan in pictures if scan.first is not None)
        audios = tuple(scan.described(container, edits, complete) for scan in sounds if scan.first is not None)
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
        )


@dataclass(slots=True)
class _Times:
    """Presentation times of a stream of frames, put in order as they come, with a bounded memory.

    Attributes:
        first: earliest tick.
        last: latest tick.
        count: frames so far.
        shortest: least distance of neighbours, gaps left out.
        longest: greatest distance of neighbours, gaps left out.
        gaps: ``(from, to)`` in ticks.
    """

    gap_ticks: int
    first: int | None = None
    last: int | None = None
    count: int = 0
    shortest: int | None = None
    longest: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    _waiting: list[int] = field(default_factory=list)

    def add(self, tick: int) -> None:
        heapq.heappush(self._waiting, tick)
        if len(self._waiting) > _REORDERED:
            self._pass(heapq.heappop(self._waiting))

    def finish(self, *, complete: bool) -> None:
        """Take in the frames still waiting; in the middle of a stream some that belong between them are missing."""
        while self._waiting and complete:
            self._pass(heapq.heappop(self._waiting))

    def _pass(self, tick: int) -> None:
        if self.last is None:
            self.first = self.last = tick
            self.count = 1
            return
        distance = tick - self.last
        if distance <= 0:
            return
        self.count += 1
        if distance > self.gap_ticks and distance > 8 * max(1, self.longest):
            if len(self.gaps) < _MOST_GAPS:
                self.gaps.append((self.last + max(1, self.longest), tick))
        else:
            self.shortest = distance if self.shortest is None else min(self.shortest, distance)
            self.longest = max(self.longest, distance)
        self.last = tick

    def is_variable(self, time_base: Fraction) -> bool:
        """As :attr:`engine.timing.FrameMap.is_variable`: more uneven than rounding to ticks or milliseconds."""
        if self.count < 3 or self.shortest is None:
            return False
        return self.longest - self.shortest > max(Fraction(2), Fraction(21, 10_000) / time_base)

    def mean_rate(self, time_base: Fraction) -> Fraction | None:
        """Frames per second, gaps left out; ``None`` for fewer than two frames."""
        if self.first is None or self.last is None or self.count < 2:
            return None
        held = self.last - self.first - sum(stop - start for start, stop in self.gaps)
        return Fraction(self.count - 1) / (held * time_base) if held > 0 else None


class _PictureScan:
    """Collects what the packets and the first frame of a moving picture tell."""

    def __init__(self, stream: AvVideoStream) -> None:
        self.stream = stream
        self.time_base = stream.time_base or Fraction(1, 90_000)
        self.times = _Times(gap_ticks=math.ceil(Fraction(1, 2) / self.time_base))
        self.first: VideoFrame | None = None
        self.has_timestamps = False
        self._end = Fraction(0)
        self._tried = 0

    @property
    def is_sampled(self) -> bool:
        """Whether enough was seen of this stream."""
        times = self.times
        if times.first is None or times.last is None or self.first is None:
            return False
        return (times.last - times.first) * self.time_base >= _SAMPLE_SECONDS

    def take(self, packet: Packet[Any]) -> None:
        if packet.pts is not None and not packet.is_discard:
            self.has_timestamps = True
            self.times.add(packet.pts)
            self._end = max(self._end, (packet.pts + (packet.duration or 0)) * self.time_base)
        if self.first is None and self._tried < _MOST_TRIED_PACKETS:
            self._tried += 1
            self._keep(decode(self.stream, packet))

    def finish(self, *, complete: bool) -> None:
        self.times.finish(complete=complete)
        if complete and self.first is None:
            self._keep(decode(self.stream, None))

    def _keep(self, frames: Iterable[VideoFrame | AudioFrame]) -> None:
        self.first = next((frame for frame in frames if isinstance(frame, VideoFrame)), None)

    def described(self, container: InputContainer, edits: dict[int, tuple[Edit, ...]], complete: bool) -> VideoStream:
        stream, frame, times = self.stream, self.first, self.times
        context = stream.codec_context
        if frame is None:
            raise ValueError("described before a frame was decoded")
        orientation: Orientation = orientation_of(frame)
        aspect = plausible_aspect(stream.sample_aspect_ratio)
        display_width, display_height = displayed_size(frame.width, frame.height, aspect, orientation)
        start = (frame.pts or 0) * self.time_base
        rate, variable = self._rate(complete)
        return VideoStream(
            index=stream.index,
            codec=context.codec.canonical_name,
            profile=stream.profile,
            width=frame.width,
            height=frame.height,
            display_width=display_width,
            display_height=display_height,
            rotation=orientation.rotation,
            is_mirrored=orientation.is_mirrored,
            sample_aspect=aspect,
            time_base=self.time_base,
            rate=rate,
            is_variable=variable,
            frame_count=times.count if complete and self.has_timestamps else stream.frames or None,
            start=start,
            duration=self._duration(container, start, rate, complete),
            pixel_format=frame.format.name,
            is_hdr=frame.color_trc in {_PQ, _HLG},
            color_primaries=int(frame.color_primaries),
            color_transfer=int(frame.color_trc),
            color_matrix=int(frame.colorspace),
            color_range=int(frame.color_range),
            is_interlaced=frame.interlaced_frame,
            edits=edits.get(stream.id, ()),
            gaps=tuple(Gap(begin * self.time_base, end * self.time_base) for begin, end in times.gaps),
            is_default=bool(stream.disposition & Disposition.default),
            has_timestamps=self.has_timestamps,
        )

    def _rate(self, complete: bool) -> tuple[Fraction, bool]:
        """Return the mean rate and whether frame durations differ."""
        measured = self.times.mean_rate(self.time_base)
        declared = self.stream.average_rate or self.stream.guessed_rate
        if measured is None or not self.has_timestamps:
            return snap_rate(declared) if declared else Fraction(1), False
        variable = self.times.is_variable(self.time_base)
        if complete or not declared:
            return snap_rate(measured), variable
        if not variable and abs(measured - declared) > Fraction(1, 100) * declared and self.stream.frames:
            # The index counts frames over the whole file, and has a different number of them per second.
            variable = True
        if variable:
            return snap_rate(declared), True
        # A few seconds of timestamps in milliseconds do not tell 29.97 from 30; the header then decides.
        span = (self.times.count - 1) / measured
        return (
            snap_rate(declared)
            if abs(measured - declared) * span <= measured * 2 * max(self.time_base, Fraction(1, 1000))
            else snap_rate(measured)
        ), False

    def _duration(self, container: InputContainer, start: Fraction, rate: Fraction, complete: bool) -> Fraction | None:
        if complete and self.times.last is not None:
            last = self.times.last * self.time_base
            return (self._end if self._end > last else last + 1 / rate) - start
        return _declared_duration(container, self.stream, self.time_base, start)


class _SoundScan:
    """Collects what the packets and the first frame of a sound tell."""

    def __init__(self, stream: AvAudioStream) -> None:
        self.stream = stream
        self.time_base = stream.time_base or Fraction(1, 90_000)
        self.pieces: list[Piece] = []
        self.gaps: list[Gap] = []
        self._first_tick: int | None = None
        self._end: Fraction | None = None
        self._tried = 0
        self._coded_samples = 0

    @property
    def first(self) -> AudioFrame | None:
        """The first frame with samples."""
        return self.pieces[0].frame if self.pieces else None

    @property
    def is_sampled(self) -> bool:
        """Whether enough was seen of this stream."""
        if not self.pieces:
            return False
        return self.time_base * self.pieces[0].rate <= 1 or len(self.pieces) >= SURVEYED_FRAMES

    def take(self, packet: Packet[Any]) -> None:
        if packet.pts is not None:
            begin = packet.pts * self.time_base
            if self._first_tick is None:
                self._first_tick = packet.pts
            slack = max(Fraction(1, 200), 2 * self.time_base)
            if self._end is not None and begin - self._end > slack and len(self.gaps) < _MOST_GAPS:
                self.gaps.append(Gap(self._end, begin))
            end = begin + self._length(packet)
            self._end = end if self._end is None else max(self._end, end)
        if not self.is_sampled and self._tried < _MOST_TRIED_PACKETS:
            self._tried += 1
            self._keep(decode(self.stream, packet))
            if len(self.pieces) <= 1:
                self._coded_samples += round(self._length(packet) * self.stream.codec_context.sample_rate)

    def _length(self, packet: Packet[Any]) -> Fraction:
        """Return how long a packet sounds; an MP4 stretches the duration of a packet over the gap that follows."""
        context = self.stream.codec_context
        declared = (packet.duration or 0) * self.time_base
        coded = Fraction(context.frame_size, context.sample_rate) if context.sample_rate else Fraction(0)
        return coded if coded and declared >= coded - self.time_base else declared

    def _priming(self, first: AudioFrame) -> int:
        """Return the samples coded before the first one that is heard."""
        if self._first_tick is None or first.pts is None:
            return 0
        if self.time_base * first.sample_rate <= 1:
            return max(0, round((first.pts - self._first_tick) * self.time_base * first.sample_rate))
        # Timestamps are coarser than samples, but packets hold whole frames.
        return max(0, self._coded_samples - first.samples) if first.pts > self._first_tick else 0

    def finish(self, *, complete: bool) -> None:
        if complete and not self.is_sampled:
            self._keep(decode(self.stream, None))

    def _keep(self, frames: Iterable[VideoFrame | AudioFrame]) -> None:
        self.pieces += [Piece.of(frame) for frame in frames if isinstance(frame, AudioFrame) and frame.samples]

    def described(self, container: InputContainer, edits: dict[int, tuple[Edit, ...]], complete: bool) -> AudioStream:
        stream, frame = self.stream, self.first
        if frame is None:
            raise ValueError("described before a frame was decoded")
        context = stream.codec_context
        start = refined_start(self.pieces, self.time_base)
        language = stream.metadata.get("language")
        if complete and self._end is not None:
            duration: Fraction | None = max(Fraction(0), self._end - start)
        else:
            duration = _declared_duration(container, stream, self.time_base, start)
        return AudioStream(
            index=stream.index,
            codec=context.codec.canonical_name,
            profile=stream.profile,
            sample_rate=frame.sample_rate,
            channels=frame.layout.nb_channels,
            layout=frame.layout.name,
            time_base=self.time_base,
            start=start,
            duration=duration,
            priming_samples=self._priming(frame),
            sample_format=frame.format.name,
            bit_rate=context.bit_rate,
            language=None if language in _UNKNOWN_LANGUAGES else language,
            title=stream.metadata.get("title") or stream.metadata.get("handler_name"),
            edits=edits.get(stream.id, ()),
            gaps=tuple(self.gaps),
            is_default=bool(stream.disposition & Disposition.default),
        )


def _scan(container: InputContainer, path: MediaPath, scans: list[_PictureScan | _SoundScan], *, full: bool) -> bool:
    """Read packets until every stream is known well enough; return whether that was the whole file."""
    by_index = {scan.stream.index: scan for scan in scans}
    complete = True
    for number, packet in enumerate(packets(container, path, *(scan.stream for scan in scans))):
        by_index[packet.stream_index].take(packet)
        if not full and (number >= _MOST_SAMPLED_PACKETS or all(scan.is_sampled for scan in scans)):
            complete = False
            break
    for scan in scans:
        scan.finish(complete=complete)
    return complete


def _declared_duration(
    container: InputContainer, stream: AvStream, time_base: Fraction, start: Fraction
) -> Fraction | None:
    """Return how long a stream is by its own header, or by the container's."""
    if stream.duration is not None and stream.duration > 0:
        begin = (stream.start_time or 0) * time_base
        return max(Fraction(0), begin + stream.duration * time_base - start)
    if container.duration is not None and container.duration > 0:
        begin = Fraction(container.start_time or 0, 1_000_000)
        return max(Fraction(0), begin + Fraction(container.duration, 1_000_000) - start)
    return None


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

"""What is asked of an export, checked and looked up once, for all modes."""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

from av.stream import Disposition

from engine.jobs import Progress
from engine.media.decoding import is_attached
from engine.media.export.containers import Container
from engine.media.export.report import AnyCorrection, Fate, Mode, StreamFate
from engine.media.export.treatment import Treatment
from engine.media.opening import open_media
from engine.media.probe import AudioStream, MediaInfo, VideoStream
from engine.words import Message

_FIRST_PACKETS = 4
_CLOCK_MAY_JUMP = 0x200  # AVFMT_TS_DISCONT


@dataclass(frozen=True, slots=True)
class SourceStream:
    """A stream of the source as the muxer will meet it.

    Attributes:
        index: its number.
        kind: ``video``, ``audio``, ``subtitle``, ``data`` or ``attachment``.
        codec: short name, or ``None``.
        is_cover: whether it is a cover picture.
        disposition: what it is for, as ffmpeg writes it (``default+hearing_impaired``).
        is_derived: whether it is a time code or chapter track, which muxers write from the tags and chapters.
    """

    index: int
    kind: str
    codec: str | None
    is_cover: bool
    disposition: str
    is_derived: bool


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done.

    Attributes:
        source: the clip.
        target: the file to be written.
        container: its container.
        mode: how the sound is moved.
        correction: by how much.
        info: what the clip holds.
        video: its picture.
        sound: where the sound comes from: the clip itself or another file.
        sound_info: what that file holds.
        audio: the stream that is heard.
        streams: all streams of the clip.
        has_hidden_frames: whether an edit list hides coded frames before the first one shown.
        treatment: what else is done to the sound, ``None`` for nothing.
    """

    source: Path
    target: Path
    container: Container
    mode: Mode
    correction: AnyCorrection
    info: MediaInfo
    video: VideoStream
    sound: Path
    sound_info: MediaInfo
    audio: AudioStream
    streams: tuple[SourceStream, ...]
    has_hidden_frames: bool
    treatment: Treatment | None = None

    @property
    def replaces_sound(self) -> bool:
        """Whether the sound comes from another file."""
        return self.sound != self.source

    @property
    def keeps_container(self) -> bool:
        """Whether the target is the same kind of file as the clip."""
        same_name = self.source.suffix.lower() == self.target.suffix.lower()
        families = ({"mp4", "mov"}, {"matroska"}, {"webm"}, {"mpegts"})
        return self.info.container == self.container or (
            same_name and any({self.info.container, self.container.value} <= family for family in families)
        )


@dataclass(slots=True)
class Outcome:
    """What a mode did: the fates of the streams, what to say about it, and where checks make no sense.

    Attributes:
        streams: what became of each stream.
        notes: sentences for the report.
        avoid: moments of the source, in seconds on its clock, around which sound was cut or inserted.
        is_exact: whether the samples are the source's own, so that a check may expect them to the sample.
    """

    streams: list[StreamFate] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)
    avoid: tuple[Fraction, ...] = ()
    is_exact: bool = True


Step = Generator[Progress, None, Outcome]


def source_streams(path: Path, video: VideoStream) -> tuple[tuple[SourceStream, ...], bool]:
    """Return the streams of a file, and whether coded frames are hidden before the first one shown.

    Raises:
        Refused: as :func:`~engine.media.opening.open_media`.
    """
    with open_media(path) as container:
        chaptered = container.format.name.startswith("mov") and bool(container.chapters())
        streams = tuple(
            SourceStream(
                stream.index,
                stream.type,
                None if stream.codec_context is None else stream.codec_context.codec.name,
                stream.type == "video" and is_attached(stream),
                "+".join(flag.name for flag in Disposition if flag.name and flag in stream.disposition) or "0",
                stream.type == "data" and ("timecode" in stream.metadata or chaptered),
            )
            for stream in container.streams
        )
        first = islice(container.demux(container.streams[video.index]), _FIRST_PACKETS)
        hidden = any(
            packet.is_discard or (packet.pts is not None and packet.pts * video.time_base < video.start)
            for packet in first
        )
    return streams, hidden


def zero_when_copied(path: Path, used: Collection[int]) -> Fraction:
    """Return what ffmpeg takes for time zero of a file when it copies, in seconds on the file's clock.

    That is when the file begins; in formats whose clock may jump (transport streams) when the streams begin that are
    copied.

    Args:
        path: the file.
        used: the streams that are copied.

    Raises:
        Refused: as :func:`~engine.media.opening.open_media`.
    """
    with open_media(path) as container:
        start = Fraction(container.start_time or 0, 1_000_000)
        if not int(container.format.flags) & _CLOCK_MAY_JUMP:
            return start
        starts = [
            stream.start_time * stream.time_base
            for stream in container.streams
            if stream.index in used and stream.start_time is not None and stream.time_base is not None
        ]
        # ffmpeg counts the file's start in microseconds.
        return max([start, Fraction(round(min(starts) * 1_000_000), 1_000_000)]) if starts else start


def copied(request: Request) -> list[StreamFate]:
    """Return the fates when everything is kept and the sound is moved."""
    return [
        StreamFate(stream.index, stream.kind, stream.codec, Fate.MOVED if stream.kind == "audio" else Fate.COPIED)
        for stream in request.streams
    ]

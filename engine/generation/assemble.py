"""From segments and a voice to a clip: packets joined in order, the original voice put under them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream

from engine.generation.plan import Plan
from engine.generation.storage import SegmentStore
from engine.jobs import Job, Progress, part_of
from engine.media.export.codecs import Encoding, encoding_for
from engine.media.export.containers import Container, container_of
from engine.media.export.encode import encode
from engine.media.export.job import export
from engine.media.export.report import Mode
from engine.media.probe import AudioStream, probe
from engine.media.samples import read_samples
from engine.refusal import Refused
from engine.timing import Correction
from engine.words import Message

_COPIED: dict[Container, set[str]] = {
    Container.MP4: {"aac", "alac", "flac", "opus", "mp3", "ac3", "eac3"},
    Container.MOV: {"aac", "alac", "mp3", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "ac3", "eac3"},
    Container.MATROSKA: {
        *("aac", "alac", "flac", "opus", "vorbis", "mp3", "ac3", "eac3"),
        *("pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"),
    },
}
"""Sound that common players play from each container as it is; everything else is encoded once."""


def join(plan: Plan, store: SegmentStore, target: Path) -> Job[None]:
    """Write the pictures of all segments into one file, without sound; packets are copied.

    Raises:
        OSError: if the disk is full.
    """
    with av.open(f"file:{target.absolute()}", "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream: VideoStream | None = None
        for segment in plan.segments:
            with av.open(f"file:{store.path(segment)}") as piece:
                source = piece.streams.video[0]
                if stream is None:
                    stream = container.add_stream_from_template(source)
                    stream.time_base = 1 / plan.fps
                for packet in piece.demux(source):
                    if packet.pts is None:
                        continue
                    frame = segment.first_frame + round(packet.pts * packet.time_base * plan.fps)
                    packet.time_base = 1 / plan.fps
                    packet.pts = packet.dts = frame
                    packet.duration = 1
                    packet.stream = stream
                    container.mux(packet)
            yield Progress("joining", segment.stop_frame / plan.frame_count)


def put_voice(
    picture: Path, voice: Path, target: Path, plan: Plan, *, shift_ms: float, scratch: Path
) -> Job[tuple[Message, ...]]:
    """Write the clip: the pictures with the original voice, whose first sample sounds with the first picture.

    The voice keeps its rate and channels; it is copied where the container takes its codec, else encoded once.

    Args:
        picture: what :func:`join` wrote.
        voice: a file with sound.
        target: the clip, replaced if it exists.
        plan: how long the picture is.
        shift_ms: by how much the sound is moved; positive, later.
        scratch: a folder for a voice that has to be cut.

    Returns:
        What is to be said about the sound.

    Raises:
        Refused: ``generation.voice_gone``, or as :func:`engine.media.export.job.export`.
    """
    audio = _sound_of(voice)
    container = container_of(target)
    if container is None:
        raise Refused.because("export.unknown_container", path=target, suffix=target.suffix or "?")
    notes: list[Message] = []
    outlasts = audio.duration is not None and audio.duration > plan.seconds + 1 / plan.fps
    if outlasts or audio.codec not in _COPIED[container]:
        encoding = _encoding(audio, container)
        if not encoding.is_lossless:
            notes.append(Message("generation.note.voice_encoded", codec=encoding.codec.upper()))
        file = scratch / f"sound{encoding.suffix}"
        yield from part_of(_encoded(voice, audio, plan, encoding, file), 0.0, 0.5)
        voice, audio = file, _sound_of(file)
    # Both clocks are brought to zero: the sound's first sample to the picture's first frame.
    correction = Correction(float(-audio.start * 1000) + shift_ms)
    writing = export(picture, target, correction, Mode.LOSSLESS, audio=voice, overwrite=True, verify=False)
    yield from part_of(writing, 0.5, 1.0)
    return tuple(notes)


def _sound_of(voice: Path) -> AudioStream:
    try:
        audio = probe(voice).audio
    except Refused as refused:
        if refused.refusal.code == "media.missing":
            raise Refused.because("generation.voice_gone", path=voice) from refused
        raise
    if audio is None:
        raise Refused.because("media.no_sound", path=voice)
    return audio


def _encoding(audio: AudioStream, container: Container) -> Encoding:
    """Return how a voice is encoded that cannot be copied: without loss where its codec has none, else as AAC.

    AAC goes into an MP4 file, whose edit list says how long the encoder's delay is, so that nothing is lost or moved.
    """
    encoding = encoding_for(audio, container)
    return encoding if encoding.is_lossless else replace(encoding, format="mp4", suffix=".m4a", delay=0)


def _encoded(voice: Path, audio: AudioStream, plan: Plan, encoding: Encoding, target: Path) -> Job[None]:
    """Write a voice to a file of its own, at most as long as the picture."""
    stop = audio.start + plan.seconds
    blocks = read_samples(
        voice,
        stream=audio.index,
        sample_rate=encoding.sample_rate,
        channels=2 if encoding.channels == 2 else None,
        stop=stop,
    )
    pieces = (block.data.reshape(len(block.data), -1) for block in blocks)
    for seconds in encode(pieces, encoding, target):
        yield Progress("encoding", float(min(Fraction(1), seconds / plan.seconds)))

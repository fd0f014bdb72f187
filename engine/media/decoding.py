"""Decode one stream of a file, in spite of damaged packets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.media.opening import MediaPath
from engine.refusal import Refused

MediaStream = TypeVar("MediaStream", VideoStream, AudioStream)

MOST_DEMUX_ERRORS = 32
"""Read errors after which the rest of a file is given up: some demuxers report the same error for ever."""


def pick_video(container: InputContainer, index: int | None, path: MediaPath) -> VideoStream:
    """Return the stream with this index, or the first moving picture.

    Raises:
        Refused: ``media.no_picture``, or ``media.unknown_codec`` when no decoder exists.
    """
    streams = [stream for stream in container.streams.video if index is None or stream.index == index]
    moving = [stream for stream in streams if not is_attached(stream)]
    chosen = _first_decodable(moving or (streams if index is not None else []))
    if chosen is None:
        raise Refused.because("media.unknown_codec" if moving else "media.no_picture", path=path)
    return chosen


def pick_audio(container: InputContainer, index: int | None, path: MediaPath) -> AudioStream:
    """Return the stream with this index, or the default sound, or the first.

    Raises:
        Refused: ``media.no_sound``, or ``media.unknown_codec`` when no decoder exists.
    """
    streams = [stream for stream in container.streams.audio if index is None or stream.index == index]
    chosen = _first_decodable(streams)
    if chosen is None:
        raise Refused.because("media.unknown_codec" if streams else "media.no_sound", path=path)
    return chosen


def is_attached(stream: Stream) -> bool:
    """Whether a video stream is a cover picture rather than a moving one."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def read_only(container: InputContainer, chosen: Stream) -> None:
    """Let the demuxer skip all other streams, which saves reading them."""
    for stream in container.streams:
        stream.discard = Discard.default if stream.index == chosen.index else Discard.all


def packets(container: InputContainer, path: MediaPath, *streams: Stream) -> Iterator[Packet[Any]]:
    """Yield the packets that carry data, going on after read errors as long as there is hope.

    Raises:
        Refused: ``media.encrypted`` when they are of use only with a key.
    """
    errors = 0
    demuxer = container.demux(streams)
    while errors <= MOST_DEMUX_ERRORS:
        try:
            packet = next(demuxer)
        except (StopIteration, IndexError):
            # IndexError: PyAV ends every stream it has counted, and a damaged FLV can bring forth new ones.
            return
        except av.error.FFmpegError:
            errors += 1
            demuxer = container.demux(streams)
            continue
        # An empty packet would tell the decoder that the stream has ended.
        if packet.size:
            if packet.has_sidedata("encryption_info"):
                raise Refused.because("media.encrypted", path=path)
            yield packet


def decode(stream: Stream, packet: Packet[Any] | None) -> list[AudioFrame] | list[VideoFrame]:
    """Return what a packet decodes to, nothing if it is damaged; ``None`` flushes the decoder."""
    try:
        return stream.codec_context.decode(packet)  # type: ignore[attr-defined, no-any-return]
    except av.error.FFmpegError:
        return []


def _first_decodable(streams: list[MediaStream]) -> MediaStream | None:
    usable = [stream for stream in streams if stream.codec_context is not None]
    default = [stream for stream in usable if stream.disposition & Disposition.default]
    return next(iter(default or usable), None)

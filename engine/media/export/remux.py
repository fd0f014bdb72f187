"""Copy the packets of a clip into another container with ffmpeg, leaving out what has no place there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from engine.media.export.containers import Container, subtitle_codec
from engine.media.export.ffmpeg import CannotHold, read_from
from engine.media.export.report import Fate, StreamFate
from engine.media.export.request import Request, SourceStream
from engine.words import Message

Yielded = TypeVar("Yielded")
Returned = TypeVar("Returned")

_OPTIONAL = ("data", "attachment", "subtitle")
"""Kinds of streams in the order in which they are given up when the container takes offence."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which streams go into a remux and how.

    Attributes:
        arguments: ffmpeg's ``-map`` and ``-c`` options.
        streams: the fates that go with them.
    """

    arguments: tuple[str, ...]
    streams: tuple[StreamFate, ...]


def inputs(request: Request, sounds: Sequence[str] = ()) -> list[str]:
    """Return the arguments that name the clip and further inputs."""
    return [*read_from(request.source), *sounds]


def mapping(request: Request, without: frozenset[str], sound: Fate, sounds: int | None) -> Mapping:
    """Return how the streams of the clip are mapped.

    Args:
        request: what is to be done.
        without: kinds of streams that are given up.
        sound: what becomes of the clip's audio streams.
        sounds: how many further inputs replace the clip's audio streams; ``None`` copies the clip's own.
    """
    arguments: list[str] = []
    fates: list[StreamFate] = []
    taken: dict[str, int] = {}
    replaced = 0

    def take(what: str, kind: str, codec: str) -> int:
        number = taken.get(kind, 0)
        taken[kind] = number + 1
        letter = {"video": "v", "audio": "a", "subtitle": "s", "data": "d", "attachment": "t"}[kind]
        arguments.extend(("-map", what, f"-c:{letter}:{number}", codec))
        return number

    for stream in request.streams:
        fate, reason = _fate(stream, request.container, without)
        if stream.kind == "audio":
            fate, reason = sound, None
            if sounds is not None and replaced >= sounds:
                fate, reason = Fate.DROPPED, Message("export.reason.replaced")
            elif sounds is not None:
                number = take(f"{replaced + 1}:a:0", "audio", "copy")
                arguments += (f"-map_metadata:s:a:{number}", f"0:s:{stream.index}")
                arguments += (f"-disposition:a:{number}", "default" if number == 0 else "0")
                replaced += 1
            else:
                take(f"0:{stream.index}", "audio", "copy")
        elif fate is not Fate.DROPPED:
            codec = subtitle_codec(request.container, stream.codec) if stream.kind == "subtitle" else None
            take(f"0:{stream.index}", stream.kind, codec or "copy")
        fates.append(StreamFate(stream.index, stream.kind, stream.codec, fate, reason))
    for extra in range(replaced, sounds or 0):
        take(f"{extra + 1}:a:0", "audio", "copy")
    return Mapping(tuple(arguments), tuple(fates))


def _fate(stream: SourceStream, container: Container, without: frozenset[str]) -> tuple[Fate, Message | None]:
    lost = Message("export.reason.no_place", container=container.label)
    if stream.kind not in {"video", "audio", *_OPTIONAL} or stream.kind in without:
        return Fate.DROPPED, lost
    if stream.kind == "attachment" and not container.is_matroska:
        return Fate.DROPPED, lost
    if stream.kind == "subtitle":
        codec = subtitle_codec(container, stream.codec)
        if codec is None:
            return Fate.DROPPED, lost
        if codec != "copy":
            return Fate.CONVERTED, Message("export.reason.converted", codec=codec)
    return Fate.COPIED, None


def giving_up(
    attempt: Callable[[frozenset[str]], Generator[Yielded, None, Returned]],
) -> Generator[Yielded, None, Returned]:
    """Run an attempt with all streams; where the container refuses, again without data, attachments and subtitles.

    Raises:
        CannotHold: if it refuses even then.
    """
    for count in range(len(_OPTIONAL) + 1):
        try:
            return (yield from attempt(frozenset(_OPTIONAL[:count])))
        except CannotHold:
            if count == len(_OPTIONAL):
                raise
    raise AssertionError("unreachable")

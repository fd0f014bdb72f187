"""Copy the packets of a clip into another container with ffmpeg, leaving out what has no place there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from engine.media.export.containers import Container, subtitle_codec
from engine.media.export.ffmpeg import CannotHold
from engine.media.export.report import Fate, StreamFate
from engine.media.export.request import Request, SourceStream
from engine.words import Message

Yielded = TypeVar("Yielded")
Returned = TypeVar("Returned")

_LETTERS = {"video": "v", "audio": "a", "subtitle": "s", "data": "d", "attachment": "t"}
_OPTIONAL = ("data", "attachment", "subtitle")
"""Kinds of streams in the order in which they are given up when the container takes offence."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which streams go into a remux and how.

    Attributes:
        arguments: ffmpeg's ``-map`` and ``-c`` options.
        streams: the fates that go with them.
        used: the clip's streams that are read.
    """

    arguments: tuple[str, ...]
    streams: tuple[StreamFate, ...]
    used: frozenset[int]


def mapping(request: Request, without: frozenset[str] = frozenset(), sounds: Sequence[str] | None = None) -> Mapping:
    """Return how the streams of the clip are mapped.

    Args:
        request: what is to be done.
        without: kinds of streams that are given up.
        sounds: streams of further inputs that replace the clip's audio streams, as ffmpeg names them; ``None`` copies
            the clip's own.
    """
    arguments: list[str] = []
    fates: list[StreamFate] = []
    used: set[int] = set()
    taken: Counter[str] = Counter()

    def take(what: str, kind: str, codec: str) -> str:
        number = f"{_LETTERS[kind]}:{taken[kind]}"
        taken[kind] += 1
        arguments.extend(("-map", what, f"-c:{number}", codec))
        return number

    def tag(number: str, stream: SourceStream) -> None:
        # Tags that are mapped for one stream are mapped for none of the others by itself.
        if sounds is not None:
            arguments.extend((f"-map_metadata:s:{number}", f"0:s:{stream.index}"))

    for stream in request.streams:
        fate, reason = _fate(stream, request.container, without)
        if stream.kind == "audio" and sounds is not None:
            fate, reason = Fate.ENCODED, None
            if request.replaces_sound or taken["audio"] >= len(sounds):
                fate, reason = Fate.DROPPED, Message("export.reason.replaced")
            if taken["audio"] < len(sounds):
                number = take(sounds[taken["audio"]], "audio", "copy")
                tag(number, stream)
                arguments += (f"-disposition:{number}", stream.disposition)
        elif fate is not Fate.DROPPED and not stream.is_derived:
            codec = subtitle_codec(request.container, stream.codec) if stream.kind == "subtitle" else None
            tag(take(f"0:{stream.index}", stream.kind, codec or "copy"), stream)
            used.add(stream.index)
        fates.append(StreamFate(stream.index, stream.kind, stream.codec, fate, reason))
    for sound in (sounds or ())[taken["audio"] :]:
        take(sound, "audio", "copy")
    # ffmpeg leaves out when a recording was made, unless it is told.
    made = request.info.metadata.get("creation_time")
    if made is not None:
        arguments += ["-metadata", f"creation_time={made}"]
    return Mapping(tuple(arguments), tuple(fates), frozenset(used))


def _fate(stream: SourceStream, container: Container, without: frozenset[str]) -> tuple[Fate, Message | None]:
    lost = Message("export.reason.no_place", container=container.label)
    if stream.is_derived and (container.is_iso or container.is_matroska):
        return Fate.CONVERTED, Message("export.reason.anew")
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
    return Fate.MOVED if stream.kind == "audio" else Fate.COPIED, None


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

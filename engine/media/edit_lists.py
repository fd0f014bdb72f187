"""Read the edit lists of an MP4 or MOV file: which parts of its tracks are shown, and when.

libav applies them but does not tell that they are there; the doctor and the export want to know.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

_NESTED = {b"trak", b"edts", b"mdia"}
_MOST_BOXES = 4096


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of an edit list (ISO/IEC 14496-12, 8.6.6).

    Attributes:
        duration: how long it lasts, in seconds; 0 may mean to the end.
        media_start: where in the track it begins, in seconds; ``None`` shows nothing for ``duration``.
    """

    duration: Fraction
    media_start: Fraction | None


def edit_lists(file: Path) -> dict[int, tuple[Edit, ...]]:
    """Return the edit list of every track that has one, by track number; empty for a file that is not ISO media."""
    found: dict[int, tuple[Edit, ...]] = {}
    try:
        with file.open("rb") as stream:
            size = file.stat().st_size
            for kind, begin, end in _boxes(stream, 0, size):
                if kind == b"moov":
                    found.update(_tracks(stream, begin, end))
    except (OSError, struct.error):
        return {}
    return found


def _tracks(stream: BinaryIO, begin: int, end: int) -> Iterator[tuple[int, tuple[Edit, ...]]]:
    movie_scale = 1000
    for kind, inner, stop in _boxes(stream, begin, end):
        if kind == b"mvhd":
            movie_scale = _timescale(stream, inner) or movie_scale
        elif kind == b"trak":
            leaves = dict(_leaves(stream, inner, stop))
            if {b"tkhd", b"mdhd", b"elst"} <= leaves.keys():
                scale = _timescale(stream, leaves[b"mdhd"])
                edits = _edits(stream, leaves[b"elst"], movie_scale, scale) if scale else ()
                if edits:
                    yield _track_number(stream, leaves[b"tkhd"]), edits


def _leaves(stream: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int]]:
    for kind, inner, stop in _boxes(stream, begin, end):
        if kind in _NESTED:
            yield from _leaves(stream, inner, stop)
        else:
            yield kind, inner


def _boxes(stream: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield ``(kind, first byte of the content, first byte after it)`` of the boxes in a range."""
    position = begin
    for _ in range(_MOST_BOXES):
        if position + 8 > end:
            return
        stream.seek(position)
        size, kind = struct.unpack(">I4s", stream.read(8))
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", stream.read(8))
            header = 16
        elif size == 0:
            size = end - position
        if size < header or position + size > end:
            return
        yield kind, position + header, position + size
        position += size


def _timescale(stream: BinaryIO, begin: int) -> int:
    """Return the time scale of an ``mvhd`` or ``mdhd`` box, whose version decides how wide the dates before it are."""
    stream.seek(begin)
    (version,) = struct.unpack(">B3x", stream.read(4))
    stream.seek(16 if version else 8, 1)
    return int(struct.unpack(">I", stream.read(4))[0])


def _track_number(stream: BinaryIO, begin: int) -> int:
    stream.seek(begin)
    (version,) = struct.unpack(">B3x", stream.read(4))
    stream.seek(16 if version else 8, 1)
    return int(struct.unpack(">I", stream.read(4))[0])


def _edits(stream: BinaryIO, begin: int, movie_scale: int, media_scale: int) -> tuple[Edit, ...]:
    stream.seek(begin)
    version, count = struct.unpack(">B3xI", stream.read(8))
    layout = struct.Struct(">QqI" if version else ">IiI")
    edits = []
    for _ in range(min(count, _MOST_BOXES)):
        duration, media_time, _ = layout.unpack(stream.read(layout.size))
        start = None if media_time < 0 else Fraction(media_time, media_scale)
        edits.append(Edit(Fraction(duration, movie_scale), start))
    return tuple(edits)

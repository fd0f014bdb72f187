"""Tell from a file's own sizes whether its end is missing: a recording or a copy that was cut off.

Such a file opens and plays, up to where it ends; only what it says of its length is wrong. Read are sizes in headers, a
few bytes each. Formats: ISO/IEC 14496-12 (boxes), RFC 8794 (EBML) and RFC 9559 (Matroska), RIFF (chunks).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_LARGEST_RIFF = 0x7FFF0000
"""Programs that write as they record leave sizes from here on where they cannot go back to fill them in."""
_MOST_BOXES = 100_000
"""A recording in fragments has two boxes for each: enough for days of them."""


def is_cut_off(file: Path) -> bool:
    """Return whether a file says that it is longer than it is; ``False`` for formats that do not say."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(12)
        stream.seek(0)
        if head[:4] == _EBML.to_bytes(4):
            return _ends_in_segment(stream, size)
        if head[:4] == b"RIFF":
            said = int.from_bytes(head[4:8], "little")
            return 0 < said < _LARGEST_RIFF and 8 + said > size
        if head[4:8] == b"ftyp":
            return _ends_in_data(stream, size)
    return False


def _ends_in_data(stream: BinaryIO, size: int) -> bool:
    """Whether an MP4 or MOV ends inside of its samples."""
    at = 0
    for _ in range(_MOST_BOXES):
        stream.seek(at)
        head = stream.read(16)
        if len(head) < 8:
            return False
        length, kind = int.from_bytes(head[:4]), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16])
        if length == 0:  # up to the end, wherever that is
            return False
        if length < 8 or at + length > size:
            return kind == b"mdat" and at + length > size
        at += length
    return False


def _ends_in_segment(stream: BinaryIO, size: int) -> bool:
    """Whether a Matroska or WebM file ends before its segment does."""
    for wanted in (_EBML, _SEGMENT):
        found, length = _number(stream, keeps_marker=True), _number(stream, keeps_marker=False)
        if found != wanted or length is None:
            return False
        if wanted == _SEGMENT:
            return stream.tell() + length > size
        stream.seek(length, 1)
    return False


def _number(stream: BinaryIO, *, keeps_marker: bool) -> int | None:
    """Return the next number of variable length, ``None`` for one that means "unknown" or is none."""
    first = stream.read(1)
    if not first or first[0] == 0:
        return None
    length = 9 - first[0].bit_length()
    raw = int.from_bytes(first + stream.read(length - 1))
    if keeps_marker:
        return raw
    value = raw & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else value

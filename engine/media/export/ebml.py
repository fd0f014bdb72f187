"""EBML, the byte grammar of Matroska and WebM (RFC 8794): elements are an id, a size and a payload."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

UNKNOWN_SIZE = -1
"""Size of an element that lasts until an element of a higher level begins, as live recorders write it."""


class BrokenEbml(Exception):  # noqa: N818 - a kind of file, not an error
    """The bytes do not follow the grammar."""


class CutOff(BrokenEbml):
    """The file ends inside an element, as when a recorder was killed."""


def _width(first: int, longest: int) -> int:
    """Return how many bytes a variable-length integer has, from its first byte."""
    width = 9 - first.bit_length()
    if width > longest:
        raise BrokenEbml(f"a number of {width} bytes")
    return width


def read_id(file: BinaryIO) -> int | None:
    """Return the next element's id with its length marker, or ``None`` at the end of the file."""
    first = file.read(1)
    if not first:
        return None
    return int.from_bytes(first + read_payload(file, _width(first[0], 4) - 1), "big")


def read_size(file: BinaryIO) -> int:
    """Return the next element's payload size in bytes, or :data:`UNKNOWN_SIZE`."""
    first = file.read(1)
    if not first:
        raise CutOff("the file ends inside an element")
    width = _width(first[0], 8)
    value = int.from_bytes(first + read_payload(file, width - 1), "big") & ((1 << 7 * width) - 1)
    return UNKNOWN_SIZE if value == (1 << 7 * width) - 1 else value


def read_payload(file: BinaryIO, size: int) -> bytes:
    """Return exactly ``size`` bytes."""
    payload = file.read(size)
    if len(payload) != size:
        raise CutOff("the file ends inside an element")
    return payload


def elements(payload: bytes | memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield ``(id, payload)`` of the elements inside a payload."""
    view = memoryview(payload)
    position = 0
    while position < len(view):
        width = _width(view[position], 4)
        key = int.from_bytes(view[position : position + width], "big")
        position += width
        if position >= len(view):
            raise BrokenEbml("an element without a size")
        width = _width(view[position], 8)
        size = int.from_bytes(view[position : position + width], "big") & ((1 << 7 * width) - 1)
        position += width
        if position + size > len(view):
            raise BrokenEbml("an element does not fit into its parent")
        yield key, view[position : position + size]
        position += size


def number(payload: bytes | memoryview) -> int:
    """Return an unsigned integer payload."""
    return int.from_bytes(payload, "big")


def real(payload: bytes | memoryview) -> float:
    """Return a floating-point payload of 0, 4 or 8 bytes."""
    if len(payload) not in (0, 4, 8):
        raise BrokenEbml("a float of an odd size")
    return float(struct.unpack(">d" if len(payload) == 8 else ">f", payload)[0]) if len(payload) else 0.0


def id_bytes(key: int) -> bytes:
    """Return an element id as the file holds it."""
    return key.to_bytes((key.bit_length() + 7) // 8, "big")


def size_bytes(size: int, width: int = 0) -> bytes:
    """Return a payload size as the file holds it, in ``width`` bytes or as few as it takes."""
    if not width:
        width = 1
        while size >= (1 << 7 * width) - 1:  # all ones means unknown
            width += 1
    return (size | 1 << 7 * width).to_bytes(width, "big")


def element(key: int, *payload: bytes | memoryview) -> bytes:
    """Return a whole element."""
    return b"".join((id_bytes(key), size_bytes(sum(map(len, payload))), *payload))


def unsigned(key: int, value: int, width: int = 0) -> bytes:
    """Return an unsigned integer element."""
    return element(key, value.to_bytes(width or max(1, (value.bit_length() + 7) // 8), "big"))


def signed(key: int, value: int) -> bytes:
    """Return a signed integer element."""
    return element(key, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def void(size: int) -> bytes:
    """Return an element of exactly ``size`` bytes (at least 9) that readers skip."""
    return b"\xec" + size_bytes(size - 9, 8) + bytes(size - 9)

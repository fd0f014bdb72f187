"""EBML, the byte grammar of Matroska and WebM (RFC 8794): elements are an id, a size and a payload."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

UNKNOWN_SIZE = -1
"""Size of an element that lasts until an element of a higher level begins, as live recorders write it."""


_PIECE = 4 << 20


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


class Stream:
    """A file or pipe read front to back in large pieces, whose elements are handed out without copying.

    Args:
        file: opened for reading.

    Attributes:
        read: bytes handed out so far.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._data = memoryview(b"")
        self._at = 0
        self.read = 0

    def take(self, count: int) -> memoryview:
        """Return the next bytes.

        Raises:
            CutOff: if there are not so many.
        """
        if self._at + count > len(self._data):
            rest = bytes(self._data[self._at :])
            more = self._file.read(max(_PIECE, count - len(rest)))
            self._data, self._at = memoryview(rest + more if rest else more), 0
            if count > len(self._data):
                raise CutOff("the file ends inside an element")
        start = self._at
        self._at = start + count
        self.read += count
        return self._data[start : self._at]

    def at_end(self) -> bool:
        """Whether nothing is left."""
        if self._at < len(self._data):
            return False
        self._data, self._at = memoryview(self._file.read(_PIECE)), 0
        return not len(self._data)

    def element_id(self) -> int:
        """Return the next element's id with its length marker."""
        first = self.take(1)[0]
        width = _width(first, 4)
        return first if width == 1 else int.from_bytes(bytes((first,)) + self.take(width - 1), "big")

    def element_size(self) -> int:
        """Return the next element's payload size in bytes, or :data:`UNKNOWN_SIZE`."""
        first = self.take(1)[0]
        width = _width(first, 8)
        value = first & ((1 << (8 - width)) - 1)
        if width > 1:
            value = value << 8 * (width - 1) | int.from_bytes(self.take(width - 1), "big")
        return UNKNOWN_SIZE if value == (1 << 7 * width) - 1 else value


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

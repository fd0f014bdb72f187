"""Move the sound of an MP4 or MOV file by rewriting its edit lists and nothing else.

When a track begins is written in one small table of the file, the edit list (ISO/IEC 14496-12, 8.6.6): an empty edit
holds the track back, the media time of the first real edit says how much of its beginning is skipped. Changing that
table moves the sound exactly, and every packet, track and private box stays byte for byte what it was, which no remux
can promise: timecode, GoPro and Apple metadata tracks have no place in a general muxer.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from engine.media.export.copying import copy_range
from engine.media.export.layout import NothingLeft, UnsupportedLayout
from engine.timing import Rounding

_LARGEST_INDEX = 1 << 30
_FINEST_TIMESCALE = 1_000_000
_CONTAINERS = {b"trak", b"mdia", b"minf", b"stbl", b"edts"}
_OFFSET_TABLES = {b"stco": ">u4", b"co64": ">u8"}


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the file: where it begins, how long its header and the whole of it are, in bytes."""

    kind: bytes
    start: int
    header: int
    size: int

    @property
    def end(self) -> int:
        """Where the next box begins."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of an edit list.

    Attributes:
        duration: how long it lasts, in ticks of the movie; 0 in a fragmented file means to the end.
        media_time: where in the track's media it begins, in ticks of the media; -1 shows nothing.
        rate: playback rate as the file stores it (16.16); 0 holds one frame.
    """

    duration: int
    media_time: int
    rate: int = 0x10000

    @property
    def is_empty(self) -> bool:
        """Whether nothing is shown while it lasts."""
        return self.media_time < 0


@dataclass(frozen=True, slots=True)
class Shift:
    """What :func:`shift_sound` did.

    Attributes:
        seconds: the shift of each audio track in file order, exact, as the file can express it.
        hidden: sound at the beginning that is now skipped, in seconds (kept in the file, not heard).
        timescale: ticks per second of the movie from now on.
    """

    seconds: tuple[Fraction, ...]
    hidden: Fraction
    timescale: int


def top_boxes(file: BinaryIO) -> list[Box]:
    """Return the boxes on the outermost level.

    Raises:
        UnsupportedLayout: if the file does not consist of whole boxes.
    """
    total = file.seek(0, os.SEEK_END)
    boxes: list[Box] = []
    position = 0
    while position + 8 <= total:
        file.seek(position)
        size, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            size, header = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))[0], 16
        elif size == 0:
            size = total - position
        if size < header or position + size > total:
            raise UnsupportedLayout(f"box {kind!r} at {position} does not fit into the file")
        boxes.append(Box(kind, position, header, size))
        position += size
    return boxes


def children(payload: memoryview) -> Iterator[tuple[bytes, memoryview, memoryview]]:
    """Yield ``(kind, payload, whole box)`` of the boxes inside a payload.

    Raises:
        UnsupportedLayout: if they do not fill it.
    """
    position = 0
    while position + 8 <= len(payload):
        size, kind = struct.unpack_from(">I4s", payload, position)
        header = 8
        if size == 1:
            if position + 16 > len(payload):
                raise UnsupportedLayout(f"box {kind!r} is cut off")
            size, header = struct.unpack_from(">Q", payload, position + 8)[0], 16
        elif size == 0:
            if kind == b"\0\0\0\0":  # QuickTime ends some lists with a 32-bit zero
                return
            size = len(payload) - position
        if size < header or position + size > len(payload):
            raise UnsupportedLayout(f"box {kind!r} does not fit into its parent")
        yield kind, payload[position + header : position + size], payload[position : position + size]
        position += size


def find(payload: memoryview, *path: bytes) -> memoryview | None:
    """Return the payload of the first box at a path of box names, or ``None``."""
    for kind, inner, _ in children(payload):
        if kind == path[0]:
            return inner if len(path) == 1 else find(inner, *path[1:])
    return None


def box(kind: bytes, *payload: bytes | memoryview) -> bytes:
    """Return a box with a 32-bit size.

    Raises:
        UnsupportedLayout: if the size does not fit.
    """
    size = 8 + sum(len(part) for part in payload)
    if size >= 1 << 32:
        raise UnsupportedLayout(f"box {kind!r} is too large")
    return b"".join((struct.pack(">I4s", size, kind), *payload))


def read_edits(payload: memoryview) -> list[Edit]:
    """Return the entries of an ``elst`` payload."""
    version, count = payload[0], struct.unpack_from(">I", payload, 4)[0]
    entry = struct.Struct(">QqI" if version == 1 else ">IiI")
    if 8 + count * entry.size > len(payload):
        raise UnsupportedLayout("the edit list is cut off")
    return [Edit(*entry.unpack_from(payload, 8 + index * entry.size)) for index in range(count)]


def write_edits(edits: list[Edit]) -> bytes:
    """Return an ``edts`` box, in the 32-bit form wherever the numbers allow it because older readers know only that."""
    wide = any(edit.duration >= 1 << 32 or edit.media_time >= 1 << 31 for edit in edits)
    entry = struct.Struct(">QqI" if wide else ">IiI")
    rows = b"".join(entry.pack(edit.duration, edit.media_time, edit.rate) for edit in edits)
    return box(b"edts", box(b"elst", struct.pack(">B3xI", int(wide), len(edits)), rows))


def shift_edits(edits: list[Edit], shift: Fraction, movie: int, media: int) -> list[Edit]:
    """Move what an edit list shows along the movie's time line.

    Args:
        edits: the entries as they are.
        shift: seconds; positive, later.
        movie: ticks per second of the movie.
        media: ticks per second of the track's media.

    Returns:
        The new entries; none if nothing of the track is left.
    """
    if shift >= 0:
        ticks = Rounding.NEAREST.apply(shift * movie)
        if ticks == 0:
            return list(edits)
        if edits and edits[0].is_empty:
            return [replace(edits[0], duration=edits[0].duration + ticks), *edits[1:]]
        return [Edit(ticks, -1), *edits]
    rest = -shift
    moved = list(edits)
    while moved and rest > 0:
        first = moved[0]
        length = Fraction(first.duration, movie)
        is_open = first.duration == 0 and not first.is_empty
        if not is_open and length <= rest:
            rest -= length
            moved.pop(0)
            continue
        media_time = first.media_time
        if not first.is_empty:
            media_time += Rounding.NEAREST.apply(rest * media * Fraction(first.rate, 0x10000))
        # Rounded up: half a tick too much shows at most silence, half a tick too little would cut sound.
        duration = 0 if is_open else math.ceil((length - rest) * movie)
        moved[0] = replace(first, duration=duration, media_time=media_time)
        rest = Fraction(0)
    return moved


@dataclass(frozen=True, slots=True)
class _Track:
    """What the rewriter needs to know of one ``trak`` box."""

    payload: memoryview
    is_sound: bool
    media_timescale: int
    duration: int
    edits: list[Edit]
    has_edits: bool


def _clock(payload: memoryview) -> tuple[int, int]:
    """Return ``(timescale, duration)`` of an ``mvhd`` or ``mdhd`` payload."""
    if payload[0] == 1:
        timescale, duration = struct.unpack_from(">IQ", payload, 20)
    else:
        timescale, duration = struct.unpack_from(">II", payload, 12)
    if timescale == 0:
        raise UnsupportedLayout("a clock without ticks")
    return timescale, duration


def _read_track(payload: memoryview, movie: int) -> _Track:
    track, header, handler = find(payload, b"tkhd"), find(payload, b"mdia", b"mdhd"), find(payload, b"mdia", b"hdlr")
    if track is None or header is None or handler is None:
        raise UnsupportedLayout("a track without a clock or a kind")
    if find(payload, b"mdia", b"minf", b"stbl", b"saio") is not None:
        raise UnsupportedLayout("encrypted")
    timescale, duration = _clock(header)
    table = find(payload, b"edts", b"elst")
    edits = [] if table is None else read_edits(table)
    has_edits = bool(edits)
    if not edits:
        edits = [Edit(math.ceil(Fraction(duration, timescale) * movie), 0)]
    is_sound = bytes(handler[8:12]) == b"soun"
    return _Track(payload, is_sound, timescale, _header_duration(track), edits, has_edits)


def _finer_timescale(movie: int, media: list[int], shift: Fraction) -> int:
    """Return a multiple of the movie's ticks per second that expresses ``shift`` to half a sample.

    A multiple, so that every other duration of the file stays exact; the old number whenever it is good enough.
    """
    finest = max(media)

    def error(timescale: int) -> Fraction:
        return abs(shift - Fraction(Rounding.NEAREST.apply(shift * timescale), timescale))

    if error(movie) <= Fraction(1, 4 * finest):
        return movie
    common = math.lcm(movie, finest)
    return common if common <= _FINEST_TIMESCALE else movie * math.ceil(2 * finest / movie)


def _with_duration(payload: memoryview, duration: int | None, timescale: int | None = None) -> bytes:
    """Return an ``mvhd`` or ``tkhd`` payload with another duration.

    Both begin with version, flags, creation and modification time. ``mvhd`` (given a ``timescale``) goes on with
    timescale and duration, ``tkhd`` with track number, a reserved word and duration. ``None`` for the duration keeps
    the old one.
    """
    wide = payload[0] == 1
    times = struct.unpack_from(">QQ" if wide else ">II", payload, 4)
    at = 20 if wide else 12
    middle = bytes(payload[at : at + 8]) if timescale is None else struct.pack(">I", timescale)
    at += len(middle)
    width = 8 if wide else 4
    old = int.from_bytes(payload[at : at + width], "big")
    tail = payload[at + width :]
    if duration is None or old == (1 << 8 * width) - 1:  # all ones: not known, and stays so
        duration = old
    elif not wide and duration >= (1 << 32) - 1:
        wide = True
    head = struct.pack(">QQ" if wide else ">II", *times)
    return b"".join(
        (bytes([int(wide)]), payload[1:4], head, middle, struct.pack(">Q" if wide else ">I", duration), tail)
    )


def _header_duration(payload: memoryview) -> int:
    """Return the duration in a ``tkhd`` payload, in ticks of the movie."""
    wide = payload[0] == 1
    return int(struct.unpack_from(">Q" if wide else ">I", payload, 28 if wide else 20)[0])


def _rebuild(payload: memoryview, change: Callable[[bytes, memoryview], bytes | None]) -> bytes:
    """Return a payload in which ``change`` has replaced boxes (``None`` keeps one), at any depth."""
    parts: list[bytes | memoryview] = []
    for kind, inner, whole in children(payload):
        new = change(kind, inner)
        if new is not None:
            parts.append(new)
        elif kind in _CONTAINERS:
            parts.append(box(kind, _rebuild(inner, change)))
        else:
            parts.append(whole)
    return b"".join(parts)


class _OutgrownError(Exception):
    """A chunk offset no longer fits into 32 bits."""


def _offsets_moved(moov: bytes, moves: list[tuple[int, int, int]]) -> bytes:
    """Return a ``moov`` payload with moved chunk offsets.

    Args:
        moov: the payload.
        moves: ``(from, to, delta)``: data that lay in ``[from, to)`` is now ``delta`` bytes further on.

    Raises:
        _OutgrownError: if an offset does not fit any more.
    """

    def change(kind: bytes, inner: memoryview) -> bytes | None:
        if kind not in _OFFSET_TABLES:
            return None
        offsets = _chunk_offsets(kind, inner)
        moved = offsets.copy()
        for start, end, delta in moves:
            moved[(offsets >= start) & (offsets < end)] += delta
        if kind == b"stco" and moved.size and int(moved.max()) >= 1 << 32:
            raise _OutgrownError
        return box(kind, inner[:8], moved.astype(_OFFSET_TABLES[kind]).tobytes())

    return _rebuild(memoryview(moov), change)


def _offsets_widened(moov: bytes) -> bytes:
    """Return a ``moov`` payload whose chunk offsets all have 64 bits."""

    def change(kind: bytes, inner: memoryview) -> bytes | None:
        if kind != b"stco":
            return None
        return box(b"co64", inner[:8], _chunk_offsets(kind, inner).astype(_OFFSET_TABLES[b"co64"]).tobytes())

    return _rebuild(memoryview(moov), change)


def _chunk_offsets(kind: bytes, payload: memoryview) -> npt.NDArray[np.int64]:
    count = struct.unpack_from(">I", payload, 4)[0]
    if 8 + count * int(_OFFSET_TABLES[kind][-1]) > len(payload):
        raise UnsupportedLayout("the chunk offsets are cut off")
    return np.frombuffer(payload, _OFFSET_TABLES[kind], count, 8).astype(np.int64)


def shift_sound(
    source: Path, target: BinaryIO, shift: Fraction, *, index_first: bool = False
) -> Iterator[float | Shift]:
    """Write a copy of an MP4 or MOV file whose sound is moved, all audio tracks alike.

    Args:
        source: a file that is not fragmented.
        target: opened for writing, empty, a real file.
        shift: seconds; positive, later.
        index_first: put the index before the media, for playing while it downloads; otherwise it stays where it is.

    Yields:
        Shares of the work done (0 to 1) and, last, the :class:`Shift`.

    Raises:
        UnsupportedLayout: if the file is fragmented, encrypted, compressed or broken; nothing has been written then.
        NothingLeft: if the shift leaves nothing of a track.
        OSError: if reading or writing fails.
    """
    with source.open("rb") as file:
        boxes = top_boxes(file)
        kinds = [item.kind for item in boxes]
        if kinds.count(b"moov") != 1 or b"mdat" not in kinds or not {b"moof", b"mfra", b"sidx"}.isdisjoint(kinds):
            raise UnsupportedLayout("not one index, or fragments")
        old = boxes[kinds.index(b"moov")]
        if old.size > _LARGEST_INDEX:
            raise UnsupportedLayout("the index is too large")
        file.seek(old.start + old.header)
        payload, done = _shifted_moov(memoryview(file.read(old.size - old.header)), shift)
        place = min(old.start, boxes[kinds.index(b"mdat")].start) if index_first else old.start
        end = boxes[-1].end
        try:
            index = _index(payload, old, place, end)
        except _OutgrownError:
            index = _index(_offsets_widened(payload), old, place, end)
        copied = 0
        for start, stop in ((0, place), (place, old.start), (old.end, end)):
            for part in copy_range(file, target, start, stop - start):
                copied += part
                yield copied / end
            if start == 0:
                target.write(index)
    yield done


def _index(payload: bytes, old: Box, place: int, end: int) -> bytes:
    """Return a ``moov`` box for a file in which it stands at ``place``."""
    length = len(payload) + 8
    moves = [(place, old.start, length), (old.end, end, length - old.size)]
    return box(b"moov", _offsets_moved(payload, moves))


def _shifted_moov(moov: memoryview, shift: Fraction) -> tuple[bytes, Shift]:
    """Return the new ``moov`` payload and what was done to it."""
    if find(moov, b"cmov") is not None or find(moov, b"mvex") is not None:
        raise UnsupportedLayout("compressed or fragmented")
    header = find(moov, b"mvhd")
    if header is None:
        raise UnsupportedLayout("no movie header")
    movie, _ = _clock(header)
    tracks = [_read_track(inner, movie) for kind, inner, _ in children(moov) if kind == b"trak"]
    rates = [track.media_timescale for track in tracks if track.is_sound]
    if not rates:
        raise UnsupportedLayout("no sound")
    finer = _finer_timescale(movie, rates, shift)
    shifts: list[Fraction] = []
    hidden = Fraction(0)
    longest = 0
    rebuilt: list[bytes] = []
    for track in tracks:
        edits = [replace(edit, duration=edit.duration * (finer // movie)) for edit in track.edits]
        length = track.duration * (finer // movie)
        if track.is_sound:
            before, edits = edits, shift_edits(edits, shift, finer, track.media_timescale)
            if all(edit.is_empty for edit in edits):
                raise NothingLeft
            length = sum(edit.duration for edit in edits)
            shifts.append(_delay(edits, finer, track) - _delay(before, finer, track))
            hidden = max(hidden, -shift - (Fraction(before[0].duration, finer) if before[0].is_empty else 0))
        elif not track.has_edits:
            edits = []
        longest = max(longest, length)
        rebuilt.append(_rebuilt_track(track, edits, length))
    queue = iter(rebuilt)

    def change(kind: bytes, inner: memoryview) -> bytes | None:
        if kind == b"trak":
            return next(queue)
        return box(kind, _with_duration(inner, longest, finer)) if kind == b"mvhd" else None

    return _rebuild(moov, change), Shift(tuple(shifts), hidden, finer)


def _delay(edits: list[Edit], movie: int, track: _Track) -> Fraction:
    """Return when media time zero is (or would be) presented, as the last edit says, in seconds."""
    begin = sum(edit.duration for edit in edits[:-1])
    return Fraction(begin, movie) - Fraction(edits[-1].media_time, track.media_timescale)


def _rebuilt_track(track: _Track, edits: list[Edit], length: int) -> bytes:
    """Return a ``trak`` box with other edits and another length (ticks of the movie)."""

    def change(kind: bytes, inner: memoryview) -> bytes | None:
        if kind == b"tkhd":
            return box(kind, _with_duration(inner, length)) + (write_edits(edits) if edits else b"")
        return b"" if kind == b"edts" else None

    return box(b"trak", _rebuild(track.payload, change))

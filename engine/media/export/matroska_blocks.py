"""Read Matroska and WebM (RFC 9559) as a head and a stream of blocks, and write such a stream again.

Packets stay opaque bytes: lacing, compression and encryption pass through untouched.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from engine.media.export import ebml
from engine.media.export.layout import UnsupportedLayout

_HEADER, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_SEEK_HEAD, _INFO, _TRACKS, _CUES = 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B
_CHAPTERS, _ATTACHMENTS, _TAGS = 0x1043A770, 0x1941A469, 0x1254C367
_VOID, _CHECKSUM, _POSITION, _PREVIOUS_SIZE, _SILENT_TRACKS = 0xEC, 0xBF, 0xA7, 0xAB, 0x5854
_TIMESTAMP_SCALE, _DURATION = 0x2AD7B1, 0x4489
_TRACK, _TRACK_NUMBER, _TRACK_TYPE, _TRACK_SCALE, _FRAME_DURATION = 0xAE, 0xD7, 0x83, 0x23314F, 0x23E383
_CODEC_DELAY = 0x56AA
_AUDIO, _RATE, _CODEC, _CODEC_PRIVATE = 0xE1, 0xB5, 0x86, 0x63A2
_TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP = 0xE7, 0xA3, 0xA0
_BLOCK, _BLOCK_DURATION, _REFERENCE = 0xA1, 0x9B, 0xFB

_COPIED = {_INFO, _TRACKS, _CHAPTERS, _ATTACHMENTS, _TAGS, _TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP}
_SKIPPED = {_SEEK_HEAD, _CUES, _VOID, _CHECKSUM, _POSITION, _PREVIOUS_SIZE, _SILENT_TRACKS}  # written anew, or void
_KNOWN = _COPIED | _SKIPPED
_RETIMED = {_TIMESTAMP_SCALE, _DURATION, _CHECKSUM, _VOID}
_STAMP = struct.Struct(">hB")

PICTURE, SOUND, SUBTITLE = 1, 2, 17
"""Track types."""

_KEY_FRAME = 0x80
_DEFAULT_SCALE = 1_000_000
_SEEK_ROOM = 180
_LARGEST_ELEMENT = 256 << 20
_CLUSTER_BYTES, _CLUSTER_SECONDS = 4 << 20, 5
_REACH = 32_000  # a block's timestamp is a 16-bit distance from its cluster's


@dataclass(slots=True)
class Block:
    """One block (mostly one packet).

    Attributes:
        track: number of its track.
        ticks: its timestamp.
        lasts: its duration in ticks, 0 when it does not say.
        head: the track number as the file holds it.
        flags: key frame, discardable, lacing.
        payload: the packet.
        references: distances to the blocks it needs, in ticks; empty for a key frame in a group.
        extras: the other elements of its group, or ``None`` for a block without one.
    """

    track: int
    ticks: int
    lasts: int
    head: bytes
    flags: int
    payload: memoryview
    references: tuple[int, ...] = ()
    extras: tuple[bytes, ...] | None = None

    @property
    def is_key(self) -> bool:
        """Whether decoding can begin here."""
        return bool(self.flags & _KEY_FRAME) if self.extras is None else not self.references

    def rescaled(self, factor: int) -> None:
        """Multiply its times, for ticks that are ``factor`` times finer."""
        self.ticks *= factor
        self.lasts *= factor
        self.references = tuple(reference * factor for reference in self.references)


@dataclass(frozen=True, slots=True)
class Track:
    """What matters of a track.

    Attributes:
        kind: its type.
        block_duration: nanoseconds per block, 0 when not said.
        sample_rate: samples per second of sound.
        delay: nanoseconds of encoder delay, by which stamps are late.
        codec: its codec's id.
        private: the codec's own header.
    """

    kind: int
    block_duration: int
    sample_rate: int
    delay: int
    codec: bytes
    private: bytes


@dataclass(slots=True)
class Head:
    """What stands before the first cluster.

    Attributes:
        header: payload of the EBML header.
        parts: ``(id, payload)`` of the other elements, in file order.
        tracks: by number.
        scale: nanoseconds per tick.
    """

    header: bytes
    parts: list[tuple[int, bytes]] = field(default_factory=list)
    tracks: dict[int, Track] = field(default_factory=dict)
    scale: int = _DEFAULT_SCALE

    def settle(self) -> None:
        """Read the tracks and the tick from the parts."""
        parts = dict(self.parts)
        if _INFO not in parts or _TRACKS not in parts:
            raise UnsupportedLayout("clusters before the tracks")
        self.scale = next(
            (ebml.number(payload) for key, payload in ebml.elements(parts[_INFO]) if key == _TIMESTAMP_SCALE),
            _DEFAULT_SCALE,
        )
        for key, entry in ebml.elements(parts[_TRACKS]):
            if key != _TRACK:
                continue
            values = dict(ebml.elements(entry))
            if _TRACK_SCALE in values and ebml.real(values[_TRACK_SCALE]) != 1.0:
                raise UnsupportedLayout("a track with a clock of its own")
            audio = dict(ebml.elements(values.get(_AUDIO, b"")))
            self.tracks[ebml.number(values[_TRACK_NUMBER])] = Track(
                ebml.number(values[_TRACK_TYPE]),
                ebml.number(values.get(_FRAME_DURATION, b"")),
                round(ebml.real(audio.get(_RATE, b""))) or 8000,
                ebml.number(values.get(_CODEC_DELAY, b"")),
                bytes(values.get(_CODEC, b"")),
                bytes(values.get(_CODEC_PRIVATE, b"")),
            )


class Reader:
    """Reads a file or a pipe once, front to back.

    Args:
        file: opened for reading.

    Attributes:
        head: complete once the first block has been asked for.
        tail: ``(id, payload)`` of elements after the blocks, complete at the end.

    Raises:
        UnsupportedLayout: if the file is of a kind that is not rewritten.
        BrokenEbml: if it does not follow the grammar.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._stream = stream = ebml.Stream(file)
        if stream.at_end() or stream.element_id() != _HEADER:
            raise UnsupportedLayout("no EBML header")
        self.head = Head(bytes(stream.take(stream.element_size())))
        if stream.at_end() or stream.element_id() != _SEGMENT:
            raise UnsupportedLayout("no segment")
        stream.element_size()
        self.tail: list[tuple[int, bytes]] = []

    @property
    def read(self) -> int:
        """Bytes read so far."""
        return self._stream.read

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks in file order."""
        cluster: int | None = None
        for key, payload in self._elements():
            if key == _SIMPLE_BLOCK and cluster is not None:
                yield _block(cluster, payload)
            elif key == _CLUSTER:
                if cluster is None:
                    self.head.settle()
                cluster = 0
            elif cluster is None:
                self.head.parts.append((key, bytes(payload)))
            elif key == _TIMESTAMP:
                cluster = ebml.number(payload)
            elif key == _BLOCK_GROUP:
                yield _grouped(cluster, payload)
            else:
                self.tail.append((key, bytes(payload)))

    def _elements(self) -> Iterator[tuple[int, memoryview]]:
        """Yield ``(id, payload)`` of what matters in the segment, clusters taken apart."""
        stream = self._stream
        settled = False
        while not stream.at_end():
            try:
                key = stream.element_id()
                size = stream.element_size()
                if key == _CLUSTER:
                    settled = True
                    yield key, memoryview(b"")
                    continue
                if key not in _KNOWN or not 0 <= size <= _LARGEST_ELEMENT:
                    raise UnsupportedLayout(f"element {key:x} of {size} bytes")
                payload = stream.take(size)
            except ebml.CutOff:
                if settled:
                    return  # a recording that was cut off: keep what is there
                raise
            if key in _COPIED:
                yield key, payload


def _block(cluster: int, payload: memoryview) -> Block:
    width = 9 - payload[0].bit_length() if len(payload) else 0
    if not 0 < width <= 8 or len(payload) < width + _STAMP.size:
        raise ebml.BrokenEbml("a block without a head")
    track = int.from_bytes(payload[:width], "big") & ((1 << 7 * width) - 1)
    away, flags = _STAMP.unpack_from(payload, width)
    return Block(track, cluster + away, 0, bytes(payload[:width]), flags, payload[width + _STAMP.size :])


def _grouped(cluster: int, payload: memoryview) -> Block:
    inner: memoryview | None = None
    lasts = 0
    references: list[int] = []
    extras: list[bytes] = []
    for key, value in ebml.elements(payload):
        if key == _BLOCK:
            inner = value
        elif key == _BLOCK_DURATION:
            lasts = ebml.number(value)
        elif key == _REFERENCE:
            references.append(int.from_bytes(value, "big", signed=True))
        elif key not in (_VOID, _CHECKSUM):
            extras.append(ebml.element(key, value))
    if inner is None:
        raise ebml.BrokenEbml("a group without a block")
    block = _block(cluster, inner)
    block.lasts, block.references, block.extras = lasts, tuple(references), tuple(extras)
    return block


class Writer:
    """Writes a head, then blocks, then the rest and the index.

    Args:
        file: opened for writing, empty, able to seek.
        head: of the file that is copied.
        scale: nanoseconds per tick of the new file.
    """

    def __init__(self, file: BinaryIO, head: Head, scale: int) -> None:
        self._file = file
        self._tracks = head.tracks
        self._scale = scale
        self._main = next((number for number, track in head.tracks.items() if track.kind == PICTURE), None)
        self._places: dict[int, int] = {}
        self._duration_at = 0
        self._parts: list[bytes | memoryview] = []
        self._size = self._cluster = 0
        self._cued: dict[int, int] = {}
        self._pending: list[tuple[int, int, int]] = []
        self._cues = bytearray()
        self._clocks: dict[int, tuple[int, int]] = {}
        file.write(ebml.element(_HEADER, head.header) + ebml.id_bytes(_SEGMENT) + ebml.size_bytes(0, 8))
        self._origin = file.tell()
        file.write(ebml.void(_SEEK_ROOM))
        for key, payload in head.parts:
            self._place(key, self._info(payload) if key == _INFO else payload)
            if key == _INFO:
                self._duration_at = file.tell() - 8

    def add(self, block: Block) -> None:
        """Append a block, beginning a new cluster where that helps seeking or the old one is full."""
        away = block.ticks - self._cluster
        if self._parts and (
            (block.track == self._main and block.is_key)
            or away >= min(_CLUSTER_SECONDS * 1_000_000_000 // self._scale, _REACH)
            or away < -_REACH
            or self._size >= _CLUSTER_BYTES
        ):
            self._flush()
        if not self._parts:
            self._cluster = max(0, block.ticks)
            away = block.ticks - self._cluster
            self._parts = [ebml.unsigned(_TIMESTAMP, self._cluster)]
            self._size = len(self._parts[0])
        self._remember(block)
        stamp = block.head + _STAMP.pack(away, block.flags)
        inner = ebml.size_bytes(len(stamp) + len(block.payload)) + stamp
        if block.extras is None:
            parts: list[bytes | memoryview] = [b"\xa3" + inner, block.payload]
        else:
            rest = [ebml.signed(_REFERENCE, reference) for reference in block.references]
            rest += [ebml.unsigned(_BLOCK_DURATION, block.lasts)] if block.lasts else []
            rest += block.extras
            length = 1 + len(inner) + len(block.payload) + sum(map(len, rest))
            parts = [b"\xa0" + ebml.size_bytes(length) + b"\xa1" + inner, block.payload, *rest]
        self._parts += parts
        self._size += sum(map(len, parts))

    def finish(self, tail: list[tuple[int, bytes]]) -> None:
        """Write what comes after the blocks, the index, and the numbers only known now."""
        self._flush()
        for key, payload in tail:
            self._place(key, payload)
        if self._cues:
            self._place(_CUES, bytes(self._cues))
        end = self._file.tell()
        seeks = [
            ebml.element(0x4DBB, ebml.element(0x53AB, ebml.id_bytes(key)), ebml.unsigned(0x53AC, position))
            for key, position in self._places.items()
        ]
        seek_head = ebml.element(_SEEK_HEAD, *seeks)
        length = max((ticks + lasts for ticks, lasts in self._clocks.values()), default=0)
        self._patch(self._origin - 8, ebml.size_bytes(end - self._origin, 8))
        self._patch(self._origin, seek_head + ebml.void(_SEEK_ROOM - len(seek_head)))
        self._patch(self._duration_at, struct.pack(">d", length))
        self._file.seek(end)

    def _info(self, payload: bytes) -> bytes:
        kept = [ebml.element(key, inner) for key, inner in ebml.elements(payload) if key not in _RETIMED]
        return b"".join((*kept, ebml.unsigned(_TIMESTAMP_SCALE, self._scale), ebml.element(_DURATION, bytes(8))))

    def _place(self, key: int, payload: bytes) -> None:
        self._places.setdefault(key, self._file.tell() - self._origin)
        self._file.write(ebml.element(key, payload))

    def _patch(self, position: int, payload: bytes) -> None:
        self._file.seek(position)
        self._file.write(payload)

    def _remember(self, block: Block) -> None:
        """Note where a block goes that one may want to seek to, and how far its track has come."""
        track = self._tracks[block.track]
        before, lasted = self._clocks.get(block.track, (block.ticks, 0))
        lasts = block.lasts or track.block_duration // self._scale or max(lasted, block.ticks - before)
        self._clocks[block.track] = (max(before, block.ticks), lasts)
        if track.kind != SUBTITLE:
            last = self._cued.get(block.track)
            if not block.is_key or (track.kind != PICTURE and self._main is not None):
                return
            if last is not None and (block.ticks - last) * self._scale < 500_000_000:
                return
            self._cued[block.track] = block.ticks
        self._pending.append((max(0, block.ticks), block.track, self._size))

    def _flush(self) -> None:
        """Write the cluster that is being filled."""
        if not self._parts:
            return
        position = self._file.tell() - self._origin
        self._file.write(ebml.id_bytes(_CLUSTER) + ebml.size_bytes(self._size))
        self._file.writelines(self._parts)
        for ticks, track, relative in self._pending:
            where = ebml.unsigned(0xF7, track) + ebml.unsigned(0xF1, position) + ebml.unsigned(0xF0, relative)
            self._cues += ebml.element(0xBB, ebml.unsigned(0xB3, ticks), ebml.element(0xB7, where))
        self._parts, self._size, self._pending = [], 0, []

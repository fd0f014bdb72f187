"""Move the sound of a Matroska or WebM file by rewriting block timestamps and nothing else.

Packets, tracks, tags, chapters and attachments are copied as they are, also those that a general muxer has no place
for. Two things stand in the way of an exact shift, both because nearly every file counts in milliseconds (48 samples):

* the shift may fall between two ticks;
* a block cannot begin before time zero, so sound that would is left out, and then the first block that is left brings
  its own rounding: AAC blocks last 21.33 ms and are stamped 0, 21, 43, 64.

In both cases the whole file gets ticks of 10 µs, and sound is stamped by counting samples from its first block.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import BinaryIO

from engine.media.export import ebml
from engine.media.export.layout import NothingLeft, UnsupportedLayout
from engine.media.export.matroska_blocks import SOUND, Block, Head, Reader, Writer
from engine.media.export.matroska_clock import SampleClock
from engine.timing import Rounding

_FINE_SCALE = 10_000  # nanoseconds: rounding costs at most 5 µs, a quarter of a sample at 48 kHz
_LOOK_AHEAD_BLOCKS, _LOOK_AHEAD_BYTES = 400, 48 << 20
_HELD_BYTES = 96 << 20
_REPORT_BYTES = 8 << 20
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Shift:
    """What :func:`shift_sound` did.

    Attributes:
        seconds: the shift as the file can express it, exact.
        hidden: how much sound at the beginning was left out, in seconds.
        scale_was: nanoseconds per tick before.
        scale: and after.
    """

    seconds: Fraction
    hidden: Fraction
    scale_was: int
    scale: int


class _Interleaver:
    """Puts moved sound back beside the pictures it now belongs to.

    Two queues, sound and the rest, are merged by time; how much is held is bounded by the shift, and by
    :data:`_HELD_BYTES` should one of them run dry.
    """

    def __init__(self) -> None:
        self._queues: tuple[deque[tuple[int, Block]], deque[tuple[int, Block]]] = (deque(), deque())
        self._clock = [0, 0]
        self._held = 0

    def push(self, block: Block, is_sound: bool) -> Iterator[Block]:
        """Take a block in and yield those whose turn it is."""
        self._clock[is_sound] = max(self._clock[is_sound], block.ticks)
        self._queues[is_sound].append((self._clock[is_sound], block))
        self._held += len(block.payload)
        while all(self._queues) or self._held > _HELD_BYTES:
            yield self._pop()

    def rest(self) -> Iterator[Block]:
        """Yield what is still held."""
        while any(self._queues):
            yield self._pop()

    def _pop(self) -> Block:
        other, sound = self._queues
        queue = other if other and (not sound or other[0][0] <= sound[0][0]) else sound
        block = queue.popleft()[1]
        self._held -= len(block.payload)
        return block


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the blocks of this file are stamped anew.

    Attributes:
        scale: nanoseconds per tick of the new file.
        factor: how many of these an old tick is.
        shift: seconds by which sound moves.
        shift_ticks: the same in ticks of the new file.
        clocks: of the audio tracks, ``None`` where the file's own stamps stay good enough.
    """

    scale: int
    factor: int
    shift: Fraction
    shift_ticks: int
    clocks: dict[int, SampleClock | None]

    @classmethod
    def make(cls, head: Head, ahead: list[Block], shift: Fraction, starts: Mapping[int, Fraction]) -> _Plan:
        """Decide on the tick and the stamps from the first blocks."""
        tick = Fraction(head.scale, _SECOND)
        sound = {number: track for number, track in head.tracks.items() if track.kind == SOUND}
        if not sound:
            raise UnsupportedLayout("no sound")
        blocks = {number: [block for block in ahead if block.track == number] for number in sound}
        rounding = abs(Rounding.NEAREST.apply(shift / tick) * tick - shift)
        cuts = any(first[0].ticks * tick + shift < 0 for first in blocks.values() if first)
        finest = max(track.sample_rate for track in sound.values())
        if head.scale <= _FINE_SCALE or (not cuts and rounding <= Fraction(1, 4 * finest)):
            return cls(head.scale, 1, shift, _ticks(shift, head.scale), dict.fromkeys(sound))
        if head.scale % _FINE_SCALE:
            raise UnsupportedLayout(f"ticks of {head.scale} ns")
        clocks: dict[int, SampleClock | None] = {
            number: SampleClock(track, blocks[number], tick, starts.get(ordinal))
            for ordinal, (number, track) in enumerate(head.tracks.items())
            if number in sound
        }
        return cls(_FINE_SCALE, head.scale // _FINE_SCALE, shift, _ticks(shift, _FINE_SCALE), clocks)

    def stamp(self, block: Block) -> None:
        """Give a block its new time."""
        clock = self.clocks.get(block.track)
        exact = None if clock is None else clock.time(block)
        if self.factor != 1:
            block.rescaled(self.factor)
        if exact is not None:
            block.ticks = _ticks(exact + self.shift, self.scale)
        elif block.track in self.clocks:
            block.ticks += self.shift_ticks


def _ticks(seconds: Fraction, scale: int) -> int:
    return Rounding.NEAREST.apply(seconds * Fraction(_SECOND, scale))


def _look_ahead(blocks: Iterator[Block], reader: Reader) -> list[Block]:
    """Return the first blocks: enough to see how each audio track is stamped, or as many as memory is worth."""
    ahead: list[Block] = []
    wanting: dict[int, int] | None = None
    for block in blocks:
        ahead.append(block)
        if wanting is None:
            wanting = {n: _LOOK_AHEAD_BLOCKS for n, track in reader.head.tracks.items() if track.kind == SOUND}
        if block.track in wanting:
            wanting[block.track] -= 1
        if reader.read >= _LOOK_AHEAD_BYTES or all(left <= 0 for left in wanting.values()):
            break
    return ahead


def shift_sound(
    source: BinaryIO, target: BinaryIO, shift: Fraction, size: int = 0, starts: Mapping[int, Fraction] | None = None
) -> Iterator[float | Shift]:
    """Write a copy of a Matroska or WebM stream whose sound is moved, all audio tracks alike.

    Args:
        source: opened for reading; may be a pipe.
        target: opened for writing, empty, able to seek.
        shift: seconds; positive, later.
        size: bytes to come, for the progress; 0 when not known.
        starts: when the first sample of an audio track sounds, in seconds, by the track's place in the file.

    Yields:
        Shares of the work done (0 to 1) and, last, the :class:`Shift`.

    Raises:
        UnsupportedLayout: if the file is of a kind that is not rewritten; the target is of no use then.
        NothingLeft: if the shift leaves nothing of the sound.
        OSError: if reading or writing fails.
    """
    try:
        yield from _shift_sound(source, target, shift, size, starts or {})
    except (ebml.BrokenEbml, struct.error, KeyError) as error:
        raise UnsupportedLayout(str(error)) from error


def _shift_sound(
    source: BinaryIO, target: BinaryIO, shift: Fraction, size: int, starts: Mapping[int, Fraction]
) -> Iterator[float | Shift]:
    reader = Reader(source)
    blocks = reader.blocks()
    ahead = _look_ahead(blocks, reader)
    if not ahead:
        raise UnsupportedLayout("no blocks")
    plan = _Plan.make(reader.head, ahead, shift, starts)
    writer = Writer(target, reader.head, plan.scale)
    queue = _Interleaver()
    kept = reported = hidden = 0
    for block in chain(ahead, blocks):
        plan.stamp(block)
        is_sound = block.track in plan.clocks
        if is_sound and block.ticks < 0:
            hidden = max(hidden, -block.ticks)
            continue
        kept += is_sound
        for ready in queue.push(block, is_sound):
            writer.add(ready)
        if reader.read - reported >= _REPORT_BYTES:
            reported = reader.read
            yield min(1.0, reported / size) if size else 0.0
    if not kept:
        raise NothingLeft
    for ready in queue.rest():
        writer.add(ready)
    writer.finish(reader.tail)
    tick = Fraction(plan.scale, _SECOND)
    yield Shift(plan.shift_ticks * tick, hidden * tick, reader.head.scale, plan.scale)

"""Exact times of audio blocks whose file stamps them to the millisecond only."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial

from engine.media.export.matroska_blocks import Block, Track
from engine.timing import Rounding

StepCount = Callable[[Block], int]
"""Returns how many samples lie between the previous block's stamp and this one's; called once per block, in order."""

_SECOND = 1_000_000_000
_FEWEST = 3
_STRAY = Fraction(3, 2)
"""Ticks by which a stamp may be off what counting gives, two roundings and a little more."""
_GAP = 3
"""Ticks from which on a stamp is believed rather than the count."""


class SampleClock:
    """Times counted in samples from the first block on, as :func:`engine.media.samples.read_samples` counts them.

    Writers round the encoder delay to ticks before they add it to the stamps. In a file with finer ticks the delay is
    not rounded, so stamps have to be late by the exact delay instead.

    Args:
        track: the track.
        first: its first blocks.
        tick: seconds per tick of the file.
        start: when its first sample sounds, in seconds, if that is known better than from the first stamp.
    """

    def __init__(self, track: Track, first: list[Block], tick: Fraction, start: Fraction | None) -> None:
        delay = Fraction(track.delay, _SECOND)
        self._tick = tick
        self._late = delay - Rounding.NEAREST.apply(delay / tick) * tick
        self._rate = track.sample_rate
        self._step: StepCount | None = None
        self._anchor = first[0].ticks * tick if first else Fraction(0)
        self._counted: int | None = None
        ways: list[Callable[[Track, list[Block], Fraction], StepCount | None]] = [_constant_steps]
        ways += [partial(_vorbis_steps, quarters=number) for number in (2, 1, 0)]
        for make in ways:
            trial = make(track, first, tick)
            if trial is not None and self._follow(first, trial):
                self._step = make(track, first, tick)
                break
        # With the exact delay the first sample sounds at the first stamp.
        if start is not None and abs(start - self._anchor) <= 2 * tick:
            self._anchor = start

    def time(self, block: Block) -> Fraction:
        """Return the exact time of the next block in seconds; the file's own if its blocks cannot be counted."""
        if self._step is None:
            return block.ticks * self._tick + self._late
        step = self._step(block)
        self._counted = 0 if self._counted is None else self._counted + step
        counted = Fraction(self._counted, self._rate)
        strays = float(self._anchor) + self._counted / self._rate - block.ticks * float(self._tick) - float(self._late)
        if abs(strays) > _GAP * self._tick:  # then the file knows
            self._anchor, self._counted = block.ticks * self._tick + self._late, 0
            return self._anchor
        return self._anchor + counted

    def _follow(self, blocks: list[Block], step: StepCount) -> bool:
        """Whether the stamps of some blocks follow from the first one's by counting samples."""
        passed = Fraction(0)
        for index, block in enumerate(blocks):
            samples = step(block)
            passed += Fraction(samples, self._rate) if index else 0
            if abs(block.ticks * self._tick - passed - self._anchor) > _STRAY * self._tick:
                return False
        return bool(blocks)


def _constant_steps(track: Track, first: list[Block], tick: Fraction) -> StepCount | None:
    """Return the one count that all blocks share: as the track header states it, or as the stamps show it."""
    if track.block_duration:
        count = round(Fraction(track.block_duration * track.sample_rate, _SECOND))
    elif len(first) < _FEWEST:
        return None
    else:
        # The mean step is known to a tick in all. Of the whole numbers in reach, codecs use the roundest in binary.
        mean = Fraction(first[-1].ticks - first[0].ticks, len(first) - 1) * tick * track.sample_rate
        slack = tick * track.sample_rate / (len(first) - 1)
        count = _roundest(max(1, int(mean - slack)), int(mean + slack) + 1)
    return (lambda _: count) if count > 0 else None


def _roundest(lowest: int, highest: int) -> int:
    """Return the number in reach with the most zeros at its binary end, 0 if none is; there are never two."""
    for zeros in reversed(range(max(0, highest).bit_length())):
        number = -(-lowest >> zeros) << zeros
        if number <= highest:
            return number
    return 0


def _vorbis_steps(track: Track, _first: list[Block], _tick: Fraction, *, quarters: int) -> StepCount | None:
    """Return the count of Vorbis, whose blocks are long or short.

    Each packet brings a quarter of its own and of the previous window (Vorbis I specification, 4.3.8). The sizes of
    both windows stand in the identification header; which one is used is the first mode bit of the packet, as all
    known encoders write two modes. How much the very first packet is said to bring differs between muxers: 2, 1 or 0
    quarters of its window.
    """
    start = track.private.find(b"\x01vorbis")
    if track.codec != b"A_VORBIS" or start < 0 or start + 29 > len(track.private):
        return None
    sizes = track.private[start + 28]
    windows = (1 << (sizes & 15), 1 << (sizes >> 4))
    last_window = last = 0

    def step(block: Block) -> int:
        nonlocal last_window, last
        window = windows[block.payload[0] >> 1 & 1]
        passed = last
        last = (last_window + window) // 4 if last_window else window * quarters // 4
        last_window = window
        return passed

    return step

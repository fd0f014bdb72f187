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


class SampleClock:
    """Times counted in samples, never further than a tick from those of the file.

    Writers round the encoder delay to ticks before they add it to the stamps. In a file with finer ticks the delay is
    not rounded, so stamps have to be late by the exact delay instead.

    Args:
        track: the track.
        first: its first blocks.
        tick: seconds per tick of the file.
    """

    def __init__(self, track: Track, first: list[Block], tick: Fraction) -> None:
        delay = Fraction(track.delay, _SECOND)
        self._tick = tick
        self._late = delay - Rounding.NEAREST.apply(delay / tick) * tick
        self._sample = Fraction(1, track.sample_rate)
        self._step: StepCount | None = None
        self._last: Fraction | None = None
        ways: list[Callable[[Track, list[Block], Fraction], StepCount | None]] = [_constant_steps]
        ways += [partial(_vorbis_steps, quarters=number) for number in (2, 1, 0)]
        for make in ways:
            trial = make(track, first, tick)
            start = None if trial is None else self._start(first, trial)
            if start is not None:
                self._step = make(track, first, tick)
                self._first = start
                break

    def time(self, block: Block) -> Fraction:
        """Return the exact time of the next block in seconds; the file's own if its blocks cannot be counted."""
        stamped = block.ticks * self._tick + self._late
        if self._step is None:
            return stamped
        step = self._step(block) * self._sample
        time = self._first if self._last is None else self._last + step
        if abs(time - stamped) > 2 * self._tick:
            time = stamped  # a gap: the file knows
        else:
            time = min(max(time, stamped - self._tick), stamped + self._tick)
        self._last = time
        return time

    def _start(self, blocks: list[Block], step: StepCount) -> Fraction | None:
        """Return when the first block begins, or ``None`` if the stamps do not follow from it to a tick.

        Each stamp confines the beginning to an interval one tick long. The first stamp is taken for the truth unless
        the others contradict; then the middle of what they leave, as
        :meth:`engine.media.sound_source.SoundSource` does.
        """
        if not blocks:
            return None
        first = blocks[0].ticks * self._tick
        low, high = first + self._late - self._tick / 2, first + self._late + self._tick / 2
        agreeing = True
        passed = Fraction(0)
        for index, block in enumerate(blocks):
            samples = step(block)
            passed += samples * self._sample if index else 0
            says = block.ticks * self._tick - passed
            if abs(says - first) > self._tick:
                return None
            narrower = max(low, says + self._late - self._tick / 2), min(high, says + self._late + self._tick / 2)
            agreeing = agreeing and narrower[0] <= narrower[1]
            if agreeing:
                low, high = narrower
        return first if low <= first <= high else (low + high) / 2


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
        reach = range(max(1, int(mean - slack)), int(mean + slack) + 2)
        count = min(reach, key=lambda number: (-(number & -number), abs(number - mean)), default=0)
    return (lambda _: count) if count > 0 else None


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

"""The sound moved by a different constant for each stretch, joined where it is quietest.

Where the correction grows, sound has to be inserted: room tone, the quietest moment nearby played forth and back.
Where it shrinks, the quietest piece of the right length near the step is left out. All joins are cross-faded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from engine.media.export.encode import Samples
from engine.media.export.timeline import Tape
from engine.timing import Rounding, StepCorrection

FADE = Fraction(8, 1000)
"""Seconds of each cross-fade."""
SEARCH = Fraction(1, 2)
"""Seconds on either side of a step within which the join is placed."""

_TONE = Fraction(1, 5)
_FRAME = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Join:
    """Where one stretch ends and the next begins.

    Attributes:
        ends: sample of the old sound at which the earlier stretch ends.
        begins: sample of the old sound at which the later stretch begins.
        inserts: samples of room tone between them.
        tone: sample of the old sound at which the room tone is taken.
    """

    ends: int
    begins: int
    inserts: int
    tone: int


def find_joins(tape: Tape, correction: StepCorrection) -> list[Join]:
    """Return the joins of the stretches, in samples counted from the sound's first one."""
    origin = _origin(tape)
    if origin is None:
        return []
    rate = tape.sample_rate
    joins: list[Join] = []
    for (_, before), (time, after) in zip(correction.steps, correction.steps[1:], strict=False):
        grows = Rounding.NEAREST.apply(Fraction(round((after - before) * 1000), 1_000_000) * rate)
        floor = joins[-1].begins + Rounding.NEAREST.apply(2 * FADE * rate) if joins else 0
        join = _join(tape, origin, time, grows, floor) if grows else None
        if join is not None:
            joins.append(join)
    return joins


def pieced(tape: Tape, correction: StepCorrection, joins: list[Join]) -> Iterator[tuple[int, Samples]]:
    """Yield ``(index, sound)`` of the new file.

    Args:
        tape: the sound.
        correction: the steps.
        joins: as :func:`find_joins` returned them.
    """
    origin = _origin(tape)
    if origin is None:
        return
    index = tape.index(origin + Fraction(round(correction.steps[0][1] * 1000), 1_000_000))
    for data in _faded(_stretches(tape, origin, joins), Rounding.NEAREST.apply(FADE * tape.sample_rate)):
        yield index, data
        index += len(data)


def _origin(tape: Tape) -> Fraction | None:
    first = next(tape.blocks(), None)
    return None if first is None else first.start


def _read(tape: Tape, origin: Fraction, start: int, stop: int | None) -> Iterator[Samples]:
    rate = tape.sample_rate
    end = None if stop is None else origin + Fraction(stop, rate)
    for block in tape.blocks(origin + Fraction(start, rate), end):
        yield block.data


def _join(tape: Tape, origin: Fraction, time: Fraction, grows: int, floor: int) -> Join | None:
    """Return the quietest join near a step, or ``None`` where the sound has ended before it."""
    rate = tape.sample_rate
    frame = Rounding.NEAREST.apply(_FRAME * rate)
    tone = Rounding.NEAREST.apply(_TONE * rate)
    place = Rounding.NEAREST.apply((time - origin) * rate)
    low = max(floor, place - Rounding.NEAREST.apply(SEARCH * rate), 0)
    drop = max(0, -grows)
    high = place + Rounding.NEAREST.apply(SEARCH * rate) + drop
    parts = list(_read(tape, origin, low, high))
    if place <= floor or not parts:
        return None
    level = np.concatenate(parts).astype(np.float64)
    energy = (level**2).mean(axis=1)
    if len(energy) <= drop + frame:
        return None
    cut = low + _quietest(energy, drop + frame, place - drop // 2 - low)
    quiet = low + _quietest(energy, min(tone, len(energy)), place - low)
    if grows >= 0:
        return Join(cut + frame // 2, cut + frame // 2, grows, quiet)
    return Join(cut + frame // 2, cut + frame // 2 + drop, 0, quiet)


def _quietest(energy: npt.NDArray[np.float64], length: int, place: int) -> int:
    """Return where the quietest stretch of ``length`` samples begins, among equals the one nearest to ``place``."""
    sums = np.concatenate(([0.0], np.cumsum(energy)))
    totals = sums[length:] - sums[:-length]
    least = np.flatnonzero(totals <= totals.min() * 1.0001 + 1e-15)
    return int(least[np.argmin(np.abs(least + length // 2 - place))])


def _stretches(tape: Tape, origin: Fraction, joins: list[Join]) -> Iterator[Iterator[Samples]]:
    """Yield the pieces of the new sound, each with the samples of one fade more than it lasts (but for the last)."""
    fade = Rounding.NEAREST.apply(FADE * tape.sample_rate)
    start = 0
    for join in joins:
        yield _read(tape, origin, start, join.ends + fade)
        if join.inserts:
            yield iter([_room_tone(tape, origin, join, join.inserts + fade)])
        start = join.begins
    yield _read(tape, origin, start, None)


def _room_tone(tape: Tape, origin: Fraction, join: Join, count: int) -> Samples:
    """Return ``count`` samples that sound like the room: the quietest moment nearby, forth and back."""
    length = Rounding.NEAREST.apply(_TONE * tape.sample_rate)
    quiet = np.concatenate(list(_read(tape, origin, join.tone, join.tone + length)))
    forth_and_back = np.concatenate((quiet, quiet[::-1]))
    repeats = -(-count // len(forth_and_back))
    return np.tile(forth_and_back, (repeats, 1))[:count]


def _faded(stretches: Iterator[Iterator[Samples]], fade: int) -> Iterator[Samples]:
    """Yield stretches one after the other, the last ``fade`` samples of each under the first of the next."""
    rise = np.sqrt((np.arange(fade, dtype=np.float32) + 0.5) / fade)[:, None]
    held: Samples | None = None
    for stretch in stretches:
        tail = held
        held = None
        for piece in stretch:
            data = piece if held is None else np.concatenate((held, piece))
            if tail is not None and len(data) >= fade:
                length = min(fade, len(tail))
                mixed = tail[:length] * rise[:length][::-1] + data[:length] * rise[:length]
                data = np.concatenate((mixed.astype(np.float32), data[length:]))
                tail = None
            if tail is None and len(data) > fade:
                yield data[:-fade]
                data = data[-fade:]
            held = data
        if tail is not None:
            yield tail
    if held is not None:
        yield held

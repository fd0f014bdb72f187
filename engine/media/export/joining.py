"""The sound moved by a different constant for each stretch, joined where it is quietest.

Where the correction grows, sound has to be inserted: room tone, the quietest moment nearby played forth and back.
Where it shrinks, the quietest piece of the right length near the step is left out. All joins are cross-faded.

Export, player and timeline ask the same question here, so that what is seen and heard is what is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

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

    @property
    def grows(self) -> int:
        """By how many samples the sound becomes longer; negative, shorter."""
        return self.ends + self.inserts - self.begins


@dataclass(frozen=True, slots=True)
class Cut:
    """A join on the clock of the sound.

    Attributes:
        ends: when the earlier stretch ends, seconds.
        begins: when the later stretch begins, seconds.
        grows: by how much the sound becomes longer, seconds; negative, shorter.
    """

    ends: Fraction
    begins: Fraction
    grows: Fraction


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where a file's sound is joined.

    Attributes:
        origin: when its first sample sounds, seconds; steps before that move all of it.
        places: ascending; fewer than there are steps where some are close together or after the end.
    """

    origin: Fraction
    places: tuple[Cut, ...]


def find_joins(tape: Tape, correction: StepCorrection) -> list[Join]:
    """Return the joins of the stretches, in samples of the tape counted from the sound's first one.

    Quiet places are looked for in the sound as it is in the file, at its own rate and untreated: only so the same ones
    are found for a tape of whatever rate.
    """
    own = Tape.of(tape.path, tape.stream)
    origin = _origin(own)
    return [] if origin is None else rescaled(_joins(own, origin, correction), own.sample_rate, tape.sample_rate)


def find_cuts(path: Path, correction: StepCorrection) -> Cuts | None:
    """Return where the sound of a file is joined, ``None`` where there is no sound.

    Raises:
        Refused: as :class:`~engine.media.sound_source.SoundSource`.
    """
    tape = Tape.of(path)
    origin = _origin(tape)
    if origin is None:
        return None
    rate = tape.sample_rate
    joins = _joins(tape, origin, correction)
    places = (
        Cut(origin + Fraction(join.ends, rate), origin + Fraction(join.begins, rate), Fraction(join.grows, rate))
        for join in joins
    )
    return Cuts(origin, tuple(places))


def _joins(tape: Tape, origin: Fraction, correction: StepCorrection) -> list[Join]:
    rate = tape.sample_rate
    spare = Rounding.NEAREST.apply(2 * FADE * rate)
    steps = [step for step in pairwise(correction.steps) if step[1][0] > origin]
    joins: list[tuple[Fraction, Join]] = []
    for number, ((_, before), (time, after)) in enumerate(steps):
        follows = steps[number + 1][1][0] if number + 1 < len(steps) else None
        at, grows = time, Rounding.NEAREST.apply(Fraction(round((after - before) * 1000), 1_000_000) * rate)
        while joins and (at - origin) * rate <= joins[-1][1].begins + spare:
            # What is left out before reaches beyond this step: one join does both.
            at, last = joins.pop()
            grows += last.grows
        if grows:
            floor = joins[-1][1].begins + spare if joins else 0
            join = _join(tape, origin, (at, follows), grows, floor)
            if join is None:
                break
            joins.append((at, join))
    return [join for _, join in joins]


def rescaled(joins: list[Join], sample_rate: int, wanted_rate: int) -> list[Join]:
    """Return the joins in samples of another rate; what they add up to is rounded once, so that no error grows.

    Args:
        joins: as :func:`find_joins` returned them.
        sample_rate: of the tape that it was asked about.
        wanted_rate: of the tape that is read.
    """
    if wanted_rate == sample_rate:
        return joins
    scale = Fraction(wanted_rate, sample_rate)
    scaled: list[Join] = []
    grown = counted = 0
    for join in joins:
        grown += join.grows
        grows = Rounding.NEAREST.apply(grown * scale) - counted
        counted += grows
        ends = Rounding.NEAREST.apply(join.ends * scale)
        tone = Rounding.NEAREST.apply(join.tone * scale)
        scaled.append(Join(ends, ends - min(grows, 0), max(grows, 0), tone))
    return scaled


def pieced(tape: Tape, correction: StepCorrection, joins: list[Join], start: int = 0) -> Iterator[tuple[int, Samples]]:
    """Yield ``(index, sound)`` of the new file.

    Args:
        tape: the sound.
        correction: the steps.
        joins: as :func:`find_joins` returned them.
        start: leave out this many samples at the beginning; those that follow are the same as without that.
    """
    origin = _origin(tape)
    if origin is None:
        return
    begins = tape.index(_moved(origin, correction))
    fade = Rounding.NEAREST.apply(FADE * tape.sample_rate)
    pieces = _pieces(joins)
    # Behind its fade-in a piece owes nothing to those before it.
    while len(pieces) > 1 and pieces[1].place + fade <= start:
        del pieces[0]
    first = pieces[0]
    skipped = start - first.place if first.length is None else min(start - first.place, first.length)
    position = first.place + skipped
    stretches = (_stretch(tape, origin, piece, skipped if piece is first else 0, fade) for piece in pieces)
    for data in _faded(stretches, fade):
        wanted = data[max(0, start - position) :]
        position += len(data)
        if len(wanted):
            yield begins + position - len(wanted), wanted


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the new sound.

    Attributes:
        place: sample of the new sound at which it begins.
        begins: sample of the old sound at which it begins, or at which its room tone is taken.
        length: samples up to the next piece; ``None`` for all that is left.
        is_tone: whether it is room tone.
    """

    place: int
    begins: int
    length: int | None
    is_tone: bool = False


def _pieces(joins: list[Join]) -> list[_Piece]:
    """Return what the new sound consists of."""
    pieces: list[_Piece] = []
    place = begins = 0
    for join in joins:
        pieces.append(_Piece(place, begins, join.ends - begins))
        place += join.ends - begins
        if join.inserts:
            pieces.append(_Piece(place, join.tone, join.inserts, is_tone=True))
            place += join.inserts
        begins = join.begins
    return [*pieces, _Piece(place, begins, None)]


def beginning(tape: Tape, correction: StepCorrection) -> Fraction | None:
    """Return when the first sample of the new sound sounds, on the clock of the clip; ``None`` where there is none."""
    origin = _origin(tape)
    return None if origin is None else _moved(origin, correction)


def _moved(time: Fraction, correction: StepCorrection) -> Fraction:
    return time + Fraction(round(correction.at(float(time)) * 1000), 1_000_000)


def _origin(tape: Tape) -> Fraction | None:
    first = next(tape.blocks(), None)
    return None if first is None else first.start


def _read(tape: Tape, origin: Fraction, start: int, stop: int | None) -> Iterator[Samples]:
    rate = tape.sample_rate
    end = None if stop is None else origin + Fraction(stop, rate)
    for block in tape.blocks(origin + Fraction(start, rate), end):
        yield block.data


def _join(tape: Tape, origin: Fraction, times: tuple[Fraction, Fraction | None], grows: int, floor: int) -> Join | None:
    """Return the quietest join near a step, or ``None`` where the sound has ended before it.

    Args:
        tape: the sound.
        origin: when its first sample sounds.
        times: of the step, and of the one after it.
        grows: samples to put in; negative, to leave out.
        floor: first sample that may be touched.
    """
    time, follows = times
    rate = tape.sample_rate
    frame = Rounding.NEAREST.apply(_FRAME * rate)
    tone = Rounding.NEAREST.apply(_TONE * rate)
    place = Rounding.NEAREST.apply((time - origin) * rate)
    low = max(floor, place - Rounding.NEAREST.apply(SEARCH * rate), 0)
    drop = max(0, -grows)
    reach = SEARCH if follows is None else min(SEARCH, (follows - time) / 2)
    high = place + Rounding.NEAREST.apply(reach * rate) + drop
    parts = list(_read(tape, origin, low, high))
    if not parts:
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


def _stretch(tape: Tape, origin: Fraction, piece: _Piece, skipped: int, fade: int) -> Iterator[Samples]:
    """Yield a piece from its sample ``skipped`` on, with the samples of one fade more than it lasts (but the last)."""
    if piece.length is None:
        return _read(tape, origin, piece.begins + skipped, None)
    if piece.is_tone:
        return _room_tone(tape, origin, piece, skipped, piece.length + fade)
    return _read(tape, origin, piece.begins + skipped, piece.begins + piece.length + fade)


def _room_tone(tape: Tape, origin: Fraction, piece: _Piece, start: int, stop: int) -> Iterator[Samples]:
    """Yield samples that sound like the room: the quietest moment nearby, forth and back."""
    length = Rounding.NEAREST.apply(_TONE * tape.sample_rate)
    quiet = np.concatenate(list(_read(tape, origin, piece.begins, piece.begins + length)))
    forth_and_back = np.concatenate((quiet, quiet[::-1]))
    for begin in range(start, stop, tape.sample_rate):
        yield forth_and_back[np.arange(begin, min(stop, begin + tape.sample_rate)) % len(forth_and_back)]


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

"""Which moment of the sound is heard now. Arithmetic only: time comes in as an argument.

The sound clock is the master: pictures wait for it or are left out. A sound card tells how much it has played in steps
of a buffer and a little unevenly; :class:`Steady` turns that into a line. Without a sound card the computer's clock
takes its place.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in the sound while it is played.

    Attributes:
        lap: how many times a loop has begun anew.
        seconds: on the clock of the sound's file.
    """

    lap: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Loop:
    """A stretch that is repeated, in seconds.

    Raises:
        ValueError: if it is empty.
    """

    start: float
    stop: float

    def __post_init__(self) -> None:
        if not self.stop > self.start:
            raise ValueError(f"a loop must have a length, got {self.start} to {self.stop}")

    @property
    def length(self) -> float:
        """Seconds."""
        return self.stop - self.start


def looped(seconds: float, loop: Loop | None) -> Moment:
    """Return where playing on from before or in a loop leads: past its end it begins anew."""
    if loop is None or seconds < loop.stop:
        return Moment(0, seconds)
    lap = math.floor((seconds - loop.start) / loop.length)
    # Rounding may leave a remainder as long as the loop itself.
    rest = min(max(seconds - loop.start - lap * loop.length, 0.0), math.nextafter(loop.length, 0.0))
    return Moment(lap, loop.start + rest)


@dataclass(frozen=True, slots=True)
class Running:
    """A clock that runs by itself.

    Attributes:
        since: reading of the computer's clock when it began, seconds.
        start: where it began.
        speed: seconds of sound per second; negative runs backwards.
        loop: stretch that is repeated, running forwards.
    """

    since: float
    start: float
    speed: float = 1.0
    loop: Loop | None = None

    def at(self, now: float) -> Moment:
        """Return where it is."""
        return looped(self.start + (now - self.since) * self.speed, self.loop)


@dataclass(frozen=True, slots=True)
class Steady:
    """A line through uneven readings: a phase-locked loop of the first order.

    Each reading pulls the line 3 % of the way, which leaves 2 ms of the jitter of a period of 20 ms, and follows a
    sound card that runs 200 ppm fast with a lag under a tenth of a millisecond at 100 readings a second. A jump of more
    than 60 ms is not jitter but a device that stopped or skipped, and is followed at once.

    Attributes:
        now: when it was last put right.
        value: what it read then.
        rate: how much it grows per second.
    """

    now: float
    value: float
    rate: float = 1.0

    _PULL = 0.03
    _JUMP = 0.06

    def at(self, now: float) -> float:
        """Return the value at a time."""
        return self.value + (now - self.now) * self.rate

    def pulled(self, now: float, reading: float) -> Steady:
        """Return the line after another reading."""
        expected = self.at(now)
        stray = reading - expected
        if abs(stray) > self._JUMP * max(self.rate, 1.0):
            return Steady(now, reading, self.rate)
        return Steady(now, expected + self._PULL * stray, self.rate)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples handed to the device in one piece.

    Attributes:
        first: number of the first one, counted from the start of the device.
        count: how many.
        lap: as in :class:`Moment`.
        source: moment of the sound's file that the first one is from, seconds.
        pace: seconds of the file per sample; 0 for silence put in because nothing was ready.
    """

    first: int
    count: int
    lap: int
    source: float
    pace: float


class Ledger:
    """What was handed to the device, so that a number of samples played becomes a moment of the file."""

    def __init__(self) -> None:
        self._stretches: deque[Stretch] = deque(maxlen=4096)

    @property
    def handed(self) -> int:
        """How many samples were handed over."""
        return self._stretches[-1].first + self._stretches[-1].count if self._stretches else 0

    def add(self, count: int, lap: int, source: float, pace: float) -> None:
        """Note the next ``count`` samples."""
        last = self._stretches[-1] if self._stretches else None
        joins = (
            last is not None
            and last.lap == lap
            and last.pace == pace
            and abs(last.source + last.count * pace - source) < 1e-6
        )
        if last is not None and joins:
            self._stretches[-1] = Stretch(last.first, last.count + count, lap, last.source, pace)
        else:
            self._stretches.append(Stretch(self.handed, count, lap, source, pace))

    def at(self, played: float) -> Moment | None:
        """Return the moment of the sample that is being heard, ``None`` before anything was handed over."""
        if not self._stretches:
            return None
        for stretch in reversed(self._stretches):
            if played >= stretch.first:
                within = min(played - stretch.first, stretch.count)
                return Moment(stretch.lap, stretch.source + within * stretch.pace)
        first = self._stretches[0]
        return Moment(first.lap, first.source)

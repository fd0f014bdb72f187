"""Time: exact presentation times, frame rates, and the two signed numbers of this project.

Every time below the edge of the screen is ``(pts, time_base)`` or a :class:`~fractions.Fraction` of seconds, because
a binary float cannot hold 1/30 s and a counter divided by fps is wrong for every file with a variable frame rate.

The two signs, used everywhere:

* **offset** (measured): positive means the sound is *late* (heard after the lips).
* **correction** (applied to the sound): positive means the sound is moved *later*. A perfect correction is ``-offset``.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import total_ordering
from itertools import pairwise
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from engine.words import Message

NTSC_FACTOR = Fraction(1000, 1001)
"""Colour NTSC runs at 1000/1001 of the nominal rate (SMPTE ST 12-1)."""

_WHOLE_RATES = (6, 8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 36, 48, 50, 60, 72, 90, 100, 120, 144, 200, 240)
_NTSC_BASES = (12, 15, 24, 30, 48, 60, 90, 120, 240)

STANDARD_RATES: tuple[Fraction, ...] = tuple(
    sorted({*map(Fraction, _WHOLE_RATES), *(base * NTSC_FACTOR for base in _NTSC_BASES), Fraction(25, 2)})
)
"""Frame rates that cameras and editors write, ascending, in frames per second."""

SNAP_TOLERANCE = Fraction(4, 10_000)
"""Relative distance within which a rate is taken for a standard one: under half of the 0.1 % between 24 and 23.976."""


class Rounding(Enum):
    """Which of the two neighbouring ticks an inexact time becomes."""

    FLOOR = "floor"
    NEAREST = "nearest"
    CEIL = "ceil"

    def apply(self, value: Fraction) -> int:
        """Round ``value`` to an integer; ties of ``NEAREST`` go up, so that a grid never gets a doubled point."""
        if self is Rounding.FLOOR:
            return math.floor(value)
        if self is Rounding.CEIL:
            return math.ceil(value)
        return math.floor(value + Fraction(1, 2))


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Timecode:
    """A presentation time as a file stores it: ``pts`` ticks of ``time_base`` seconds.

    Two timecodes with different time bases compare by the instant they name, exactly.

    Raises:
        ValueError: if ``time_base`` is not positive.
    """

    pts: int
    time_base: Fraction

    def __post_init__(self) -> None:
        if self.time_base <= 0:
            raise ValueError(f"time base must be positive, got {self.time_base}")

    @classmethod
    def from_seconds(
        cls, seconds: Fraction | int, time_base: Fraction, rounding: Rounding = Rounding.NEAREST
    ) -> Timecode:
        """Return the tick of ``time_base`` for an exact time in seconds."""
        return cls(rounding.apply(Fraction(seconds) / time_base), time_base)

    @property
    def seconds(self) -> Fraction:
        """The instant in seconds, exact."""
        return self.pts * self.time_base

    def rescaled(self, time_base: Fraction, rounding: Rounding = Rounding.NEAREST) -> Timecode:
        """Return this instant in ticks of another time base."""
        return Timecode.from_seconds(self.seconds, time_base, rounding)

    def __float__(self) -> float:
        return float(self.seconds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timecode) and self.seconds == other.seconds

    def __lt__(self, other: Timecode) -> bool:
        return self.seconds < other.seconds

    def __hash__(self) -> int:
        return hash(self.seconds)

    def __str__(self) -> str:
        return clock_words(self.seconds)


def clock_words(seconds: Fraction | float) -> str:
    """Return a time as ``h:mm:ss.mmm`` (hours only when needed), the form mpv and LosslessCut show."""
    sign = "-" if seconds < 0 else ""
    milliseconds = Rounding.NEAREST.apply(abs(Fraction(seconds)) * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{sign}{head}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"


def snap_rate(rate: Fraction | float) -> Fraction:
    """Return the standard frame rate that ``rate`` stands for, or ``rate`` itself when none is near enough.

    ``29.97`` and ``2997/100`` become ``30000/1001``; a true 30.025 stays what it is.

    Args:
        rate: frames per second, positive.

    Raises:
        ValueError: if ``rate`` is not positive or not finite.
    """
    if not math.isfinite(rate) or rate <= 0:
        raise ValueError(f"frame rate must be positive and finite, got {rate}")
    exact = Fraction(rate)
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - exact))
    return nearest if abs(nearest - exact) <= SNAP_TOLERANCE * nearest else exact


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """Constant-rate frames: frame ``n`` is shown from ``start + n / rate``.

    Positions are computed from the frame number each time (Bresenham's rule), so rounding never accumulates: after two
    hours at 30000/1001 the last frame is off by less than one sample.
    """

    rate: Fraction
    start: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError(f"frame rate must be positive, got {self.rate}")

    def time(self, frame: int) -> Fraction:
        """Return when ``frame`` begins, in seconds."""
        return self.start + frame / self.rate

    def frame_at(self, seconds: Fraction) -> int:
        """Return the frame on screen at ``seconds`` (the last one that began)."""
        return math.floor((seconds - self.start) * self.rate)

    def sample(self, frame: int, sample_rate: int) -> int:
        """Return the index of the first sample at or after the beginning of ``frame``, counted from ``start``."""
        return math.ceil(frame * sample_rate / self.rate)

    def frames_for(self, samples: int, sample_rate: int) -> int:
        """Return how many whole frames are needed to cover ``samples`` samples."""
        return math.ceil(Fraction(samples, sample_rate) * self.rate)


class PictureTimes:
    """Frame number to presentation time and back, for any frame rate, constant or not.

    Args:
        pts: presentation timestamps in display order, strictly ascending, shape ``(frames,)``.
        time_base: seconds per tick.
        end_pts: when the last frame stops being shown; by default its duration equals the one before it.

    Raises:
        ValueError: if there is no frame or the timestamps are not strictly ascending.
    """

    def __init__(
        self, pts: Sequence[int] | npt.NDArray[np.int64], time_base: Fraction, end_pts: int | None = None
    ) -> None:
        ticks = np.asarray(pts, dtype=np.int64)
        if ticks.ndim != 1 or ticks.size == 0:
            raise ValueError("there has to be at least one frame")
        if np.any(np.diff(ticks) <= 0):
            raise ValueError("presentation timestamps must be strictly ascending")
        self.pts = ticks
        self.time_base = time_base
        last = int(ticks[-1] - ticks[-2]) if ticks.size > 1 else 1
        self.end_pts = int(ticks[-1]) + last if end_pts is None else end_pts

    def __len__(self) -> int:
        return int(self.pts.size)

    def time(self, frame: int) -> Fraction:
        """Return when ``frame`` is first shown, in seconds."""
        return int(self.pts[frame]) * self.time_base

    @property
    def end(self) -> Fraction:
        """When the last frame stops being shown, in seconds."""
        return self.end_pts * self.time_base

    def frame_at(self, seconds: Fraction) -> int:
        """Return the frame on screen at ``seconds``; before the first frame that is 0, after the last the last."""
        tick = math.floor(seconds / self.time_base)
        return int(np.clip(np.searchsorted(self.pts, tick, side="right") - 1, 0, len(self) - 1))


@dataclass(frozen=True, slots=True)
class Offset:
    """How late the sound is: what was measured.

    Attributes:
        ms: milliseconds; positive, the sound is late (after the lips); negative, it is early.
        uncertainty_ms: half-width of the interval that holds the truth with 95 % probability.
    """

    ms: float
    uncertainty_ms: float = 0.0

    @property
    def correction(self) -> Correction:
        """The correction that undoes this offset."""
        return Correction(-self.ms)

    def words(self) -> Message:
        """Say it without a bare sign: "83 ms late (±6 ms)"."""
        rounded = round(abs(self.ms))
        key = "timing.in_step" if rounded == 0 else "timing.late" if self.ms > 0 else "timing.early"
        if self.uncertainty_ms > 0:
            key += "_uncertain"
        return Message(key, ms=rounded, uncertainty=max(1, round(self.uncertainty_ms)))


@dataclass(frozen=True, slots=True)
class Correction:
    """How far the sound is moved: what is applied. Positive: later (the sign of mpv's ``--audio-delay``)."""

    ms: float

    @property
    def seconds(self) -> Fraction:
        """The shift in seconds, exact to the microsecond."""
        return Fraction(round(self.ms * 1000), 1_000_000)

    def samples(self, sample_rate: int) -> int:
        """Return the shift in whole samples, rounded to the nearest."""
        return Rounding.NEAREST.apply(self.seconds * sample_rate)

    def words(self) -> Message:
        """Say it without a bare sign: "sound moved 83.0 ms earlier"."""
        if round(abs(self.ms), 1) == 0:
            return Message("timing.unmoved")
        return Message("timing.moved_later" if self.ms > 0 else "timing.moved_earlier", ms=abs(self.ms))


@dataclass(frozen=True, slots=True)
class DriftCorrection:
    """A correction that grows with time: the sound is re-timed along a line.

    Attributes:
        at_zero_ms: correction at t = 0 of the video's clock; positive, later.
        rate_ppm: growth in microseconds per second (1000 ppm add 1 ms every second).
    """

    at_zero_ms: float
    rate_ppm: float

    def at(self, seconds: float) -> float:
        """Return the correction in milliseconds at a time of the original sound."""
        return self.at_zero_ms + self.rate_ppm * seconds / 1000


@dataclass(frozen=True, slots=True)
class StepCorrection:
    """Different constant corrections for successive stretches of the sound.

    Attributes:
        steps: ``(from_seconds, correction_ms)``, ascending; the first holds from the beginning whatever its time.

    Raises:
        ValueError: if there is no step or times do not ascend.
    """

    steps: tuple[tuple[Fraction, float], ...]

    def __post_init__(self) -> None:
        times = [time for time, _ in self.steps]
        if not times or any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError("steps must be at least one, with ascending times")

    def at(self, seconds: float) -> float:
        """Return the correction in milliseconds at a time of the original sound."""
        begun = bisect_right(self.steps, seconds, key=itemgetter(0))
        return self.steps[max(0, begun - 1)][1]

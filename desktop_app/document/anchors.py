"""Anchors: moments of the sound at which the user put it right, and the correction that goes through them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from desktop_app.document.corrections import AnyCorrection, correction_ms_at, moved
from engine.timing import Correction, DriftCorrection, StepCorrection

LARGEST_PPM = 50_000.0
"""Steepest line through two anchors; the largest error of speed made on purpose is 4.3 %, between 23.976 and 25 fps."""

_APART = 0.2
"""Seconds of sound that lie between two anchors at least."""
_SAME_MS = 1e-3
"""Corrections closer than this everywhere are the same: a twentieth of a sample at 48 kHz."""


class Between(StrEnum):
    """What happens to the sound between anchors."""

    LINE = "line"
    """It is stretched along the line through two of them."""
    STEPS = "steps"
    """Each holds from where it stands up to the next one; the first from the beginning."""


@dataclass(frozen=True, slots=True, order=True)
class Anchor:
    """A moment of the sound with its correction.

    Attributes:
        heard: the moment on the sound's own clock, seconds.
        ms: how far the sound is moved there, milliseconds; positive, later.
    """

    heard: float
    ms: float

    @property
    def shown(self) -> float:
        """When that sound is heard once it is moved, seconds on the picture's clock."""
        return self.heard + self.ms / 1000


@dataclass(frozen=True, slots=True)
class Anchors:
    """All anchors of a clip.

    Attributes:
        points: ascending by ``heard``; two at most on a line.
        between: what holds between them.
    """

    points: tuple[Anchor, ...] = ()
    between: Between = Between.LINE

    def correction(self, base: AnyCorrection) -> AnyCorrection:
        """Return the correction that goes through all anchors.

        Args:
            base: what holds without any; a single anchor on a line moves it as a whole.
        """
        points = self.points
        if not points:
            return base
        if self.between is Between.STEPS:
            return _steps(points)
        if len(points) == 1:
            return moved(base, points[0].ms - correction_ms_at(base, points[0].heard))
        first, second = points
        if abs(first.ms - second.ms) < _SAME_MS:
            return Correction(first.ms)
        # Milliseconds per second are thousands of microseconds per second.
        rate = 1000 * (second.ms - first.ms) / (second.heard - first.heard)
        return DriftCorrection(first.ms - rate * first.heard / 1000, rate)

    def dropped(self, heard: float, base: AnyCorrection) -> Anchors:
        """Return the anchors with one more, where the sound is now.

        One that stands almost there is moved there; on a line, so is the nearer one of two.

        Args:
            heard: the moment of the sound, seconds; taken to the millisecond.
            base: the correction of now.
        """
        heard = round(heard, 3)
        others = list(self.points or self._levels(base))
        near = [point for point in others if abs(point.heard - heard) < _APART]
        if self.between is Between.LINE and len(others) > 1:
            near = [min(others, key=lambda point: abs(point.heard - heard))]
        kept = [point for point in others if point not in near]
        return self._with((*kept, Anchor(heard, correction_ms_at(base, heard))))

    def pulled(self, index: int, ms: float) -> Anchors:
        """Return the anchors with the sound at one of them moved to ``ms``, as far as a line may be steep."""
        point = self.points[index]
        if self.between is Between.LINE and len(self.points) > 1:
            other = self.points[1 - index]
            most = LARGEST_PPM / 1000 * abs(point.heard - other.heard)
            ms = min(max(ms, other.ms - most), other.ms + most)
        return self._with(replace(each, ms=ms) if each is point else each for each in self.points)

    def slid(self, index: int, heard: float, base: AnyCorrection) -> Anchors:
        """Return the anchors with one at another moment, but not past its neighbours.

        A step takes its level along; on a line the anchor slides along the line.

        Args:
            index: which one.
            heard: the moment, seconds; taken to the millisecond.
            base: the correction of now.
        """
        point = self.points[index]
        if index > 0:
            heard = max(heard, self.points[index - 1].heard + _APART)
        if index + 1 < len(self.points):
            heard = min(heard, self.points[index + 1].heard - _APART)
        heard = round(heard, 3)
        ms = point.ms if self.between is Between.STEPS else correction_ms_at(base, heard)
        return self._with(Anchor(heard, ms) if each is point else each for each in self.points)

    def without(self, index: int) -> Anchors:
        """Return the anchors without one."""
        return self._with(point for number, point in enumerate(self.points) if number != index)

    def joined_by(self, between: Between) -> Anchors:
        """Return the anchors with something else between them; of too many for a line the outer ones stay."""
        points = self.points
        if between is Between.LINE and len(points) > 2:
            points = (points[0], points[-1])
        return Anchors(points, between)

    def on(self, correction: AnyCorrection) -> Anchors:
        """Return the anchors lying on another correction, or none where that does not go through them."""
        if not self.points:
            return self
        laid = self._with(replace(point, ms=correction_ms_at(correction, point.heard)) for point in self.points)
        return laid if _same(laid.correction(correction), correction, self.points) else replace(self, points=())

    def _with(self, points: Iterable[Anchor]) -> Anchors:
        return Anchors(tuple(sorted(points)), self.between)

    def _levels(self, base: AnyCorrection) -> tuple[Anchor, ...]:
        """Return the anchors that steps from elsewhere, say measured ones, amount to."""
        if self.between is Between.LINE or not isinstance(base, StepCorrection):
            return ()
        return tuple(Anchor(round(float(time), 3), ms) for time, ms in base.steps)


def _steps(points: tuple[Anchor, ...]) -> Correction | StepCorrection:
    levels = [next(group) for _, group in itertools.groupby(points, key=lambda point: point.ms)]
    if len(levels) == 1:
        return Correction(levels[0].ms)
    return StepCorrection(tuple((Fraction(round(level.heard * 1000), 1000), level.ms) for level in levels))


def _same(one: AnyCorrection, other: AnyCorrection, points: tuple[Anchor, ...]) -> bool:
    """Whether two corrections do the same: they are lines or steps, so a look beside every corner is enough."""
    corners = [point.heard for point in points]
    corners += [float(time) for each in (one, other) if isinstance(each, StepCorrection) for time, _ in each.steps[1:]]
    looks = [corner + beside for corner in corners for beside in (-2e-3, 0.0, 2e-3)] + [-1e4, 1e4]
    return all(abs(correction_ms_at(one, at) - correction_ms_at(other, at)) < _SAME_MS for at in looks)

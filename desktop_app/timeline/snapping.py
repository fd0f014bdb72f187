"""What a dragged correction snaps to. Distances are in pixels, so that snapping feels the same at every zoom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

REACH = 8.0
"""Pixels within which a target catches."""


class Target(Enum):
    """What something snapped to; where two are equally near, the earlier one here is named."""

    MEASURED = "measured"
    ZERO = "zero"
    PLOSIVE = "plosive"
    FRAME = "frame"


_ORDER = {target: rank for rank, target in enumerate(Target)}


@dataclass(frozen=True, slots=True)
class Snapped:
    """A correction after snapping.

    Attributes:
        ms: the correction, milliseconds, positive: sound later.
        target: what caught it, ``None`` where nothing was near.
    """

    ms: float
    target: Target | None


def snap(ms: float, targets: Iterable[tuple[float, Target]], pixels_per_ms: float, reach: float = REACH) -> Snapped:
    """Return the nearest target within reach, or the value itself.

    Args:
        ms: where the drag is.
        targets: ``(correction in ms, kind)``.
        pixels_per_ms: the zoom.
        reach: pixels.
    """
    # Whole pixels: what nobody can tell apart is as near.
    near = [
        (round(abs(value - ms) * pixels_per_ms), _ORDER[target], value, target)
        for value, target in targets
        if abs(value - ms) * pixels_per_ms <= reach
    ]
    if not near:
        return Snapped(ms, None)
    _, _, value, target = min(near)
    return Snapped(value, target)


def targets(
    ms: float,
    *,
    measured_ms: float | None,
    frame_ms: float | None,
    plosives: Iterable[tuple[float, float]] = (),
) -> list[tuple[float, Target]]:
    """Return what a drag near ``ms`` can snap to.

    Args:
        ms: where the drag is.
        measured_ms: the correction that undoes the measured offset.
        frame_ms: length of a frame; whole frames are targets, those next to ``ms`` are returned.
        plosives: ``(seen, heard)`` in seconds; a correction that puts a burst on its lips is a target.
    """
    found = [(0.0, Target.ZERO)]
    if measured_ms is not None:
        found.append((measured_ms, Target.MEASURED))
    if frame_ms is not None and frame_ms > 0:
        nearest = round(ms / frame_ms)
        found.extend((number * frame_ms, Target.FRAME) for number in (nearest - 1, nearest, nearest + 1) if number)
    found.extend(((seen - heard) * 1000, Target.PLOSIVE) for seen, heard in plosives)
    return found

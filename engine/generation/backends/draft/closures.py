"""Shut lips for p, b and m: when they meet and when they part, to the millisecond.

The articulation model says where lips are shut; the sound says exactly when they part, by the burst. Around a closure
the lips move as people's do, at speed through contact, whatever the frame rate is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.sample.articulation import CLOSING_SECONDS, OPENING_SECONDS
from engine.sync.plosives import Burst, Place

Floats = npt.NDArray[np.float32]

_SURE = 0.5
"""Probability of shut lips from which they are shut."""
_LIKELY = 0.2
"""The same shortly before a burst that sounds like lips."""
_BURST_WITHIN = 0.045
"""A burst so near (seconds) to where the model parts the lips is that parting."""
_LONGEST = 0.22
"""Shut lips of more than this are a pause, not a consonant."""
_USUAL = 0.075
"""Length in seconds of a closure of which only the burst is known (60 to 90 ms)."""
_CONTACT = 0.2
"""Share of a lip movement that is spent pressing the lips together: they meet and part at speed."""


@dataclass(frozen=True, slots=True)
class Closure:
    """A stretch of shut lips.

    Attributes:
        shut: when the lips meet, seconds.
        part: when they come apart.
    """

    shut: float
    part: float


def find_closures(shut: Floats, times: npt.NDArray[np.float64], bursts: Sequence[Burst]) -> list[Closure]:
    """Find the closures in a stretch of voice.

    Args:
        shut: how surely the lips are shut, shape ``(rows,)``.
        times: seconds of the rows, evenly spaced.
        bursts: what the sound shows, see :func:`engine.sync.plosives.find_bursts`.

    Returns:
        Closures in order of time, not overlapping.
    """
    found = []
    labial = [burst.time for burst in bursts if burst.place is Place.LABIAL]
    everything = [burst.time for burst in bursts]
    for begin, end in _above(shut, times, _SURE):
        if end - begin > _LONGEST:
            continue
        near = [time for time in everything if abs(time - end) <= _BURST_WITHIN and time > begin + 0.02]
        part = min(near, key=lambda time: abs(time - end)) if near else end
        found.append(Closure(min(begin, part - 0.03), part))
    for time in labial:
        before = (times >= time - 0.08) & (times <= time + 0.01)
        is_new = all(time < one.shut - 0.05 or time > one.part + 0.05 for one in found)
        if before.any() and is_new and float(shut[before].max()) >= _LIKELY:
            found.append(Closure(time - _USUAL, time))
    return _merged(sorted(found, key=lambda one: one.shut))


def _above(values: Floats, times: npt.NDArray[np.float64], level: float) -> list[tuple[float, float]]:
    """Return the stretches in which a curve is above a level, their ends interpolated."""
    if len(values) < 2:
        return []
    over = values >= level
    turns = np.flatnonzero(over[1:] != over[:-1])
    share = (level - values[turns]) / (values[turns + 1] - values[turns])
    at = times[turns] + share * (times[turns + 1] - times[turns])
    begins, ends = at[~over[turns]], at[over[turns]]
    if over[0]:
        ends = ends[1:]
    return list(zip(begins.tolist(), ends.tolist(), strict=False))


def _merged(closures: list[Closure]) -> list[Closure]:
    merged: list[Closure] = []
    for one in closures:
        if merged and one.shut <= merged[-1].part:
            merged[-1] = Closure(merged[-1].shut, max(one.part, merged[-1].part))
        else:
            merged.append(one)
    return merged


def freedom(closures: Sequence[Closure], times: npt.NDArray[np.float64], frame_seconds: float) -> Floats:
    """Return how freely the lips may be open at some times: 0 while they are shut, 1 far from any closure.

    Args:
        closures: when lips are shut.
        times: seconds, shape ``(n,)``.
        frame_seconds: how far apart pictures are: a shorter closure is stretched to that evenly to both sides, so that
            one picture shows it.

    Returns:
        Shape ``(n,)``.
    """
    free = np.ones(len(times))
    for one in closures:
        middle, half = (one.shut + one.part) / 2, max(one.part - one.shut, frame_seconds) / 2
        before, after = (middle - half - times) / CLOSING_SECONDS, (times - middle - half) / OPENING_SECONDS
        free *= _release(np.maximum(before, after))
    return free.astype(np.float32)


def _release(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rise from 0 at contact to 1: the visible rest of a minimum-jerk movement (Flash and Hogan 1985, J. Neurosci. 5).

    It begins at speed, since lips are pressed together when they touch.
    """

    def smooth(place: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(place**3 * (10 - 15 * place + 6 * place**2))

    hidden = smooth(np.array(_CONTACT))
    return np.asarray((smooth(_CONTACT + (1 - _CONTACT) * np.clip(share, 0, 1)) - hidden) / (1 - hidden))

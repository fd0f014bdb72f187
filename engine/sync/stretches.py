"""Which stretches of a clip to look at: all of a short one, stretches of clear speech of a long one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.media.opening import MediaPath
from engine.media.samples import read_samples
from engine.sound.features import ROW_RATE
from engine.sound.speech import SpeechActivity, speech_activity

SHORT_CLIP = 75.0
"""Seconds; clips up to this length are looked at whole."""

STRETCH = 15.0
"""Seconds per stretch: long enough for a certain answer, short enough that drift inside it is small."""

_PROBES = 24
"""Places of a long clip that are listened to before any is looked at."""
_CLEAR = 0.35
"""Share of speech from which a stretch counts as clear."""
_ENOUGH_CLEAR = 5
"""Clear stretches below which the whole clip is searched for more."""
_LISTENING_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the clip, seconds on the video's clock, with the share of speech heard in it."""

    start: float
    stop: float
    speech: float = 1.0

    @property
    def middle(self) -> float:
        """Middle in seconds."""
        return (self.start + self.stop) / 2


def consecutive(start: float, stop: float, length: float = STRETCH) -> list[Stretch]:
    """Cut a clip into equal stretches of about ``length`` seconds, the whole clip being covered."""
    count = max(1, round((stop - start) / length))
    edges = np.linspace(start, stop, count + 1)
    return [Stretch(float(first), float(last)) for first, last in pairwise(edges)]


def clear_stretches(sound: MediaPath, start: float, stop: float) -> Iterator[Stretch]:
    """Yield stretches of a long clip worth looking at: those with speech, far from the ones before.

    A few places are listened to first; only if they hold too little speech, all of the sound is.

    Args:
        sound: file whose default sound is listened to.
        start: seconds.
        stop: seconds.
    """
    starts = np.linspace(start, stop - STRETCH, _PROBES)
    heard = [Stretch(float(first), float(first) + STRETCH, _speech_share(sound, float(first))) for first in starts]
    clear = [stretch for stretch in heard if stretch.speech >= _CLEAR]
    if len(clear) < _ENOUGH_CLEAR:
        clear = _searched(sound, start, stop)
    yield from _spread(clear)


def _speech_share(sound: MediaPath, start: float) -> float:
    blocks = list(
        read_samples(sound, sample_rate=_LISTENING_RATE, start=Fraction(start), stop=Fraction(start + STRETCH))
    )
    if not blocks:
        return 0.0
    return float((speech_activity(np.concatenate([block.data for block in blocks]), _LISTENING_RATE) > 0.5).mean())


def _searched(sound: MediaPath, start: float, stop: float) -> list[Stretch]:
    """Listen to everything and return the stretches with most speech, not overlapping, best first (at most 40)."""
    listener = SpeechActivity(_LISTENING_RATE)
    rows: list[npt.NDArray[np.float32]] = []
    first = None
    for block in read_samples(sound, sample_rate=_LISTENING_RATE, start=Fraction(start), stop=Fraction(stop)):
        first = float(block.start) if first is None else first
        rows.append(listener.push(block.data))
    if first is None:
        return []
    rows.append(listener.finish())
    spoken = np.concatenate(rows) > 0.5
    width = round(STRETCH * ROW_RATE)
    total = np.concatenate([[0], np.cumsum(spoken)])
    windows = total[np.minimum(np.arange(len(spoken)) + width, len(spoken))] - total[: len(spoken)]
    found: list[Stretch] = []
    free = np.ones(len(spoken), bool)
    while len(found) < 40:
        best = int(np.argmax(np.where(free, windows, -1)))
        if windows[best] < ROW_RATE or not free[best]:
            break
        begin = min(first + best / ROW_RATE, max(start, stop - STRETCH))
        found.append(Stretch(begin, min(begin + STRETCH, stop), float(windows[best] / width)))
        free[max(0, best - width) : best + width] = False
    return found


def _spread(stretches: list[Stretch]) -> Iterator[Stretch]:
    """Yield stretches so that each is the one farthest from all before; the first is the clearest of the early ones."""
    left = sorted(stretches, key=lambda stretch: stretch.start)
    done: list[Stretch] = []
    while left:
        if done:
            chosen = max(left, key=lambda item: min(abs(item.middle - other.middle) for other in done))
        else:
            chosen = max(left[: max(1, len(left) // 4)], key=lambda item: item.speech)
        left.remove(chosen)
        done.append(chosen)
        yield chosen

"""Phones to mouth movements: where lips and jaw are at any instant, with the timing of human speech.

Every phone pulls at the mouth with a strength that fades with distance in time (dominance functions, Cohen and Massaro
1993), so vowels colour their neighbours and rounding begins early. On top, the gestures an eye can time are exact: for
p, b and m the lips meet when the closure begins to be heard and part at the burst's own instant; for f and v the lower
lip touches the teeth while the friction lasts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.sample.phonemes import BILABIALS
from engine.sample.prosody import Phone
from engine.sample.voice import Speech

Floats = npt.NDArray[np.float64]

CLOSING_SECONDS = 0.075
"""From the vowel's opening to contact: 60 to 90 ms (Löfqvist and Gracco 1997, J. Speech Lang. Hear. Res. 40)."""

OPENING_SECONDS = 0.085
"""From the burst to the vowel's opening: 60 to 100 ms (same source)."""

_LABIODENTAL_SECONDS = 0.07
_REACH = 0.6
"""Seconds beyond which a phone no longer pulls."""


@dataclass(frozen=True, slots=True)
class MouthShape:
    """The mouth at one or more instants; every attribute has the shape of the times asked for.

    Attributes:
        opening: distance between the inner edges of the lips at mid-mouth, mm; 0 when shut.
        jaw: how far the lower teeth are below their place in a shut mouth, mm.
        width: distance between the corners against a resting mouth, mm.
        rounding: protrusion of the lips, 0 to 1.
        press: how hard shut lips are pressed together, 0 to 1.
        tuck: lower lip against the upper teeth, 0 to 1.
        tongue: tip of the tongue raised behind or between the teeth, 0 to 1.
    """

    opening: Floats
    jaw: Floats
    width: Floats
    rounding: Floats
    press: Floats
    tuck: Floats
    tongue: Floats

    def __getitem__(self, index: int) -> MouthShape:
        return MouthShape(*(np.asarray(getattr(self, name)[index]) for name in MouthShape.__slots__))


@dataclass(frozen=True, slots=True)
class Closure:
    """A stretch of shut lips.

    Attributes:
        shut: when the lips meet, seconds.
        part: when they come apart; the burst, if there is one.
    """

    shut: float
    part: float


@dataclass(frozen=True, slots=True)
class _Target:
    """What one phone wants of the mouth (mm, mm, mm, 0..1, 0..1) and how strongly: lips, jaw, width and rounding."""

    opening: float
    jaw: float
    width: float
    rounding: float
    tongue: float
    lips_pull: float
    jaw_pull: float
    width_pull: float
    slowness: float = 1.0


_TARGETS: dict[str, _Target] = {
    "pau": _Target(0.8, 0.6, 0.0, 0.0, 0.0, 0.8, 0.8, 0.8, slowness=2.2),
    "iy": _Target(8.5, 3.6, 5.0, 0.0, 0.2, 1.0, 1.0, 1.0),
    "ih": _Target(9.7, 4.8, 2.0, 0.0, 0.1, 0.9, 0.9, 0.7),
    "eh": _Target(13.1, 7.7, 3.5, 0.0, 0.0, 1.0, 1.0, 0.8),
    "ae": _Target(16.6, 10.5, 4.5, 0.0, 0.0, 1.1, 1.1, 0.9),
    "aa": _Target(17.7, 11.7, -0.7, 0.0, 0.0, 1.1, 1.1, 0.8),
    "ao": _Target(13.7, 9.4, -4.9, 0.6, 0.0, 1.1, 1.1, 1.2),
    "ah": _Target(12.6, 7.1, 1.5, 0.0, 0.0, 0.9, 0.9, 0.6),
    "ax": _Target(9.1, 4.8, 0.0, 0.1, 0.0, 0.6, 0.6, 0.3),
    "er": _Target(8.5, 4.8, -2.8, 0.4, 0.0, 0.9, 0.9, 1.0),
    "uh": _Target(7.9, 4.8, -4.9, 0.6, 0.0, 1.0, 0.9, 1.1),
    "uw": _Target(4.8, 3.1, -12.0, 1.0, 0.0, 1.1, 1.0, 1.4),
    "ey": _Target(12.6, 7.1, 3.0, 0.0, 0.0, 1.0, 1.0, 0.8),
    "yu": _Target(4.8, 3.1, -11.0, 1.0, 0.1, 1.1, 1.0, 1.4),
    "eu": _Target(9.1, 5.4, 1.0, 0.0, 0.0, 1.0, 1.0, 0.8),
    "w": _Target(3.8, 2.7, -13.0, 1.0, 0.0, 1.3, 0.9, 1.6),
    "y": _Target(8.0, 3.1, 4.0, 0.0, 0.2, 0.7, 0.8, 0.7),
    "r": _Target(7.1, 3.6, -4.2, 0.6, 0.2, 0.7, 0.6, 0.9),
    "l": _Target(9.7, 4.8, 0.0, 0.0, 0.9, 0.5, 0.5, 0.3),
    "n": _Target(8.5, 3.4, 0.5, 0.0, 0.7, 0.35, 0.7, 0.2),
    "ng": _Target(9.7, 4.8, 0.5, 0.0, 0.0, 0.2, 0.3, 0.15),
    "t": _Target(8.0, 2.7, 0.5, 0.0, 0.7, 0.4, 0.9, 0.2),
    "d": _Target(8.0, 3.1, 0.5, 0.0, 0.7, 0.35, 0.8, 0.2),
    "k": _Target(9.7, 4.8, 0.0, 0.0, 0.0, 0.2, 0.3, 0.15),
    "g": _Target(9.7, 4.8, 0.0, 0.0, 0.0, 0.2, 0.3, 0.15),
    "s": _Target(7.0, 1.3, 2.5, 0.0, 0.3, 0.9, 1.4, 0.7),
    "sh": _Target(7.3, 1.8, -3.5, 0.7, 0.0, 1.0, 1.3, 1.1),
    "th": _Target(8.0, 3.2, 0.5, 0.0, 1.0, 0.8, 0.9, 0.4),
    "f": _Target(8.0, 3.2, 0.5, 0.0, 0.0, 0.4, 0.6, 0.4),
    "hh": _Target(10.2, 6.0, 0.0, 0.0, 0.0, 0.1, 0.1, 0.05),
    "p": _Target(9.1, 2.7, -0.3, 0.0, 0.0, 0.25, 1.0, 0.15),
}
_TARGETS |= {
    "z": _TARGETS["s"], "ts": _TARGETS["s"], "zh": _TARGETS["sh"], "ch": _TARGETS["sh"], "jh": _TARGETS["sh"],
    "dh": _TARGETS["th"], "v": _TARGETS["f"], "b": _TARGETS["p"], "m": _TARGETS["p"],
}  # fmt: skip
_DIPHTHONGS = {"ay": ("aa", "ih"), "oy": ("ao", "ih"), "aw": ("aa", "uh"), "ow": ("ao", "uw"), "ey": ("ey", "iy")}

_FADE = {"lips": (0.045, 0.045), "jaw": (0.065, 0.065), "width": (0.085, 0.06)}
"""Spread of a phone's pull in seconds, before and after it: the jaw is slower than the lips, rounding comes early."""


class Articulation:
    """The mouth movements that belong to a speech.

    Args:
        speech: what is said.
        effort: size of the movements, 1 for clear speech.

    Attributes:
        closures: all stretches of shut lips during p, b and m, ascending, neighbours merged.
    """

    def __init__(self, speech: Speech, effort: float = 1.0) -> None:
        self._effort = effort
        self.closures = _closures(speech.phones)
        self._shut = np.array([closure.shut for closure in self.closures])
        self._part = np.array([closure.part for closure in self.closures])
        teeth = [phone for phone in speech.phones if phone.name in ("f", "v")]
        self._teeth_begin = np.array([float(phone.start) for phone in teeth])
        self._teeth_end = np.array([float(phone.end) for phone in teeth])
        spans = [("pau", 0.0, float(speech.phones[0].start)), *_spans(speech.phones)]
        self._begin = np.array([begin for _, begin, _ in spans])
        self._end = np.array([end for _, _, end in spans])
        self._targets = [_TARGETS[name] for name, _, _ in spans]
        followed = [(begin, end) for name, begin, end in spans[:-1] if name == "pau" and end - begin >= 0.4]
        self._breaths = np.array([end - 0.26 for _, end in followed])

    def at(self, seconds: npt.ArrayLike) -> MouthShape:
        """Return the mouth at the given times of the speech, shape ``(n,)``; any order, any spacing."""
        time = np.atleast_1d(np.asarray(seconds, float))
        near = np.flatnonzero((self._begin < time.max() + _REACH) & (self._end > time.min() - _REACH))
        if near.size == 0:
            near = np.array([0 if time.max() < self._begin[0] else len(self._begin) - 1])
        lips, jaws, widths = (self._pulls(time, near, what) for what in ("lips", "jaw", "width"))
        opening, tongue = self._mix(lips, near, "opening"), self._mix(lips, near, "tongue")
        jaw = self._mix(jaws, near, "jaw")
        width, rounding = self._mix(widths, near, "width"), self._mix(widths, near, "rounding")
        breath = _bumps(time, self._breaths, 0.11)
        opening, jaw = opening * self._effort + 3.0 * breath, jaw * self._effort + 1.5 * breath
        teeth = self._labiodental(time)
        opening = opening * (1 - teeth) + 2.2 * teeth
        free = self._free(time)
        return MouthShape(
            opening=opening * free,
            jaw=jaw,
            width=width * self._effort,
            rounding=rounding,
            press=np.clip(1 - 3 * free, 0, 1) * self._deep(time),
            tuck=teeth,
            tongue=tongue,
        )

    def _pulls(self, time: Floats, near: npt.NDArray[np.intp], what: str) -> Floats:
        """Return the normalised pull of every near phone at every time, shape ``(times, phones)``."""
        begin, end = self._begin[near], self._end[near]
        core = 0.25 * np.minimum(end - begin, 0.4)
        early = np.maximum(0, begin + core - time[:, None])
        late = np.maximum(0, time[:, None] - (end - core))
        before, after = _FADE[what]
        slow = np.array([self._targets[index].slowness for index in near])
        log_pull = -0.5 * ((early / (before * slow)) ** 2 + (late / (after * slow)) ** 2)
        strength = np.array([getattr(self._targets[index], f"{what}_pull") for index in near])
        pull = strength * np.exp(log_pull - log_pull.max(axis=1, keepdims=True))
        normalised: Floats = pull / pull.sum(axis=1, keepdims=True)
        return normalised

    def _mix(self, pulls: Floats, near: npt.NDArray[np.intp], what: str) -> Floats:
        mixed: Floats = pulls @ np.array([getattr(self._targets[index], what) for index in near])
        return mixed

    def _free(self, time: Floats) -> Floats:
        """Return 0 while the lips are shut for p, b or m, 1 far from it, rising from the very instant they part."""
        free = np.ones(len(time))
        for shut, part in _near(self._shut, self._part, time, 0.1):
            free *= _release(np.maximum((shut - time) / CLOSING_SECONDS, (time - part) / OPENING_SECONDS))
        return free

    def _deep(self, time: Floats) -> Floats:
        """Return how far into a closure each time is, 0 at contact and release, 1 in the middle."""
        deep = np.zeros(len(time))
        for shut, part in _near(self._shut, self._part, time, 0):
            deep = np.maximum(deep, np.sin(np.pi * np.clip((time - shut) / (part - shut), 0, 1)))
        return deep

    def _labiodental(self, time: Floats) -> Floats:
        touch = np.zeros(len(time))
        for begin, end in _near(self._teeth_begin, self._teeth_end, time, 0.1):
            away = np.maximum(np.maximum(begin - time, time - end), 0) / _LABIODENTAL_SECONDS
            touch = np.maximum(touch, 1 - _smooth(away))
        return touch


def _near(begins: Floats, ends: Floats, time: Floats, reach: float) -> Iterator[tuple[float, float]]:
    """Yield the stretches that come within ``reach`` seconds of the times; begins and ends ascend."""
    first = np.searchsorted(ends, time.min() - reach)
    last = np.searchsorted(begins, time.max() + reach, side="right")
    yield from zip(begins[first:last].tolist(), ends[first:last].tolist(), strict=True)


def _smooth(share: Floats) -> Floats:
    """Rise from 0 to 1 with minimum jerk (Flash and Hogan 1985, J. Neurosci. 5)."""
    s = np.clip(share, 0, 1)
    eased: Floats = s**3 * (10 - 15 * s + 6 * s**2)
    return eased


_CONTACT = 0.2
"""Share of a lip movement's duration that is spent compressing the lips: they meet and part at speed."""


def _release(share: Floats) -> Floats:
    """Rise from 0 at the instant the lips part to 1: the visible rest of a minimum-jerk movement."""
    hidden = _smooth(np.array(_CONTACT))
    s = _CONTACT + (1 - _CONTACT) * np.clip(share, 0, 1)
    eased: Floats = (_smooth(s) - hidden) / (1 - hidden)
    return eased


def _bumps(time: Floats, centres: Floats, spread: float) -> Floats:
    out = np.zeros(len(time))
    for centre in centres[(centres > time.min() - 1) & (centres < time.max() + 1)]:
        out += np.exp(-0.5 * ((time - centre) / spread) ** 2)
    return out


def _closures(phones: Sequence[Phone]) -> tuple[Closure, ...]:
    found: list[Closure] = []
    for phone in phones:
        if phone.name not in BILABIALS:
            continue
        shut, part = float(phone.start), float(phone.burst or phone.end)
        if found and shut <= found[-1].part:
            found[-1] = Closure(found[-1].shut, part)
        else:
            found.append(Closure(shut, part))
    return tuple(found)


def _spans(phones: Sequence[Phone]) -> list[tuple[str, float, float]]:
    """Return which target rules when; a vowel's begins at the burst before it, and a diphthong has two."""
    spans: list[tuple[str, float, float]] = []
    begin = float(phones[0].start)
    for phone in phones:
        end = float(phone.burst or phone.end)
        if phone.name in _DIPHTHONGS:
            first, second = _DIPHTHONGS[phone.name]
            middle = begin + 0.5 * (end - begin)
            spans += [(first, begin, middle), (second, middle, end)]
        elif phone.name == "pau":
            # the mouth comes to rest slowly, and takes up the next word's posture before it sounds
            hold = min(0.12, 0.3 * (end - begin))
            spans.append(("pau", begin + hold, end - hold))
        else:
            spans.append((phone.name, begin, end))
        begin = end
    return spans

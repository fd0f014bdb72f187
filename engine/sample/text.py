"""Text to phones: a small lexicon for the sample's own sentences, and pinyin syllables by rule."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from engine.sample.phonemes import SOUNDS


@dataclass(frozen=True, slots=True)
class Spoken:
    """One phone of a word, before it has a duration.

    Attributes:
        phone: its name in :data:`engine.sample.phonemes.SOUNDS`.
        stress: 2 strong, 1 weak, 0 none.
        tone: Mandarin tone 1 to 4 of the syllable, 0 for none.
    """

    phone: str
    stress: int = 0
    tone: int = 0


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is said in one breath.

    Attributes:
        phones: the phones in order.
        ending: the mark that closes it: ``,`` ``.`` or ``?``.
    """

    phones: tuple[Spoken, ...]
    ending: str


def phrases(text: str) -> tuple[Phrase, ...]:
    """Split ``text`` at its punctuation and look every word up.

    A word is one of the lexicon, a pinyin syllable (``ma1``, ``guo3``; without digit, neutral tone), or phones between
    slashes, separated by spaces: ``/p aa1 p ax/``.

    Raises:
        ValueError: if a word is unknown.
    """
    found = []
    for body, ending in re.findall(r"([^,.;:?!]+)([,.;:?!]|$)", text):
        words = [_spoken(word) for word in re.findall(r"/[^/]+/|[\w']+", body)]
        if words:
            mark = "?" if ending == "?" else "," if ending in (",", ";", ":") else "."
            found.append(Phrase(tuple(phone for word in words for phone in word), mark))
    return tuple(found)


def sample_text(name: str) -> tuple[str, ...]:
    """Return the project's own texts: ``sentences``, ``calibration`` or ``mandarin``."""
    value = _resource("texts.toml")[name]
    return tuple(value) if isinstance(value, list) else (str(value),)


@cache
def _resource(name: str) -> dict[str, Any]:
    return tomllib.loads(files("resources").joinpath("sample", name).read_text(encoding="utf-8"))


def _spoken(word: str) -> list[Spoken]:
    entry = word[1:-1] if word.startswith("/") else _resource("lexicon.toml").get(word.lower())
    if entry is None:
        return _pinyin(word.lower())
    out = []
    for item in entry.split():
        name, stress = (item[:-1], {"1": 2, "2": 1}[item[-1]]) if item[-1] in "12" else (item, 0)
        if name not in SOUNDS:
            raise ValueError(f"unknown phone {name!r} in {word!r}")
        out.append(Spoken(name, stress))
    return out


_INITIALS = {
    "zh": "jh", "ch": "ch", "sh": "sh", "b": "b", "p": "p", "m": "m", "f": "f", "d": "d", "t": "t", "n": "n",
    "l": "l", "g": "g", "k": "k", "h": "hh", "j": "jh", "q": "ch", "x": "sh", "r": "r", "z": "ts", "c": "ts",
    "s": "s", "y": "y", "w": "w",
}  # fmt: skip
_FINALS = {
    "a": "aa", "o": "ao", "e": "eu", "i": "iy", "u": "uw", "v": "yu", "ai": "ay", "ei": "ey", "ao": "aw", "ou": "ow",
    "an": "aa n", "en": "ax n", "ang": "aa ng", "eng": "ax ng", "ong": "uh ng", "ia": "y aa", "ie": "y eh",
    "iao": "y aw", "iu": "y ow", "ian": "y eh n", "in": "iy n", "iang": "y aa ng", "ing": "iy ng", "ua": "w aa",
    "uo": "w ao", "uai": "w ay", "ui": "w ey", "uan": "w aa n", "un": "w ax n", "uang": "w aa ng",
}  # fmt: skip
_SYLLABLE = re.compile(f"({'|'.join(_INITIALS)})?({'|'.join(sorted(_FINALS, key=len, reverse=True))})([1-5]?)")


def _pinyin(word: str) -> list[Spoken]:
    """Return the phones of one pinyin syllable; initials become the nearest phone the voice has."""
    match = _SYLLABLE.fullmatch(word)
    if match is None:
        raise ValueError(f"the sample voice does not know the word {word!r}")
    initial, final, digit = match.groups()
    tone = int(digit) % 5 if digit else 0
    names = ([_INITIALS[initial]] if initial else []) + _FINALS[final].split()
    nucleus = next(index for index, name in enumerate(names) if SOUNDS[name].is_vowel)
    stress = 1 if tone else 0
    return [Spoken(name, stress if index == nucleus else 0, tone) for index, name in enumerate(names)]

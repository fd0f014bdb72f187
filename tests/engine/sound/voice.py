"""Sound made by code: something like speech, whose phrases begin and end at known samples, and music.

Not a voice to listen to: a pulse train with a falling melody through four moving resonances, closures and bursts
between the vowels, hisses, four to five syllables a second. Nothing here uses the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

FloatArray = npt.NDArray[np.float32]

_VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (490, 1350, 1690),
)
"""First three formants of a man's vowels in hertz (Peterson and Barney 1952)."""

_FRAME = 0.005


@dataclass(frozen=True)
class Speech:
    """A made recording.

    Attributes:
        samples: float32 in -1..1, shape ``(n,)``.
        rate: samples per second.
        phrases: ``(start, end)`` of each phrase in seconds.
    """

    samples: FloatArray
    rate: int
    phrases: tuple[tuple[float, float], ...]


@cache
def speech(
    seconds: float = 8.0,
    rate: int = 16_000,
    *,
    pitch: float = 120.0,
    size: float = 1.0,
    noise_db: float = -70.0,
    level: float = 0.1,
    seed: int = 1,
) -> Speech:
    """Make phrases of 1 to 2 s with pauses of 0.5 s between them, the first after 0.5 s.

    Args:
        seconds: length.
        rate: samples per second.
        pitch: of the voice, in hertz.
        size: factor on the resonances; 1 a man, 1.17 a woman, 1.4 a child.
        noise_db: level of the room in dBFS.
        level: root mean square of the phrases.
        seed: of everything random.
    """
    random = np.random.default_rng(seed)
    out = np.zeros(round(seconds * rate))
    phrases = []
    start = round(0.5 * rate)
    while start + rate < len(out) - rate // 2:
        phrase = _phrase(random, rate, pitch, size, syllables=int(random.integers(4, 9)))
        phrase = phrase[: len(out) - rate // 2 - start]
        fade = min(len(phrase), rate // 200)
        phrase[-fade:] *= np.linspace(1, 0, fade)
        out[start : start + len(phrase)] = phrase * level / np.sqrt(np.mean(phrase**2))
        phrases.append((start / rate, (start + len(phrase)) / rate))
        start += len(phrase) + rate // 2
    out += random.standard_normal(len(out)) * 10 ** (noise_db / 20)
    return Speech(np.clip(out, -1, 1).astype(np.float32), rate, tuple(phrases))


def _phrase(
    random: np.random.Generator, rate: int, pitch: float, size: float, syllables: int
) -> npt.NDArray[np.float64]:
    parts = []
    now = np.array(_VOWELS[int(random.integers(len(_VOWELS)))], float)
    for number in range(syllables):
        target = np.array(_VOWELS[int(random.integers(len(_VOWELS)))], float)
        height = pitch * (1.15 - 0.3 * number / syllables) * random.uniform(0.92, 1.08)
        parts.append(_vowel(random, rate, height, size, now, target, random.uniform(0.11, 0.2)))
        now = target
        if number < syllables - 1:
            parts.append(_hiss(random, rate, size) if random.random() < 0.4 else _stop(random, rate))
    # Pulses push one way only; a microphone passes no constant.
    return lfilter([1, -1], [1, -0.99], np.concatenate(parts))


def _vowel(
    random: np.random.Generator,
    rate: int,
    pitch: float,
    size: float,
    begin: FloatArray,
    end: FloatArray,
    seconds: float,
) -> npt.NDArray[np.float64]:
    count = round(seconds * rate)
    glide = pitch * np.linspace(1.06, 0.94, count)
    phase = np.cumsum(glide / rate)
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.01 * random.standard_normal(count)
    source = lfilter([1], [1, -0.97], pulses)
    step = max(1, round(_FRAME * rate))
    out = np.zeros(count)
    states = [np.zeros(2) for _ in range(4)]
    for first in range(0, count, step):
        share = first / count
        formants = [*((1 - share) * begin + share * end), 3500.0]
        part = source[first : first + step]
        for index, (formant, width) in enumerate(zip(formants, (80, 100, 140, 220), strict=True)):
            frequency = formant * size
            if frequency < 0.45 * rate:
                radius = np.exp(-np.pi * width / rate)
                poles = [1, -2 * radius * np.cos(2 * np.pi * frequency / rate), radius**2]
                part, states[index] = lfilter([sum(poles)], poles, part, zi=states[index])
        out[first : first + step] = part
    rise = np.minimum(1, np.arange(count) / (0.012 * rate))
    fall = np.minimum(1, np.arange(count, 0, -1) / (0.02 * rate))
    out *= rise * fall
    return out / np.sqrt(np.mean(out**2))


def _stop(random: np.random.Generator, rate: int) -> npt.NDArray[np.float64]:
    closure = np.zeros(round(random.uniform(0.04, 0.08) * rate))
    burst = random.standard_normal(round(0.012 * rate)) * np.exp(-np.arange(round(0.012 * rate)) / (0.004 * rate))
    return np.concatenate([closure, 0.7 * burst])


def _hiss(random: np.random.Generator, rate: int, size: float) -> npt.NDArray[np.float64]:
    count = round(random.uniform(0.07, 0.12) * rate)
    frequency, radius = min(4500 * size, 0.4 * rate), np.exp(-np.pi * 1500 / rate)
    poles = [1, -2 * radius * np.cos(2 * np.pi * frequency / rate), radius**2]
    hiss = lfilter([1], poles, random.standard_normal(count)) * np.hanning(count)
    return 0.25 * hiss / np.sqrt(np.mean(hiss**2))


def music(seconds: float = 10.0, rate: int = 16_000, *, seed: int = 1) -> FloatArray:
    """Make a melody with chords and a bass."""
    random = np.random.default_rng(seed)
    beat = 60 / random.uniform(70, 140)
    root = random.uniform(90, 200)
    scale = (0, 2, 4, 5, 7, 9, 11)
    out = np.zeros(round((seconds + 4 * beat) * rate))

    def play(start: float, degree: int, length: float, gain: float, decay: float) -> None:
        times = np.arange(round(length * rate)) / rate
        frequency = root * 2 ** ((scale[degree % 7] + 12 * (degree // 7)) / 12)
        tone = sum(
            np.sin(2 * np.pi * frequency * n * times) / n**1.3 for n in range(1, 12) if frequency * n < 0.45 * rate
        )
        shape = np.minimum(1, times / 0.01) * np.exp(-decay * times) * np.minimum(1, (length - times) / 0.03)
        first = round(start * rate)
        out[first : first + len(times)] += gain * shape * tone

    now = 0.0
    while now < seconds:
        length = beat * float(random.choice([0.5, 0.5, 1, 2]))
        play(now, 7 + int(random.integers(0, 8)), length, 0.3, 2.0)
        now += length
    for bar in range(int(seconds / (4 * beat)) + 1):
        chord = int(random.integers(0, 7))
        for degree in (chord, chord + 2, chord + 4):
            play(bar * 4 * beat, degree, 4 * beat, 0.15, 0.3)
    made = out[: round(seconds * rate)]
    return (0.5 * made / np.abs(made).max()).astype(np.float32)

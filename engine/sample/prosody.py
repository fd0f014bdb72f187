"""When each phone is said and at what pitch: phrases and a voice give a timeline, exact to a millisecond."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from engine.sample.phonemes import SOUNDS, Manner, Sound
from engine.sample.text import Phrase, Spoken


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks.

    Attributes:
        pitch_hz: mean pitch.
        pitch_range: how lively the melody is; 1 is read speech.
        tract: length of the vocal tract against a man's of 17.5 cm; a woman's is about 0.87.
        rate: tempo against a calm reader's 4.5 syllables a second.
        breath: share of breath noise in the voice, 0 to 1.
        jitter: relative variation of successive glottal periods.
        effort: size of the mouth's movements; 1 is clear speech.
    """

    pitch_hz: float = 118.0
    pitch_range: float = 1.0
    tract: float = 1.0
    rate: float = 1.0
    breath: float = 0.25
    jitter: float = 0.008
    effort: float = 1.0

    @classmethod
    def of(cls, seed: int) -> Voice:
        """Return one of many different speakers, the same one for the same seed; even seeds speak high."""
        rng = np.random.default_rng([seed, 71])
        high = seed % 2 == 0
        return cls(
            pitch_hz=float(rng.uniform(175, 230) if high else rng.uniform(95, 140)),
            pitch_range=float(rng.uniform(0.8, 1.4)),
            tract=float(rng.uniform(0.82, 0.9) if high else rng.uniform(0.95, 1.05)),
            rate=float(rng.uniform(0.92, 1.15)),
            breath=float(rng.uniform(0.15, 0.45)),
            jitter=float(rng.uniform(0.005, 0.012)),
            effort=float(rng.uniform(0.85, 1.2)),
        )


@dataclass(frozen=True, slots=True)
class Phone:
    """One speech sound with its exact times in seconds from the beginning of the speech.

    Attributes:
        name: as in :data:`engine.sample.phonemes.SOUNDS`; ``pau`` is silence.
        start: when it begins; for p, t, k, b, d, g when the mouth is shut.
        end: when the next one begins; for a stop when the voice sets in again.
        burst: for a released stop or affricate, the instant its closure opens; else ``None``.
        stress: 2 strong, 1 weak, 0 none.
    """

    name: str
    start: Fraction
    end: Fraction
    burst: Fraction | None = None
    stress: int = 0

    @property
    def sound(self) -> Sound:
        """What it sounds like."""
        return SOUNDS[self.name]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One phrase on the timeline with the pause after it.

    Attributes:
        start: when its first phone begins, seconds.
        phones: its phones in order, closed by a pause.
        melody: knots ``(seconds, pitch factor)``, ascending.
    """

    start: Fraction
    phones: tuple[Phone, ...]
    melody: tuple[tuple[float, float], ...]

    @property
    def end(self) -> Fraction:
        """When the pause after the phrase ends."""
        return self.phones[-1].end


_TEMPO = 0.8
"""Klatt's durations are those of slow sentences; this factor gives about 4.5 syllables a second between pauses."""

_PAUSE_MS = {",": (260, 60), ".": (520, 90), "?": (520, 90)}
"""Mean and spread of the pause after a phrase."""


def timeline(
    spoken: Iterable[Phrase], voice: Voice, rng: np.random.Generator, *, start: Fraction = Fraction(0)
) -> Iterator[Utterance]:
    """Give every phone of ``spoken`` its time, phrase after phrase.

    Args:
        spoken: what is said.
        voice: sets the tempo.
        rng: where the natural variation comes from.
        start: when the first phrase begins.

    Yields:
        Utterances, contiguous.
    """
    for phrase in spoken:
        utterance = _utterance(phrase, voice, rng, start)
        yield utterance
        start = utterance.end


def _utterance(phrase: Phrase, voice: Voice, rng: np.random.Generator, start: Fraction) -> Utterance:
    phones: list[Phone] = []
    clock = start
    for index, spoken in enumerate(phrase.phones):
        duration, onset = _duration_ms(phrase.phones, index)
        natural = float(np.clip(rng.normal(1, 0.07), 0.8, 1.25)) * _TEMPO / voice.rate
        length = _milliseconds(duration * natural)
        phone = Phone(spoken.phone, clock, clock + length, stress=spoken.stress)
        if onset is not None:
            phone = replace(phone, burst=phone.end, end=phone.end + _milliseconds(max(6.0, onset * natural)))
        phones.append(phone)
        clock = phone.end
    mean, spread = _PAUSE_MS[phrase.ending]
    pause = _milliseconds(float(np.clip(rng.normal(mean, spread), 160, 900)))
    melody = _melody(phrase, phones, voice, rng)
    return Utterance(start, (*phones, Phone("pau", clock, clock + pause)), melody)


def _milliseconds(value: float) -> Fraction:
    """Whole milliseconds, so that every time is a whole sample at 8, 16, 32, 48 and 96 kHz."""
    return Fraction(max(1, round(value)), 1000)


def _duration_ms(phones: Sequence[Spoken], index: int) -> tuple[float, float | None]:
    """Return the duration of a phone (of a stop: its closure) and the time from burst to voice, by Klatt's rules."""
    spoken = phones[index]
    sound = SOUNDS[spoken.phone]
    following = SOUNDS[phones[index + 1].phone] if index + 1 < len(phones) else None
    before = SOUNDS[phones[index - 1].phone] if index else None
    final = not any(SOUNDS[later.phone].is_vowel for later in phones[index + 1 :])
    share = 1.0
    if final:
        share *= 1.35
    if sound.is_vowel:
        if not spoken.stress:
            share *= 0.6
        if following is not None and following.is_voiceless:
            share *= 0.78
        if before is not None and before.has_closure and before.is_voiceless:
            share *= 0.85  # part of the vowel is spent in the aspiration
    else:
        vowel_before = before is not None and before.is_vowel
        vowel_after = following is not None and following.is_vowel
        if not (vowel_before or vowel_after):
            share *= 0.7
        elif not vowel_after:
            share *= 0.85
    duration = max(sound.minimum_ms, sound.minimum_ms + (sound.inherent_ms - sound.minimum_ms) * share)
    if not sound.has_closure:
        return duration, None
    if following is not None and following.has_closure:
        return duration, None  # "stopped": the first of two stops is not released
    onset = sound.onset_ms
    if sound.is_voiceless and sound.manner is Manner.STOP:
        if following is None:
            onset *= 0.9
        elif before is not None and before.manner is Manner.FRICATIVE:
            onset = 16  # no aspiration after s
        elif not (following.is_vowel or following.manner is Manner.GLIDE):
            onset = 14
        elif not phones[index + 1].stress:
            onset *= 0.6
    return duration, onset


_TONES = {
    1: ((0.1, 1.2), (0.9, 1.2)),
    2: ((0.1, 0.92), (0.4, 0.95), (0.95, 1.2)),
    3: ((0.1, 0.9), (0.55, 0.74), (0.95, 0.88)),
    4: ((0.1, 1.3), (0.9, 0.8)),
}
"""Mandarin tones: place in the vowel and pitch factor."""


def _melody(
    phrase: Phrase, phones: Sequence[Phone], voice: Voice, rng: np.random.Generator
) -> tuple[tuple[float, float], ...]:
    """Return pitch knots: a falling line, a hat on every strong syllable, and the fall or rise that ends the phrase."""
    begin, end = float(phones[0].start), float(phones[-1].end)
    length = max(end - begin, 0.1)

    def line(time: float) -> float:
        return float(1.12 - 0.24 * (time - begin) / length)

    knots = [(begin, line(begin))]
    for spoken, phone in zip(phrase.phones, phones, strict=True):
        if not phone.sound.is_vowel:
            continue
        first, last = float(phone.start), float(phone.end)
        if spoken.tone:
            shape = _TONES[spoken.tone]
        elif phone.stress == 2:
            height = float(np.clip(rng.normal(0.17, 0.05), 0.05, 0.3))
            shape = ((0.0, 1.0), (0.45, 1 + height), (1.0, 1 + 0.4 * height))
        else:
            shape = ((0.5, 1.0),)
        knots.extend((first + place * (last - first), line(first) * factor) for place, factor in shape)
    closing = {".": 0.74, ",": 1.02, "?": 1.4}[phrase.ending]
    knots.append((max(end, knots[-1][0] + 0.01), closing))
    return tuple((time, 1 + (factor - 1) * voice.pitch_range) for time, factor in knots)

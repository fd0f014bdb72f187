"""Phones to synthesiser controls: formants that move as a vocal tract moves, and how loud each source is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from engine.sample.phonemes import BILABIALS, SOUNDS, Formants, Manner, Sound
from engine.sample.prosody import Phone, Utterance, Voice

Floats = npt.NDArray[np.float64]

STEP_MS = 2
"""Controls change every so many milliseconds."""

_TRANSITION_MS = {Manner.GLIDE: 90, Manner.NASAL: 50, Manner.FRICATIVE: 60, Manner.VOWEL: 70}
"""How long a vowel's formants travel from or to such a neighbour; 55 ms for stops (Klatt 1980)."""


@dataclass(frozen=True, slots=True)
class Controls:
    """Synthesiser controls of one utterance, a row every ``STEP_MS`` from its start.

    Attributes:
        formants: F1 to F3 in Hz, shape ``(rows, 3)``.
        bandwidths: in Hz, shape ``(rows, 3)``.
        pitch: in Hz, shape ``(rows,)``.
        voicing: amplitude of the glottal source, shape ``(rows,)``.
        muffle: 1 where the mouth is shut and only the voice bar passes, shape ``(rows,)``.
        aspiration: amplitude of the breath noise, shape ``(rows,)``.
        nasality: 1 where the sound leaves through the nose, shape ``(rows,)``.
    """

    formants: Floats
    bandwidths: Floats
    pitch: Floats
    voicing: Floats
    muffle: Floats
    aspiration: Floats
    nasality: Floats


@dataclass(frozen=True, slots=True)
class _Span:
    """A phone and the stretch, in seconds from the utterance's start, over which it rules the formants."""

    phone: Phone
    begin: float
    end: float


def controls(utterance: Utterance, voice: Voice) -> Controls:
    """Return the synthesiser controls of ``utterance`` as ``voice`` says it."""
    zero = utterance.start
    rows = int((utterance.end - zero) * 1000 // STEP_MS) + 1
    time = np.arange(rows) * STEP_MS / 1000
    spans, begin = [], 0.0
    for phone in utterance.phones:
        end = float((phone.burst or phone.end) - zero)  # aspiration already has the next sound's formants
        spans.append(_Span(phone, begin, end))
        begin = end
    formants, bandwidths = _resonances(spans, time)
    seconds, factors = zip(*utterance.melody, strict=True)
    pitch = voice.pitch_hz * np.interp(time + float(zero), seconds, factors)
    return Controls(
        formants=gaussian_filter1d(formants, 8 / STEP_MS, axis=0, mode="nearest") / voice.tract,
        bandwidths=gaussian_filter1d(bandwidths, 5 / STEP_MS, axis=0, mode="nearest"),
        pitch=gaussian_filter1d(pitch, 25 / STEP_MS, mode="nearest"),
        **_sources(utterance, time, voice),
    )


def _resonances(spans: Sequence[_Span], time: Floats) -> tuple[Floats, Floats]:
    formants = np.empty((len(time), 3))
    bandwidths = np.empty((len(time), 3))
    for index, span in enumerate(spans):
        left = spans[index - 1].phone.sound if index else SOUNDS["pau"]
        right = spans[index + 1].phone.sound if index + 1 < len(spans) else SOUNDS["pau"]
        rows = (time >= span.begin - 1e-9) & (time < span.end + (1 if index == len(spans) - 1 else -1e-9))
        formants[rows] = _path(span, left, right, time[rows])
        bandwidths[rows] = span.phone.sound.bandwidths
    return formants, bandwidths


def _path(span: _Span, left: Sound, right: Sound, time: Floats) -> Floats:
    """Return the formants of one phone between its neighbours, shape ``(rows, 3)``."""
    sound = span.phone.sound
    length = max(span.end - span.begin, 1e-3)
    place = np.clip((time - span.begin) / length, 0, 1)[:, None]
    if not sound.is_vowel:
        first, last = _consonant(sound, left), _consonant(sound, right)
        straight: Floats = (1 - place) * first + place * last
        return straight
    target = np.broadcast_to(np.array(sound.formants), (len(time), 3))
    if sound.glide_to is not None:
        target = target + _ease((place - 0.25) / 0.55) * (np.array(sound.glide_to) - target)
    reach_left, reach_right = _reach(left), _reach(right)
    squeeze = min(1.0, 0.95 * length / (reach_left + reach_right))  # short vowels fall short of their target
    from_left = 1 - _ease((time - span.begin) / (reach_left * squeeze))[:, None]
    from_right = 1 - _ease((span.end - time) / (reach_right * squeeze))[:, None]
    own_first, own_last = np.array(sound.formants), np.array(sound.glide_to or sound.formants)
    path: Floats = (
        target
        + from_left * (_edge(left, sound.formants) - own_first)
        + from_right * (_edge(right, sound.glide_to or sound.formants) - own_last)
    )
    return path


def _ease(share: Floats) -> Floats:
    """Rise from 0 to 1 along half a cosine."""
    eased: Floats = 0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0, 1))
    return eased


def _reach(neighbour: Sound) -> float:
    return _TRANSITION_MS.get(neighbour.manner, 55) / 1000


def _edge(neighbour: Sound, own: Formants) -> Floats:
    """Return where a vowel's formants start or end beside ``neighbour``."""
    if neighbour.manner in (Manner.PAUSE, Manner.ASPIRATE):
        return np.array(own)
    if neighbour.is_vowel:
        return np.asarray(np.mean([own, neighbour.formants], axis=0), float)
    return _pulled(neighbour, own)


def _consonant(sound: Sound, neighbour: Sound) -> Floats:
    if neighbour.manner is Manner.PAUSE:
        return np.array(sound.formants)
    return _pulled(sound, neighbour.formants)


def _pulled(sound: Sound, vowel: Formants) -> Floats:
    """Return a consonant's formants beside a vowel: a straight line in the vowel's F2 (Sussman et al. 1991)."""
    first, second, third = sound.formants
    return np.array([first, second + sound.pull * (vowel[1] - second), third + 0.4 * sound.pull * (vowel[2] - third)])


def _sources(utterance: Utterance, time: Floats, voice: Voice) -> dict[str, Floats]:
    zero = utterance.start
    voicing, muffle, aspiration, nasality = (np.zeros(len(time)) for _ in range(4))
    spoken_end = float(utterance.phones[-1].start - zero)
    for index, phone in enumerate(utterance.phones):
        begin, end = float(phone.start - zero), float(phone.end - zero)
        opening = float((phone.burst or phone.end) - zero)
        closed = (time >= begin) & (time < opening)
        after = (time >= opening) & (time < end)
        sound = phone.sound
        shut = _shut(time, begin, opening, phone.name)
        if sound.has_closure:
            muffle = np.maximum(muffle, shut)
        elif sound.manner is Manner.NASAL:
            nasality = np.maximum(nasality, shut)
        if sound.manner is Manner.PAUSE:
            aspiration[closed] = _inhalation(time[closed], begin, end)
        elif sound.manner is Manner.ASPIRATE:
            aspiration[closed] = 0.13
        elif sound.is_voiceless and sound.manner is Manner.STOP:
            aspiration[after] = 0.09 if end - opening > 0.02 else 0.05
        elif sound.has_closure:
            # the voice bar dies away as pressure builds up behind the closure, and after a pause it comes late
            place = (time[closed] - begin) / max(opening - begin, 1e-3)
            starts = 0.35 if index == 0 else 0.0
            voicing[closed] = np.where(place >= starts, sound.voicing * (1 - 0.45 * place), 0)
            voicing[after] = 0 if sound.is_voiceless else 0.6
        else:
            level = sound.voicing * (0.82 if sound.is_vowel and not phone.stress else 1.0)
            voicing[closed] = level
    fall = 1 - 0.3 * np.clip(time / max(spoken_end, 0.1), 0, 1)
    fall *= np.clip((spoken_end + 0.03 - time) / 0.11, 0.15, 1)  # the voice fades out
    murmur = SOUNDS["m"].voicing
    voicing = np.where(nasality > 0, np.minimum(voicing, (1 - nasality) + nasality * murmur), voicing)
    voicing = gaussian_filter1d(voicing * fall, 5 / STEP_MS, mode="nearest")
    return {
        "voicing": voicing,
        "muffle": muffle,
        "aspiration": gaussian_filter1d(aspiration, 4 / STEP_MS, mode="nearest") + 0.05 * voice.breath * voicing,
        "nasality": nasality,
    }


def _shut(time: Floats, begin: float, opening: float, name: str) -> Floats:
    """Return 1 while the mouth is shut for a stop or nasal, and how far a narrow opening muffles it before and after.

    Lips 2.5 mm apart, some 15 ms from contact, let about half of the sound out: in real speech the steepest rise and
    fall of the sound lie there, not at the contact itself.
    """
    flank = 0.030 if name in BILABIALS else 0.022
    away = np.maximum(np.maximum(begin - time, time - opening), 0) / flank
    return 1 - _ease(away)


def _inhalation(time: Floats, begin: float, end: float) -> Floats:
    """Return the soft noise of breathing in during a long pause."""
    if end - begin < 0.4:
        return np.zeros(len(time))
    middle = (time - (end - 0.26)) / 0.09
    breath: Floats = 0.007 * np.exp(-0.5 * middle**2)
    return breath

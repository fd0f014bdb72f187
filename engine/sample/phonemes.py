"""The speech sounds the synthetic voice knows: formants, noise spectra and durations.

Names are ARPABET in lower case; ``pau`` is a pause, and ``yu``, ``eu`` are the Mandarin vowels of *yu* and *de*.

Sources: vowel formants of men after Hillenbrand et al. (1995, JASA 97, table V), with /ae/ and /ao/ near Peterson and
Barney (1952, JASA 24); consonant formants and bandwidths after Klatt (1980, JASA 67, table II); inherent and minimal
durations after Klatt's rules (Allen, Hunnicutt and Klatt 1987, *From Text to Speech*, chapter 9); locus equations of
stops from Sussman et al. (1991, JASA 90); voice onset times after Lisker and Abramson (1964, Word 20). Diphthong
targets, the weak and the Mandarin vowels and all noise spectra are this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Manner(Enum):
    """How a sound is made, as far as the synthesiser treats it differently."""

    PAUSE = "pause"
    VOWEL = "vowel"
    GLIDE = "glide"
    NASAL = "nasal"
    FRICATIVE = "fricative"
    ASPIRATE = "aspirate"
    STOP = "stop"
    AFFRICATE = "affricate"


Formants = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class NoiseBand:
    """One resonance of a friction noise.

    Attributes:
        centre_hz: its centre frequency.
        width_hz: its bandwidth.
        gain: its amplitude against the other bands of the same sound.
    """

    centre_hz: float
    width_hz: float
    gain: float


@dataclass(frozen=True, slots=True)
class Sound:
    """What one phone sounds like.

    Attributes:
        manner: how it is made.
        formants: F1 to F3 in Hz; for a consonant its own target where no vowel pulls at it.
        bandwidths: of F1 to F3 in Hz.
        inherent_ms: duration in a stressed word of a slow sentence (for stops: of the closure).
        minimum_ms: shortest duration.
        voicing: amplitude of the glottal source, 0 to 1.
        glide_to: second target of a diphthong.
        pull: share of the neighbouring vowel's F2 in the consonant's F2 (slope of the locus equation).
        noise: friction or burst spectrum.
        noise_gain: amplitude of the friction or burst against a vowel's source.
        onset_ms: stops: from the burst to the voice, before a stressed vowel.
    """

    manner: Manner
    formants: Formants
    bandwidths: Formants
    inherent_ms: float
    minimum_ms: float
    voicing: float = 1.0
    glide_to: Formants | None = None
    pull: float = 0.0
    noise: tuple[NoiseBand, ...] = ()
    noise_gain: float = 0.0
    onset_ms: float = 0.0

    @property
    def is_vowel(self) -> bool:
        """Whether the sound is the nucleus of a syllable."""
        return self.manner is Manner.VOWEL

    @property
    def has_closure(self) -> bool:
        """Whether the mouth is shut somewhere on the way out, with a burst when it opens."""
        return self.manner in (Manner.STOP, Manner.AFFRICATE)

    @property
    def is_voiceless(self) -> bool:
        """Whether the vocal folds rest."""
        return self.voicing == 0


VOWEL_WIDTHS: Formants = (75, 95, 140)


def _vowel(
    formants: Formants, inherent: float, minimum: float, glide_to: Formants | None = None, voicing: float = 1.0
) -> Sound:
    return Sound(Manner.VOWEL, formants, VOWEL_WIDTHS, inherent, minimum, voicing, glide_to)


def _bands(*bands: tuple[float, float, float]) -> tuple[NoiseBand, ...]:
    return tuple(NoiseBand(*band) for band in bands)


_LIP_NOISE = _bands((900, 1000, 1.0), (2400, 2400, 0.45), (6500, 6000, 0.3))
_FLAT_NOISE = _bands((1500, 1800, 0.35), (5200, 5000, 0.7), (9000, 6000, 1.0))
_SHARP_NOISE = _bands((4400, 1600, 0.35), (5800, 1700, 1.0), (8200, 3000, 0.9))
_HUSH_NOISE = _bands((2500, 700, 0.8), (3400, 1200, 1.0), (5200, 2600, 0.55))
_TIP_NOISE = _bands((1700, 900, 0.25), (3900, 1500, 1.0), (6000, 3500, 0.8))
_BACK_NOISE = _bands((1500, 500, 0.7), (2100, 600, 1.0), (4200, 2500, 0.25))

SOUNDS: dict[str, Sound] = {
    "pau": Sound(Manner.PAUSE, (500, 1500, 2500), (200, 200, 250), 300, 150, voicing=0),
    "iy": _vowel((342, 2322, 3000), 155, 55),
    "ih": _vowel((427, 2034, 2684), 135, 40),
    "eh": _vowel((580, 1799, 2605), 150, 70),
    "ae": _vowel((660, 1720, 2410), 230, 80),
    "aa": _vowel((768, 1333, 2522), 240, 100),
    "ao": _vowel((600, 900, 2410), 240, 100),
    "ah": _vowel((623, 1200, 2550), 140, 60),
    "ax": _vowel((500, 1400, 2500), 120, 60, voicing=0.8),
    "er": _vowel((474, 1379, 1710), 180, 80),
    "uh": _vowel((469, 1122, 2434), 160, 60),
    "uw": _vowel((378, 997, 2343), 210, 70),
    "ey": _vowel((500, 2000, 2650), 190, 90, (370, 2280, 2850)),
    "ay": _vowel((740, 1300, 2500), 250, 130, (420, 2050, 2650)),
    "oy": _vowel((560, 860, 2420), 280, 150, (410, 2000, 2600)),
    "aw": _vowel((740, 1400, 2500), 260, 100, (450, 950, 2400)),
    "ow": _vowel((530, 1000, 2450), 220, 80, (400, 850, 2350)),
    "yu": _vowel((320, 2000, 2250), 180, 60),
    "eu": _vowel((460, 1150, 2500), 180, 60),
    "w": Sound(Manner.GLIDE, (290, 610, 2150), (50, 80, 90), 80, 60, voicing=0.75),
    "y": Sound(Manner.GLIDE, (260, 2070, 3020), (50, 150, 300), 80, 40, voicing=0.75),
    "r": Sound(Manner.GLIDE, (310, 1060, 1480), (70, 100, 120), 80, 40, voicing=0.75, pull=0.2),
    "l": Sound(Manner.GLIDE, (340, 1050, 2780), (60, 100, 250), 80, 45, voicing=0.7, pull=0.25),
    "m": Sound(Manner.NASAL, (270, 1270, 2130), (70, 250, 250), 75, 60, voicing=0.55, pull=0.5),
    "n": Sound(Manner.NASAL, (270, 1500, 2470), (70, 300, 300), 65, 45, voicing=0.55, pull=0.3),
    "ng": Sound(Manner.NASAL, (270, 1900, 2600), (70, 300, 300), 90, 60, voicing=0.55, pull=0.5),
    "f": Sound(Manner.FRICATIVE, (340, 1100, 2080), (200, 120, 150), 100, 75, 0, None, 0.7, _FLAT_NOISE, 0.07),
    "v": Sound(Manner.FRICATIVE, (230, 1100, 2080), (70, 110, 140), 62, 45, 0.4, None, 0.7, _FLAT_NOISE, 0.035),
    "th": Sound(Manner.FRICATIVE, (320, 1290, 2540), (200, 110, 200), 90, 60, 0, None, 0.4, _FLAT_NOISE, 0.06),
    "dh": Sound(Manner.FRICATIVE, (270, 1290, 2540), (70, 110, 170), 50, 35, 0.45, None, 0.4, _FLAT_NOISE, 0.03),
    "s": Sound(Manner.FRICATIVE, (320, 1390, 2530), (200, 110, 200), 105, 65, 0, None, 0.4, _SHARP_NOISE, 0.28),
    "z": Sound(Manner.FRICATIVE, (240, 1390, 2530), (70, 110, 180), 75, 45, 0.4, None, 0.4, _SHARP_NOISE, 0.15),
    "sh": Sound(Manner.FRICATIVE, (300, 1840, 2750), (200, 120, 300), 105, 75, 0, None, 0.3, _HUSH_NOISE, 0.30),
    "zh": Sound(Manner.FRICATIVE, (260, 1800, 2750), (70, 120, 300), 75, 45, 0.4, None, 0.3, _HUSH_NOISE, 0.16),
    "hh": Sound(Manner.ASPIRATE, (500, 1500, 2500), (220, 180, 220), 70, 35, 0, None, 1.0),
    "p": Sound(Manner.STOP, (320, 850, 2150), (250, 150, 220), 88, 60, 0, None, 0.87, _LIP_NOISE, 0.14, 50),
    "b": Sound(Manner.STOP, (200, 850, 2150), (65, 110, 130), 82, 58, 0.3, None, 0.87, _LIP_NOISE, 0.14, 9),
    "t": Sound(Manner.STOP, (320, 1880, 2600), (250, 130, 250), 75, 50, 0, None, 0.43, _TIP_NOISE, 0.45, 60),
    "d": Sound(Manner.STOP, (200, 1880, 2600), (65, 110, 170), 65, 45, 0.3, None, 0.43, _TIP_NOISE, 0.28, 13),
    "k": Sound(Manner.STOP, (320, 2200, 2750), (250, 160, 300), 76, 52, 0, None, 0.68, _BACK_NOISE, 0.2, 68),
    "g": Sound(Manner.STOP, (200, 2200, 2750), (65, 150, 280), 70, 50, 0.3, None, 0.68, _BACK_NOISE, 0.18, 20),
    "ch": Sound(Manner.AFFRICATE, (350, 1800, 2820), (200, 110, 300), 60, 45, 0, None, 0.3, _HUSH_NOISE, 0.32, 75),
    "jh": Sound(Manner.AFFRICATE, (260, 1800, 2820), (65, 110, 270), 55, 40, 0.3, None, 0.3, _HUSH_NOISE, 0.22, 45),
    "ts": Sound(Manner.AFFRICATE, (320, 1500, 2600), (200, 110, 250), 60, 45, 0, None, 0.4, _SHARP_NOISE, 0.30, 70),
}

BILABIALS = frozenset({"p", "b", "m"})
"""Phones made by shutting the lips: the ones an eye can time."""

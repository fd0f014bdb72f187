"""Bad recordings made by code: what the hard-condition table of the report is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, fftconvolve, sosfilt

from training.augment import chords
from training.dataset import SAMPLE_RATE, Record
from training.trials import Bend

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Condition:
    """One way a recording can be bad.

    Attributes:
        name: as printed.
        bend: what happens to the sound.
        rate: frames per second left of the picture, or ``None``.
        eyes: pixels between the eyes left of the picture, or ``None``.
    """

    name: str
    bend: Bend | None = None
    rate: float | None = None
    eyes: float | None = None


def conditions(voices: Sequence[Record]) -> list[Condition]:
    """Return the conditions of the report.

    Args:
        voices: records whose sound babble is mixed from.
    """
    speech = [record.samples for record in voices if len(record.samples) > 5 * SAMPLE_RATE]
    return [
        Condition("clean"),
        Condition("white noise, 0 dB", partial(_noisy, snr_db=0.0)),
        Condition("babble of five, 5 dB", partial(_babble, voices=speech, snr_db=5.0)),
        Condition("music, 0 dB", partial(_with_music, snr_db=0.0)),
        Condition("telephone band", _telephone),
        Condition("clipping at a tenth of the peak", _clipped),
        Condition("reverberation, 0.8 s", partial(_reverberant, seconds=0.8)),
        Condition("picture at 8 frames/s", rate=8.0),
        Condition("16 px between the eyes", eyes=16.0),
    ]


def _mixed(samples: Floats, noise: npt.NDArray[np.float64], snr_db: float) -> Floats:
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64))) + 1e-9
    noise_level = np.sqrt(np.mean(noise**2)) + 1e-9
    return (samples + noise * (level / noise_level * 10 ** (-snr_db / 20))).astype(np.float32)


def _noisy(samples: Floats, rng: np.random.Generator, snr_db: float) -> Floats:
    return _mixed(samples, rng.standard_normal(len(samples)), snr_db)


def _babble(samples: Floats, rng: np.random.Generator, voices: Sequence[Floats], snr_db: float) -> Floats:
    crowd = np.zeros(len(samples))
    for index in rng.choice(len(voices), 5, replace=False):
        voice = np.roll(voices[index], int(rng.integers(len(voices[index]))))
        crowd += np.resize(voice, len(samples)) / (np.sqrt(np.mean(voice**2)) + 1e-9)
    return _mixed(samples, crowd, snr_db)


def _with_music(samples: Floats, rng: np.random.Generator, snr_db: float) -> Floats:
    return _mixed(samples, np.resize(chords(rng), len(samples)), snr_db)


def _telephone(samples: Floats, rng: np.random.Generator) -> Floats:  # noqa: ARG001 - the signature of a bend
    band = butter(6, [300, 3400], "bandpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfilt(band, samples), np.float32)


def _clipped(samples: Floats, rng: np.random.Generator) -> Floats:  # noqa: ARG001 - the signature of a bend
    ceiling = 0.1 * float(np.abs(samples).max())
    return np.clip(samples, -ceiling, ceiling)


def _reverberant(samples: Floats, rng: np.random.Generator, seconds: float) -> Floats:
    """Convolve with noise that decays by 60 dB in ``seconds``, as loud as the direct sound."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * np.exp(-6.9 * time / seconds)
    tail /= np.sqrt((tail**2).sum())
    tail[0] += 1
    return np.asarray(fftconvolve(samples, tail)[: len(samples)], np.float32)

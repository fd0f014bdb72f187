"""At what speed is this speech playing: finds recordings whose sample rate is labelled wrongly.

44.1 kHz sound read as 16 kHz is 2.76 times slow and deep. Pitch alone cannot tell (a slowed woman has a man's pitch),
nor can the resonances (a child's are higher); a small network looks at both together with the rhythm of syllables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import scipy.fft

from engine.sound.features import ROW_RATE
from engine.sound.spectra import fft_length, power_spectra

FloatArray = npt.NDArray[np.float32]

RATE = 16_000
"""Sample rate of what is described here."""

WINDOW_SECONDS = 6
"""Long enough for the slowest rhythm that is looked at."""

OCTAVES = np.round(np.arange(-2.8, 2.81, 0.2), 1)
"""Answers of the network: log2 of the playing speed; 0 is natural speed."""

_BANDS = 24
_LOW_HZ, _HIGH_HZ = 80.0, 7600.0
_WIDTH, _PITCH_WIDTH = RATE * 25 // 1000, RATE * 64 // 1000
_PITCH_EVERY = 2
_SHORTEST_LAG, _LONGEST_LAG = 13, 399
"""Periods from 1230 Hz (a child, fast) down to 40 Hz (a man, slow)."""

_MODULATION_HZ = np.geomspace(0.7, 45, 11)
_REGISTERS = ((0, 8), (8, 16), (16, 24))
_QUIETEST_PEAK_DB = -50.0
"""Peak of the spectrum below which a window is silent."""


@lru_cache(maxsize=1)
def _filters() -> FloatArray:
    """Return filters that are evenly spaced in octaves (a change of speed shifts them all alike)."""
    edges = np.geomspace(_LOW_HZ, _HIGH_HZ, _BANDS + 2)
    spacing = RATE / fft_length(_WIDTH)
    bins = np.arange(fft_length(_WIDTH) // 2 + 1) * spacing
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    weights = np.maximum(0, np.minimum(rising, falling))
    for band in np.flatnonzero(weights.sum(axis=1) < 0.5):  # low bands are narrower than a bin
        weights[band] = 0
        weights[band, round(edges[band + 1] / spacing)] = 1
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True)
class WindowDescription:
    """What a few seconds of sound say about its speed.

    Attributes:
        active_rows: rows of 10 ms in which there is sound.
        vector: the network's input, shape ``(109,)``.
    """

    active_rows: int
    vector: FloatArray


def describe_window(samples: FloatArray) -> WindowDescription | None:
    """Describe up to :data:`WINDOW_SECONDS` of sound at :data:`RATE`.

    Args:
        samples: mono sound in -1..1, shape ``(n,)``, at least one second.

    Returns:
        The description, or ``None`` when it is too short or nearly silent.
    """
    rows = len(samples) * ROW_RATE // RATE
    if rows < ROW_RATE:
        return None
    hop = RATE // ROW_RATE
    padded = np.pad(np.asarray(samples, np.float32), _PITCH_WIDTH)
    power = power_spectra(padded, rows, hop, _PITCH_WIDTH, _WIDTH)
    level = 10 * np.log10(power[:, 3:].sum(axis=1) + 1e-9)
    if level.max() < _QUIETEST_PEAK_DB:
        return None
    active = level > np.percentile(level, 98) - 25
    bands = 10 * np.log10(power @ _filters().T + 1e-10)
    bands = np.maximum(bands, bands.max() - 60)
    heard = bands[active]
    mean = heard.mean(axis=0)
    shapes = scipy.fft.dct(heard, axis=1, norm="ortho")[:, 1:9].std(axis=0)
    change = np.abs(np.diff(bands, axis=0)).mean() / (bands.std() + 1)
    parts = [
        (mean - mean.mean()) / 10,
        heard.std(axis=0) / 6,
        *(_rhythm(bands[:, low:high]) for low, high in _REGISTERS),
        _periodicity(padded, active),
        shapes / 6,
        np.array([5 * change, math.log(active.mean() + 0.01)]),
    ]
    return WindowDescription(int(active.sum()), np.concatenate(parts).astype(np.float32))


def _rhythm(bands: FloatArray) -> npt.NDArray[np.float64]:
    """Return how the level of some bands fluctuates, per modulation frequency, shape ``(10,)``."""
    level = 10 * np.log10((10 ** (bands / 10)).sum(axis=1))
    level = np.maximum(level, level.max() - 35)
    taper = np.hanning(len(level) + 2)[1:-1]
    length = WINDOW_SECONDS * ROW_RATE
    spectrum = np.abs(np.fft.rfft((level - level.mean()) * taper, length)) ** 2
    bounds = np.searchsorted(np.arange(len(spectrum)) * ROW_RATE / length, _MODULATION_HZ)
    power = np.add.reduceat(spectrum, bounds)[:-1]
    return np.asarray(np.log(power / (power.sum() + 1e-9) + 1e-4), np.float64)


def _periodicity(padded: FloatArray, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return how strongly each period is heard and the spread of the strongest, shape ``(21,)``."""
    rows = -(-len(active) // _PITCH_EVERY)
    power = power_spectra(padded, rows, _PITCH_EVERY * RATE // ROW_RATE, _PITCH_WIDTH, _PITCH_WIDTH)
    power = power[active[::_PITCH_EVERY]]
    if len(power) == 0:
        return np.zeros(21)
    # Voices end at 4 kHz; the root flattens resonances, so that the period wins over the first formant. The window's
    # taper keeps what wraps around out of the lags that are looked at.
    magnitude = np.sqrt(power)
    magnitude[:, : 40 * _PITCH_WIDTH // RATE + 1] = 0
    magnitude[:, 4000 * _PITCH_WIDTH // RATE :] = 0
    correlation = scipy.fft.irfft(magnitude, axis=1)[:, : _LONGEST_LAG + 1]
    correlation /= correlation[:, :1] + 1e-9
    lags = correlation[:, _SHORTEST_LAG:]
    bounds = np.geomspace(_SHORTEST_LAG, _LONGEST_LAG, 19).astype(np.int64) - _SHORTEST_LAG
    strengths = np.maximum.reduceat(lags, bounds[:-1], axis=1).mean(axis=0)
    strongest = lags.max(axis=1)
    voiced = strongest >= np.percentile(strongest, 60)
    octaves = np.log2(RATE / (lags.argmax(axis=1)[voiced] + _SHORTEST_LAG))
    return np.concatenate([3 * strengths, np.percentile(octaves, [10, 50, 90]) - 7.5])


@dataclass(frozen=True, slots=True)
class SpeedEstimate:
    """How fast speech plays.

    Attributes:
        factor: playing speed; 2 is twice too fast (and an octave too high), 0.5 twice too slow.
        natural: probability that it plays at its natural speed (within a factor of 1.35).
        seconds: how much sound was heard.
    """

    factor: float
    natural: float
    seconds: float


class SpeedEstimator:
    """Gathers windows of sound and says how fast the speech in them plays; the answer holds for speech only."""

    def __init__(self) -> None:
        self._sum = np.zeros(0)
        self._rows = 0

    def add(self, samples: FloatArray) -> int:
        """Take up to :data:`WINDOW_SECONDS` of sound at :data:`RATE`, shape ``(n,)``; return its active rows."""
        described = describe_window(samples)
        if described is None:
            return 0
        weighted = described.vector * float(described.active_rows)
        self._sum = weighted if self._rows == 0 else self._sum + weighted
        self._rows += described.active_rows
        return described.active_rows

    def estimate(self) -> SpeedEstimate | None:
        """Return the estimate, or ``None`` when nothing was heard."""
        if self._rows == 0:
            return None
        posterior = speed_posterior((self._sum / self._rows).astype(np.float32))
        # The mean around the best answer: a second, weak peak elsewhere must not pull it.
        near = np.abs(OCTAVES - OCTAVES[int(posterior.argmax())]) < 0.5
        octaves = float((posterior * OCTAVES)[near].sum() / posterior[near].sum())
        natural = float(posterior[np.abs(OCTAVES) < 0.5].sum())
        return SpeedEstimate(2**octaves, natural, self._rows / ROW_RATE)


def speed_posterior(vector: FloatArray) -> npt.NDArray[np.float64]:
    """Return the probability of each answer in :data:`OCTAVES` for a mean description, shape ``(29,)``."""
    weights = _weights()
    hidden = np.maximum(((vector - weights["mean"]) / weights["spread"]) @ weights["w1"] + weights["b1"], 0)
    scores = (hidden @ weights["w2"] + weights["b2"]).astype(np.float64)
    odds = np.exp(scores - scores.max())
    return np.asarray(odds / odds.sum(), np.float64)


@cache
def _weights() -> dict[str, FloatArray]:
    """Read the network that ``training/speech_speed.py`` wrote."""
    with files("resources").joinpath("sound", "speech_speed.npz").open("rb") as file, np.load(file) as arrays:
        return {name: arrays[name] for name in arrays.files}

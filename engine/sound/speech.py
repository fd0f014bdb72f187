"""Where somebody speaks: speech activity, 100 rows a second, block by block.

Two questions are answered apart and multiplied. *Is there sound above the pauses?* (each 10 ms row against the minimum
of its neighbourhood) gives the edges. *Is it speech?* (3 s windows: does the spectrum change its shape all the time,
in the rhythm of syllables, without the held tones of music?) tells speech from music and noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

from engine.sound.features import ROW_RATE, mel_filterbank
from engine.sound.spectra import fft_length, power_spectra

FloatArray = npt.NDArray[np.float32]

_SPOKEN = 0.5
"""Activity from which a row counts as speech."""
_SHORTEST = 0.1
"""Seconds; shorter stretches of speech are dropped."""
_CHUNK = 500
"""Rows that are decided together, with as many on both sides as context: results do not depend on block sizes."""

_BANDS = 20
_GROUPS = 5
_LOW_HZ, _HIGH_HZ, _TONE_HIGH_HZ = 100.0, 6000.0, 3700.0
_ROW_MS, _TONE_MS = 25.0, 64.0
_TONE_EVERY = 2
"""Held tones are looked for in every second row, in windows long enough to resolve harmonics."""

_TONE_LAG = 8
"""160 ms: a voice's harmonics have moved by then, a note's have not."""

_CLEAR_DB = 7.0
"""Of rows of steady noise one in a thousand stands 5.4 dB above the minimum of its neighbourhood."""

_HELD_IN_SPEECH = 0.37
"""Median likeness of a voice's harmonics 160 ms apart."""

_FLOOR_ROWS = 200
"""The noise floor of a row is the minimum within ±2 s: hardly anybody speaks 4 s without closing the lips once."""

_WINDOW, _WINDOW_HOP = 300, 50
_QUIETEST_DB = -65.0
"""Rows below this (dB of full scale in the speech band) are silence whatever stands around them."""

_INSIDE_BURST_DB = 30.0
"""A row this far under its neighbourhood's peak is the window's tail, not sound: keeps edges within 10 ms."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech.

    Attributes:
        start: seconds from the first sample.
        end: seconds from the first sample.
        activity: mean speech activity inside, 0 to 1.
    """

    start: Fraction
    end: Fraction
    activity: float


def speech_activity(samples: FloatArray, rate: int = 16_000) -> FloatArray:
    """Return how surely somebody speaks, one row every 10 ms (row ``r`` is centred on ``r * 10 ms``, no delay).

    Args:
        samples: mono sound in -1..1, shape ``(n,)``.
        rate: samples per second, a multiple of 100, at least 8000.

    Returns:
        Activity from 0 to 1, shape ``(ceil(n * 100 / rate),)``.

    Raises:
        ValueError: if the sample rate is not supported.
    """
    listener = SpeechActivity(rate)
    return np.concatenate([listener.push(samples), listener.finish()])


def speech_segments(activity: FloatArray, *, join_gaps: float = 0.2) -> list[Segment]:
    """Return the stretches of speech in a row of activities.

    Args:
        activity: rows of :func:`speech_activity`, shape ``(rows,)``.
        join_gaps: seconds; shorter pauses (the closure of a stop consonant) do not end a stretch.
    """
    on = np.concatenate([[False], activity >= _SPOKEN, [False]])
    turns = np.flatnonzero(np.diff(on.astype(np.int8)))
    starts, ends = turns[::2], turns[1::2]
    segments: list[Segment] = []
    if starts.size:
        apart = (starts[1:] - ends[:-1]) >= join_gaps * ROW_RATE
        starts, ends = starts[np.concatenate([[True], apart])], ends[np.concatenate([apart, [True]])]
    for first, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if end - first >= _SHORTEST * ROW_RATE:
            # A row stands for the 10 ms around its centre.
            begin = max(Fraction(0), Fraction(2 * first - 1, 2 * ROW_RATE))
            segments.append(Segment(begin, Fraction(2 * end - 1, 2 * ROW_RATE), float(activity[first:end].mean())))
    return segments


class SpeechActivity:
    """Speech activity of a stream: ``push`` blocks of any size, ``finish`` at the end.

    The rows are the same however the sound is cut into blocks. They come at most 10 s after their sound, and memory
    does not grow.

    Args:
        rate: samples per second, a multiple of 100, at least 8000.

    Raises:
        ValueError: if the sample rate is not supported.
    """

    def __init__(self, rate: int = 16_000) -> None:
        if rate % ROW_RATE or rate < 8000:
            raise ValueError(f"sample rate must be a multiple of {ROW_RATE} and at least 8000, got {rate}")
        self.rate = rate
        self._hop = rate // ROW_RATE
        self._reach = round(rate * _TONE_MS / 1000)
        self._samples = np.zeros(self._reach, np.float32)
        self._received = 0
        self._rows = _Rows.none()
        self._first_row = 0
        self._next_row = 0
        self._emitted = 0
        self._held = 0.0
        self._judged = 0

    def push(self, samples: FloatArray) -> FloatArray:
        """Take the next samples, shape ``(n,)``, and return the rows that became certain, shape ``(rows,)``."""
        self._received += len(samples)
        self._samples = np.concatenate([self._samples, np.asarray(samples, np.float32)])
        need = _CHUNK * self._hop + 2 * self._reach
        out = [np.zeros(0, np.float32)]
        while len(self._samples) >= need:
            self._analyse(_CHUNK)
            out.append(self._emit(finished=False))
        return np.concatenate(out)

    def finish(self) -> FloatArray:
        """Return the remaining rows; nothing may be pushed afterwards."""
        total = -(-self._received // self._hop)
        self._samples = np.pad(self._samples, (0, 2 * self._reach + self._hop))
        out = [np.zeros(0, np.float32)]
        while self._next_row < total:
            self._analyse(min(_CHUNK, total - self._next_row))
            out.append(self._emit(finished=self._next_row == total))
        out.append(self._emit(finished=True))
        return np.concatenate(out)

    def _analyse(self, rows: int) -> None:
        self._rows = self._rows.followed_by(_describe(self._samples, rows, self.rate, self._reach))
        self._next_row += rows
        self._samples = self._samples[rows * self._hop :]

    def _emit(self, *, finished: bool) -> FloatArray:
        out = []
        while self._emitted < self._next_row and (finished or self._next_row >= self._emitted + 2 * _CHUNK):
            end = min(self._emitted + _CHUNK, self._next_row)
            out.append(self._decide(self._emitted - self._first_row, end - self._first_row))
            self._emitted = end
            drop = max(0, self._emitted - _CHUNK - self._first_row)
            self._rows = self._rows.without_first(drop)
            self._first_row += drop
        return np.concatenate(out) if out else np.zeros(0, np.float32)

    def _decide(self, begin: int, end: int) -> FloatArray:
        """Return the activity of rows ``begin`` to ``end`` of those at hand, the others being context."""
        windows = _windows(self._rows, begin, end)
        inside = (windows.centres < end) & np.isfinite(windows.held)
        self._held += float(windows.held[inside].sum())
        self._judged += int(inside.sum())
        likeness = _logistic(np.interp(np.arange(begin, end), windows.centres, windows.logits))
        return np.asarray(_presence(self._rows)[begin:end] * likeness, np.float32)

    @property
    def tonality(self) -> float:
        """How much of what was heard holds its tones: speech and noise 0.3 to 0.45, music above 0.5, a tone 1."""
        return self._held / self._judged if self._judged else 0.0


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is known of each row.

    Attributes:
        bands_db: mel band levels, shape ``(rows, bands)``.
        groups_db: levels of groups of bands, shape ``(rows, groups)``.
        tones: fine structure of the spectrum, shape ``(rows / 2, bins)``.
    """

    bands_db: FloatArray
    groups_db: FloatArray
    tones: FloatArray

    @classmethod
    def none(cls) -> _Rows:
        empty = np.zeros((0, 0), np.float32)
        return cls(empty, empty, empty)

    def followed_by(self, other: _Rows) -> _Rows:
        if len(self.bands_db) == 0:
            return other
        return _Rows(
            np.concatenate([self.bands_db, other.bands_db]),
            np.concatenate([self.groups_db, other.groups_db]),
            np.concatenate([self.tones, other.tones]),
        )

    def without_first(self, rows: int) -> _Rows:
        return _Rows(self.bands_db[rows:], self.groups_db[rows:], self.tones[rows // _TONE_EVERY :])


def _describe(samples: FloatArray, rows: int, rate: int, reach: int) -> _Rows:
    """Describe ``rows`` rows, the first centred on sample ``reach`` of ``samples``."""
    hop = rate // ROW_RATE
    width = round(rate * _ROW_MS / 1000)
    filters = mel_filterbank(_BANDS, fft_length(width), rate, _LOW_HZ, min(_HIGH_HZ, 0.475 * rate))
    power = power_spectra(samples, rows, hop, reach, width) @ filters.T
    groups = power.reshape(rows, _GROUPS, _BANDS // _GROUPS).sum(axis=2)

    pairs = -(-rows // _TONE_EVERY)
    fine = power_spectra(samples, pairs, _TONE_EVERY * hop, reach, reach)
    size = fft_length(reach)
    fine_db = np.log(fine[:, int(_LOW_HZ * size / rate) : int(_TONE_HIGH_HZ * size / rate)] + np.float32(1e-9))
    envelope = uniform_filter1d(fine_db, 9, axis=1, mode="nearest")
    return _Rows(
        10 * np.log10(power + np.float32(1e-9)),
        10 * np.log10(groups + np.float32(1e-9)),
        np.maximum(fine_db - envelope, 0),
    )


def _presence(rows: _Rows) -> FloatArray:
    """Return how surely each row holds more than the noise of its pauses, shape ``(rows,)``."""
    groups = rows.groups_db
    smooth = 10 * np.log10(uniform_filter1d(10 ** (groups / 10), 9, axis=0, mode="nearest"))
    floor = minimum_filter1d(smooth, 2 * _FLOOR_ROWS + 1, axis=0, mode="nearest")
    # Noise rarely fills all bands: the two clearest of the five decide.
    excess = np.sort(groups - np.maximum(floor, _QUIETEST_DB - 10), axis=1)[:, -2:].mean(axis=1)
    level = 10 * np.log10((10 ** (groups / 10)).sum(axis=1))
    near_peak = level - maximum_filter1d(level, 41, mode="nearest") + _INSIDE_BURST_DB
    return np.asarray(
        _logistic(excess - _CLEAR_DB) * _logistic(near_peak) * _logistic((level - _QUIETEST_DB) / 1.5), np.float32
    )


@dataclass(frozen=True, slots=True)
class _Windows:
    """What 3 s windows sound like.

    Attributes:
        centres: rows, shape ``(windows,)``.
        logits: log odds of speech, shape ``(windows,)``.
        held: likeness of the harmonics to those 160 ms before, NaN for silent windows, shape ``(windows,)``.
    """

    centres: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float64]
    held: npt.NDArray[np.float64]


def _windows(rows: _Rows, begin: int, end: int) -> _Windows:
    """Judge the windows around rows ``begin`` to ``end`` of ``rows``."""
    total = len(rows.bands_db)
    width = min(_WINDOW, total)
    centres = np.arange(begin - begin % _WINDOW_HOP, end + _WINDOW_HOP, _WINDOW_HOP)
    starts = np.clip(centres - width // 2, 0, total - width) // _TONE_EVERY * _TONE_EVERY
    unique, back = np.unique(starts, return_inverse=True)
    level = 10 * np.log10((10 ** (rows.groups_db / 10)).sum(axis=1))
    likeness = _likeness(rows.tones)
    judged = np.empty((len(unique), 2))
    for number, start in enumerate(unique.tolist()):
        here = slice(start, start + width)
        pairs = slice(start // _TONE_EVERY, max(start, start + width - _TONE_EVERY * _TONE_LAG) // _TONE_EVERY)
        judged[number] = _judge(rows.bands_db[here], level[here], likeness[pairs])
    judged = judged[back]
    return _Windows(centres, judged[:, 0], judged[:, 1])


def _likeness(tones: FloatArray) -> FloatArray:
    """Return how alike the harmonics of every second row are to those 160 ms later, shape ``(rows / 2 - 8,)``."""
    earlier, later = tones[:-_TONE_LAG], tones[_TONE_LAG:]
    norm = np.sqrt(np.einsum("rb,rb->r", tones, tones))
    products = np.einsum("rb,rb->r", earlier, later)
    return np.asarray(products / (norm[: len(earlier)] * norm[len(tones) - len(later) :] + 1e-3), np.float32)


def _judge(bands_db: FloatArray, level: FloatArray, likeness: FloatArray) -> tuple[float, float]:
    """Return the log odds that a window is speech, and how much it holds its tones.

    Speech changes the shape of its spectrum with every sound (*variety*: standard deviation of the first cepstral
    coefficients) and its harmonics glide (*held*: likeness of the harmonics to those 160 ms before); music holds its
    tones, noise keeps its shape (*spread*: standard deviation of all band levels, which noise lowers together with the
    variety). The four numbers come from a logistic regression on 8000 windows of talking clips, clean and with noise,
    music, reverberation, telephone band and clipping, against 1250 windows of made-up music and noise. In the fit 99 %
    of the clean and noisy windows of speech fall on the right side, 96 % of the reverberated, and on six pieces of
    real music that it never heard 91 to 100 % (drums alone: two thirds).
    """
    bands = np.maximum(bands_db, bands_db.max() - 50)
    active = level > level.max() - 25
    shapes = scipy.fft.dct(bands[active], axis=1, norm="ortho")[:, 1:7]
    variety = float(shapes.std(axis=0).mean())
    heard = likeness[active[::_TONE_EVERY][: len(likeness)]]
    held = float(np.median(heard)) if len(heard) else _HELD_IN_SPEECH
    # Of a fraction of a second little can be said: the odds move towards even.
    logit = (2.06 + 1.224 * variety - 9.242 * held - 0.606 * float(bands.std())) * min(1.0, int(active.sum()) / 60)
    return logit, held if level.max() > _QUIETEST_DB else math.nan


def _logistic(x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))), np.float64)

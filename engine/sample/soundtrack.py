"""The sound of a sample clip: the voice, moved against the picture by exactly what was asked, in a quiet room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from engine.sample.voice import Samples, Speech
from engine.timing import Rounding

_ROOM_SECONDS = 7
_ROOM_LEVEL = 4e-4
"""Root mean square of the room's noise, about -68 dBFS."""

_TAPS = 32
_PHASES = 4096
_CROSSFADE_SECONDS = Fraction(2, 1000)


@dataclass(frozen=True, slots=True)
class Delay:
    """How late the sound is over the length of a clip.

    Attributes:
        offset_ms: at the beginning; positive, the sound is late; negative, early.
        drift_ppm: growth in microseconds per second.
        steps: ``(from_seconds, offset_ms)``, ascending: from that time of the clip on, another offset holds.
    """

    offset_ms: float = 0.0
    drift_ppm: float = 0.0
    steps: tuple[tuple[Fraction, float], ...] = ()

    def pieces(self, sample_rate: int) -> tuple[tuple[Fraction, Fraction], ...]:
        """Return ``(from_seconds, offset in seconds)``, the offset being whole samples."""
        every = ((Fraction(0), self.offset_ms), *self.steps)
        return tuple(
            (Fraction(begin), Fraction(Rounding.NEAREST.apply(Fraction(ms) / 1000 * sample_rate), sample_rate))
            for begin, ms in every
        )

    def heard(self, seen: Fraction, sample_rate: int) -> tuple[Fraction, ...]:
        """Return when, on the clip's clock, an instant of the speech is heard: once, never, or repeatedly."""
        pieces = self.pieces(sample_rate)
        ends = [begin for begin, _ in pieces[1:]] + [None]
        stretch = 1 + Fraction(self.drift_ppm) / 1_000_000
        times = []
        for (begin, offset), end in zip(pieces, ends, strict=True):
            time = seen * stretch + offset
            if (time >= begin or begin == 0) and (end is None or time < end):
                times.append(time)
        return tuple(times)


class Soundtrack:
    """The samples of a clip's sound, read block by block.

    Args:
        speech: what is said; its time 0 is the picture's.
        delay: how the sound is moved against the picture.
        seed: of the room's noise.
    """

    def __init__(self, speech: Speech, delay: Delay, seed: int) -> None:
        self.sample_rate = speech.sample_rate
        self._speech = speech
        self._pieces = delay.pieces(speech.sample_rate)
        self._stretch = 1 + delay.drift_ppm / 1e6
        self._room = _room(speech.sample_rate, seed)

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``start`` to ``stop`` of the clip, mono, shape ``(stop - start,)``."""
        out = self._room[np.arange(start, stop) % len(self._room)].copy()
        fade = math.ceil(_CROSSFADE_SECONDS * self.sample_rate)
        begins = [math.ceil(begin * self.sample_rate) for begin, _ in self._pieces]
        for number, (_, offset) in enumerate(self._pieces):
            first = start if number == 0 else max(start, begins[number])
            last = stop if number + 1 == len(begins) else min(stop, begins[number + 1] + fade)
            if first >= last:
                continue
            places = np.arange(first, last)
            weight = np.ones(len(places), np.float32)
            if number:
                weight *= np.clip((places - begins[number]) / fade, 0, 1)
            if number + 1 < len(begins):
                weight *= np.clip(1 - (places - begins[number + 1]) / fade, 0, 1)
            out[first - start : last - start] += weight * self._voice(places, offset)
        return np.asarray(out, np.float32)

    def _voice(self, places: np.ndarray[tuple[int], np.dtype[np.int64]], offset: Fraction) -> Samples:
        shift = int(offset * self.sample_rate)
        if self._stretch == 1:
            return self._speech.read(int(places[0]) - shift, int(places[-1]) + 1 - shift)
        # band-limited interpolation at the places the stretched clock asks for (Smith and Gossett 1984)
        wanted = (places - shift) / self._stretch
        whole = np.floor(wanted).astype(np.int64)
        low = int(whole[0]) - _TAPS // 2 + 1
        source = self._speech.read(low, int(whole[-1]) + _TAPS // 2 + 1)
        phase = np.round((wanted - whole) * _PHASES).astype(np.int64)
        taken = source[(whole - low)[:, None] + np.arange(-_TAPS // 2 + 1, _TAPS // 2 + 1)]
        return np.asarray(np.einsum("ij,ij->i", taken, _kernels()[phase]), np.float32)


@cache
def _kernels() -> Samples:
    """Return a Kaiser-windowed sinc for every fraction of a sample, shape ``(_PHASES + 1, _TAPS)``."""
    distance = np.arange(-_TAPS // 2 + 1, _TAPS // 2 + 1) - np.arange(_PHASES + 1)[:, None] / _PHASES
    window = np.i0(8 * np.sqrt(np.clip(1 - (distance / (_TAPS / 2)) ** 2, 0, 1))) / np.i0(8)
    return np.asarray(np.sinc(distance) * window, np.float32)


def _room(sample_rate: int, seed: int) -> Samples:
    """Return a loop of quiet room noise, its power falling by 3 dB per octave above 100 Hz."""
    rng = np.random.default_rng([seed, 61])
    count = _ROOM_SECONDS * sample_rate
    frequency = np.fft.rfftfreq(count, 1 / sample_rate)
    shape = np.minimum(frequency / 60, 1) / np.sqrt(np.maximum(frequency, 100))
    noise = np.fft.irfft(shape * np.exp(2j * np.pi * rng.random(len(frequency))), count)
    return np.asarray(_ROOM_LEVEL * noise / noise.std(), np.float32)

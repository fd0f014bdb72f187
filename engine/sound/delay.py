"""Prove that a prepared sound lies where its source lies: measure the delay between them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.media.samples import read_samples
from engine.sound.channels import MixDown

FloatArray = npt.NDArray[np.float32]

_RATE = 16_000
_PLACES = 3
_SEARCH = 800
"""Samples to both sides (50 ms): more than any encoder's priming would be noticed by other tests."""

_DENSER = 16
_SECONDS = 2
"""Length of the transforms: twice that of what is compared, so that nothing wraps around."""

_SPEECH_HZ = (80, 6000)
_QUIETEST = 1e-4
"""Level (full scale 1) below which there is nothing to compare."""


class DelayProof:
    """Remembers the loudest second of each third of a prepared sound, to be found again in the source.

    Args:
        samples: length of the prepared sound at 16 kHz.
    """

    def __init__(self, samples: int) -> None:
        self._length = min(_RATE, samples)
        self._third = max(1, -(-samples // _PLACES))
        self._received = 0
        self._tail = np.zeros(0, np.float32)
        self._loudest: dict[int, tuple[float, int, FloatArray]] = {}

    def add(self, samples: FloatArray) -> None:
        """Take the next prepared samples, shape ``(n,)``."""
        joined = np.concatenate([self._tail, samples])
        begin = self._received - len(self._tail)
        self._received += len(samples)
        step = max(1, self._length // 2)
        offset = 0
        while offset + self._length <= len(joined):
            part = joined[offset : offset + self._length]
            power = float(part @ part) / self._length
            place = (begin + offset) // self._third
            if power > max(_QUIETEST**2, self._loudest.get(place, (0.0,))[0]):
                self._loudest[place] = (power, begin + offset, part.copy())
            offset += step
        self._tail = joined[offset:]

    def delay(self, source: Path, stream: int, mix: MixDown, source_start: Fraction) -> float | None:
        """Measure by how many samples of 16 kHz the prepared sound is late against the source.

        The source is read again, at its own rate, from the middle of the file, and brought to 16 kHz by a Fourier
        transform: a way that shares no filter with the one that made the prepared sound.

        Args:
            source: the recording.
            stream: number of its sound stream.
            mix: how its channels became one.
            source_start: when prepared sample 0 sounds on the source's clock, in seconds.

        Returns:
            The median over up to three places, or ``None`` when nothing is loud enough to compare.
        """
        delays = [
            _delay(part, _source_part(source, stream, mix, source_start + Fraction(first, _RATE), len(part)))
            for _, first, part in self._loudest.values()
        ]
        measured = [delay for delay in delays if delay is not None]
        return float(np.median(measured)) if measured else None


def _source_part(
    source: Path, stream: int, mix: MixDown, start: Fraction, length: int
) -> tuple[FloatArray, int, Fraction] | None:
    """Return ``(samples at the source's rate, that rate, time of the first sample after start)``."""
    stop = start + Fraction(length, _RATE)
    blocks = list(read_samples(source, stream=stream, sample_rate=None, channels=None, start=start, stop=stop))
    if not blocks or len({block.sample_rate for block in blocks}) > 1:
        return None
    data = np.concatenate([block.data if block.data.ndim == 2 else block.data[:, None] for block in blocks])
    return mix.apply(data), blocks[0].sample_rate, blocks[0].start - start


def _delay(prepared: FloatArray, found: tuple[FloatArray, int, Fraction] | None) -> float | None:
    """Return the lag of the highest cross-correlation in samples of 16 kHz; positive, ``prepared`` is late."""
    if found is None or len(found[0]) < 16:
        return None
    original, rate, begins = found
    bins = np.arange(_SPEECH_HZ[0] * _SECONDS, min(_SPEECH_HZ[1], rate // 2 - 1) * _SECONDS)
    cross = _spectrum(prepared, _RATE)[bins] * np.conj(_spectrum(original, rate)[bins])
    if not np.any(np.abs(cross) > 0):
        return None
    dense = np.zeros(_SECONDS * _RATE * _DENSER // 2 + 1, np.complex128)
    dense[bins] = cross
    correlation = np.fft.irfft(dense)
    reach = _SEARCH * _DENSER
    near = np.concatenate([correlation[-reach:], correlation[: reach + 1]])
    best = int(near[1:-1].argmax()) + 1
    before, peak, after = near[best - 1 : best + 2]
    lag = best - reach + 0.5 * (before - after) / (before - 2 * peak + after)
    # The original was cut at its first sample after the prepared one's beginning.
    return float(lag / _DENSER) - float(begins * _RATE)


def _spectrum(samples: FloatArray, rate: int) -> npt.NDArray[np.complex128]:
    """Return the Fourier transform at every half hertz, so that different rates lie on one grid."""
    tapered = samples * np.hanning(len(samples) + 2)[1:-1]
    return np.asarray(np.fft.rfft(tapered, _SECONDS * rate), np.complex128)

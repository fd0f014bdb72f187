"""The sound re-timed along a line: drift taken out.

Up to 1000 ppm the sound is resampled, which is exact to the sample everywhere and changes the pitch by at most
1.7 cents, a third of what a trained ear can tell (about 5 cents). Beyond that the pitch is kept: WSOLA (waveform
similarity overlap-add; Verhelst and Roelands, ICASSP 1993) repeats or leaves out whole periods of the voice, so a
moment may be up to :data:`TOLERANCE` away from its place, but never drifts away from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import soxr

from engine.media.export.encode import Samples
from engine.media.export.timeline import Tape
from engine.timing import DriftCorrection, Rounding

RESAMPLED_UP_TO_PPM = 1000
TOLERANCE = Fraction(8, 1000)
"""Seconds within which the best continuation is looked for: a whole period of an 63 Hz voice fits in."""

_HOP = Fraction(15, 1000)
_NEARNESS = 0.8
"""How much similarity it costs a continuation to be a whole tolerance away from its place; less, squared, if nearer."""


def line(correction: DriftCorrection) -> tuple[Fraction, Fraction]:
    """Return ``(factor, shift)`` so that a moment ``t`` of the old sound goes to ``t * factor + shift`` seconds."""
    factor = 1 + Fraction(round(correction.rate_ppm * 1000), 1_000_000_000)
    return factor, Fraction(round(correction.at_zero_ms * 1000), 1_000_000)


def keeps_pitch(correction: DriftCorrection) -> bool:
    """Whether a correction is large enough to be made without changing the pitch."""
    return abs(correction.rate_ppm) > RESAMPLED_UP_TO_PPM


def stretched(tape: Tape, correction: DriftCorrection) -> Iterator[tuple[int, Samples]]:
    """Yield ``(index, sound)`` of the new file.

    Args:
        tape: the sound.
        correction: the line.
    """
    factor, shift = line(correction)
    blocks = tape.blocks()
    first = next(blocks, None)
    if first is None:
        return
    index = tape.index(first.start * factor + shift)
    pieces = _chained(first.data, blocks)
    work = _overlapped(pieces, factor, tape.sample_rate) if keeps_pitch(correction) else _resampled(pieces, factor)
    for data in work:
        yield index, data
        index += len(data)


def _chained(first: Samples, rest: Iterator[object]) -> Iterator[Samples]:
    yield first
    for block in rest:
        yield block.data  # type: ignore[attr-defined]


def _resampled(pieces: Iterator[Samples], factor: Fraction) -> Iterator[Samples]:
    """Yield the sound at another speed; output sample ``n`` is input moment ``n / factor``."""
    resampler: soxr.ResampleStream | None = None
    channels = 1
    for piece in pieces:
        if resampler is None:
            channels = piece.shape[1]
            # Only the ratio counts; a denominator this large carries it to 1e-12.
            resampler = soxr.ResampleStream(1.0, float(factor), channels, dtype="float32", quality="VHQ")
        yield resampler.resample_chunk(np.ascontiguousarray(piece))
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True)


def _overlapped(pieces: Iterator[Samples], factor: Fraction, sample_rate: int) -> Iterator[Samples]:
    """Yield the sound at another speed and the same pitch.

    Every hop a grain of two hops is taken from near its place in the input, where it continues the last one best, and
    cross-faded with that.
    """
    hop = Rounding.NEAREST.apply(_HOP * sample_rate)
    reach = Rounding.NEAREST.apply(TOLERANCE * sample_rate)
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(hop) + 0.5) / hop)).astype(np.float32)[:, None]
    window = _Window(pieces)
    tail: Samples | None = None
    expected = 0
    number = 0
    while True:
        place = Rounding.NEAREST.apply(number * hop / factor)
        if not window.reaches(place + 2 * hop + reach):
            break
        if tail is None:
            begin = place
        else:
            natural = window.part(expected, expected + hop)
            low = max(window.begin, place - reach)
            field = window.part(low, place + reach + hop)
            begin = low + _best(field, natural, place - low, reach)
        grain = window.part(begin, begin + 2 * hop)
        yield grain[:hop] if tail is None else tail * (1 - rise) + grain[:hop] * rise
        tail = grain[hop:]
        expected = begin + hop
        number += 1
        window.forget(min(expected, Rounding.NEAREST.apply(number * hop / factor) - reach))
    rest = window.rest(expected)
    yield rest if tail is None or not len(rest) else rest[: Rounding.NEAREST.apply(len(rest) * factor)]


def _best(field: Samples, natural: Samples, place: int, reach: int) -> int:
    """Return where in ``field`` the sound is most like ``natural``, in case of doubt near ``place``."""
    mono, wanted = field.mean(axis=1, dtype=np.float64), natural.mean(axis=1, dtype=np.float64)
    count = len(mono) - len(wanted) + 1
    products = _correlation(mono, wanted)[:count]
    sums = np.concatenate(([0.0], np.cumsum(mono**2)))
    energy = sums[len(wanted) :] - sums[: -len(wanted)]
    similarity = products / np.sqrt(np.maximum(energy[:count] * np.dot(wanted, wanted), 1e-12))
    similarity -= _NEARNESS * ((np.arange(count) - place) / reach) ** 2
    return int(np.argmax(similarity))


def _correlation(field: npt.NDArray[np.float64], pattern: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    size = 1 << (len(field) + len(pattern) - 1).bit_length()
    spectrum = np.fft.rfft(field, size) * np.conj(np.fft.rfft(pattern, size))
    return np.fft.irfft(spectrum, size)[: len(field)]


class _Window:
    """The part of a stream of samples that is being looked at."""

    def __init__(self, pieces: Iterator[Samples]) -> None:
        self._pieces = pieces
        self._data: Samples | None = None
        self.begin = 0

    def reaches(self, end: int) -> bool:
        """Read on until sample ``end`` is there, and return whether it is."""
        held = [] if self._data is None else [self._data]
        length = sum(map(len, held))
        while self.begin + length < end:
            piece = next(self._pieces, None)
            if piece is None:
                break
            held.append(piece)
            length += len(piece)
        if held:
            self._data = held[0] if len(held) == 1 else np.concatenate(held)
        return self.begin + length >= end

    def part(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``, which have been reached and not forgotten."""
        assert self._data is not None
        return self._data[start - self.begin : stop - self.begin]

    def forget(self, start: int) -> None:
        """Drop what lies before ``start``."""
        if self._data is not None and start > self.begin:
            self._data = self._data[start - self.begin :]
            self.begin = start

    def rest(self, start: int) -> Samples:
        """Return everything from ``start`` on."""
        if self._data is None:
            return np.zeros((0, 1), np.float32)
        return self._data[max(0, start - self.begin) :]

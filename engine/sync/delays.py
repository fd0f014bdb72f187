"""The delay between two microphones' signals of the same few seconds, to a fraction of a sample.

Generalised cross-correlation (Knapp and Carter 1976) with the smoothed coherence transform: every frequency counts by
how far the two signals agree in it, so that noise, hum, tone colour and level drop out, and the direct sound stands
before its echoes. The envelope of the correlation is searched, which neither polarity nor phase rotation moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000

_FRAME = 1 << 14
_LOW_HZ, _HIGH_HZ = 150.0, 7000.0
_BESIDE_MS = 3.0  # early echoes next to the peak are not what it has to stand out from


@dataclass(frozen=True, slots=True)
class Delay:
    """How far one signal lags behind another.

    Attributes:
        seconds: positive, the second is late.
        prominence: height of the peak over the root mean square of the other lags; chance reaches about 4.
        is_inverted: whether the second has the opposite polarity.
    """

    seconds: float
    prominence: float
    is_inverted: bool


def find_delay(first: Floats, second: Floats, reach: float) -> Delay | None:
    """Find how late the second signal is.

    Args:
        first: mono sound at :data:`SAMPLE_RATE`, shape ``(n,)``.
        second: the same stretch of the other recording, shape ``(n,)``.
        reach: longest delay looked for, in seconds, either way; under half a second.

    Returns:
        The delay, or ``None`` if there is less than a quarter of a second of sound or one is silent.
    """
    count = min(len(first), len(second))
    frame = _FRAME
    while frame > count and frame > _FRAME // 4:
        frame //= 2
    if count < frame:
        return None
    size = 2 * frame
    window = np.hanning(frame + 1)[:-1].astype(np.float32)
    cross = np.zeros(size // 2 + 1, np.complex128)
    own, other = np.zeros(size // 2 + 1), np.zeros(size // 2 + 1)
    for begin in range(0, count - frame + 1, frame // 2):
        a = scipy.fft.rfft(first[begin : begin + frame] * window, size)
        b = scipy.fft.rfft(second[begin : begin + frame] * window, size)
        cross += b * a.conj()
        own += a.real**2 + a.imag**2
        other += b.real**2 + b.imag**2
    hertz = scipy.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    band = (hertz >= _LOW_HZ) & (hertz <= _HIGH_HZ)
    power = np.sqrt(own * other)
    if not power[band].max(initial=0.0) > 0:
        return None
    # A bin that both leave empty (above the edge of a codec) must not count like one full of sound.
    weighted = np.where(band, cross / (power + 1e-6 * power[band].mean()), 0)
    analytic = np.zeros(size, np.complex128)
    analytic[: len(weighted)] = 2 * weighted
    correlation = scipy.fft.ifft(analytic)
    lags = round(reach * SAMPLE_RATE)
    near = np.concatenate([correlation[-lags:], correlation[: lags + 1]])
    envelope = np.abs(near)
    peak = int(np.argmax(envelope))
    beside = np.abs(np.arange(len(near)) - peak) <= round(_BESIDE_MS * SAMPLE_RATE / 1000)
    background = float(np.sqrt(np.mean(np.square(envelope[~beside]))))
    if background <= 0:
        return None
    shift = 0.0
    if 0 < peak < len(near) - 1:
        before, top, after = (float(value) for value in envelope[peak - 1 : peak + 2])
        bend = before - 2 * top + after
        shift = 0.0 if bend >= 0 else 0.5 * (before - after) / bend
    return Delay(
        seconds=(peak - lags + shift) / SAMPLE_RATE,
        prominence=float(envelope[peak]) / background,
        is_inverted=bool(near[peak].real < 0),
    )


def agreement(first: Floats, one: Floats, other: Floats) -> npt.NDArray[np.float64]:
    """Tell, bit by bit, which of two pieces of the second recording a stretch of the first belongs to.

    Args:
        first: mono sound at :data:`SAMPLE_RATE`, shape ``(n,)``.
        one: what the second recording holds there under one delay, to a millisecond, shape ``(n,)``.
        other: the same under another delay.

    Returns:
        Likeness of ``one`` minus that of ``other``, a value per half second, shape ``(2 * seconds,)``.
    """
    size = SAMPLE_RATE // 2
    count = min(len(first), len(one), len(other)) // size
    out = np.zeros(count)
    for index in range(count):
        part = slice(index * size, (index + 1) * size)
        out[index] = _likeness(first[part], one[part]) - _likeness(first[part], other[part])
    return out


def _likeness(first: Floats, second: Floats) -> float:
    """Return the highest phase-transform correlation within a millisecond of no delay, 0 to 1."""
    size = 2 * len(first)
    hertz = scipy.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    band = (hertz >= _LOW_HZ) & (hertz <= _HIGH_HZ)
    product = scipy.fft.rfft(second, size) * scipy.fft.rfft(first, size).conj()
    weight = np.abs(product)
    if not weight.max(initial=0.0) > 0:
        return 0.0
    whitened = np.where(band, product / (weight + 1e-9 * weight.max()), 0)
    correlation = np.abs(scipy.fft.irfft(whitened, size)) * (size / 2 / band.sum())
    near = SAMPLE_RATE // 1000
    return float(max(correlation[: near + 1].max(), correlation[-near:].max()))

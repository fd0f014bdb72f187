"""Log-mel features on an exact 100 Hz grid."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.fft

ROW_RATE = 100
"""Feature rows per second; row ``r`` describes the sound at ``r / ROW_RATE`` seconds, its window centred there."""

_LOW_HZ, _HIGH_HZ = 60.0, 7600.0
"""Edges of the lowest and of the highest mel band."""
_WINDOW_MS = 25.0
"""Length of the Hann window."""


@lru_cache(maxsize=8)
def mel_filterbank(
    bands: int, fft_size: int, sample_rate: int, low_hz: float, high_hz: float
) -> npt.NDArray[np.float32]:
    """Return triangular filters, equally spaced on the HTK mel scale (2595 log10(1 + f/700)).

    Returns:
        Weights, shape ``(bands, fft_size // 2 + 1)``, each filter's peak being 1.
    """
    edges_mel = np.linspace(2595 * np.log10(1 + low_hz / 700), 2595 * np.log10(1 + high_hz / 700), bands + 2)
    edges = 700 * (10 ** (edges_mel / 2595) - 1)
    bins = np.arange(fft_size // 2 + 1) * sample_rate / fft_size
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float32)


def log_mel(
    samples: npt.NDArray[np.float32],
    sample_rate: int = 16_000,
    *,
    bands: int = 40,
    floor: float = 1e-5,
) -> npt.NDArray[np.float32]:
    """Return log-mel energies, one row every 10 ms, windows centred on the row's time (no delay).

    Args:
        samples: mono sound in -1..1, shape ``(n,)``.
        sample_rate: samples per second, a multiple of 100.
        bands: number of mel bands.
        floor: magnitude added before the logarithm, so that digital silence is finite.

    Returns:
        Natural log of band magnitude, shape ``(ceil(n / hop), bands)``; row ``r`` is centred on ``r * 10 ms``.

    Raises:
        ValueError: if the sample rate is not a multiple of 100.
    """
    if sample_rate % ROW_RATE:
        raise ValueError(f"sample rate must be a multiple of {ROW_RATE}, got {sample_rate}")
    hop = sample_rate // ROW_RATE
    width = round(sample_rate * _WINDOW_MS / 1000)
    fft_size = 1 << (width - 1).bit_length()
    rows = -(-len(samples) // hop)
    if rows == 0:
        return np.zeros((0, bands), np.float32)
    padded = np.pad(np.asarray(samples, np.float32), (width // 2, width + hop))
    window = np.hanning(width + 1)[:-1].astype(np.float32)
    filters = mel_filterbank(bands, fft_size, sample_rate, _LOW_HZ, _HIGH_HZ)
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[: rows * hop : hop]
    out = np.empty((rows, bands), np.float32)
    block = 1024  # rows at a time: the spectra of an hour would need gigabytes
    for begin in range(0, rows, block):
        # scipy stays in single precision, which is three times as fast as numpy's double.
        spectrum = np.abs(scipy.fft.rfft(frames[begin : begin + block] * window, fft_size))
        out[begin : begin + block] = np.log(spectrum @ filters.T / (width / 2) + floor)
    return out

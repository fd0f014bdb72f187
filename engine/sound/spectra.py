"""Power spectra of rows, fast: single precision, centred windows, no delay."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.fft

FloatArray = npt.NDArray[np.float32]


@lru_cache(maxsize=8)
def _window(width: int) -> FloatArray:
    return np.hanning(width + 1)[:-1].astype(np.float32)


def fft_length(width: int) -> int:
    """Return the power of two that :func:`power_spectra` uses for windows of ``width`` samples."""
    return 1 << (width - 1).bit_length()


def power_spectra(samples: FloatArray, rows: int, hop: int, first: int, width: int) -> FloatArray:
    """Return power spectra of Hann windows; a full-scale sine reads about 1 in its bin.

    Args:
        samples: sound, shape ``(n,)``; must reach half a window beyond the first and the last centre.
        rows: how many windows.
        hop: samples between their centres.
        first: sample on which the first window is centred.
        width: samples per window.

    Returns:
        Power, shape ``(rows, fft_length(width) // 2 + 1)``.
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples[first - width // 2 :], width)[: rows * hop : hop]
    spectrum = scipy.fft.rfft(frames * _window(width), fft_length(width), overwrite_x=True)
    return np.asarray((spectrum.real**2 + spectrum.imag**2) * np.float32(16 / width**2), np.float32)

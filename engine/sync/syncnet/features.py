"""What the two networks hear: cepstra at 100 Hz for SyncNet v2, a mel spectrogram at 80 Hz for StableSyncNet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
MEL_RATE = 80
"""Columns per second of :func:`mel`."""

_PRE_EMPHASIS = 0.97
_WINDOW, _STEP, _FFT = 400, 160, 512
_BANDS, _CEPSTRA, _LIFTER = 26, 13, 22
"""25 ms windows every 10 ms, 26 filters, 13 cepstra, sine lifter 22: the defaults of python_speech_features, which
SyncNet v2 was trained with."""

_MEL_FFT, _MEL_HOP, _MEL_BANDS = 800, 200, 80
_MEL_LOW, _MEL_HIGH = 55.0, 7600.0
_MEL_FLOOR_DB, _MEL_REFERENCE_DB, _MEL_SCALE = -100.0, 20.0, 4.0
"""The spectrogram of Wav2Lip, which LatentSync's scorer was trained with."""


def _pre_emphasised(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.concatenate([samples[:1], samples[1:] - _PRE_EMPHASIS * samples[:-1]])


def mfcc(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """Return mel-frequency cepstra, the first one replaced by the logarithm of the energy.

    Args:
        samples: mono sound at 16 kHz as 16-bit numbers, not divided, shape ``(n,)``.

    Returns:
        Shape ``(13, columns)``; a column every 10 ms, the last windows filled with zeros.
    """
    from scipy.fft import dct

    sound = _pre_emphasised(samples.astype(np.float64))
    columns = 1 + max(0, -(-(len(sound) - _WINDOW) // _STEP))
    padded = np.concatenate([sound, np.zeros(max(0, (columns - 1) * _STEP + _WINDOW - len(sound)))])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_STEP][:columns]
    power = np.abs(np.fft.rfft(windows, _FFT)) ** 2 / _FFT
    tiny = np.finfo(np.float64).eps
    energy = power.sum(1)
    bands = power @ _triangles().T
    logarithm = np.log(np.where(bands == 0, tiny, bands))
    cepstra = dct(logarithm, type=2, axis=1, norm="ortho")[:, :_CEPSTRA]
    cepstra *= 1 + _LIFTER / 2 * np.sin(np.pi * np.arange(_CEPSTRA) / _LIFTER)
    cepstra[:, 0] = np.log(np.where(energy == 0, tiny, energy))
    return np.asarray(cepstra.T)


def _triangles() -> npt.NDArray[np.float64]:
    """Return 26 triangular filters, equally spaced in mel (2595 log10(1 + f/700)), shape ``(26, 257)``."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, _BANDS + 2) / 2595) - 1)
    bins = np.floor((_FFT + 1) * edges / SAMPLE_RATE)
    filters = np.zeros((_BANDS, _FFT // 2 + 1))
    for band, (low, middle, high) in enumerate(zip(bins, bins[1:], bins[2:], strict=False)):
        rising = np.arange(int(low), int(middle))
        falling = np.arange(int(middle), int(high))
        filters[band, rising] = (rising - low) / (middle - low)
        filters[band, falling] = (high - falling) / (high - middle)
    return filters


def mel(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the mel spectrogram that StableSyncNet hears.

    Args:
        samples: mono sound in -1..1 at 16 kHz, shape ``(n,)``.

    Returns:
        Decibels scaled to -4..4, shape ``(80, 1 + n // 200)``.
    """
    from transformers.audio_utils import mel_filter_bank

    padded = np.pad(_pre_emphasised(samples.astype(np.float64)), _MEL_FFT // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEL_FFT)[::_MEL_HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_MEL_FFT) / _MEL_FFT)
    bank = mel_filter_bank(
        1 + _MEL_FFT // 2, _MEL_BANDS, _MEL_LOW, _MEL_HIGH, SAMPLE_RATE, norm="slaney", mel_scale="slaney"
    )
    amplitude = bank.T @ np.abs(np.fft.rfft(windows * hann)).T
    decibels = 20 * np.log10(np.maximum(10 ** (_MEL_FLOOR_DB / 20), amplitude)) - _MEL_REFERENCE_DB
    scaled = 2 * _MEL_SCALE * (decibels - _MEL_FLOOR_DB) / -_MEL_FLOOR_DB - _MEL_SCALE
    return np.asarray(np.clip(scaled, -_MEL_SCALE, _MEL_SCALE))

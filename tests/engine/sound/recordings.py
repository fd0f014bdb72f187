"""Write recordings in any format, and find how far one lies behind another, without the engine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import soundfile

FloatArray = npt.NDArray[np.float32]

_LAYOUTS = {6: "5.1"}


def write(path: Path, samples: FloatArray, rate: int, *options: str, subtype: str | None = None) -> Path:
    """Write samples, shape ``(n,)`` or ``(n, channels)``, to a file whose suffix names the format.

    Args:
        path: where to.
        samples: in -1..1.
        rate: samples per second.
        options: output options of ffmpeg, for formats that libsndfile does not write.
        subtype: of libsndfile, such as ``PCM_24``.
    """
    if path.suffix in {".wav", ".flac"} and not options:
        soundfile.write(path, samples, rate, subtype=subtype)
        return path
    plain = path.with_suffix(".source.wav")
    soundfile.write(plain, samples, rate, subtype="FLOAT")
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    layout = ("-channel_layout", _LAYOUTS[channels]) if channels in _LAYOUTS else ()
    convert(plain, path, *options, before=layout)
    plain.unlink()
    return path


def convert(source: Path, target: Path, *options: str, before: tuple[str, ...] = ()) -> None:
    """Convert with ffmpeg; ``before`` are options of the input."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *before, "-i", str(source), *options, str(target)]
    subprocess.run(command, check=True)


def read(path: Path) -> tuple[FloatArray, int]:
    """Read a WAV file."""
    samples, rate = soundfile.read(path, dtype="float32")
    return samples, rate


def at_16k(samples: FloatArray, rate: int) -> FloatArray:
    """Resample a whole signal by Fourier transform: no filter, hence no delay."""
    seconds = -(-len(samples) // rate)
    padded = np.pad(samples, (0, seconds * rate - len(samples)))
    spectrum = np.fft.rfft(padded)
    kept = np.zeros(seconds * 8000 + 1, complex)
    count = min(len(spectrum), len(kept))
    kept[:count] = spectrum[:count]
    return (np.fft.irfft(kept) * 16_000 / rate).astype(np.float32)


def samples_late(heard: FloatArray, original: FloatArray, search: int = 400) -> float:
    """Return by how many samples ``heard`` is later than ``original``, to a hundredth of a sample."""
    length = min(len(heard), len(original), 4 * 16_000)
    size = 1 << (length + search).bit_length()
    cross = np.fft.rfft(heard[:length], size) * np.conj(np.fft.rfft(original[:length], size))
    correlation = np.fft.irfft(cross)
    lags = np.concatenate([np.arange(-search, 0), np.arange(search + 1)])
    best = float(lags[np.argmax(correlation[lags])])
    # Around the peak the correlation is evaluated between the samples, from its spectrum.
    turns = np.arange(len(cross)) * 2j * np.pi / size
    for step in (0.1, 0.01):
        fine = best + step * np.arange(-10, 11)
        best = float(fine[int(np.argmax([np.real(np.sum(cross * np.exp(turns * lag))) for lag in fine]))])
    return best


def true_peak_db(samples: FloatArray) -> float:
    """Return the highest level between samples, by eightfold Fourier interpolation of the whole signal."""
    spectrum = np.fft.rfft(samples)
    dense = np.fft.irfft(np.pad(spectrum, (0, 7 * (len(spectrum) - 1)))) * 8
    return float(20 * np.log10(np.abs(dense).max()))

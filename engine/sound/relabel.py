"""A copy of a recording that plays at another speed: the same samples under their true sample rate."""

from __future__ import annotations

import wave
from itertools import chain, count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.jobs import Job, Progress
from engine.media.export.target_file import written
from engine.media.probe import probe
from engine.media.samples import read_samples
from engine.refusal import Refusal, Refused

_BYTES = 3
"""Per sample: what was decoded from 16 bits comes back the same, and lossy codecs lose nothing that they had."""
_MOST_BYTES = 0xFFFFFFFF - 4096


def relabel(source: Path, rate: int, target: Path | None = None) -> Job[Path | Refusal]:
    """Write the sound of a file as WAV, sample by sample, and call its sample rate ``rate``.

    Args:
        source: any file with sound.
        rate: its true sample rate.
        target: by default a new name beside the source, such as ``voice-48000.wav``.

    Returns:
        The file that was written, or a refusal: ``media.no_sound``, ``sound.too_long``, or as
        :func:`~engine.media.samples.read_samples` and :func:`~engine.media.export.target_file.written`.
    """
    try:
        return (yield from _relabelled(source, rate, target or _free(source.with_name(f"{source.stem}-{rate}.wav"))))
    except Refused as refused:
        return refused.refusal


def _relabelled(source: Path, rate: int, target: Path) -> Job[Path]:
    audio = probe(source).audio
    if audio is None:
        raise Refused.because("media.no_sound", path=source)
    length = float((audio.duration or 0) * audio.sample_rate)
    done = 0
    with written([source], target, overwrite=False) as place, wave.open(str(place.result), "wb") as wav:
        wav.setnchannels(audio.channels)
        wav.setsampwidth(_BYTES)
        wav.setframerate(rate)
        for block in read_samples(source, sample_rate=None, channels=None):
            done += len(block.data)
            if done * audio.channels * _BYTES > _MOST_BYTES:
                raise Refused.because("sound.too_long", path=source)
            wav.writeframesraw(_packed(block.data))
            yield Progress("writing", min(0.99, done / length) if length else 0.0)
    return target


def _packed(data: npt.NDArray[np.float32]) -> bytes:
    """Return samples as little-endian integers of 24 bits, channels in turn."""
    wide = np.clip(np.rint(data.astype(np.float64) * (1 << 23)), -(1 << 23), (1 << 23) - 1).astype("<i4")
    packed: bytes = wide.reshape(-1, 1).view(np.uint8)[:, :_BYTES].tobytes()
    return packed


def _free(wanted: Path) -> Path:
    """Return a name that no file has yet."""
    candidates = chain([wanted], (wanted.with_stem(f"{wanted.stem}-{number}") for number in count(2)))
    return next(path for path in candidates if not path.exists() and not path.is_symlink())

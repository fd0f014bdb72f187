"""Voices made by code: bursts of a buzz at known samples, in any rate, width, number of channels and codec."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

SYLLABLE = Fraction(1, 4)
"""Seconds from one burst to the next; each lasts for half of that."""


def voice_samples(seconds: float, rate: int, level: float = 0.4) -> npt.NDArray[np.float32]:
    """Return a buzz that comes and goes, shape ``(n,)``."""
    time = np.arange(round(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * 140 * harmonic * time) / harmonic for harmonic in range(1, 12))
    is_on = (time % float(SYLLABLE)) < float(SYLLABLE) / 2
    return np.asarray(level * np.asarray(buzz) / 2 * is_on, np.float32)


def write_voice(
    path: Path,
    *,
    seconds: float = 2.0,
    rate: int = 48_000,
    channels: int = 1,
    codec: str = "pcm_s16le",
    sample_format: str | None = None,
    level: float = 0.4,
) -> Path:
    """Write a voice; the suffix chooses the container."""
    samples = voice_samples(seconds, rate, level)
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if sample_format is not None:
            stream.codec_context.format = sample_format
        resampler = av.AudioResampler(stream.codec_context.format.name, layout, rate)
        container.start_encoding()
        size = stream.codec_context.frame_size or 4096
        for begin in range(0, len(samples), size):
            block = np.ascontiguousarray(np.repeat(samples[None, begin : begin + size], channels, axis=0))
            frame = av.AudioFrame.from_ndarray(block, "fltp", layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return path

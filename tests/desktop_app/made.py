"""What a probe would say of a clip, a sound in memory or in a file, a measurement with everything in it."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.media.probe import AudioStream, MediaInfo, VideoStream
from engine.sync.result import Kind, LagCurve, Measurement, MouthTrace, OffsetPoint, PlosivePair
from engine.sync.verdict import verdict
from engine.timing import Offset

Floats = npt.NDArray[np.float32]
RATE = 48_000
"""Samples per second of all sounds here."""


def media_info(seconds: float, *, start: float = 0.0, picture: bool = True, sound: bool = True) -> MediaInfo:
    """Return what a probe says of a 25 fps, 48 kHz clip."""
    length, begin = Fraction(seconds), Fraction(start)
    video = VideoStream(
        index=0,
        codec="h264",
        profile=None,
        width=1920,
        height=1080,
        display_width=1920,
        display_height=1080,
        rotation=0,
        is_mirrored=False,
        sample_aspect=Fraction(1),
        time_base=Fraction(1, 12800),
        rate=Fraction(25),
        is_variable=False,
        frame_count=round(seconds * 25),
        start=begin,
        duration=length,
        pixel_format="yuv420p",
        is_hdr=False,
        color_primaries=1,
        color_transfer=1,
        color_matrix=1,
        color_range=1,
        is_interlaced=False,
        edits=(),
        gaps=(),
        is_default=True,
        has_timestamps=True,
    )
    audio = AudioStream(
        index=1,
        codec="aac",
        profile=None,
        sample_rate=RATE,
        channels=1,
        layout="mono",
        time_base=Fraction(1, RATE),
        start=begin,
        duration=length,
        priming_samples=1024,
        sample_format="fltp",
        bit_rate=None,
        language=None,
        title=None,
        edits=(),
        gaps=(),
        is_default=True,
    )
    return MediaInfo(
        path=Path("made.mp4"),
        container="mp4",
        duration=length,
        start=begin,
        size=1,
        videos=(video,) if picture else (),
        audios=(audio,) if sound else (),
        others=(),
        metadata={},
        chapters=(),
        is_complete=True,
        has_negative_start=False,
    )


class MadeSound:
    """Syllables of a hum, as the timeline's sound.

    Attributes:
        asked: windows and samples asked for so far.
    """

    sample_rate = RATE

    def __init__(self, seconds: float, start: float = 0.0) -> None:
        self.start = start
        self.stop = start + seconds
        self.asked = 0
        period = np.arange(20 * self.sample_rate, dtype=np.float32) / self.sample_rate
        loudness = np.abs(np.sin(10.7 * period) * np.sin(0.94 * period)) ** 1.5
        hum = 0.8 * loudness * np.sin(1131 * period + 3 * np.sin(18.8 * period))
        self._values: Floats = np.resize(hum.astype(np.float32), round(seconds * self.sample_rate))
        whole = self._values[: len(self._values) // 256 * 256].reshape(-1, 256)
        self._low, self._high = whole.min(axis=1), whole.max(axis=1)

    def window(self, start: float, stop: float, columns: int) -> tuple[Floats, Floats]:
        self.asked += 1
        edges = (np.linspace(start, stop, columns + 1) - self.start) * self.sample_rate
        low, high = self._values, self._values
        if edges[1] - edges[0] >= 512:
            low, high, edges = self._low, self._high, edges / 256
        index = np.clip(np.round(edges).astype(int), 0, len(low) - 1)
        outside = (edges[:-1] < 0) | (edges[:-1] >= len(low))
        least = np.where(outside, np.nan, np.minimum.reduceat(low, index)[:-1])
        greatest = np.where(outside, np.nan, np.maximum.reduceat(high, index)[:-1])
        return least.astype(np.float32), greatest.astype(np.float32)

    def samples(self, start: float, stop: float) -> tuple[float, Floats] | None:
        self.asked += 1
        first = max(0, int(np.ceil((start - self.start) * self.sample_rate)))
        last = max(first, int(np.ceil((stop - self.start) * self.sample_rate)))
        return self.start + first / self.sample_rate, self._values[first:last]


def measurement(seconds: float, offset_ms: float = 83.0) -> Measurement:
    """Return a measurement with points every six seconds, curves, plosives and a mouth trace."""
    chance = np.random.default_rng(1)
    times = np.arange(5.0, seconds - 3, 6.0)
    lags = np.arange(-400, 401, 10, dtype=np.float32)
    frames = np.arange(0, seconds, 0.04)
    opening = 0.5 * np.abs(np.sin(10.7 * frames) * np.sin(0.94 * frames))
    opening[200:230] = np.nan
    points = tuple(
        OffsetPoint(
            t=float(t),
            offset_ms=float(offset_ms + chance.normal(0, 6)),
            confidence=float(chance.uniform(0.3, 1)),
            uncertainty_ms=float(chance.uniform(5, 25)),
            seconds=6.0,
        )
        for t in times
    )
    return Measurement(
        file="made.mp4",
        kind=Kind.CONSTANT,
        verdict=verdict(Kind.CONSTANT, Offset(offset_ms, 6.0)),
        offset_ms=offset_ms,
        uncertainty_ms=6.0,
        confidence=0.95,
        points=points,
        curves=tuple(LagCurve(float(t), lags, (-(((lags - offset_ms) / 60) ** 2)).astype(np.float32)) for t in times),
        plosives=tuple(PlosivePair(float(t), float(t + offset_ms / 1000)) for t in np.arange(1.05, seconds - 1, 0.9)),
        mouth=MouthTrace(frames, opening.astype(np.float32)),
    )


def write_sound(path: Path, samples: npt.NDArray[np.floating]) -> Path:
    """Write samples from -1 to 1, shape ``(n,)`` or ``(n, channels)``, as 16-bit WAV; return the path."""
    with wave.open(str(path), "wb") as target:
        target.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        target.setsampwidth(2)
        target.setframerate(RATE)
        target.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path

"""The waveform as a pyramid of extremes: made once, drawn at any zoom in a millisecond or two.

The finest level holds the least and the greatest sample of every 256 (of all channels, so that channels out of phase
do not cancel), each further level those of 8 bins before it. Closer than 256 samples per column, draw the samples
themselves (:func:`engine.media.samples.read_samples`).
"""

from __future__ import annotations

import math
import zipfile
import zlib
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from engine.jobs import Job, Progress
from engine.media.cache import Cache, content_key
from engine.media.opening import MediaPath, local_file
from engine.media.probe import MediaInfo, probe
from engine.media.samples import read_samples
from engine.refusal import Refused

BIN_SAMPLES = 256
"""Samples per bin of the finest level; that of Audacity's block files and of BBC audiowaveform."""
LEVEL_FACTOR = 8
_COARSEST_BINS = 512
_BLOCK_SECONDS = 10
_VERSION = 1
"""To be raised whenever the same file would give other peaks."""
_CACHE_BYTES = 512 << 20
"""An hour at 48 kHz takes 3 MB."""

Extremes = npt.NDArray[np.int16]
"""Least and greatest samples, shape ``(bins, 2)``, full scale 32767."""


@dataclass(frozen=True, slots=True)
class PeakBlock:
    """New bins of the finest level, for drawing while the rest is still being read.

    Attributes:
        first_bin: where they begin.
        extremes: shape ``(bins, 2)``.
        start: when the sound's first sample (of bin 0) sounds, in seconds.
        sample_rate: samples per second.
    """

    first_bin: int
    extremes: Extremes
    start: Fraction
    sample_rate: int


@dataclass(frozen=True, slots=True)
class Peaks:
    """The waveform of one sound.

    Attributes:
        start: when its first sample sounds, in seconds on the file's clock.
        sample_rate: samples per second.
        samples: number of samples.
        levels: extremes, the finest level first; a bin of level ``k`` holds ``256 * 8 ** k`` samples.
    """

    start: Fraction
    sample_rate: int
    samples: int
    levels: tuple[Extremes, ...]

    @property
    def stop(self) -> Fraction:
        """When the sound ends, in seconds."""
        return self.start + Fraction(self.samples, self.sample_rate)

    def window(self, start: Fraction | float, stop: Fraction | float, columns: int) -> tuple[Extremes, Extremes]:
        """Return least and greatest samples for the columns of a picture of the time from ``start`` to ``stop``.

        Every sample of the window is in some column. Columns narrower than a bin repeat it; columns outside the sound
        are 0.

        Returns:
            ``(mins, maxs)``, each of shape ``(columns,)``, int16.

        Raises:
            ValueError: if there is no column or the window is empty.
        """
        if columns < 1 or stop <= start:
            raise ValueError(f"nothing to draw: {columns} columns from {start} to {stop}")
        per_column = float(Fraction(stop) - Fraction(start)) * self.sample_rate / columns
        first = float(Fraction(start) - self.start) * self.sample_rate
        level = min(len(self.levels) - 1, max(0, math.floor(math.log(max(per_column, 1) / BIN_SAMPLES, LEVEL_FACTOR))))
        extremes = self.levels[level]
        edges = (first + np.arange(columns + 1) * per_column) / (BIN_SAMPLES * LEVEL_FACTOR**level)
        bins = len(extremes)
        low = np.floor(edges[:-1]).astype(np.int64)
        high = np.maximum(np.ceil(edges[1:]).astype(np.int64), low + 1)
        inside = (high > 0) & (low < bins)
        mins, maxs = np.zeros(columns, np.int16), np.zeros(columns, np.int16)
        if inside.any():
            # reduceat takes pairs of indices, each below the length: one bin more makes the last end allowed.
            pairs = np.stack([np.clip(low[inside], 0, bins - 1), np.clip(high[inside], 1, bins)], axis=1).ravel()
            padded = np.concatenate([extremes[: pairs.max()], extremes[-1:]])
            mins[inside] = np.minimum.reduceat(padded[:, 0], pairs)[::2]
            maxs[inside] = np.maximum.reduceat(padded[:, 1], pairs)[::2]
        return mins, maxs


def build_peaks(path: MediaPath, stream: int | None = None, *, info: MediaInfo | None = None) -> Job[Peaks]:
    """Make the peaks of a sound, or take them from the cache.

    Each progress carries a :class:`PeakBlock`.

    Args:
        path: a local file.
        stream: stream index in the file; by default its default sound.
        info: what a probe said of the file just now; opening a file of hours once less is what one waits for.

    Raises:
        Refused: as :func:`~engine.media.samples.read_samples`.
    """
    file = local_file(path)
    info = info or probe(file)
    chosen = stream if stream is not None else info.audio.index if info.audio is not None else None
    if chosen is None:
        raise Refused.because("media.no_sound", path=path)
    cache = Cache("peaks", _CACHE_BYTES)
    key = content_key(file, chosen, _VERSION)
    peaks = _load(cache, key)
    if peaks is not None:
        yield Progress("peaks", 1.0, PeakBlock(0, peaks.levels[0], peaks.start, peaks.sample_rate))
        return peaks
    duration = next((float(sound.duration or 0) for sound in info.audios if sound.index == chosen), 0.0)
    peaks = yield from _build(file, chosen, duration)
    cache.keep(key, lambda target: _save(peaks, target))
    return peaks


def _build(file: Path, stream: int, duration: float) -> Job[Peaks]:
    blocks: list[Extremes] = []
    bins = samples = 0
    start, sample_rate = Fraction(0), 1
    rest: npt.NDArray[np.float32] = np.zeros((0, 1), np.float32)
    sound = read_samples(file, stream=stream, sample_rate=None, channels=None, block_seconds=_BLOCK_SECONDS)
    with closing(sound):
        for block in sound:
            if not samples:
                start, sample_rate = block.start, block.sample_rate
            samples += len(block.data)
            data = block.data.reshape(len(block.data), -1)
            joined = np.concatenate([rest, data]) if len(rest) else data
            whole = len(joined) // BIN_SAMPLES * BIN_SAMPLES
            rest = joined[whole:]
            if whole:
                blocks.append(_extremes(joined[:whole]))
                share = min(0.99, samples / sample_rate / duration) if duration else 0.0
                yield Progress("peaks", share, PeakBlock(bins, blocks[-1], start, sample_rate))
                bins += len(blocks[-1])
    if len(rest):
        blocks.append(_extremes(np.pad(rest, ((0, BIN_SAMPLES - len(rest)), (0, 0)), mode="edge")))
        yield Progress("peaks", 0.99, PeakBlock(bins, blocks[-1], start, sample_rate))
    return Peaks(start, sample_rate, samples, _pyramid(np.concatenate(blocks)))


def _extremes(sound: npt.NDArray[np.float32]) -> Extremes:
    """Return the extremes of whole bins of sound, shape ``(n, channels)``, rounded outwards to int16."""
    bins = sound.reshape(-1, BIN_SAMPLES * sound.shape[1])
    pairs = np.stack([np.floor(bins.min(axis=1) * 32767), np.ceil(bins.max(axis=1) * 32767)], axis=1)
    rounded: Extremes = np.clip(np.nan_to_num(pairs), -32768, 32767).astype(np.int16)
    return rounded


def _pyramid(finest: Extremes) -> tuple[Extremes, ...]:
    levels = [finest]
    while len(levels[-1]) > _COARSEST_BINS:
        below = levels[-1]
        missing = -len(below) % LEVEL_FACTOR
        groups = np.pad(below, ((0, missing), (0, 0)), mode="edge").reshape(-1, LEVEL_FACTOR, 2)
        levels.append(np.stack([groups[:, :, 0].min(axis=1), groups[:, :, 1].max(axis=1)], axis=1))
    return tuple(levels)


def _save(peaks: Peaks, target: IO[bytes]) -> None:
    header = np.array([peaks.start.numerator, peaks.start.denominator, peaks.sample_rate, peaks.samples], np.int64)
    np.savez(target, header=header, finest=peaks.levels[0])


def _load(cache: Cache, key: str) -> Peaks | None:
    """Return cached peaks; a damaged file is forgotten."""
    path = cache.find(key)
    if path is None:
        return None
    try:
        # numpy leaves the file open when it cannot read it.
        with path.open("rb") as source, np.load(source, allow_pickle=False) as saved:
            numerator, denominator, sample_rate, samples = map(int, saved["header"])
            finest = saved["finest"]
        if finest.dtype == np.int16 and finest.shape == (math.ceil(samples / BIN_SAMPLES), 2) and len(finest):
            return Peaks(Fraction(numerator, denominator), sample_rate, samples, _pyramid(finest))
    except (OSError, ValueError, KeyError, ArithmeticError, EOFError, zipfile.BadZipFile, zlib.error):
        pass
    cache.forget(key)
    return None

"""The sound's spectrum over time in tiles, from files: which tiles there are, and how one is made. No widgets."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.media.samples import read_samples

COLUMNS, ROWS = 256, 128
"""Size of a tile."""
LEVELS = 7
_FINEST = 0.002
"""Seconds per column of level 0: a burst lasts 5 to 20 ms."""
_FACTOR = 4
"""How many times longer the columns of a level are than those of the one before."""

_RATE = 24_000
_LONG_WINDOW, _SHORT_WINDOW = 768, 192
"""32 ms, in which the harmonics of a voice stand apart; 8 ms, in which bursts do."""
_HOP = 0.032
"""Longest distance between two windows, seconds: their Hann windows then leave nothing out."""
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 11_000.0
_FLOOR_DB, _TOP_DB = -80.0, -18.0
_TILT_DB = 3.0
"""Per octave: speech loses about 6 dB per octave above 500 Hz; half of that is given back, as Praat's default is."""
_BATCH = 10.0
"""Seconds of sound after which something is shown and newer wishes are looked at."""

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tile:
    """A stretch of time at one zoom: column ``c`` of tile ``index`` begins at ``(index * COLUMNS + c) * column``.

    Attributes:
        level: 0 for the closest zoom.
        index: counts from time 0; negative before it.
    """

    level: int
    index: int

    @property
    def column(self) -> float:
        """Seconds per column."""
        return _column(self.level)

    @property
    def start(self) -> float:
        """When it begins, seconds."""
        return self.index * COLUMNS * self.column

    @property
    def stop(self) -> float:
        """When it ends."""
        return self.start + COLUMNS * self.column

    @property
    def parent(self) -> Tile | None:
        """The tile of the next level that holds this one, ``None`` for the farthest zoom."""
        return Tile(self.level + 1, self.index // _FACTOR) if self.level + 1 < LEVELS else None


def tiles_between(start: float, stop: float, pixels_per_second: float) -> list[Tile]:
    """Return the tiles for a stretch at the zoom at which a column is about as wide as a pixel."""
    level = min((level for level in range(LEVELS) if _column(level) * pixels_per_second >= 0.75), default=LEVELS - 1)
    length = COLUMNS * _column(level)
    return [Tile(level, index) for index in range(math.floor(start / length), math.ceil(stop / length))]


def make_tile(file: Path, tile: Tile) -> Generator[Image, None, None]:
    """Yield a tile as more and more of it is known, the last time in full.

    Args:
        file: its sound is mixed to mono.
        tile: which one.

    Yields:
        Loudness, 255 is the greatest, shape ``(ROWS, COLUMNS)``, high frequencies first, on a mel scale from 60 Hz to
        11 kHz.

    Raises:
        Refused: as :func:`~engine.media.samples.read_samples`.
    """
    image = np.zeros((ROWS, COLUMNS), np.uint8)
    width = _SHORT_WINDOW if tile.level == 0 else _LONG_WINDOW
    per_column = max(1, round(tile.column / _HOP))
    hop = tile.column / per_column
    done = 0
    for first, samples in _stretches(file, tile, width):
        columns = min(COLUMNS - done, max(0, math.floor((len(samples) - width) / _RATE / tile.column)))
        if first == 0 and columns == 0:
            continue
        centres = (np.arange(columns * per_column) + 0.5) * hop
        powers = _rows(samples, np.round(centres * _RATE).astype(np.int64), width)
        image[:, done : done + columns] = _shades(powers.reshape(columns, per_column, ROWS).mean(axis=1))
        done += columns
        yield image.copy()


def _column(level: int) -> float:
    """Return the seconds per column of a level."""
    return _FINEST * float(_FACTOR**level)


def _stretches(file: Path, tile: Tile, width: int) -> Iterator[tuple[int, Floats]]:
    """Yield ``(number, samples)`` of whole columns, with half a window more on both sides; silence where nothing is."""
    half = width / 2 / _RATE
    columns = max(1, min(COLUMNS, math.floor(_BATCH / tile.column)))
    step = round(columns * tile.column * _RATE)
    size = step + width
    whole = round((tile.stop - tile.start) * _RATE) + width
    buffer = np.zeros(0, np.float32)
    number = given = 0
    blocks = read_samples(
        file, sample_rate=_RATE, channels=1, start=tile.start - half, stop=tile.stop + half, block_seconds=_BATCH
    )
    try:
        for block in blocks:
            # Silence up to where the sound begins, and nothing twice.
            ahead = round((float(block.start) - tile.start + half) * _RATE) - given - len(buffer)
            buffer = np.concatenate([buffer, np.zeros(max(0, ahead), np.float32), block.data])
            while len(buffer) >= size:
                yield number, buffer[:size]
                number, given, buffer = number + 1, given + step, buffer[step:]
    finally:
        blocks.close()
    if len(buffer):
        # Silence up to the end of the column in which the sound ends; one sample too many is for rounding.
        missing = min(whole - given - len(buffer), math.ceil(tile.column * _RATE) + width)
        yield number, np.concatenate([buffer, np.zeros(max(0, missing) + 1, np.float32)])


def _rows(samples: Floats, centres: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.float64]:
    """Return the power in each row around each centre, shape ``(n, ROWS)``; a full-scale sine reads about 1."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, width)[np.minimum(centres, len(samples) - width)]
    spectrum = np.fft.rfft(frames * np.hanning(width + 1)[:-1].astype(np.float32), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) * (16 / width**2)
    return np.asarray(power @ _weights(width), np.float64)


def _shades(power: npt.NDArray[np.float64]) -> Image:
    """Return the shade of each power, shape ``(ROWS, n)`` for ``(n, ROWS)``."""
    tilt = _TILT_DB * np.log2(_hertz()[1:-1] / 1000)
    decibels = 10 * np.log10(power + 1e-12) + tilt
    shades = np.clip((decibels - _FLOOR_DB) / (_TOP_DB - _FLOOR_DB), 0, 1) * 255
    return np.asarray(shades.T[::-1], np.uint8)


@cache
def _hertz() -> npt.NDArray[np.float64]:
    """Return the corners of the rows' triangles on O'Shaughnessy's mel scale, shape ``(ROWS + 2,)``, ascending."""
    low, high = (2595 * math.log10(1 + hertz / 700) for hertz in (_LOWEST_HZ, _HIGHEST_HZ))
    return np.asarray(700 * (10 ** (np.linspace(low, high, ROWS + 2) / 2595) - 1), np.float64)


@cache
def _weights(width: int) -> npt.NDArray[np.float64]:
    """Return how much each bin counts in each row, shape ``(bins, ROWS)``; columns sum to 1."""
    corners, bins = _hertz(), np.fft.rfftfreq(width, 1 / _RATE)
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    # A row narrower than a bin takes its share of the two bins beside it.
    half = np.maximum(np.minimum(middle - low, high - middle), _RATE / width)
    weights = np.maximum(0, 1 - np.abs(bins[:, None] - middle) / half)
    return np.asarray(weights / weights.sum(axis=0), np.float64)

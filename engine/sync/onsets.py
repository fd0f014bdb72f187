"""Where sounds begin, in a few frequency bands, a hundred times a second: what two microphones of one room share.

Levels, tone colour, noise floor and most of the reverberation differ between two recordings; the moments at which
energy rises in a band do not. A byte per band and row is kept, so an hour is 3.6 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.media.samples import read_samples
from engine.sound.spectra import power_spectra

ROW_RATE = 100
"""Rows per second."""

BANDS = 10
SCALE = 16
"""Stored value of one standard deviation."""

_SAMPLE_RATE = 8000
_HOP = _SAMPLE_RATE // ROW_RATE
_WIDTH = 256  # samples of a spectrum, 32 ms
_LOW_HZ, _HIGH_HZ = 150.0, 3800.0  # above mains hum, below the edge of telephone bands and of 8 kHz
_BATCH = 60 * ROW_RATE
_MARGIN = 5 * ROW_RATE  # half of the window over which a band's own mean and deviation are taken
_SLOPE_ROWS = 2  # rows before and after over which a rise is taken
_FLOOR_SHARE = 2.0  # of a band's own quiet level, added to it, so that noise does not rise
_SILENCE = 1e-9  # -90 dB: below this a rise is rounding noise


@dataclass(frozen=True, slots=True)
class Onsets:
    """Rises of energy of one recording.

    Attributes:
        start: time of row 0 in seconds, on the file's clock.
        rows: rise per band in :data:`SCALE` units of its deviation, int8, shape ``(BANDS, rows)``.
        silent: share of the rows without any sound.
    """

    start: Fraction
    rows: npt.NDArray[np.int8]
    silent: float

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.rows.shape[1] / ROW_RATE


def listen(path: Path) -> Iterator[float | Onsets]:
    """Take the onsets of a whole recording, streaming.

    Args:
        path: a file with sound.

    Yields:
        Seconds done, now and then; last of all the onsets.

    Raises:
        Refused: as :func:`~engine.media.samples.read_samples`.
    """
    start = Fraction(0)
    waiting = np.zeros(_WIDTH // 2, np.float32)
    powers = np.zeros((BANDS, 0), np.float32)
    leading = True
    kept: list[npt.NDArray[np.int8]] = []
    silent = 0
    heard = False
    bands = _band_matrix()

    for block in read_samples(path, sample_rate=_SAMPLE_RATE, channels=1, block_seconds=10):
        if not heard:
            start = block.start
        heard = True
        waiting = np.concatenate([waiting, block.data])
        new = max(0, (len(waiting) - _WIDTH) // _HOP + 1)
        if not new:
            continue
        spectra = power_spectra(waiting, new, _HOP, _WIDTH // 2, _WIDTH)
        waiting = waiting[new * _HOP :]
        powers = np.concatenate([powers, bands @ spectra.T], axis=1)
        while powers.shape[1] >= _BATCH + 2 * _MARGIN:
            before = 0 if leading else _MARGIN
            batch = powers[:, : before + _BATCH + _MARGIN]
            kept.append(_rises(batch)[:, before : before + _BATCH])
            silent += int((batch[:, before : before + _BATCH].max(axis=0) <= _SILENCE).sum())
            powers = powers[:, before + _BATCH - _MARGIN :]
            leading = False
        yield float(block.stop - start)
    before = 0 if leading else _MARGIN
    if powers.shape[1] > before:
        kept.append(_rises(powers)[:, before:])
        silent += int((powers[:, before:].max(axis=0) <= _SILENCE).sum())
    rows = np.concatenate(kept, axis=1) if kept else np.zeros((BANDS, 0), np.int8)
    yield Onsets(start, rows, silent / max(1, rows.shape[1]))


def _band_matrix() -> npt.NDArray[np.float32]:
    """Return which spectrum bin belongs to which band, bands equally wide in pitch, shape ``(BANDS, bins)``."""
    edges = np.geomspace(_LOW_HZ, _HIGH_HZ, BANDS + 1)
    hertz = np.fft.rfftfreq(_WIDTH, 1 / _SAMPLE_RATE)
    masks = [(hertz >= low) & (hertz < high) for low, high in pairwise(edges)]
    return np.asarray(masks, np.float32)


def _rises(powers: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """Return how much each band gets louder around each row, against its own mean and deviation over 10 s."""
    floor = _FLOOR_SHARE * np.quantile(powers, 0.2, axis=1, keepdims=True) + _SILENCE
    levels = 10 * np.log10(powers + floor)
    padded = np.pad(levels, ((0, 0), (2 * _SLOPE_ROWS, 2 * _SLOPE_ROWS)), mode="edge")
    count = levels.shape[1]
    rise = np.zeros_like(levels)
    for step in range(1, _SLOPE_ROWS + 1):
        middle = 2 * _SLOPE_ROWS
        rise += padded[:, middle + step : middle + step + count] - padded[:, middle - step : middle - step + count]
    rise = np.maximum(rise, 0)
    rise -= _running_mean(rise)
    rise /= np.sqrt(_running_mean(np.square(rise))) + 1.0  # 1 dB: what never rises stays small
    return np.asarray(np.clip(np.round(rise * SCALE), -127, 127), np.int8)


def _running_mean(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the mean over the :data:`_MARGIN` rows on either side, shape as ``values``; shorter at the ends."""
    count = values.shape[1]
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    begin = np.maximum(np.arange(count) - _MARGIN, 0)
    end = np.minimum(np.arange(count) + _MARGIN + 1, count)
    return np.asarray((sums[:, end] - sums[:, begin]) / (end - begin), np.float32)

"""Where a short part of one recording is heard in another, over any distance of hours.

Each part's onsets are correlated with the whole of the longer recording by overlapping Fourier transforms: about 10 ms
of work per part and hour. What two recordings of one event share stands out by 15 to 50 standard deviations, even in
loud noise; what they share by chance never by more than about nine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from engine.sync.onsets import ROW_RATE, SCALE, Onsets

Floats = npt.NDArray[np.float64]

LONGEST_PART = 20.0
"""Seconds of a part; a tenth of shorter recordings, so that there are enough parts to tell a speed from."""

SURE = 9.0
"""Standard deviations from which a part is found beyond doubt."""
POSSIBLE = 5.5
"""Standard deviations from which parts that agree with each other count."""

_SIZE = 1 << 15
_BLOCKS_AT_ONCE = 64  # their spectra take 84 MB, whatever the length of the recording
_SPARSE = 200  # places tried first; the others only where these tell nothing
_LONGEST_ROWS = round(LONGEST_PART * ROW_RATE)
_SHORTEST_ROWS = 6 * ROW_RATE
_LEAST_ROWS = 2 * ROW_RATE

SPEEDS: tuple[float, ...] = (25 / 24, 24 / 25, 25 * 1001 / 24_000, 24_000 / 25_025, 48 / 44.1, 44.1 / 48)
"""Lengths of the second recording over the first, for usual mistakes too large to be found without knowing them."""


@dataclass(frozen=True, slots=True)
class Coincidence:
    """A part that was found.

    Attributes:
        here: middle of the part in the first recording, seconds on its clock.
        there: the same moment in the second recording, seconds on its clock.
        strength: height of the peak in standard deviations of all lags.
        seconds: length of the part.
    """

    here: float
    there: float
    strength: float
    seconds: float

    @property
    def lateness(self) -> float:
        """How late the second recording has it, in seconds."""
        return self.there - self.here


@dataclass(frozen=True, slots=True)
class _Peak:
    row: float
    height: float
    total: float
    squares: float
    count: int


def find_coincidences(first: Onsets, second: Onsets, speed: float = 1.0) -> Iterator[float | list[Coincidence]]:
    """Find parts of the shorter recording in the longer one.

    Args:
        first: onsets of the first recording.
        second: onsets of the second.
        speed: length of the second over the length of the first, for the same event.

    Yields:
        Share of the work done, now and then; last of all the coincidences at least :data:`POSSIBLE` strong, by time.
    """
    swap = second.seconds < first.seconds
    short, long = (second, first) if swap else (first, second)
    stretch = 1 / speed if swap else speed
    length = int(np.clip(short.rows.shape[1] // 10, _SHORTEST_ROWS, _LONGEST_ROWS))
    count = max(1, short.rows.shape[1] // length)
    starts = np.linspace(0, max(0, short.rows.shape[1] - length), count).astype(np.intp)
    sparse = starts[:: -(-count // _SPARSE)]
    found: list[Coincidence] = []
    for chosen in (sparse, np.setdiff1d(starts, sparse)):
        if not len(chosen):
            break
        parts = [short.rows[:, start : start + length] for start in chosen]
        centres = [start + part.shape[1] / 2 for start, part in zip(chosen, parts, strict=True)]
        places: list[tuple[float, float] | None] = []
        for step in _search(parts, long.rows, stretch):
            if isinstance(step, float):
                yield step
            else:
                places = step
        for centre, part, place in zip(centres, parts, places, strict=False):
            if place is None or place[1] < POSSIBLE:
                continue
            short_time = float(short.start) + centre / ROW_RATE
            long_time = float(long.start) + place[0] / ROW_RATE
            here, there = (long_time, short_time) if swap else (short_time, long_time)
            found.append(Coincidence(here, there, place[1], part.shape[1] / ROW_RATE))
        # Few parts of two long recordings may overlap: the rest is looked at when the sparse ones say too little.
        if sum(coincidence.strength >= SURE for coincidence in found) >= 3:
            break
    yield sorted(found, key=lambda coincidence: coincidence.here)


def _search(
    parts: Sequence[npt.NDArray[np.int8]], long: npt.NDArray[np.int8], stretch: float
) -> Iterator[float | list[tuple[float, float] | None]]:
    """Yield shares done, then for each part the row of the long recording at its middle, and the peak's strength."""
    best: list[_Peak | None] = [None] * len(parts)
    longest = max(part.shape[1] for part in parts)
    hop = _SIZE - round(longest * stretch) - 1
    # A lag is where the part's first row falls; it may lie before the long recording's first row.
    begins = range(-longest, max(1, long.shape[1]), hop)
    done = 0
    for group in range(0, len(begins), _BLOCKS_AT_ONCE):
        blocks = [_spectrum(_cut(long, begin, _SIZE)) for begin in begins[group : group + _BLOCKS_AT_ONCE]]
        energies = [_energy(_cut(long, begin, _SIZE)) for begin in begins[group : group + _BLOCKS_AT_ONCE]]
        for index, part in enumerate(parts):
            done += 1
            if part.shape[1] < _LEAST_ROWS:
                continue
            query = _stretched(part, stretch)
            query -= query.mean(axis=1, keepdims=True)
            length = query.shape[1]
            own = float(np.square(query).sum())
            if own <= 0:
                continue
            spectrum = scipy.fft.rfft(query, _SIZE, axis=1).conj()
            for begin, block, energy in zip(begins[group : group + _BLOCKS_AT_ONCE], blocks, energies, strict=False):
                raw = scipy.fft.irfft((spectrum * block).sum(axis=0), _SIZE)[:hop]
                met = energy[length : length + hop] - energy[:hop]
                # Where the long recording is silent a small coincidence must not look like a large one.
                typical = own * 0.25
                likeness = raw / np.sqrt(own * np.maximum(met, typical))
                usable = met >= typical
                peak = int(np.argmax(likeness))
                best[index] = _better(
                    best[index],
                    _Peak(
                        begin + peak + _nudge(likeness, peak) + length / 2,
                        float(likeness[peak]),
                        float(likeness[usable].sum()),
                        float(np.square(likeness[usable]).sum()),
                        int(usable.sum()),
                    ),
                )
            if index % 8 == 0:
                yield done / (len(parts) * -(-len(begins) // _BLOCKS_AT_ONCE))
    yield [_place(peak) for peak in best]


def _better(old: _Peak | None, new: _Peak) -> _Peak:
    """Keep the higher peak and the sums over both stretches of lags."""
    if old is None:
        return new
    high = new if new.height > old.height else old
    return _Peak(high.row, high.height, old.total + new.total, old.squares + new.squares, old.count + new.count)


def _place(peak: _Peak | None) -> tuple[float, float] | None:
    if peak is None or peak.count < ROW_RATE:
        return None
    mean = peak.total / peak.count
    deviation = np.sqrt(max(peak.squares / peak.count - mean**2, 1e-12))
    return peak.row, float((peak.height - mean) / deviation)


def _cut(rows: npt.NDArray[np.int8], begin: int, length: int) -> npt.NDArray[np.float32]:
    """Return rows ``begin`` to ``begin + length`` in deviations, zeros outside, shape ``(bands, length)``."""
    out = np.zeros((rows.shape[0], length), np.float32)
    first, last = max(0, begin), min(rows.shape[1], begin + length)
    if last > first:
        out[:, first - begin : last - begin] = rows[:, first:last] / np.float32(SCALE)
    return out


def _spectrum(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.complex64]:
    return np.asarray(scipy.fft.rfft(rows, axis=1), np.complex64)


def _energy(rows: npt.NDArray[np.float32]) -> Floats:
    """Return the running total of the squares over all bands, shape ``(length + 1,)``."""
    return np.concatenate([[0.0], np.cumsum(np.square(rows).sum(axis=0), dtype=np.float64)])


def _stretched(rows: npt.NDArray[np.int8], stretch: float) -> npt.NDArray[np.float32]:
    """Return the rows in deviations, made ``stretch`` times as long."""
    values = rows / np.float32(SCALE)
    if stretch == 1:
        return values
    count = round(values.shape[1] * stretch)
    at = np.arange(count) / stretch
    grid = np.arange(values.shape[1])
    return np.stack([np.interp(at, grid, band) for band in values]).astype(np.float32)


def _nudge(values: npt.NDArray[np.float32], peak: int) -> float:
    """Return where a parabola through a peak and its neighbours is highest, in rows from the peak."""
    if not 0 < peak < len(values) - 1:
        return 0.0
    before, top, after = (float(value) for value in values[peak - 1 : peak + 2])
    bend = before - 2 * top + after
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))


def on_one_path(found: Sequence[Coincidence], speed: float = 1.0) -> list[Coincidence]:
    """Keep the coincidences that one recording's time can run through, the strongest such path.

    A recorder may stop, drop a piece or run fast, but never goes back: later in one recording is later in the other.
    A part counts when it is :data:`SURE`, or when others lie on the same line within clock drift.
    """
    trusted = [one for one in found if one.strength >= SURE or _support(one, found, speed) >= 2 * SURE]
    if not trusted:
        return []
    ordered = sorted(trusted, key=lambda one: one.here)
    score = np.array([one.strength for one in ordered])
    before = np.full(len(ordered), -1)
    for index, one in enumerate(ordered):
        behind = [other for other in range(index) if ordered[other].there < one.there]
        if behind:
            best = max(behind, key=lambda other: float(score[other]))
            score[index] += score[best]
            before[index] = best
    path = []
    at = int(np.argmax(score))
    while at >= 0:
        path.append(ordered[at])
        at = int(before[at])
    return path[::-1]


def _support(one: Coincidence, found: Sequence[Coincidence], speed: float) -> float:
    """Return how strongly others agree with a coincidence, beyond what chance gives."""
    return sum(
        max(0.0, other.strength - 4.0)
        for other in found
        if abs(other.there - one.there - speed * (other.here - one.here)) <= 0.03 + 1e-3 * abs(other.here - one.here)
    )

"""Put decoded pieces of sound into one unbroken line of samples by their timestamps."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

SURVEYED_PIECES = 64
"""Pieces from whose rounded timestamps the beginning is worked out."""
_TOLERANCE = 0.002
"""Seconds by which timestamps may stray from counted samples before they are believed."""
_LOOK_AHEAD = 4
"""Pieces that must agree on a gap or an overlap, so that one stray timestamp changes nothing."""
_SUDDEN_SAMPLES = 16
"""Least step between neighbouring pieces that can be a gap; parsers of transport streams add up some rounding."""
_LONGEST_STEP_BACK = 1.0
"""Seconds: a larger step back in time is a new recording joined on, not an overlap."""
_LONGEST_GAP = 3600.0
"""Seconds: a longer silence is a damaged timestamp."""
_CHUNK_SECONDS = 0.25
"""How much sound is joined to one piece."""
_TOO_MANY_PLANES = 8
"""Planes of a frame from which on PyAV reads too many."""
_FULL_SCALE = {"u8": 2**7, "s16": 2**15, "s32": 2**31}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of sound.

    Attributes:
        index: position of its first sample, counted in samples of ``rate`` from the stream's first one.
        rate: samples per second.
        data: shape ``(n, channels)``, float32, full scale 1.
        layout: channel names such as ``("FL", "FR")``.
    """

    index: int
    rate: int
    data: npt.NDArray[np.float32]
    layout: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """One decoded frame.

    Attributes:
        ticks: its timestamp; ``None`` is directly after the one before.
        frame: the samples.
        rate: samples per second.
        count: number of samples.
    """

    ticks: int | None
    frame: AudioFrame
    rate: int
    count: int

    @classmethod
    def of(cls, frame: AudioFrame) -> Piece:
        """Return a frame with its position."""
        return cls(frame.pts, frame, frame.sample_rate or 1, frame.samples)


@dataclass(frozen=True, slots=True)
class Clock:
    """How a stream's timestamps become sample positions.

    Attributes:
        time_base: seconds per tick.
        origin: when the first sample sounds, in seconds.
        rate: samples per second at the beginning.
        grid: ``(phase, length)`` of the frames in samples, ``None`` if their length varies.
        longest: seconds from the origin beyond which a timestamp is taken for damage.
        is_counted: whether timestamps are only counted packets, so that they add nothing to counting samples.
    """

    time_base: Fraction
    origin: Fraction
    rate: int
    grid: tuple[int, int] | None
    longest: float
    is_counted: bool

    @property
    def is_coarse(self) -> bool:
        """Whether a tick is longer than a sample."""
        return self.time_base * self.rate > 1

    def position(self, piece: Piece) -> float | None:
        """Return where its timestamp puts a piece, in samples of its own rate from the origin."""
        if piece.ticks is None:
            return None
        return float((piece.ticks - self.origin / self.time_base) * (self.time_base * piece.rate))

    def sample(self, position: float) -> int:
        """Return a whole sample, on the grid of frames if a coarse timestamp is as near to that as it can be."""
        if self.grid is not None and self.is_coarse:
            phase, length = self.grid
            snapped = phase + length * round((position - phase) / length)
            if abs(snapped - position) <= self.slack(self.rate):
                return snapped
        return round(position)

    def slack(self, rate: int) -> float:
        """Return how far rounding can take a timestamp from the truth, in samples."""
        return 1.5 * float(self.time_base * rate) if self.is_coarse else 1.0


def refined_start(pieces: list[Piece], time_base: Fraction) -> Fraction:
    """Return the time of the first sample from rounded timestamps of pieces that follow each other.

    Piece ``i`` after ``n_i`` samples has the timestamp ``round((start + n_i / rate) / tick)``, which confines
    ``start`` to an interval one tick long; where most of these intervals overlap it is. A first timestamp that lies
    there, or half a tick later (which is where it lies if the muxer rounded down), is taken as it stands; otherwise
    the middle is. With ticks no coarser than samples the first timestamp is the answer.
    """
    first = pieces[0]
    reading = (first.ticks or 0) * time_base
    if time_base * first.rate <= 1:
        return reading
    edges: list[tuple[Fraction, int]] = []
    count = 0
    for piece in pieces:
        if piece.rate != first.rate:
            break
        if piece.ticks is not None:
            at = piece.ticks * time_base - Fraction(count, first.rate)
            edges += [(at - time_base / 2, -1), (at + time_base / 2, 1)]
        count += piece.count
    low, high = _densest(edges) if edges else (reading, reading)
    if low <= reading <= high or low <= reading - time_base / 2 <= high:
        return reading
    return (low + high) / 2


def _densest(edges: list[tuple[Fraction, int]]) -> tuple[Fraction, Fraction]:
    """Return where most intervals overlap, from their edges: ``(where, -1)`` opens one, ``(where, 1)`` closes one."""
    ordered = sorted(edges)
    depth = deepest = at = 0
    for index, (_, kind) in enumerate(ordered):
        depth -= kind
        if depth > deepest:
            deepest, at = depth, index
    return ordered[at][0], ordered[at + 1][0]


def place(pieces: Iterable[Piece], clock: Clock, expected: int | None) -> Iterator[Chunk]:
    """Yield contiguous chunks.

    Gaps are filled with silence, overlaps trimmed, jumps back in time joined without a gap. A gap or an overlap counts
    only when several pieces in a row agree on it: recorders of live streams write times that jitter.

    Args:
        pieces: decoded pieces, in order.
        clock: how their timestamps are read.
        expected: index of the first sample, ``None`` to read it off.
    """
    gatherer = _Gatherer()
    rate = clock.rate
    # A Fraction per piece would cost more than decoding it: these are the same numbers as floats.
    first_tick = float(clock.origin / clock.time_base)
    scale = float(clock.time_base * rate)
    tolerance = max(_TOLERANCE * rate, 2 * clock.slack(rate))
    jump = before = 0.0
    drop = 0
    for piece, following in _with_following(pieces):
        if piece.rate != rate:
            if expected is not None:
                expected = round(expected * Fraction(piece.rate, rate))
            jump *= piece.rate / rate
            rate = piece.rate
            scale = float(clock.time_base * rate)
            tolerance = max(_TOLERANCE * rate, 2 * clock.slack(rate))
        if expected is None:
            expected = max(clock.sample(clock.position(piece) or 0.0), -piece.count)
        elif piece.ticks is not None and not clock.is_counted:
            stray = (piece.ticks - first_tick) * scale + jump - expected
            is_sudden = abs(stray - before) > _SUDDEN_SAMPLES and not clock.is_coarse
            before = stray
            if is_sudden or abs(stray) > tolerance:
                strays = _strays(piece, following, clock, expected - jump)
                shift = _agreed(strays, 1.0 if is_sudden and _are_equal(strays) else tolerance)
                before -= shift
                is_jump = shift < -_LONGEST_STEP_BACK * rate or shift > _LONGEST_GAP * rate
                if is_jump or expected + shift > clock.longest * rate:
                    jump -= shift
                elif shift > 0:
                    until = clock.sample(expected + shift)
                    yield from gatherer.flush()
                    yield from _silence(expected, until, piece)
                    expected = until
                elif shift < 0:
                    drop -= round(shift)
                    expected += round(shift)
        lost = min(drop, piece.count)
        drop -= lost
        expected += lost
        if lost < piece.count:
            yield from gatherer.add(expected, piece, lost)
            expected += piece.count - lost
    yield from gatherer.flush()


def _strays(piece: Piece, following: Iterable[Piece], clock: Clock, expected: float) -> list[float]:
    """Return how far the timestamps of successive pieces are after the places that counting gives them."""
    strays = []
    for one in (piece, *following):
        position = clock.position(one)
        if one.rate != piece.rate or position is None:
            break
        strays.append(position - expected)
        expected += one.count
    return strays


def _agreed(strays: list[float], tolerance: float) -> float:
    """Return the shift that all agree on, 0 when some are within tolerance or they contradict each other."""
    if min(map(abs, strays)) <= tolerance or min(strays) < 0 < max(strays):
        return 0.0
    return strays[0] if _are_equal(strays) else statistics.median(strays)


def _are_equal(strays: list[float]) -> bool:
    return max(strays) - min(strays) <= 1


def _with_following(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, deque[Piece]]]:
    """Yield each piece with those after it (fewer at the end)."""
    ahead: deque[Piece] = deque()
    for piece in pieces:
        if piece.count:
            ahead.append(piece)
            if len(ahead) == _LOOK_AHEAD:
                yield ahead.popleft(), ahead
    while ahead:
        yield ahead.popleft(), ahead


def _silence(begin: int, end: int, like: Piece) -> Iterator[Chunk]:
    layout = _layout(like.frame)
    for index in range(begin, end, like.rate):
        length = min(like.rate, end - index)
        yield Chunk(index, like.rate, np.zeros((length, len(layout)), np.float32), layout)


@dataclass(slots=True)
class _Gatherer:
    """Joins the pieces of a quarter of a second, so that what follows runs once per chunk and not once per piece."""

    index: int = 0
    rate: int = 0
    kind: tuple[str, str] = ("", "")
    count: int = 0
    arrays: list[npt.NDArray[np.generic]] = field(default_factory=list)
    frame: AudioFrame | None = None
    packer: AudioResampler | None = None

    def add(self, index: int, piece: Piece, skipped: int) -> Iterator[Chunk]:
        """Take in the samples of a piece after the first ``skipped``."""
        kind = (piece.frame.format.name, piece.frame.layout.name)
        if (piece.rate, kind) != (self.rate, self.kind):
            yield from self.flush()
            self.packer = None
        frame = self._readable(piece.frame)
        if not self.count:
            self.index, self.rate, self.kind, self.frame = index, piece.rate, kind, frame
        array = frame.to_ndarray()
        if skipped:
            step = 1 if frame.format.is_planar else frame.layout.nb_channels
            array = array[:, skipped * step :]
        self.arrays.append(array)
        self.count += piece.count - skipped
        if self.count >= _CHUNK_SECONDS * self.rate:
            yield from self.flush()

    def _readable(self, frame: AudioFrame) -> AudioFrame:
        """Return a frame that PyAV can read: of eight planes or more it reads too many, of 64-bit integers none."""
        packed_format = frame.format.packed.name
        is_many = frame.format.is_planar and frame.layout.nb_channels >= _TOO_MANY_PLANES
        if not is_many and packed_format != "s64":
            return frame
        if self.packer is None:
            self.packer = AudioResampler(format="dbl" if packed_format == "s64" else packed_format)
        (packed,) = self.packer.resample(frame)
        return packed

    def flush(self) -> Iterator[Chunk]:
        """Yield what was gathered, if anything."""
        if self.frame is not None and self.count:
            data = _floats(np.concatenate(self.arrays, axis=1), self.frame)
            yield Chunk(self.index, self.rate, data, _layout(self.frame))
        self.arrays = []
        self.count = 0


def _floats(array: npt.NDArray[np.generic], frame: AudioFrame) -> npt.NDArray[np.float32]:
    """Return samples as libav arranges them, planes or interleaved, as ``(n, channels)`` with full scale 1."""
    shaped = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    kind = frame.format.name.removesuffix("p")
    values = shaped.astype(np.float32, copy=False)
    if kind == "u8":
        values = values - np.float32(128)
    return values if kind not in _FULL_SCALE else values * np.float32(1 / _FULL_SCALE[kind])


def _layout(frame: AudioFrame) -> tuple[str, ...]:
    return tuple(channel.name for channel in frame.layout.channels)

"""The decoded sound of one stream as one unbroken line of samples, from any time on.

Encoder delay is removed once, by libav, from what the file says about it (edit list, CodecDelay, OpusHead, LAME tag).
What no file says cannot be removed: AAC in a transport stream or in AVI carries no delay, and MP3 without a LAME tag
none either; there the samples stand where the container puts them.

Containers that round times to milliseconds (Matroska, FLV) do not say to the sample where the sound begins. Every
packet repeats that time plus a known number of samples, rounded differently, so the beginning is taken from the
interval that agrees with all of the first packets; and since packets hold whole frames, a position found after a seek
is rounded to the frame grid. That is exact where the rounding varies, and otherwise right to half a millisecond.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from types import TracebackType
from typing import Self

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from engine.media.decoding import decode, packets, pick_audio, read_only
from engine.media.opening import MediaPath, open_media
from engine.refusal import Refused

_COUNTED_FORMATS = {"mp3", "aac", "loas", "ac3", "eac3", "dts", "truehd", "mlp", "amr", "amrnb", "amrwb"}
"""Streams without timestamps: a seek would guess them, so packets are counted from the beginning instead."""

SURVEYED_FRAMES = 64
"""Frames from whose rounded timestamps the beginning is worked out."""
_WARM_UP = Fraction(1, 2)
"""Seconds decoded before a seek target: Opus needs 80 ms, MP3 its bit reservoir, AAC a frame, SBR and PS some more."""
_SETTLED = Fraction(1, 8)
"""Least warm-up that is accepted when a demuxer lands late."""
_TOLERANCE = 0.002
"""Seconds by which timestamps may stray from counted samples before they are believed."""
_LOOK_AHEAD = 4
"""Frames that must agree on a gap or an overlap, so that one stray timestamp changes nothing."""
_LONGEST_STEP_BACK = 1.0
_LONGEST_UNKNOWN_GAP = 3600.0
_CHUNK_SECONDS = 0.25


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


class SoundSource:
    """The sound of one stream; a context manager. Iterate :meth:`chunks` once.

    Attributes:
        origin: when the first sample sounds, in seconds on the file's clock.
        rate: samples per second at the beginning.
        channels: number of channels at the beginning.

    Raises:
        Refused: as :func:`~engine.media.opening.open_media`, or ``media.no_sound``, ``media.unknown_codec``,
            ``media.undecodable``.
    """

    def __init__(self, path: MediaPath, index: int | None) -> None:
        self._path = path
        self._open(index)
        try:
            self._survey()
        except Refused:
            self.close()
            raise

    def _open(self, index: int | None) -> None:
        self._container = open_media(self._path)
        try:
            self._stream = pick_audio(self._container, index, self._path)
        except Refused:
            self._container.close()
            raise
        read_only(self._container, self._stream)
        self._time_base = self._stream.time_base or Fraction(1, 90_000)
        self._is_counted = self._container.format.name in _COUNTED_FORMATS
        duration = self._container.duration
        self._longest = duration / 1e6 + 60 if duration and duration > 0 else _LONGEST_UNKNOWN_GAP

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def chunks(self, start: int = 0) -> Iterator[Chunk]:
        """Yield contiguous chunks from sample ``start`` (counted at :attr:`rate`) to the end.

        Gaps between timestamps are filled with silence and overlaps trimmed. When the sample rate changes in
        mid-stream, the following chunks count in the new rate.
        """
        yield from _gathered(self._from_index(max(0, start)), max(0, start))

    def _survey(self) -> None:
        """Find when the first sample sounds, how many samples a frame holds and where the grid of frames lies."""
        decoded = self._pieces()
        first = next(decoded, None)
        if first is None:
            raise Refused.because("media.undecodable", path=self._path)
        self.rate = first.rate
        self.channels = first.frame.layout.nb_channels
        self._coarse = self._time_base * first.rate > 1
        ahead = list(islice(decoded, SURVEYED_FRAMES - 1)) if self._coarse else []
        self._surveyed = [first, *ahead]
        self._rest = decoded
        self.origin = refined_start(self._surveyed, self._time_base)
        counts = {piece.count for piece in ahead[:-1]}
        self._grid = (first.count, counts.pop()) if len(counts) == 1 else None

    def _from_index(self, start: int) -> Iterator[Chunk]:
        if start == 0:
            return self._placed(chain(self._surveyed, self._rest), 0)
        self._surveyed = []
        wanted = Fraction(start, self.rate)
        if not self._is_counted:
            for back in (0, 1, 3, 8, 20):
                run = self._sought(wanted - _WARM_UP - back)
                first = next(run, None)
                if first is not None and self._lands_before(first, wanted):
                    return self._placed(chain([first], run), None)
        index = self._stream.index
        self.close()
        self._open(index)
        return self._placed(self._pieces(self.origin + wanted - _WARM_UP), None)

    def _lands_before(self, piece: Piece, wanted: Fraction) -> bool:
        at = self._position(piece)
        return at is not None and at <= max(Fraction(0), wanted - _SETTLED) * self.rate

    def _sought(self, since_origin: Fraction) -> Iterator[Piece]:
        """Seek to a time counted from the origin and decode from there."""
        seconds = self.origin + since_origin
        try:
            if self._container.format.name.startswith("mov") or not self._container.streams.video:
                self._container.seek(math.floor(seconds / self._time_base), stream=self._stream)
            else:
                # Only the picture's key frames are indexed in most Matroska files.
                self._container.seek(math.floor(seconds * 1_000_000))
        except av.error.FFmpegError:
            return iter(())
        return self._pieces()

    def _pieces(self, skip_until: Fraction | None = None) -> Iterator[Piece]:
        """Decode from where the demuxer is; packets before ``skip_until`` (file clock) are passed over."""
        threshold = -math.inf if skip_until is None else math.floor(skip_until / self._time_base)
        for packet in packets(self._container, self._path, self._stream):
            if packet.pts is not None and packet.pts < threshold:
                continue
            yield from map(piece_of, decode(self._stream, packet))  # type: ignore[arg-type]
        yield from map(piece_of, decode(self._stream, None))  # type: ignore[arg-type]

    def _position(self, piece: Piece) -> float | None:
        """Return where the timestamp puts a piece, in its own samples from the origin."""
        if piece.ticks is None:
            return None
        return float((piece.ticks * self._time_base - self.origin) * piece.rate)

    def _on_grid(self, position: float, slack: float) -> int:
        """Return a whole sample, on the grid of frames if a coarse timestamp is as near to that as it can be."""
        if self._grid is not None:
            phase, length = self._grid
            snapped = phase + length * round((position - phase) / length)
            if abs(snapped - position) <= slack:
                return snapped
        return round(position)

    def _placed(self, decoded: Iterable[Piece], expected: int | None) -> Iterator[Chunk]:
        """Turn pieces into contiguous chunks; ``expected`` is the index of the first, ``None`` to read it off."""
        rate = self.rate
        jump = 0.0
        drop = 0
        for window in _windows(decoded, _LOOK_AHEAD):
            piece = window[0]
            if piece.rate != rate and expected is not None:
                expected = round(expected * Fraction(piece.rate, rate))
            rate = piece.rate
            slack = 1.5 * float(self._time_base * rate) if self._coarse else 1.0
            if expected is None:
                expected = max(self._on_grid(self._position(piece) or 0.0, slack), -piece.count)
            else:
                strays = [] if self._is_counted else self._strays(window, expected, jump * rate)
                shift = _agreed(strays, max(_TOLERANCE * rate, 2 * slack))
                if shift < -_LONGEST_STEP_BACK * rate or expected + shift > self._longest * rate:
                    jump -= shift / rate
                elif shift > 0:
                    shift = self._on_grid(expected + shift, slack) - expected if self._coarse else round(shift)
                    yield from _silence(expected, shift, piece)
                    expected += shift
                elif shift < 0:
                    drop += -round(shift)
                    expected += round(shift)
            data = _floats(piece.frame)
            if drop:
                lost = min(drop, len(data))
                data = data[lost:]
                drop -= lost
                expected += lost
            if len(data):
                yield Chunk(expected, rate, data, _names(piece.frame))
                expected += len(data)

    def _strays(self, window: list[Piece], expected: int, jump: float) -> list[float]:
        """Return how far the timestamp of each piece of a window is after the place that counting gives it."""
        strays = []
        count = expected
        for piece in window:
            if piece.rate != window[0].rate:
                break
            position = self._position(piece)
            if position is not None:
                strays.append(position + jump - count)
            elif not strays:
                break
            count += piece.count
        return strays


def piece_of(frame: AudioFrame) -> Piece:
    """Return a frame with its position."""
    return Piece(frame.pts, frame, frame.sample_rate or 1, frame.samples)


def refined_start(pieces: list[Piece], time_base: Fraction) -> Fraction:
    """Return the time of the first sample from rounded timestamps of pieces that follow each other.

    Piece ``i`` after ``n_i`` samples has the timestamp ``round((start + n_i / rate) / tick)``, which confines
    ``start`` to an interval one tick long; the intervals are intersected for as long as they agree. With ticks no
    coarser than samples the first timestamp is the answer.
    """
    first = pieces[0]
    reading = (first.ticks or 0) * time_base
    if time_base * first.rate <= 1:
        return reading
    low, high = reading - time_base / 2, reading + time_base / 2
    count = 0
    for piece in pieces:
        if piece.ticks is not None and piece.rate == first.rate:
            at = piece.ticks * time_base - Fraction(count, first.rate)
            narrower = max(low, at - time_base / 2), min(high, at + time_base / 2)
            if narrower[0] > narrower[1]:
                break
            low, high = narrower
        count += piece.count
    return reading if low <= reading <= high else (low + high) / 2


def _agreed(strays: list[float], tolerance: float) -> float:
    """Return the shift that all strays of a window agree on, 0 when they are within tolerance or contradict."""
    if not strays or min(map(abs, strays)) <= tolerance or min(strays) < 0 < max(strays):
        return 0.0
    return strays[0] if max(strays) - min(strays) <= 1 else statistics.median(strays)


def _windows(pieces: Iterable[Piece], length: int) -> Iterator[list[Piece]]:
    """Yield, for each piece, the list of it and the ``length - 1`` after it (fewer at the end)."""
    window: deque[Piece] = deque()
    for piece in pieces:
        if not piece.count:
            continue
        window.append(piece)
        if len(window) == length:
            yield list(window)
            window.popleft()
    while window:
        yield list(window)
        window.popleft()


def _silence(index: int, count: int, like: Piece) -> Iterator[Chunk]:
    channels = like.frame.layout.nb_channels
    for begin in range(0, count, like.rate):
        length = min(like.rate, count - begin)
        yield Chunk(index + begin, like.rate, np.zeros((length, channels), np.float32), _names(like.frame))


def _gathered(chunks: Iterator[Chunk], start: int) -> Iterator[Chunk]:
    """Drop what lies before ``start`` and join small chunks of the same kind."""
    held: list[Chunk] = []
    size = 0
    for whole in chunks:
        chunk = whole
        if whole.index < start:
            if whole.index + len(whole.data) <= start:
                continue
            chunk = Chunk(start, whole.rate, whole.data[start - whole.index :], whole.layout)
        if held and (held[0].rate != chunk.rate or held[0].layout != chunk.layout):
            yield _joined(held)
            held, size = [], 0
        held.append(chunk)
        size += len(chunk.data)
        if size >= _CHUNK_SECONDS * chunk.rate:
            yield _joined(held)
            held, size = [], 0
    if held:
        yield _joined(held)


def _joined(chunks: list[Chunk]) -> Chunk:
    first = chunks[0]
    return Chunk(first.index, first.rate, np.concatenate([chunk.data for chunk in chunks]), first.layout)


_SCALES = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0}


def _floats(frame: AudioFrame) -> npt.NDArray[np.float32]:
    """Return the samples of a frame, shape ``(n, channels)``, full scale 1."""
    kind = frame.format.name.removesuffix("p")
    array = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    if kind == "u8":
        return (array.astype(np.float32) - 128) / np.float32(128)
    scale = _SCALES.get(kind)
    return array.astype(np.float32, copy=False) if scale is None else (array / scale).astype(np.float32)


def _names(frame: AudioFrame) -> tuple[str, ...]:
    return tuple(channel.name for channel in frame.layout.channels)

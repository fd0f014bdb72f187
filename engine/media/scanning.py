"""What the packets of a stream tell about it, and its first frames, taken in one by one in bounded memory."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.media.decoding import decode, packets
from engine.media.opening import MediaPath
from engine.media.placing import SURVEYED_PIECES, Piece, refined_start
from engine.timing import snap_rate

_SAMPLE_SECONDS = 4
_MOST_SAMPLED_PACKETS = 4000
_MOST_TRIED_PACKETS = 100
"""Packets of a stream that are decoded in search of its first frame."""
_REORDERED = 32
"""Frames by which decoding order can differ from presentation order (16 in H.264 and HEVC) with room to spare."""
_LONG_GAP = Fraction(1, 2)
"""Seconds from which a frame that is 8 times longer than any before it is an interruption, not a slow picture."""
_SOUND_GAP = Fraction(1, 200)
_MOST_GAPS = 200

Ticks = tuple[int, int]


class FrameTimes:
    """Presentation times of the frames of a stream, put in order as they come.

    Attributes:
        first: earliest tick, ``None`` before any.
        last: latest tick.
        count: frames so far.
        shortest: least distance of neighbours in ticks, gaps left out.
        longest: greatest distance of neighbours in ticks, gaps left out.
        gaps: ``(from, to)`` in ticks.
    """

    def __init__(self, time_base: Fraction) -> None:
        self.time_base = time_base
        self.first: int | None = None
        self.last: int | None = None
        self.count = 0
        self.shortest: int | None = None
        self.longest = 0
        self.gaps: list[Ticks] = []
        self._gap_ticks = math.ceil(_LONG_GAP / time_base)
        self._waiting: list[int] = []

    def add(self, tick: int) -> None:
        """Take in the time of one frame, in the order of decoding."""
        heapq.heappush(self._waiting, tick)
        if len(self._waiting) > _REORDERED:
            self._pass(heapq.heappop(self._waiting))

    def finish(self, *, complete: bool) -> None:
        """Take in the frames still waiting; in the middle of a stream some that belong between them are missing."""
        while self._waiting and complete:
            self._pass(heapq.heappop(self._waiting))

    def _pass(self, tick: int) -> None:
        if self.last is None:
            self.first = self.last = tick
            self.count = 1
            return
        distance = tick - self.last
        if distance <= 0:
            return
        self.count += 1
        if distance > self._gap_ticks and distance > 8 * max(1, self.longest):
            if len(self.gaps) < _MOST_GAPS:
                self.gaps.append((self.last + max(1, self.longest), tick))
        else:
            self.shortest = distance if self.shortest is None else min(self.shortest, distance)
            self.longest = max(self.longest, distance)
        self.last = tick

    @property
    def is_variable(self) -> bool:
        """Whether distances differ by more than rounding to ticks, or to milliseconds, explains.

        Matroska and FLV round to 1 ms whatever the true rate, so a difference of up to 1 ms between neighbouring
        frames, each of them rounded, is constant rate; a dropped or doubled frame is not.
        """
        if self.count < 3 or self.shortest is None:
            return False
        return self.longest - self.shortest > max(Fraction(2), Fraction(21, 10_000) / self.time_base)

    @property
    def mean_rate(self) -> Fraction | None:
        """Frames per second, gaps left out; ``None`` for fewer than two frames."""
        if self.first is None or self.last is None or self.count < 2:
            return None
        held = self.last - self.first - sum(stop - start for start, stop in self.gaps)
        return Fraction(self.count - 1) / (held * self.time_base) if held > 0 else None


class PictureScan:
    """A moving picture as its packets and its first frame show it.

    Attributes:
        stream: the stream.
        time_base: seconds per tick.
        times: presentation times.
        first: its first frame, ``None`` if none could be decoded.
        has_timestamps: whether packets say when they are shown.
    """

    def __init__(self, stream: VideoStream) -> None:
        self.stream = stream
        self.time_base = stream.time_base or Fraction(1, 90_000)
        self.times = FrameTimes(self.time_base)
        self.first: VideoFrame | None = None
        self.has_timestamps = False
        self._end = 0
        self._tried = 0

    @property
    def is_sampled(self) -> bool:
        """Whether enough was seen of this stream."""
        if self.times.first is None or self.times.last is None or self.first is None:
            return False
        return (self.times.last - self.times.first) * self.time_base >= _SAMPLE_SECONDS

    def take(self, packet: Packet[Any]) -> None:
        """Take in one packet."""
        pts = packet.pts
        if pts is not None and not packet.is_discard:
            self.has_timestamps = True
            self.times.add(pts)
            self._end = max(self._end, pts + (packet.duration or 0))
        if self.first is None and self._tried < _MOST_TRIED_PACKETS:
            self._tried += 1
            self._keep(decode(self.stream, packet))

    def finish(self, *, complete: bool) -> None:
        """Take in what the end of the file sets free."""
        self.times.finish(complete=complete)
        if complete and self.first is None:
            self._keep(decode(self.stream, None))

    def _keep(self, frames: Iterable[VideoFrame | AudioFrame]) -> None:
        self.first = next((frame for frame in frames if isinstance(frame, VideoFrame)), None)

    def end(self, rate: Fraction) -> Fraction | None:
        """Return when the last frame ends, in seconds."""
        if self.times.last is None:
            return None
        return (
            self._end * self.time_base if self._end > self.times.last else self.times.last * self.time_base + 1 / rate
        )

    def rate(self, *, complete: bool) -> tuple[Fraction, bool]:
        """Return the mean rate and whether frame durations differ."""
        times = self.times
        measured = times.mean_rate
        declared = self.stream.average_rate or self.stream.guessed_rate
        if measured is None or not self.has_timestamps:
            return snap_rate(declared) if declared else Fraction(1), False
        if not declared or (complete and times.is_variable):
            return snap_rate(measured), times.is_variable
        # An index that counts another number of frames per second over the whole file knows of others than these.
        if not complete and (times.is_variable or (self.stream.frames and abs(measured - declared) > declared / 100)):
            return snap_rate(declared), True
        # A few seconds of timestamps in milliseconds do not tell 29.97 from 30; the header then decides.
        span = (times.count - 1) / measured
        agrees = abs(measured - declared) * span <= measured * 2 * max(self.time_base, Fraction(1, 1000))
        return snap_rate(declared if agrees else measured), False


class SoundScan:
    """A sound as its packets and its first frames show it.

    Attributes:
        stream: the stream.
        time_base: seconds per tick.
        pieces: its first frames: one, or as many as it takes to work out its beginning from coarse ticks.
        gaps: ``(from, to)`` in ticks.
    """

    def __init__(self, stream: AudioStream) -> None:
        self.stream = stream
        self.time_base = stream.time_base or Fraction(1, 90_000)
        self.pieces: list[Piece] = []
        self.gaps: list[Ticks] = []
        self._slack = max(float(_SOUND_GAP / self.time_base), 2.0)
        self._first_tick: int | None = None
        self._end: float | None = None
        self._tried = 0
        self._coded_samples = 0
        self._frame_ticks = 0.0

    @property
    def is_sampled(self) -> bool:
        """Whether enough was seen of this stream."""
        if not self.pieces:
            return False
        return self.time_base * self.pieces[0].rate <= 1 or len(self.pieces) >= SURVEYED_PIECES

    @property
    def start(self) -> Fraction:
        """When the first sample sounds, in seconds."""
        return refined_start(self.pieces, self.time_base)

    @property
    def end(self) -> Fraction | None:
        """When the last packet ends, in seconds."""
        return None if self._end is None else round(self._end) * self.time_base

    @property
    def priming(self) -> int:
        """The samples coded before the first one that is heard."""
        first = self.pieces[0]
        if self._first_tick is None or first.ticks is None or first.ticks <= self._first_tick:
            return 0
        if self.time_base * first.rate <= 1:
            return round((first.ticks - self._first_tick) * self.time_base * first.rate)
        # Timestamps are coarser than samples, but packets hold whole frames.
        return max(0, self._coded_samples - first.count)

    def take(self, packet: Packet[Any]) -> None:
        """Take in one packet."""
        pts = packet.pts
        length = self._length(packet)
        if pts is not None:
            if self._end is None:
                self._first_tick, self._end = pts, pts
            elif pts - self._end > self._slack and len(self.gaps) < _MOST_GAPS:
                self.gaps.append((round(self._end), pts))
            self._end = max(self._end, pts + length)
        if self._tried < _MOST_TRIED_PACKETS and not self.is_sampled:
            self._tried += 1
            self._keep(decode(self.stream, packet))
            context = self.stream.codec_context
            if context.frame_size and context.sample_rate:
                self._frame_ticks = float(Fraction(context.frame_size, context.sample_rate) / self.time_base)
            if len(self.pieces) <= 1:
                self._coded_samples += context.frame_size or round(length * self.time_base * context.sample_rate)

    def _length(self, packet: Packet[Any]) -> float:
        """Return how many ticks a packet sounds; an MP4 stretches a packet's duration over the gap that follows."""
        declared = packet.duration or 0
        return self._frame_ticks if self._frame_ticks and declared >= self._frame_ticks - 1 else declared

    def finish(self, *, complete: bool) -> None:
        """Take in what the end of the file sets free."""
        if complete and not self.is_sampled:
            self._keep(decode(self.stream, None))

    def _keep(self, frames: Iterable[VideoFrame | AudioFrame]) -> None:
        self.pieces += [Piece.of(frame) for frame in frames if isinstance(frame, AudioFrame) and frame.samples]


def scan(container: InputContainer, path: MediaPath, scans: list[PictureScan | SoundScan], *, full: bool) -> bool:
    """Read packets until every stream is known well enough; return whether that was the whole file.

    Raises:
        Refused: as :func:`engine.media.decoding.packets`.
    """
    by_index = {one.stream.index: one for one in scans}
    complete = True
    for number, packet in enumerate(packets(container, path, *(one.stream for one in scans))):
        by_index[packet.stream_index].take(packet)
        if not full and (number >= _MOST_SAMPLED_PACKETS or all(one.is_sampled for one in scans)):
            complete = False
            break
    for one in scans:
        one.finish(complete=complete)
    return complete

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
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, islice
from types import TracebackType
from typing import Self

import av

from engine.media.decoding import decode, is_attached, packets, pick_audio, read_only
from engine.media.opening import MediaPath, open_media
from engine.media.placing import SURVEYED_PIECES, Chunk, Clock, Piece, place, refined_start
from engine.refusal import Refused

COUNTED_FORMATS = {"mp3", "aac", "loas", "ac3", "eac3", "dts", "truehd", "mlp", "amr", "amrnb", "amrwb"}
"""Streams without timestamps: a seek would guess them, so packets are counted from the beginning instead."""

_WARM_UP = Fraction(1, 2)
"""Seconds decoded before a seek target: Opus needs 80 ms, MP3 its bit reservoir, AAC a frame, SBR and PS some more."""
_SETTLED = Fraction(1, 8)
"""Least warm-up that is accepted when a demuxer lands late."""
_LONGEST = 48 * 3600.0
"""Seconds beyond which no timestamp is believed."""
_MARGIN = 60.0
"""Seconds beyond its declared end that a file may go on."""


class SoundSource:
    """The sound of one stream; a context manager. Iterate :meth:`chunks` once.

    Attributes:
        index: number of the stream in the file.
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
        self.index = self._stream.index
        read_only(self._container, self._stream)
        self._time_base = self._stream.time_base or Fraction(1, 90_000)
        self._is_counted = self._container.format.name in COUNTED_FORMATS

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
        for chunk in self._from_index(max(0, start)):
            late = start - chunk.index
            if late <= 0:
                yield chunk
            elif late < len(chunk.data):
                yield Chunk(start, chunk.rate, chunk.data[late:], chunk.layout)

    def _survey(self) -> None:
        """Find when the first sample sounds, how many samples a frame holds and where the grid of frames lies."""
        decoded = self._pieces()
        first = next(decoded, None)
        if first is None:
            raise Refused.because("media.undecodable", path=self._path)
        self.rate = first.rate
        self.channels = first.frame.layout.nb_channels
        ahead = list(islice(decoded, SURVEYED_PIECES - 1)) if self._time_base * first.rate > 1 else []
        self._surveyed = [first, *ahead]
        self._rest = decoded
        self.origin = refined_start(self._surveyed, self._time_base)
        counts = {piece.count for piece in ahead[:-1]}
        duration = self._container.duration
        self._clock = Clock(
            time_base=self._time_base,
            origin=self.origin,
            rate=self.rate,
            grid=(first.count, counts.pop()) if len(counts) == 1 else None,
            longest=min(duration / 1e6 + _MARGIN if duration and duration > 0 else math.inf, _LONGEST),
            is_counted=self._is_counted,
        )

    def _from_index(self, start: int) -> Iterator[Chunk]:
        if start == 0:
            return place(chain(self._surveyed, self._rest), self._clock, 0)
        self._surveyed = []
        wanted = Fraction(start, self.rate)
        if not self._is_counted:
            for back in (0, 1, 3, 8, 20):
                run = self._sought(wanted - _WARM_UP - back)
                first = next(run, None)
                if first is not None and self._lands_before(first, wanted):
                    return place(chain([first], run), self._clock, None)
        index = self._stream.index
        self.close()
        self._open(index)
        return place(self._pieces(self.origin + wanted - _WARM_UP), self._clock, None)

    def _lands_before(self, piece: Piece, wanted: Fraction) -> bool:
        at = self._clock.position(piece)
        return at is not None and at <= max(Fraction(0), wanted - _SETTLED) * self.rate

    def _sought(self, since_origin: Fraction) -> Iterator[Piece]:
        """Seek to a time counted from the origin and decode from there."""
        seconds = self.origin + since_origin
        try:
            name = self._container.format.name
            pictures = [stream for stream in self._container.streams.video if not is_attached(stream)]
            if name.startswith("mov") or not pictures:
                self._container.seek(math.floor(seconds / self._time_base), stream=self._stream)
            elif name.startswith("matroska") and pictures[0].time_base:
                # Mostly only the picture's key frames are indexed, and libav would read its way from one known sound
                # packet to the next.
                self._container.seek(math.floor(seconds / pictures[0].time_base), stream=pictures[0])
            else:
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
            yield from map(Piece.of, decode(self._stream, packet))  # type: ignore[arg-type]
        yield from map(Piece.of, decode(self._stream, None))  # type: ignore[arg-type]

"""Sound at any rate, on the same clock as the pictures, encoder delay removed, without gaps.

See :mod:`engine.media.sound_source` for how positions are found and what cannot be known.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import soxr

from engine.media.opening import MediaPath
from engine.media.placing import Chunk
from engine.media.sound_source import SoundSource

_SETTLING = Fraction(1, 10)
"""Seconds fed to a resampler before the first sample that is wanted: several times the length of its filter."""

_SURROUND_WEIGHTS = {"LFE": 0.0, "LFE2": 0.0, "FC": 1.0, "FL": math.sqrt(0.5), "FR": math.sqrt(0.5)}
_OTHER_WEIGHT = 0.5
"""Down-mix to mono after ITU-R BS.775-3, table 2: speech is in the centre, the low-frequency channel is left out."""


@dataclass(frozen=True, slots=True)
class SampleBlock:
    """A stretch of sound.

    Attributes:
        start: when its first sample sounds, in seconds on the file's clock (that of the frames).
        sample_rate: samples per second.
        data: float32, full scale 1, shape ``(n,)`` for one channel, else ``(n, channels)``.
    """

    start: Fraction
    sample_rate: int
    data: npt.NDArray[np.float32]

    @property
    def stop(self) -> Fraction:
        """When the sample after the last one sounds."""
        return self.start + Fraction(len(self.data), self.sample_rate)


def read_samples(
    path: MediaPath,
    *,
    stream: int | None = None,
    sample_rate: int | None = 16_000,
    channels: int | None = 1,
    start: Fraction | float | None = None,
    stop: Fraction | float | None = None,
    block_seconds: Fraction | float = 1,
) -> Generator[SampleBlock, None, None]:
    """Yield the sound of a file as blocks that follow each other without a gap.

    Samples lie on one grid, ``first sample + n / sample_rate``, whatever ``start`` is, so that a part read on its own
    equals the same part of the whole. Nothing is yielded before the stream's first sample.

    Args:
        path: a local file.
        stream: stream index in the file; by default its default sound.
        sample_rate: samples per second wanted; ``None`` keeps the file's.
        channels: 1 mixes to mono, 2 to stereo, ``None`` keeps the file's.
        start: leave out samples before this time, in seconds on the file's clock.
        stop: leave out samples at or after this time.
        block_seconds: length of the blocks; the last one is shorter.

    Raises:
        ValueError: if ``channels`` or ``sample_rate`` makes no sense.
        Refused: as :func:`~engine.media.opening.open_media`, or ``media.no_sound``, ``media.unknown_codec``,
            ``media.undecodable``.
    """
    if channels not in {1, 2, None}:
        raise ValueError(f"channels must be 1, 2 or None, got {channels}")
    if sample_rate is not None and sample_rate <= 0:
        raise ValueError(f"sample rate must be positive, got {sample_rate}")
    with SoundSource(path, stream) as source:
        rate = sample_rate or source.rate
        width = channels or source.channels
        first = 0 if start is None else max(0, math.ceil((Fraction(start) - source.origin) * rate))
        end = None if stop is None else max(first, math.ceil((Fraction(stop) - source.origin) * rate))
        mixed = (_mix(chunk, width) for chunk in source.chunks(_feed_from(first, source.rate, rate)))
        size = max(1, round(Fraction(block_seconds) * rate))
        for index, data in _blocks(_resampled(mixed, rate, width), first, end, size):
            shaped = data[:, 0] if width == 1 else data
            yield SampleBlock(source.origin + Fraction(index, rate), rate, shaped)


def _feed_from(first: int, source_rate: int, rate: int) -> int:
    """Return the source sample from which a resampler gives output ``first`` and stays on the output grid."""
    wanted = math.floor(first * Fraction(source_rate, rate))
    if source_rate == rate:
        return wanted
    step = source_rate // math.gcd(source_rate, rate)
    return max(0, (wanted - math.ceil(_SETTLING * source_rate)) // step * step)


def _mix(chunk: Chunk, width: int) -> Chunk:
    """Return the chunk with ``width`` channels."""
    data, names = chunk.data, chunk.layout
    have = data.shape[1]
    if have == width:
        return chunk
    if width == 1:
        weights = np.array([_SURROUND_WEIGHTS.get(name, _OTHER_WEIGHT) for name in names], np.float32)
        if not weights.any():
            weights[:] = 1
        mixed = data @ (weights / weights.sum())[:, None]
    elif have == 1:
        mixed = np.repeat(data, width, axis=1)
    elif width == 2:
        mixed = data @ _stereo_matrix(names)
    else:
        mixed = np.zeros((len(data), width), np.float32)
        mixed[:, : min(have, width)] = data[:, :width]
    return Chunk(chunk.index, chunk.rate, mixed, names)


def _stereo_matrix(names: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """Return down-mix weights, shape ``(channels, 2)`` (ITU-R BS.775-3), each side normalised to a sum of 1."""
    matrix = np.zeros((len(names), 2), np.float32)
    for row, name in enumerate(names):
        if name.startswith("LFE"):
            continue
        left, right = name.endswith("L"), name.endswith("R")
        weight = 1.0 if name in {"FL", "FR"} else math.sqrt(0.5)
        matrix[row] = (weight if left or not right else 0, weight if right or not left else 0)
    sums = matrix.sum(axis=0)
    normalised: npt.NDArray[np.float32] = (matrix / np.where(sums > 0, sums, 1)).astype(np.float32)
    return normalised


def _resampled(chunks: Iterator[Chunk], rate: int, width: int) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Yield ``(output index, data)``, contiguous, from contiguous chunks; a change of rate starts a new resampler.

    soxr's output has no delay: its sample 0 stands at the time of the first sample fed, and it returns
    ``round(n * out / in)`` samples in all.
    """
    resampler: soxr.ResampleStream | None = None
    feeding = 0
    index = 0
    for chunk in chunks:
        if chunk.rate != feeding:
            if resampler is not None:
                tail = resampler.resample_chunk(np.zeros((0, width), np.float32), last=True)
                yield index, tail
                index += len(tail)
            begin = round(chunk.index * Fraction(rate, chunk.rate))
            if feeding and begin > index:
                yield index, np.zeros((begin - index, width), np.float32)
            index = begin
            feeding = chunk.rate
            resampler = soxr.ResampleStream(chunk.rate, rate, width, dtype="float32") if chunk.rate != rate else None
        data = np.ascontiguousarray(chunk.data)
        out = data if resampler is None else resampler.resample_chunk(data)
        yield index, out
        index += len(out)
    if resampler is not None:
        yield index, resampler.resample_chunk(np.zeros((0, width), np.float32), last=True)


def _blocks(
    pieces: Iterator[tuple[int, npt.NDArray[np.float32]]], first: int, end: int | None, size: int
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Cut ``[first, end)`` out of contiguous pieces into blocks of ``size``."""
    held: list[npt.NDArray[np.float32]] = []
    count = 0
    position = first
    for index, data in pieces:
        # After a change of rate a resampler's last samples may overlap the next one's first.
        begin = max(0, position + count - index)
        cut = data[begin:] if end is None else data[begin : max(begin, end - index)]
        if len(cut):
            held.append(cut)
            count += len(cut)
        while count >= size:
            joined = np.concatenate(held)
            yield position, joined[:size]
            held, count = [joined[size:]], count - size
            position += size
        if end is not None and position + count >= end:
            break
    if count:
        yield position, np.concatenate(held)

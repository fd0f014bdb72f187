"""Excerpts of a recording, in order of time, read with as few seeks and as little decoding as the file allows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.media.probe import probe
from engine.media.samples import SampleBlock, read_samples
from engine.media.sound_source import COUNTED_FORMATS

_WORTH_READING_ON = 5.0  # seconds that are decoded as fast as a file is opened and sought in


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch that is wanted.

    Attributes:
        begin: seconds on the file's clock.
        count: number of samples.
    """

    begin: float
    count: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch that was read.

    Attributes:
        start: exact time of the first sample, seconds on the file's clock.
        rate: samples per second.
        data: mono sound, zeros where the file has none, shape ``(count,)``.
    """

    start: Fraction
    rate: int
    data: npt.NDArray[np.float32]


def read_spans(path: Path, spans: Sequence[Span], rate: int) -> Iterator[Excerpt]:
    """Yield one excerpt for each span, in their order.

    Args:
        path: a file with sound.
        spans: what is wanted, best in order of time; they may overlap.
        rate: samples per second.

    Raises:
        Refused: as :func:`~engine.media.samples.read_samples`.
    """
    # Where a seek means counting packets from the beginning, going on is always cheaper.
    reach = math.inf if probe(path).container in COUNTED_FORMATS else _WORTH_READING_ON
    run: list[Span] = []
    for span, following in pairwise([*spans, None]):
        assert span is not None
        run.append(span)
        if following is None or not 0 <= following.begin - span.begin <= span.count / rate + reach:
            yield from _read_run(path, run, rate)
            run = []


def _read_run(path: Path, spans: Sequence[Span], rate: int) -> Iterator[Excerpt]:
    """Read spans that begin one after the other in one go."""
    starts = [Fraction(span.begin).limit_denominator(1000 * rate) for span in spans]
    stop = max(start + Fraction(span.count, rate) for start, span in zip(starts, spans, strict=True))
    blocks = read_samples(path, sample_rate=rate, channels=1, start=starts[0], stop=stop, block_seconds=5)
    kept: list[SampleBlock] = []
    for start, span in zip(starts, spans, strict=True):
        # A block is needed as long as it ends after the start of the span in hand: later spans begin later.
        kept = [block for block in kept if block.stop > start]
        while not kept or kept[-1].stop < start + Fraction(span.count, rate):
            block = next(blocks, None)
            if block is None:
                break
            if block.stop > start:
                kept.append(block)
        data = np.zeros(span.count, np.float32)
        origin = start
        if kept:
            # Samples lie on the file's own grid, so the excerpt begins up to a sample later than asked.
            origin = kept[0].start + Fraction(math.ceil((start - kept[0].start) * rate), rate)
        for block in kept:
            place = round((block.start - origin) * rate)
            first, last = max(0, place), min(span.count, place + len(block.data))
            if last > first:
                data[first:last] = block.data[first - place : last - place]
        yield Excerpt(origin, rate, data)

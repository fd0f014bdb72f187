"""The sound that is played: a file's as it is, or joined anew at steps, exactly as the export joins it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.media.export.joining import Join, beginning, find_joins, pieced
from engine.media.export.timeline import Tape
from engine.media.samples import read_samples
from engine.refusal import Refused
from engine.timing import Rounding, StepCorrection

CHANNELS = 2
_BLOCK_SECONDS = 0.1

Samples = npt.NDArray[np.float32]


class Reel:
    """Reads the sound from any moment on; used in one thread at a time.

    Its clock is that of the file. Behind a step it goes on evenly: what is put in there is counted, what is left out
    is not.

    Args:
        file: ``None`` is all silence.
        steps: how the stretches are moved against each other; ``None`` leaves the sound as it is.
        rate: samples per second that are wanted.
    """

    def __init__(self, file: Path | None, steps: StepCorrection | None, rate: int) -> None:
        self.file = file
        self.steps = steps
        self.rate = rate
        self._joins: list[Join] | None = None

    def blocks(self, start: float, stop: float | None) -> Iterator[Samples]:
        """Yield the sound from a moment on in blocks of shape ``(n, 2)``, silence where there is none, without end.

        Args:
            start: seconds.
            stop: the file is not read further.
        """
        # A file that cannot be heard (any more) is silent; opening it has said why.
        with suppress(Refused):
            if self.file is not None and self.steps is not None:
                yield from self._joined(self.file, self.steps, start, stop)
            elif self.file is not None:
                yield from self._as_it_is(self.file, start, stop)
        while True:
            yield np.zeros((round(_BLOCK_SECONDS * self.rate), CHANNELS), np.float32)

    def _as_it_is(self, file: Path, start: float, stop: float | None) -> Iterator[Samples]:
        # The samples from the nearest one on: a time that went through a float may lie a little behind its own.
        begin = Fraction(start) - Fraction(1, 2 * self.rate)
        end = None if stop is None else Fraction(stop)
        is_first = True
        for block in read_samples(
            file,
            sample_rate=self.rate,
            channels=CHANNELS,
            start=begin,
            stop=end,
            block_seconds=_BLOCK_SECONDS,
        ):
            if is_first:
                yield from self._silence(math.floor((block.start - begin) * self.rate))
                is_first = False
            yield block.data

    def _joined(self, file: Path, steps: StepCorrection, start: float, stop: float | None) -> Iterator[Samples]:
        tape = replace(Tape.of(file), sample_rate=self.rate, channels=CHANNELS)
        if self._joins is None:
            self._joins = find_joins(tape, steps)
        begins = beginning(tape, steps)
        if begins is None:
            return
        first = Rounding.NEAREST.apply((Fraction(start) - begins) * self.rate)
        count = math.inf if stop is None else math.ceil((Fraction(stop) - begins) * self.rate) - max(first, 0)
        yield from self._silence(-first)
        for _, data in pieced(tape, steps, self._joins, max(first, 0)):
            if count <= 0:
                return
            yield data[: min(len(data), count)]
            count -= len(data)

    def _silence(self, count: int) -> Iterator[Samples]:
        """Yield what lies before the first sample."""
        for begin in range(0, count, self.rate):
            yield np.zeros((min(self.rate, count - begin), CHANNELS), np.float32)

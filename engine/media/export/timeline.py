"""Put moved sound on the samples of the new file: silence before it, nothing from before time zero."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from engine.media.export.encode import Samples
from engine.media.export.treatment import Treatment
from engine.media.samples import SampleBlock, read_samples
from engine.media.sound_source import SoundSource
from engine.timing import Rounding

_SILENCE = 1 << 16


@dataclass(frozen=True, slots=True)
class Tape:
    """Sound to be moved, as it is read.

    Attributes:
        path: the file.
        stream: the stream's number.
        sample_rate: samples per second wanted.
        channels: number of channels wanted; 1, 2 or as many as the stream has.
        zero: the moment of the clip's clock that becomes time zero of the new file.
        treatment: what else is done to it, ``None`` for nothing.
    """

    path: Path
    stream: int
    sample_rate: int
    channels: int | None
    zero: Fraction
    treatment: Treatment | None = None

    @classmethod
    def of(cls, path: Path, stream: int | None = None) -> Tape:
        """Return the sound of a file as it is, at its own rate and on its own clock.

        Args:
            path: a local file.
            stream: the stream's number; by default the one that players choose.

        Raises:
            Refused: as :class:`~engine.media.sound_source.SoundSource`.
        """
        with SoundSource(path, stream) as source:
            return cls(path, source.index, source.rate, source.channels, Fraction(0))

    def blocks(self, start: Fraction | None = None, stop: Fraction | None = None) -> Iterator[SampleBlock]:
        """Read the sound, each block with shape ``(n, channels)``."""
        blocks = self._read(start, stop)
        return blocks if self.treatment is None else self.treatment.apply(blocks)

    def _read(self, start: Fraction | None, stop: Fraction | None) -> Iterator[SampleBlock]:
        wanted = self.channels if self.channels in {1, 2} else None
        reading = read_samples(
            self.path, stream=self.stream, sample_rate=self.sample_rate, channels=wanted, start=start, stop=stop
        )
        for block in reading:
            data = block.data if block.data.ndim == 2 else block.data[:, None]
            yield SampleBlock(block.start, block.sample_rate, data)

    def index(self, time: Fraction) -> int:
        """Return the sample of the new file nearest to a moment of the clip's clock."""
        return Rounding.NEAREST.apply((time - self.zero) * self.sample_rate)


def placed(pieces: Iterable[tuple[int, Samples]], first: int, channels: int) -> Iterator[Samples]:
    """Yield contiguous sound from sample ``first`` on.

    Args:
        pieces: ``(index of the first sample, sound)``, each directly after the one before.
        first: where to begin: what lies before is cut, silence fills up to the first piece.
        channels: number of channels of the silence.
    """
    position = first
    for index, data in pieces:
        while index > position:
            count = min(_SILENCE, index - position)
            yield np.zeros((count, channels), np.float32)
            position += count
        if index + len(data) > position:
            yield data[position - index :]
            position = index + len(data)

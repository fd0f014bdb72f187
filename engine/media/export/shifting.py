"""The sound as it is, moved by a constant."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from engine.media.export.encode import Samples
from engine.media.export.timeline import Tape


def shifted(tape: Tape, shift: Fraction) -> Iterator[tuple[int, Samples]]:
    """Yield ``(index, sound)`` of the new file.

    Args:
        tape: the sound.
        shift: seconds; positive, later.
    """
    index: int | None = None
    for block in tape.blocks():
        if index is None:
            index = tape.index(block.start + shift)
        yield index, block.data
        index += len(block.data)

"""The same pictures give the same bytes, however often and in whatever memory they are encoded."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.generation.segment_file import SegmentWriter

FILES = 20_000
"""Where the encoder was left all its instructions, one file in some hundreds to some thousands differed."""


@pytest.mark.slow
def test_the_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    pictures = []
    for level in rng.uniform(40, 230, 5).round():
        picture = np.full((64, 96, 3), level, np.uint8)
        picture[:8, :48] = (220, 0, 0)
        picture[:8, 48:] = (0, 0, 220)
        pictures.append(picture)

    def written() -> bytes:
        with SegmentWriter(tmp_path / "segment.mp4", (96, 64), Fraction(25), 16) as writer:
            for picture in pictures:
                writer.write(picture)
        return (tmp_path / "segment.mp4").read_bytes()

    first = written()
    assert sum(written() != first for _ in range(FILES)) == 0

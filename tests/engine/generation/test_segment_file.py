"""The same pictures give the same bytes, however often they are encoded."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.generation.backend import Picture
from engine.generation.segment_file import SegmentWriter

CLIPS, TIMES = 10, 2_000
"""An encoder that is left AVX-512 writes other bytes in about one of a thousand files, in bursts."""


def flat(seed: int) -> Iterator[Picture]:
    """Yield five pictures of two colours above grey, which is where it happens."""
    for level in np.random.default_rng(seed).uniform(40, 230, 5).round():
        picture = np.full((64, 96, 3), level, np.uint8)
        picture[:8, :48] = (220, 0, 0)
        picture[:8, 48:] = (0, 0, 220)
        yield picture


@pytest.mark.slow
def test_the_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    def written(seed: int) -> bytes:
        with SegmentWriter(tmp_path / "segment.mp4", (96, 64), Fraction(25), 16) as writer:
            for picture in flat(seed):
                writer.write(picture)
        return (tmp_path / "segment.mp4").read_bytes()

    others = 0
    for seed in range(CLIPS):
        files = [written(seed) for _ in range(TIMES)]
        others += sum(file != files[0] for file in files)
    assert others == 0

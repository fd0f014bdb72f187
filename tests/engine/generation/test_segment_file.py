"""The same pictures give the same bytes, however often they are encoded."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.generation.backend import Picture
from engine.generation.segment_file import SegmentWriter

CLIPS, TIMES = 10, 2_000
"""An encoder that is left AVX-512 writes other bytes in one to a hundred of ten thousand files."""


def flat(seed: int) -> list[Picture]:
    """Return five pictures of two colours above grey, which is where it happens."""
    pictures = []
    for level in np.random.default_rng(seed).uniform(40, 230, 5).round():
        picture = np.full((64, 96, 3), level, np.uint8)
        picture[:8, :48] = (220, 0, 0)
        picture[:8, 48:] = (0, 0, 220)
        pictures.append(picture)
    return pictures


@pytest.mark.slow
def test_the_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    def written(pictures: list[Picture]) -> bytes:
        with SegmentWriter(tmp_path / "segment.mp4", (96, 64), Fraction(25), 16) as writer:
            for picture in pictures:
                writer.write(picture)
        return (tmp_path / "segment.mp4").read_bytes()

    clips = [flat(seed) for seed in range(CLIPS)]
    first = [written(pictures) for pictures in clips]
    others = sum(written(clips[number]) != first[number] for _ in range(TIMES) for number in range(CLIPS))
    assert others == 0

"""Excerpts are what reading the whole file gives, wherever they lie and however they are reached."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.media.samples import read_samples
from engine.sync.excerpts import Span, read_spans

RATE = 16_000


@pytest.fixture(scope="module", params=["wav", "mp3"])
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / f"sound.{request.param}"
    sound = np.random.default_rng(0).normal(0, 0.1, 40 * 48_000)
    soundfile.write(path, sound, 48_000, format=request.param.upper())
    return path


@pytest.mark.parametrize(
    "begins",
    [
        [0.0, 2.0, 4.0],
        [3.25, 3.75, 4.0, 30.123456],
        [-1.5, 38.5],
        [20.0, 5.0, 5.0],
        [12.3456789],
        [39.99, 45.0],
        [],
    ],
)
def test_excerpts_equal_the_same_parts_of_the_whole(recording: Path, begins: list[float]) -> None:
    blocks = list(read_samples(recording, sample_rate=RATE, block_seconds=10))
    whole, origin = np.concatenate([block.data for block in blocks]), blocks[0].start
    count = 2 * RATE
    excerpts = list(read_spans(recording, [Span(begin, count) for begin in begins], RATE))
    assert len(excerpts) == len(begins)
    for begin, excerpt in zip(begins, excerpts, strict=True):
        assert excerpt.rate == RATE
        assert excerpt.data.shape == (count,)
        # On the file's own grid, so up to a sample late; a float is taken for the nearest thousandth of a sample.
        late = (excerpt.start - Fraction(begin)) * RATE
        assert Fraction(-1, 1000) <= late <= Fraction(1001, 1000) or not excerpt.data.any()
        place = round((excerpt.start - origin) * RATE)
        wanted = np.zeros(count, np.float32)
        first, last = max(0, place), min(len(whole), place + count)
        if last > first:
            wanted[first - place : last - place] = whole[first:last]
        assert np.abs(excerpt.data - wanted).max() < 1e-3


def test_the_rate_may_be_any(recording: Path) -> None:
    [excerpt] = read_spans(recording, [Span(10.0, 16_000)], 15_357)
    assert excerpt.rate == 15_357
    assert np.std(excerpt.data) == pytest.approx(0.1 * np.sqrt(15_357 / 48_000), rel=0.1)

"""Peaks and lines in evidence made here, whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sync.evidence import LAG_MS, Evidence
from engine.sync.search import FINE_MS, best_line, blocks_of, peak_of


def ridge(offsets_ms: np.ndarray, *, height: float = 4.0, noise: float = 0.3, seed: int = 0) -> Evidence:
    """Half-second blocks whose score peaks (45 ms wide) at the given offsets."""
    lags = (np.arange(151) - 75) * LAG_MS
    scores = height * np.exp(-0.5 * ((lags - offsets_ms[:, None]) / 45.0) ** 2)
    scores = scores + np.random.default_rng(seed).normal(0, noise, scores.shape)
    count = len(offsets_ms)
    return Evidence(
        face=0,
        times=(np.arange(count) + 0.5) * 0.5,
        lags_ms=lags,
        scores=scores.astype(np.float32),
        seen=np.full(count, 0.5, np.float32),
    )


@given(st.floats(-1300, 1300))
def test_the_peak_is_found_between_the_lags(offset_ms: float) -> None:
    blocks = blocks_of([ridge(np.full(10, offset_ms), noise=0.0)])
    peak = peak_of(blocks.along(0.0, 0.0, blocks.lags_ms), blocks.lags_ms, null=0.0)
    # spline and parabola on a smooth curve: a tenth of the fine lag
    assert peak.lag_ms == pytest.approx(offset_ms, abs=FINE_MS / 10)
    assert peak.mass > 0.99


def test_noise_alone_has_no_mass() -> None:
    blocks = blocks_of([ridge(np.full(10, 100.0), height=0.0)])
    assert peak_of(blocks.along(0.0, 0.0, blocks.lags_ms), blocks.lags_ms, null=2.0).mass < 0.3


@pytest.mark.parametrize("ppm", [-41_667.0, -3000.0, 0.0, 1000.0, 20_000.0])
def test_a_line_is_followed(ppm: float) -> None:
    times = (np.arange(40) + 0.5) * 0.5
    line = best_line(blocks_of([ridge(50 + ppm / 1000 * (times - 10))]))
    assert abs(line.slope - ppm / 1000) < 4 * line.slope_sigma
    assert line.slope_sigma < 1.0
    assert line.at(10.0) == pytest.approx(50, abs=3)
    assert (line.gain > 5) == (abs(ppm) >= 3000)


@pytest.mark.parametrize("seconds", [2.0, 3.0, 10.0])
def test_no_line_is_steeper_than_was_asked_for(seconds: float) -> None:
    times = (np.arange(round(2 * seconds)) + 0.5) * 0.5
    line = best_line(blocks_of([ridge(150 * (times - seconds / 2))]), steepest_ppm=100_000.0)
    assert abs(line.slope) <= 100.0


def test_evidence_searched_around_different_centres_is_joined() -> None:
    slope = 2000 / 60  # milliseconds per second: far beyond the usual range by the second stretch
    inside = slope * ((np.arange(10) + 0.5) * 0.5 - 2.5)
    first, second = ridge(40 + inside), ridge(40 + inside, seed=1)
    moved = replace(second, times=second.times + 60, lags_ms=second.lags_ms + 2000)
    line = best_line(blocks_of([first, moved]))
    assert line.at(2.5) == pytest.approx(40, abs=5)
    assert line.at(62.5) == pytest.approx(2040, abs=5)


def test_one_block_gives_a_constant() -> None:
    line = best_line(blocks_of([ridge(np.full(1, -60.0))]))
    assert (line.slope, line.offset_ms) == (0.0, pytest.approx(-60, abs=20))

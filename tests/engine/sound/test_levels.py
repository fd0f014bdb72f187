"""Loudness, true peak and level statistics against published numbers and plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sound.levels import LevelStatistics, row_levels
from engine.sound.loudness import LoudnessMeter, TruePeakMeter

BLOCK = 7001
"""Samples per block: a prime, so that blocks fit no window."""


def _sine(frequency: float, level_db: float, seconds: float, rate: int) -> np.ndarray:
    times = np.arange(round(seconds * rate)) / rate
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def _lufs(samples: np.ndarray, rate: int) -> float | None:
    meter = LoudnessMeter(rate)
    for first in range(0, len(samples), BLOCK):
        meter.add(samples[first : first + BLOCK])
    return meter.lufs


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_reference_tone(rate: int) -> None:
    """A 997 Hz sine at full scale in one channel reads -3.01 LUFS (ITU-R BS.1770-4, annex 1)."""
    assert _lufs(_sine(997, 0, 5, rate), rate) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize(
    "parts", [[(-36, 10), (-23, 60), (-36, 10)], [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)]]
)
def test_quiet_parts_are_gated(parts: list[tuple[float, float]]) -> None:
    """EBU Tech 3341, cases 3 and 4, in one channel instead of two: -23 - 3.01 LUFS, tolerance 0.1."""
    samples = np.concatenate([_sine(1000, level, seconds, 16_000) for level, seconds in parts])
    assert _lufs(samples, 16_000) == pytest.approx(-26.01, abs=0.1)


def test_silence_has_no_loudness_and_a_moment_has() -> None:
    assert _lufs(np.zeros(32_000, np.float32), 16_000) is None
    assert _lufs(np.zeros(0, np.float32), 16_000) is None
    assert _lufs(_sine(997, 0, 0.2, 16_000), 16_000) == pytest.approx(-3.01, abs=0.3)


@pytest.mark.parametrize("phase", [0.0, 45.0, 60.0])
def test_peaks_between_samples_are_seen(phase: float) -> None:
    """EBU Tech 3341, cases 15 to 17: a sine at a quarter of the sample rate, 6 dB under full scale."""
    samples = (0.5 * np.sin(np.pi / 2 * np.arange(16_000) + np.radians(phase))).astype(np.float32)
    samples *= np.hanning(len(samples)).astype(np.float32)  # no click at the ends
    meter = TruePeakMeter(16_000)
    for first in range(0, len(samples), BLOCK):
        meter.add(samples[first : first + BLOCK])
    meter.add(samples[:0], last=True)
    assert meter.dbtp == pytest.approx(-6.0, abs=0.4)


def test_row_levels_leave_constants_out() -> None:
    levels = row_levels(_sine(1000, -20, 0.105, 16_000) + np.float32(0.3), 16_000)
    assert levels.shape == (10,)
    assert levels == pytest.approx(-23.01, abs=0.05)
    assert row_levels(np.zeros((330, 2), np.float32), 16_000).shape == (2, 2)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-110, 0), min_size=3, max_size=60),
    st.lists(st.integers(1, 59), max_size=5),
    st.floats(-100, 0),
)
def test_first_and_last_do_not_depend_on_blocks(levels: list[float], cuts: list[int], threshold: float) -> None:
    """What counts is where three rows in a row reach a level, however the rows came."""
    rows = np.array(levels)
    statistics = LevelStatistics()
    for part in np.split(rows, sorted(set(cuts))):
        statistics.add(part)
    held = [n for n in range(len(rows) - 2) if rows[n : n + 3].min() >= threshold]
    found = statistics.reached(threshold)
    if not held:
        assert found is None or rows[found[0] : found[0] + 3].min() >= threshold - 0.5
    else:
        # Levels are remembered in steps of half a decibel.
        assert found is not None
        assert found[0] <= held[0]
        assert found[1] >= held[-1] + 2
        assert rows[found[0] : found[0] + 3].min() >= threshold - 0.5


def test_pauses_and_syllables() -> None:
    statistics = LevelStatistics()
    statistics.add(np.concatenate([np.full(100, -70.0), np.full(50, -20.0), np.full(100, -70.0)]))
    assert statistics.noise_floor_db == pytest.approx(-70, abs=0.5)
    assert statistics.speech_level_db == pytest.approx(-20, abs=0.5)
    extent = statistics.extent()
    assert extent is not None
    assert (extent.first, extent.last) == (100, 149)
    assert statistics.seconds_above(-60) == 0.5


def test_digital_silence_is_no_level() -> None:
    statistics = LevelStatistics()
    statistics.add(np.full(100, -120.0))
    assert statistics.noise_floor_db is None
    assert statistics.extent() is None
    assert statistics.digital_silence_share == 1

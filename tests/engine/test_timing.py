"""Time is exact, and both signs keep their meaning: properties that hold for all values."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.timing import (
    SNAP_TOLERANCE,
    STANDARD_RATES,
    Correction,
    DriftCorrection,
    FrameGrid,
    Offset,
    PictureTimes,
    Rounding,
    StepCorrection,
    Timecode,
    clock_words,
    snap_rate,
)
from engine.words import LANGUAGES

TIME_BASES = [Fraction(1, n) for n in (1, 600, 1000, 12_288, 16_000, 30_000, 44_100, 48_000, 90_000, 1_000_000)]
RATES = [Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(25), Fraction(60_000, 1001), Fraction(25, 2)]

ticks = st.integers(-(10**13), 10**13)
time_bases = st.one_of(st.sampled_from(TIME_BASES), st.fractions(min_value=Fraction(1, 10**6), max_value=10))
rates = st.one_of(st.sampled_from(RATES), st.fractions(min_value=Fraction(1, 2), max_value=240, max_denominator=1001))
milliseconds = st.floats(-1e7, 1e7)


@given(ticks, time_bases, time_bases, st.sampled_from(Rounding))
def test_rescaling_moves_by_less_than_a_tick(pts: int, base: Fraction, other: Fraction, rounding: Rounding) -> None:
    code = Timecode(pts, base)
    error = code.rescaled(other, rounding).seconds - code.seconds
    limits = {Rounding.FLOOR: (-other, 0), Rounding.CEIL: (0, other), Rounding.NEAREST: (-other / 2, other / 2)}
    low, high = limits[rounding]
    assert low <= error <= high
    assert abs(error) < other


@given(ticks, time_bases, st.integers(1, 1000))
def test_a_finer_time_base_loses_nothing(pts: int, base: Fraction, factor: int) -> None:
    code = Timecode(pts, base)
    assert code.rescaled(base / factor) == code
    assert code.rescaled(base / factor).rescaled(base) == code


@given(ticks, ticks, time_bases, time_bases)
def test_timecodes_compare_by_the_instant(a: int, b: int, base: Fraction, other: Fraction) -> None:
    first, second = Timecode(a, base), Timecode(b, other)
    assert (first < second) == (a * base < b * other)
    assert (first == second) == (a * base == b * other)
    assert first != second or hash(first) == hash(second)


def test_ties_go_up_so_that_no_grid_point_doubles() -> None:
    assert [Rounding.NEAREST.apply(Fraction(n, 2)) for n in range(-3, 4)] == [-1, -1, 0, 0, 1, 1, 2]


@pytest.mark.parametrize("base", [Fraction(0), Fraction(-1, 25)])
def test_a_time_base_is_positive(base: Fraction) -> None:
    with pytest.raises(ValueError, match="positive"):
        Timecode(0, base)


@pytest.mark.parametrize(
    ("rate", "standard"),
    [
        (29.97, Fraction(30_000, 1001)),
        (Fraction(2997, 100), Fraction(30_000, 1001)),
        (23.976, Fraction(24_000, 1001)),
        (23.98, Fraction(24_000, 1001)),
        (59.94, Fraction(60_000, 1001)),
        (24, Fraction(24)),
        (24.999, Fraction(25)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_rates_that_cameras_write_become_exact(rate: float | Fraction, standard: Fraction) -> None:
    assert snap_rate(rate) == standard


@pytest.mark.parametrize("rate", [Fraction(30_025, 1000), Fraction(26), Fraction(1), Fraction(997, 33)])
def test_other_rates_stay_what_they_are(rate: Fraction) -> None:
    assert snap_rate(rate) == rate


@given(st.sampled_from(STANDARD_RATES), st.fractions(-1, 1))
def test_snapping_goes_to_the_nearest_only(rate: Fraction, share: Fraction) -> None:
    near = rate * (1 + share * SNAP_TOLERANCE)
    snapped = snap_rate(near)
    assert snapped in STANDARD_RATES
    assert abs(snapped - near) <= min(abs(other - near) for other in STANDARD_RATES)
    assert snap_rate(snapped) == snapped


@pytest.mark.parametrize("rate", [0, -25, float("nan"), float("inf")])
def test_a_rate_is_positive_and_finite(rate: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        snap_rate(rate)


@given(rates, st.integers(0, 10**7), st.fractions(-100, 100))
def test_frames_of_a_grid_are_found_again(rate: Fraction, frame: int, start: Fraction) -> None:
    grid = FrameGrid(rate, start)
    assert grid.frame_at(grid.time(frame)) == frame
    assert grid.frame_at(grid.time(frame + 1) - Fraction(1, 10**12)) == frame


@given(rates, st.sampled_from([8000, 16_000, 44_100, 48_000]), st.integers(0, 10**9))
def test_frames_cover_their_samples(rate: Fraction, sample_rate: int, samples: int) -> None:
    grid = FrameGrid(rate)
    frames = grid.frames_for(samples, sample_rate)
    assert grid.sample(frames, sample_rate) >= samples
    assert frames == 0 or frames - 1 < Fraction(samples, sample_rate) * rate


def test_positions_do_not_drift_in_two_hours() -> None:
    grid = FrameGrid(Fraction(30_000, 1001))
    last = 2 * 3600 * 30
    exact = last * 1001 * 48_000 / 30_000
    assert 0 <= grid.sample(last, 48_000) - exact < 1


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=200), st.integers(-(10**6), 10**6), time_bases)
def test_any_frame_is_found_at_its_own_time(steps: list[int], first: int, base: Fraction) -> None:
    frames = PictureTimes(first + np.cumsum([0, *steps]), base)
    for number in (0, len(frames) // 2, len(frames) - 1):
        assert frames.frame_at(frames.time(number)) == number
        assert frames.frame_at(frames.time(number) - base / 2) == max(0, number - 1)
    assert frames.frame_at(frames.end + 1000) == len(frames) - 1
    assert frames.end > frames.time(len(frames) - 1)


@pytest.mark.parametrize("pts", [[], [0, 0], [3, 2]])
def test_frames_ascend(pts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"frame|ascending"):
        PictureTimes(pts, Fraction(1, 25))


@given(milliseconds)
def test_a_perfect_correction_is_minus_the_offset(ms: float) -> None:
    assert Offset(ms).correction == Correction(-ms)
    assert Offset(ms).correction.seconds == -Correction(ms).seconds


@given(milliseconds, st.sampled_from([8000, 44_100, 48_000]))
def test_corrections_are_whole_samples_away_by_half_a_sample_at_most(ms: float, sample_rate: int) -> None:
    correction = Correction(ms)
    assert abs(correction.samples(sample_rate) - correction.seconds * sample_rate) <= Fraction(1, 2)
    assert abs(float(correction.seconds) * 1000 - ms) <= 0.0005 + abs(ms) * 1e-12


@given(milliseconds, st.floats(0, 500), st.sampled_from(LANGUAGES))
def test_words_never_show_a_sign(ms: float, uncertainty: float, language: str) -> None:
    for message in (Offset(ms, uncertainty).words(), Correction(ms).words()):
        text = message.text(language)
        assert "-" not in text
        assert "−" not in text
        assert "+" not in text


def test_words_say_late_and_early() -> None:
    assert str(Offset(83.2).words()) == "83 ms late"
    assert str(Offset(-83.2, 6.4).words()) == "83 ms early (±6)"
    assert str(Offset(0.3).words()) == "in step"
    assert str(Correction(-83).words()) == "sound moved 83.0 ms earlier"
    assert str(Correction(40).words()) == "sound moved 40.0 ms later"
    assert str(Correction(0.01).words()) == "sound not moved"


@given(st.fractions(0, 10**6))
def test_clock_words_can_be_read_back(seconds: Fraction) -> None:
    text = clock_words(seconds)
    value = Fraction(0)
    for part in text.split(":"):
        value = value * 60 + Fraction(part)
    assert abs(value - seconds) <= Fraction(1, 2000)
    assert clock_words(-seconds).lstrip("-") == text


def test_a_drift_grows_along_a_line() -> None:
    drift = DriftCorrection(at_zero_ms=10, rate_ppm=1000)
    assert [drift.at(seconds) for seconds in (0, 1, 60)] == [10, 11, 70]


def test_steps_hold_from_their_time_on() -> None:
    steps = StepCorrection(((Fraction(0), 5.0), (Fraction(10), -5.0), (Fraction(20), 0.0)))
    assert [steps.at(seconds) for seconds in (-1, 0, 9.99, 10, 15, 20, 99)] == [5, 5, 5, -5, -5, 0, 0]


@pytest.mark.parametrize(
    "steps", [(), ((Fraction(1), 0.0), (Fraction(1), 1.0)), ((Fraction(2), 0.0), (Fraction(1), 1.0))]
)
def test_steps_ascend(steps: tuple[tuple[Fraction, float], ...]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        StepCorrection(steps)


@pytest.mark.parametrize("value", [Timecode(3, Fraction(1, 25)), Offset(3, 1), Correction(-2), DriftCorrection(1, 2)])
def test_values_travel_between_processes(value: object) -> None:
    assert pickle.loads(pickle.dumps(value)) == value

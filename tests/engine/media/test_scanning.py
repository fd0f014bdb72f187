"""Frame times as packets bring them: constant or not, whatever they were rounded to."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.media.scanning import FrameTimes
from engine.timing import Rounding, snap_rate

MILLISECOND = Fraction(1, 1000)
TIME_BASES = [Fraction(1, n) for n in (12_288, 16_000, 30_000, 44_100, 48_000, 90_000, 1_000_000)]
RATES = [Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(25), Fraction(60_000, 1001), Fraction(25, 2)]

rates = st.one_of(st.sampled_from(RATES), st.fractions(min_value=Fraction(5), max_value=240, max_denominator=1001))


def times_of(ticks: Iterable[int], time_base: Fraction) -> FrameTimes:
    """Take in all frames of a stream."""
    times = FrameTimes(time_base)
    for tick in ticks:
        times.add(tick)
    times.finish(complete=True)
    return times


@given(rates, st.integers(2, 400), st.sampled_from(TIME_BASES))
def test_a_constant_rate_survives_rounding_to_ticks(rate: Fraction, count: int, base: Fraction) -> None:
    times = times_of((Rounding.NEAREST.apply(n / rate / base) for n in range(count)), base)
    assert not times.is_variable
    assert times.mean_rate is not None
    # Half a tick at both ends is all that rounding can change.
    assert abs(times.mean_rate / rate - 1) <= 1.01 * base / ((count - 1) / rate)


def test_a_dropped_frame_makes_the_rate_variable() -> None:
    assert times_of((n * 40 for n in range(50) if n != 20), MILLISECOND).is_variable


def test_milliseconds_of_matroska_are_constant_rate() -> None:
    times = times_of((round(n * 1001 / 30) for n in range(1000)), MILLISECOND)
    assert not times.is_variable
    assert times.mean_rate is not None
    assert snap_rate(times.mean_rate) == Fraction(30_000, 1001)


@given(st.lists(st.integers(0, 15), min_size=40, max_size=120))
def test_the_order_of_decoding_does_not_matter(places: list[int]) -> None:
    order = np.argsort(np.arange(len(places)) + np.array(places), kind="stable")
    sorted_, shuffled = (times_of((40 * int(n) for n in each), MILLISECOND) for each in (range(len(places)), order))
    assert (shuffled.first, shuffled.last, shuffled.count) == (sorted_.first, sorted_.last, sorted_.count)
    assert not shuffled.is_variable

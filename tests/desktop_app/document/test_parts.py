"""A part that was measured again, in the measurement of the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from desktop_app.document.parts import with_part
from engine.sync.result import LagCurve, Measurement, MouthTrace, OffsetPoint, PlosivePair
from tests.desktop_app.made import measurement


def part(offset_ms: float, start: float, stop: float) -> Measurement:
    """Return what is found in a part: one of everything."""
    middle = (start + stop) / 2
    times = np.arange(start, stop, 0.04)
    lags = np.arange(-400, 401, 10, dtype=np.float32)
    return replace(
        measurement(60, offset_ms),
        points=(OffsetPoint(middle, offset_ms, 0.9, 6.0, stop - start),),
        curves=(LagCurve(middle, lags, np.zeros_like(lags)),),
        plosives=(PlosivePair(middle, middle + offset_ms / 1000),),
        mouth=MouthTrace(times, np.full(len(times), 0.9, np.float32)),
    )


def test_what_was_in_the_part_is_replaced_and_everything_else_stays() -> None:
    whole = measurement(60)
    merged = with_part(whole, part(120.0, 20.0, 30.0), 20.0, 30.0)
    assert merged.verdict == whole.verdict
    assert merged.offset == whole.offset
    for name, at in (("points", "t"), ("curves", "t"), ("plosives", "seen")):
        before, after = getattr(whole, name), getattr(merged, name)
        times = [getattr(each, at) for each in after]
        assert times == sorted(times)
        assert [t for t in times if 20 <= t <= 30] == [25.0]
        assert [t for t in times if not 20 <= t <= 30] == [
            getattr(each, at) for each in before if not 20 <= getattr(each, at) <= 30
        ]
    assert merged.mouth is not None
    assert (np.diff(merged.mouth.times) > 0).all()
    inside = (merged.mouth.times >= 20) & (merged.mouth.times < 30)
    assert (merged.mouth.opening[inside] == np.float32(0.9)).all()
    assert inside.sum() == 250
    assert whole.mouth is not None
    outside = (whole.mouth.times < 20) | (whole.mouth.times > 30)
    np.testing.assert_array_equal(merged.mouth.opening[~inside], whole.mouth.opening[outside])


def test_a_part_without_a_mouth_leaves_the_trace_alone() -> None:
    whole = measurement(60)
    assert with_part(whole, replace(part(5.0, 20.0, 30.0), mouth=None), 20.0, 30.0).mouth is whole.mouth
    found = part(5.0, 20.0, 30.0)
    assert with_part(replace(whole, mouth=None), found, 20.0, 30.0).mouth is found.mouth


def test_the_only_measurement_is_that_of_the_part() -> None:
    found = part(5.0, 20.0, 30.0)
    assert with_part(None, found, 20.0, 30.0) is found

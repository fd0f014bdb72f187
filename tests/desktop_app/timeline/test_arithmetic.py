"""Pan, zoom, ticks, snapping, tiles and stretches: arithmetic without a display."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.document.corrections import moved
from desktop_app.timeline.handle import clear_of
from desktop_app.timeline.moving import (
    Stretch,
    arrangement,
    file_time,
    picture_time,
    played_time,
    shown_time,
    sound_time,
    stretches,
)
from desktop_app.timeline.snapping import Snapped, Target, snap, targets
from desktop_app.timeline.span import MARGIN, SHORTEST, Span, whole_of
from desktop_app.timeline.strip import tiling
from desktop_app.timeline.ticks import ticks
from engine.timing import Correction, DriftCorrection, StepCorrection

seconds = st.floats(0, 10_800, allow_nan=False)
STEPS = StepCorrection(((Fraction(0), -80.0), (Fraction(10), 120.0), (Fraction(20), -40.0)))


@given(start=seconds, length=st.floats(SHORTEST, 10_800), share=st.floats(0, 1), factor=st.floats(0.01, 100))
def test_zooming_keeps_the_moment_under_the_pointer(start: float, length: float, share: float, factor: float) -> None:
    span = Span(start, start + length)
    at = span.start + share * span.length
    zoomed = span.zoomed(factor, at)
    # A millionth of the screen is a thousandth of a pixel.
    assert (at - zoomed.start) / zoomed.length == pytest.approx(share, abs=1e-6)
    assert zoomed.length == pytest.approx(max(SHORTEST, length * factor))


@given(start=st.floats(-20_000, 20_000), length=st.floats(0.001, 40_000), duration=st.floats(0, 10_800))
def test_a_view_never_leaves_the_file_and_its_margins(start: float, length: float, duration: float) -> None:
    whole = whole_of(0.0, duration)
    shown = Span(start, start + length).within(whole)
    margin = whole.length * MARGIN
    assert shown.start >= -margin - 1e-9
    assert shown.stop <= whole.stop + margin + 1e-6
    assert shown.length >= SHORTEST * 0.999


def test_the_view_turns_a_page_when_the_playhead_leaves() -> None:
    assert Span(0, 10).following(9.9) == Span(0, 10)
    assert Span(0, 10).following(10.0) == Span(9.5, 19.5)


def test_an_empty_span_is_a_bug() -> None:
    with pytest.raises(ValueError, match="length"):
        Span(1.0, 1.0)


@pytest.mark.parametrize("length", [0.005, 0.05, 0.7, 10, 61, 3600, 10_800])
def test_labels_are_far_enough_apart_to_be_read_and_not_too_far(length: float) -> None:
    marks = ticks(100.0, 100.0 + length, 1200)
    pixels = marks.step / length * 1200
    assert 96 <= pixels <= 96 * 3.01
    assert len(marks.large) >= 3
    assert all(math.isclose(round(t / marks.step) * marks.step, t, abs_tol=1e-9) for t in marks.large)
    assert not set(marks.large) & set(marks.small)


@pytest.mark.parametrize(
    ("start", "length", "at", "label"),
    [
        (0, 10_800, 3600, "1:00:00"),
        (0, 60, 65, "1:05"),
        (14, 0.05, 14.005, "0:14.005"),
        (-1, 3, -0.5, "-0:00.5"),
    ],
)
def test_labels_say_as_much_as_the_zoom_can_tell(start: float, length: float, at: float, label: str) -> None:
    assert ticks(start, start + length, 1200).label(at) == label


def test_snapping_is_in_pixels() -> None:
    wanted = [(0.0, Target.ZERO), (-83.0, Target.MEASURED)]
    assert snap(-80.0, wanted, pixels_per_ms=2.0) == Snapped(-83.0, Target.MEASURED)
    assert snap(-80.0, wanted, pixels_per_ms=3.0) == Snapped(-80.0, None)
    assert snap(-3.9, wanted, pixels_per_ms=2.0) == Snapped(0.0, Target.ZERO)


def test_the_measured_offset_is_named_before_a_frame_that_is_as_near() -> None:
    found = targets(-78.0, measured_ms=-80.0, frame_ms=40.0, plosives=[(1.0, 1.08)])
    assert snap(-78.0, found, pixels_per_ms=1.0) == Snapped(-80.0, Target.MEASURED)


def test_whole_frames_are_targets_whatever_the_distance_and_zero_stays_zero() -> None:
    found = targets(4001.0, measured_ms=None, frame_ms=40.0)
    assert snap(4001.0, found, pixels_per_ms=1.0) == Snapped(4000.0, Target.FRAME)
    assert snap(1.0, targets(1.0, measured_ms=None, frame_ms=40.0), pixels_per_ms=1.0).target is Target.ZERO


@given(start=seconds, length=st.floats(0.01, 10_800))
def test_tiles_are_half_to_all_of_a_picture_wide_and_cover_the_view(start: float, length: float) -> None:
    tiles = tiling(start, start + length, 1200 / length, 96)
    assert 48 <= tiles.step * 1200 / length <= 96.001
    assert tiles.first * tiles.step <= start
    assert (tiles.first + tiles.count) * tiles.step >= start + length - 1e-9


def test_tiles_stay_where_they_are_while_the_view_is_panned() -> None:
    here, there = tiling(10.0, 20.0, 120, 96), tiling(10.3, 20.3, 120, 96)
    assert here.step == there.step
    assert len(set(here.times()) & set(there.times())) >= here.count - 2


@pytest.mark.parametrize("correction", [Correction(-83.0), DriftCorrection(-40.0, 145.0), STEPS])
def test_dragging_moves_any_correction_as_a_whole(correction: Correction | DriftCorrection | StepCorrection) -> None:
    dragged = moved(correction, 12.5)
    for t in (0.0, 15.0, 25.0):
        assert shown_time(dragged, t) - shown_time(correction, t) == pytest.approx(0.0125)


@given(shown=st.floats(-100, 10_800))
def test_sound_time_undoes_shown_time(shown: float) -> None:
    for correction in (Correction(-83.0), DriftCorrection(250.0, -1001.0)):
        assert shown_time(correction, sound_time(correction, shown)) == pytest.approx(shown, abs=1e-6)


@pytest.mark.parametrize(
    ("shown", "heard"), [(5.0, 5.08), (10.5, 10.38), (19.95, 19.83), (19.97, 20.01), (30.0, 30.04)]
)
def test_sound_time_follows_steps(shown: float, heard: float) -> None:
    assert sound_time(STEPS, shown) == pytest.approx(heard)


def test_stretches_cover_all_sound_once() -> None:
    assert stretches(Correction(500.0)) == [Stretch(-math.inf, math.inf, 0.5)]
    assert [(piece.start, piece.stop, piece.shift) for piece in stretches(STEPS)] == [
        (-math.inf, 10.0, -0.08),
        (10.0, 20.0, 0.12),
        (20.0, math.inf, -0.04),
    ]
    (drift,) = stretches(DriftCorrection(100.0, 1000.0))
    assert (drift.shift, drift.scale) == pytest.approx((0.1, 1.001))


def test_a_shift_of_the_whole_leaves_the_arrangement() -> None:
    arranged = arrangement(STEPS)
    assert arranged == StepCorrection(((Fraction(0), 0.0), (Fraction(10), 200.0), (Fraction(20), 40.0)))
    assert arrangement(moved(STEPS, 33.333)) == arranged
    assert arrangement(Correction(80.0)) is None
    assert arrangement(DriftCorrection(1.0, 100.0)) is None
    assert arrangement(StepCorrection(((Fraction(0), 5.0), (Fraction(7), 5.0)))) is None


@pytest.mark.parametrize("correction", [STEPS, Correction(80.0), DriftCorrection(-40.0, 900.0)])
def test_what_is_played_runs_evenly_with_the_picture(
    correction: Correction | DriftCorrection | StepCorrection,
) -> None:
    shown = np.linspace(-1.0, 30.0, 500)
    played = np.array([played_time(correction, float(t)) for t in shown])
    assert np.ptp(np.diff(played)) < 1e-9
    assert [picture_time(correction, float(t)) for t in played] == pytest.approx(shown)


@pytest.mark.parametrize(("played", "heard"), [(5.0, 5.0), (10.1, 10.1), (10.5, 10.3), (19.9, 19.7), (25.0, 24.96)])
def test_the_played_sound_is_found_in_the_file(played: float, heard: float) -> None:
    assert file_time(arrangement(STEPS), played) == pytest.approx(heard)
    assert file_time(None, played) == played


@given(heads=st.lists(st.floats(0, 1000), max_size=8), width=st.floats(1, 300))
def test_the_words_of_the_bar_keep_clear_of_all_pins(heads: list[float], width: float) -> None:
    heads.sort()
    left = clear_of(heads, 28, width)
    assert left >= 28
    # 10 pixels: as far as a flag, the wider of both heads, reaches.
    assert all(head + 10 <= left or left + width <= head - 10 for head in heads)
    if left > 28:
        assert any(head + 12 == left for head in heads)


def test_words_that_no_pin_covers_stay_where_they_are() -> None:
    assert clear_of([], 28, 100) == 28
    assert clear_of([5, 400], 28, 100) == 28

"""Pan, zoom, ticks, snapping and tiles: arithmetic without a display."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.timeline.anchors import label_place
from desktop_app.timeline.handle import clear_of
from desktop_app.timeline.snapping import Snapped, Target, snap, targets
from desktop_app.timeline.span import MARGIN, SHORTEST, Span, whole_of
from desktop_app.timeline.strip import tiling
from desktop_app.timeline.ticks import ticks

seconds = st.floats(0, 10_800, allow_nan=False)


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


@pytest.mark.parametrize(
    ("x", "taken", "follows", "left"),
    [
        (100, -math.inf, math.inf, 101),
        (100, -math.inf, 140, None),
        (790, -math.inf, math.inf, 709),  # on the other side, or it could not be read
        (790, 720, math.inf, 791),  # where another label is, it is cut rather than covering that one
        (900, -math.inf, math.inf, 901),  # out of sight, like its pin
    ],
)
def test_a_pins_label_can_be_read_at_the_edge_of_the_screen(
    x: float, taken: float, follows: float, left: float | None
) -> None:
    assert label_place(x, 80, taken, follows, edge=800) == left

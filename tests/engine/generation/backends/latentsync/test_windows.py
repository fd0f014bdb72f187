"""Which frames are drawn together, at any rate."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.generation.backends.latentsync.windows import MODEL_FPS, WINDOW, Grid, unbroken
from engine.generation.plan import Segment

RATES = [Fraction(rate) for rate in ("12", "24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "120")]
grids = st.builds(Grid, st.sampled_from(RATES), st.integers(1, 3000), st.integers(0, 8))


def test_at_25_frames_per_second_nothing_is_mapped() -> None:
    grid = Grid(MODEL_FPS, 40)
    assert [grid.drawn_for(frame) for frame in range(40)] == list(range(40))
    assert [grid.picture_for(frame) for frame in range(40)] == list(range(40))
    assert [grid.window(index) for index in range(3)] == [range(16), range(16, 32), range(32, 40)]
    assert grid.last_window == 2


@given(grids)
def test_nothing_is_further_away_than_half_a_frame(grid: Grid) -> None:
    for frame in {0, grid.frame_count // 2, grid.frame_count - 1}:
        drawn = grid.drawn_for(frame)
        assert abs(drawn / MODEL_FPS - frame / grid.fps) <= Fraction(1, 2) / MODEL_FPS
        picture = grid.picture_for(drawn)
        away = abs(picture / grid.fps - drawn / MODEL_FPS)
        assert away <= Fraction(1, 2) / grid.fps or picture == grid.frame_count - 1


@given(grids)
def test_every_drawn_frame_comes_from_exactly_one_picture(grid: Grid) -> None:
    listed = [drawn for frame in range(grid.frame_count) for drawn in grid.drawn_from(frame)]
    assert listed == list(range(grid.drawn_count))


@given(grids)
def test_windows_cover_every_frame_and_fade_to_one(grid: Grid) -> None:
    for drawn in range(grid.drawn_count):
        shares = grid.shares(drawn)
        assert sum(share for _, share in shares) == pytest.approx(1)
        assert all(drawn in grid.window(window) and share > 0 for window, share in shares)
    assert grid.window(grid.last_window).stop == grid.drawn_count
    assert all(len(grid.window(index)) == WINDOW for index in range(grid.last_window))
    # The last window shows something that no other one does.
    assert grid.last_window == 0 or len(grid.window(grid.last_window)) > grid.overlap


@given(grids, st.integers(1, 100))
def test_segments_ask_for_the_windows_they_show(grid: Grid, length: int) -> None:
    for first in range(0, grid.frame_count, length):
        segment = Segment(0, first, min(length, grid.frame_count - first))
        asked = set(grid.windows_for(segment))
        shown = {
            window
            for frame in range(segment.first_frame, segment.stop_frame)
            for window, _ in grid.shares(grid.drawn_for(frame))
        }
        assert shown <= asked


def test_the_fade_runs_from_the_older_window_to_the_newer() -> None:
    grid = Grid(MODEL_FPS, 60, overlap=4)
    assert grid.shares(11) == ((0, 1.0),)
    assert [round(grid.shares(drawn)[1][1], 6) for drawn in range(12, 16)] == [0.2, 0.4, 0.6, 0.8]
    assert grid.shares(16) == ((1, 1.0),)


def test_gaps_and_cuts_end_what_is_drawn_together() -> None:
    faces = [True, True, False, False, True, True, True, True]
    cuts = [False, False, False, True, False, False, True, False]
    assert list(unbroken(range(16, 24), faces, cuts)) == [range(16, 18), range(20, 22), range(22, 24)]
    assert list(unbroken(range(3), [False] * 3, [False] * 3)) == []
    assert list(unbroken(range(3), [True] * 3, [True, False, False])) == [range(3)]

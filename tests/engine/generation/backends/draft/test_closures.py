"""Shut lips: found where sound and model say so, exact to the burst, and seen at every frame rate."""

from __future__ import annotations

import numpy as np
import pytest

from engine.generation.backends.draft.closures import Closure, find_closures, freedom
from engine.sync.plosives import Burst, Place

TIMES = np.arange(0, 2, 0.02) + 0.005


def bump(begin: float, end: float) -> np.ndarray:
    inside = (begin < TIMES) & (end > TIMES)
    return np.where(inside, 0.9, 0.05).astype(np.float32)


def test_a_closure_ends_at_its_burst() -> None:
    (found,) = find_closures(bump(0.5, 0.58), TIMES, [Burst(0.571, 20, Place.ALVEOLAR)])
    assert found.part == pytest.approx(0.571)
    assert found.shut == pytest.approx(0.5, abs=0.015)


def test_a_closure_without_a_burst_is_where_the_model_sees_it() -> None:
    (found,) = find_closures(bump(0.5, 0.58), TIMES, [Burst(1.4, 20, Place.VELAR)])
    assert (found.shut, found.part) == (pytest.approx(0.5, abs=0.015), pytest.approx(0.58, abs=0.015))


def test_a_lips_burst_needs_a_hint_of_the_model() -> None:
    hint = np.full(len(TIMES), 0.02, np.float32)
    burst = [Burst(1.0, 20, Place.LABIAL)]
    assert find_closures(hint, TIMES, burst) == []
    hint[(TIMES > 0.93) & (TIMES < 1.0)] = 0.3
    (found,) = find_closures(hint, TIMES, burst)
    assert found.part == 1.0
    assert 0.05 < found.part - found.shut < 0.1


def test_a_pause_is_no_closure() -> None:
    assert find_closures(bump(0.4, 1.0), TIMES, []) == []


@pytest.mark.parametrize("fps", [16, 24000 / 1001, 25, 30, 50, 60])
def test_one_picture_shows_each_closure_and_none_is_moved(fps: float) -> None:
    frames = np.arange(0, 60, 1 / fps)
    shown = []
    for middle in np.arange(1.003, 59, 0.777):
        free = freedom([Closure(middle - 0.015, middle + 0.015)], frames, 1 / fps)
        shut = frames[free <= 1e-6]
        assert len(shut) >= 1
        shown.append(float(shut.mean()) - middle)
    # Each is within half a frame; on average they lean to neither side.
    assert abs(np.mean(shown)) < 0.1 / fps


def test_lips_are_free_far_from_closures_and_part_at_speed() -> None:
    times = np.array([0.0, 0.5, 0.55, 0.6, 0.61, 0.64, 0.9])
    free = freedom([Closure(0.5, 0.6)], times, 0.001)
    assert free[[0, 6]].tolist() == [1, 1]
    assert free[[1, 2, 3]] == pytest.approx([0, 0, 0], abs=1e-6)
    assert 0.05 < free[4] < free[5] < 1

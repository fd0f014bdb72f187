"""Where a correction puts each stretch of sound: arithmetic without a display."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.document.corrections import moved
from desktop_app.document.moving import (
    Stretch,
    arrangement,
    file_time,
    picture_time,
    played_time,
    shown_time,
    sound_time,
    stretches,
)
from engine.timing import Correction, DriftCorrection, StepCorrection

STEPS = StepCorrection(((Fraction(0), -80.0), (Fraction(10), 120.0), (Fraction(20), -40.0)))


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

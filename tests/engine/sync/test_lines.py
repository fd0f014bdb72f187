"""The shape of offset over time: right kind, right numbers, honest uncertainties, no drift out of nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sync.lines import drift_cause, fit_offsets
from engine.sync.result import Kind, OffsetPoint


def simulate(
    random: np.random.Generator,
    count: int,
    span: float,
    *,
    offset: float = 0.0,
    drift_ppm: float = 0.0,
    steps: tuple[tuple[float, float], ...] = (),
    sigma: tuple[float, float] = (4.0, 15.0),
    outliers: float = 0.1,
    claimed: float = 1.0,
) -> list[OffsetPoint]:
    """Points as a detector gives them: heavy-tailed errors (Student, 4 degrees), wrong ones anywhere in ±1.5 s.

    Half of the wrong points are as confident as right ones; the claimed uncertainty is off by ``claimed``.
    """
    t = np.linspace(0, span, count)
    deviation = np.exp(random.uniform(*np.log(sigma), count))
    y = offset + drift_ppm * t / 1000 + deviation * random.standard_t(4, count) / np.sqrt(2)
    for begin, jump in steps:
        y = y + jump * (t >= begin)
    wrong = random.random(count) < outliers
    y = np.where(wrong, random.uniform(-1500, 1500, count), y)
    confidence = np.where(wrong, random.uniform(0.3, 0.99, count), random.uniform(0.8, 0.999, count))
    return [
        OffsetPoint(float(a), float(b), float(c), float(1.96 * d * claimed), span / count)
        for a, b, c, d in zip(t, y, confidence, deviation, strict=True)
    ]


def test_no_drift_or_step_is_claimed_where_there_is_none() -> None:
    random = np.random.default_rng(1)
    kinds: Counter[Kind] = Counter()
    covered = 0
    trials = 0
    for count, span in ((4, 20.0), (6, 30.0), (10, 60.0), (20, 120.0), (40, 400.0)):
        for claimed in (0.6, 1.0, 1.6):
            for _ in range(20):
                fit = fit_offsets(simulate(random, count, span, offset=-83.0, outliers=0.15, claimed=claimed))
                kinds[fit.kind] += 1
                covered += abs(fit.offset_ms + 83.0) <= fit.uncertainty_ms
                trials += 1
    assert trials == 300
    assert trials - kinds[Kind.CONSTANT] <= 3, kinds
    # 95 % by design; a third of the trials claim uncertainties that are 40 % too small.
    assert covered >= 0.90 * trials


@pytest.mark.parametrize(
    ("drift_ppm", "count", "span", "sigma"),
    [(41_708.3, 10, 60.0, (4.0, 15.0)), (1000.0, 30, 300.0, (4.0, 15.0)), (145.0, 40, 2640.0, (0.1, 0.5))],
)
def test_a_drift_is_found_within_its_own_uncertainty(
    drift_ppm: float, count: int, span: float, sigma: tuple[float, float]
) -> None:
    random = np.random.default_rng(2)
    within = 0
    for _ in range(20):
        fit = fit_offsets(simulate(random, count, span, offset=40.0, drift_ppm=drift_ppm, sigma=sigma))
        assert fit.kind is Kind.DRIFT
        within += abs(fit.drift_ppm - drift_ppm) <= fit.drift_uncertainty_ppm
        assert fit.at(span / 3) == pytest.approx(40.0 + drift_ppm * span / 3000, abs=25.0)
    assert within >= 16  # 19 expected of a 95 % interval


def test_steps_are_found_where_they_are() -> None:
    random = np.random.default_rng(3)
    right = 0
    for _ in range(30):
        fit = fit_offsets(simulate(random, 24, 240.0, offset=10.0, steps=((80.0, 90.0), (160.0, -140.0))))
        steps = fit.steps(0.0, 240.0)
        right += (
            fit.kind is Kind.STEPS
            and len(steps) == 3
            and np.allclose([step.offset_ms for step in steps], [10.0, 100.0, -40.0], atol=15.0)
            and np.allclose([step.t for step in steps], [0.0, 80.0, 160.0], atol=25.0)
        )
    assert right >= 28


def test_a_step_of_a_drifting_clock_keeps_both() -> None:
    points = simulate(np.random.default_rng(4), 44, 2640.0, drift_ppm=-60.0, steps=((1500.0, 350.0),), sigma=(0.1, 0.5))
    fit = fit_offsets(points)
    assert fit.kind is Kind.STEPS
    assert fit.drift_ppm == pytest.approx(-60.0, abs=1.0)
    assert fit.at(1000.0) == pytest.approx(-60.0, abs=1.0)
    assert fit.at(2000.0) == pytest.approx(230.0, abs=1.0)


def test_scatter_beyond_the_claimed_uncertainty_is_jitter() -> None:
    points = simulate(np.random.default_rng(5), 30, 300.0, sigma=(50.0, 70.0), claimed=0.1, outliers=0.0)
    fit = fit_offsets(points)
    assert fit.kind is Kind.JITTER
    assert 30.0 < fit.scatter_ms < 90.0


def test_single_wrong_points_are_named_and_do_not_bend_the_fit() -> None:
    points = [OffsetPoint(float(t), 50.0 + (t % 3) - 1, 0.99, 4.0, 10.0) for t in range(0, 100, 10)]
    for index, wrong in ((0, 700.0), (4, -300.0), (9, 900.0)):
        points[index] = OffsetPoint(points[index].t, wrong, 0.99, 4.0, 10.0)
    fit = fit_offsets(points)
    assert fit.kind is Kind.CONSTANT
    assert fit.offset_ms == pytest.approx(50.0, abs=1.5)
    assert np.flatnonzero(fit.outliers).tolist() == [0, 4, 9]
    assert fit.residuals_ms[4] == pytest.approx(-350.0, abs=1.5)


def test_one_and_two_points_are_enough_for_a_constant() -> None:
    one = fit_offsets([OffsetPoint(5.0, 83.0, 0.9, 6.0, 10.0)])
    assert (one.kind, one.offset_ms, one.uncertainty_ms) == (Kind.CONSTANT, 83.0, pytest.approx(6.0, rel=0.1))
    assert one.drift_uncertainty_ppm == float("inf")
    two = fit_offsets([OffsetPoint(5.0, 80.0, 0.9, 6.0, 10.0), OffsetPoint(15.0, 86.0, 0.9, 6.0, 10.0)])
    assert two.offset_ms == pytest.approx(83.0, abs=0.1)
    with pytest.raises(ValueError, match="at least one point"):
        fit_offsets([])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 12),
    shift_ms=st.floats(-500, 500),
    later=st.floats(-1000, 1000),
    drift_ppm=st.sampled_from([0.0, 40_000.0]),
)
def test_a_fit_moves_with_its_points(seed: int, count: int, shift_ms: float, later: float, drift_ppm: float) -> None:
    random = np.random.default_rng(seed)
    points = simulate(random, count, 60.0, drift_ppm=drift_ppm, outliers=0.0)
    moved = [
        OffsetPoint(p.t + later, p.offset_ms + shift_ms, p.confidence, p.uncertainty_ms, p.seconds) for p in points
    ]
    random.shuffle(moved)
    before, after = fit_offsets(points), fit_offsets(moved)
    assert after.kind is before.kind
    assert after.offset_ms == pytest.approx(before.offset_ms + shift_ms, abs=0.05)
    assert after.drift_ppm == pytest.approx(before.drift_ppm, abs=1.0)
    assert after.middle == pytest.approx(before.middle + later)


@pytest.mark.parametrize(
    ("drift_ppm", "uncertainty", "key"),
    [
        (1001 * 25 / 24_000 * 1e6 - 1e6, 40.0, "picture_23976_at_25"),
        (24_000 / 25 / 1001 * 1e6 - 1e6, 40.0, "picture_25_at_23976"),
        (1e6 / 24, 50.0, "picture_24_at_25"),
        (-1e6 / 25, 50.0, "picture_25_at_24"),
        (1000.0, 50.0, "ntsc_slow"),
        (-999.0, 50.0, "ntsc_fast"),
        (48 / 44.1 * 1e6 - 1e6, 100.0, "rate_48_at_441"),
        (44.1 / 48 * 1e6 - 1e6, 100.0, "rate_441_at_48"),
        (145.0, 2.0, "clock"),
        (-250.0, 2.0, "clock"),
        (7000.0, 20.0, "unknown"),
        (700.0, 600.0, "either"),
        (42_200.0, 900.0, "either"),
    ],
)
def test_the_usual_causes_are_named(drift_ppm: float, uncertainty: float, key: str) -> None:
    cause = drift_cause(drift_ppm, uncertainty)
    assert cause.key == f"alignment.cause.{key}"
    for language in ("en", "zh_CN"):
        assert cause.text(language)

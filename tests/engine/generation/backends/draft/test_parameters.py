"""Mouth parameters: what they read off a face is what they put onto one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from engine.face.landmarks import INNER_LIPS, JAW, MOUTH_REGION, OUTER_LIPS, mirror_order, shape_of
from engine.generation.backends.draft.articulation import OUTPUTS, shipped_model
from engine.generation.backends.draft.parameters import JAW_DROP, NAMED, OPENING, WIDTH, Basis, measures
from engine.generation.backends.draft.portrait import Resting, average_mesh

RNG = np.random.default_rng(4)


def test_parameters_come_back_from_the_displacements_they_make() -> None:
    basis = shipped_model().basis
    wanted = RNG.normal(0, 0.1, (20, OUTPUTS)).astype(np.float32)
    # Single precision over 183 coordinates; directions of the shapes are orthonormal.
    np.testing.assert_allclose(basis.parameters(basis.displacements(wanted)), wanted, atol=2e-5)


def test_named_parameters_are_read_exactly_whatever_the_basis() -> None:
    basis = Basis.of(RNG.normal(0, 1, (400, len(MOUTH_REGION), 3)).astype(np.float32))
    wanted = np.zeros((1, OUTPUTS), np.float32)
    wanted[0, : len(NAMED)] = (0.2, -0.1, 0.05, 0.3)
    moved = basis.displacements(wanted).reshape(1, -1)
    np.testing.assert_allclose(moved @ measures().T, wanted[:, : len(NAMED)], atol=1e-5)


def test_the_basis_moves_both_halves_of_a_face_alike() -> None:
    moved = shipped_model().basis.displacements(np.eye(OUTPUTS, dtype=np.float32))
    mirrored = moved[:, mirror_order()] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(mirrored, moved, atol=1e-5)


def resting() -> Resting:
    points = shape_of(average_mesh() * 100).points
    return Resting.of(points, shipped_model())


def opening_width_jaw(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return gap between the lips, distance of the corners and height of the chin, measured on the points alone."""
    outer, inner = points[: len(OUTER_LIPS)], points[len(OUTER_LIPS) : len(OUTER_LIPS) + len(INNER_LIPS)]
    gaps = [np.linalg.norm(inner[5 + side] - inner[15 - side]) for side in (-1, 0, 1)]
    chin = points[len(OUTER_LIPS) + len(INNER_LIPS) + JAW.index(152)]
    return np.array([np.mean(gaps), np.linalg.norm(outer[10] - outer[0]), chin[1]])


def test_a_mouth_is_as_open_wide_and_low_as_asked() -> None:
    rest = resting()
    size = rest.width / shipped_model().mouth_width
    mouth = np.zeros(OUTPUTS, np.float32)
    before = opening_width_jaw(rest.moved(mouth, shipped_model()))
    assert before[0] == pytest.approx(0, abs=0.006)  # lips in contact: what is left is depth, not height
    mouth[[OPENING, WIDTH, JAW_DROP]] = (0.2, -0.08, 0.1)
    after = opening_width_jaw(rest.moved(mouth, shipped_model()))
    assert after[0] == pytest.approx(0.2 * size, rel=0.03)
    assert after[1] - before[1] == pytest.approx(-0.08 * size, rel=0.1)
    assert after[2] - before[2] == pytest.approx(0.1 * size, rel=0.1)


def test_shut_lips_touch_everywhere_and_never_cross() -> None:
    rest = resting()
    for opening in (0.0, 0.004, 0.03, 0.3):
        mouth = RNG.normal(0, 0.02, OUTPUTS).astype(np.float32)
        mouth[OPENING] = opening
        inner = rest.moved(mouth, shipped_model())[20:40, 1]
        gaps = inner[1:10] - inner[19:10:-1]
        assert gaps.min() >= -1e-6
        if opening == 0:
            assert gaps.max() < 1e-6

"""The face's own frame: what it must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from engine.face.landmarks import (
    INNER_LIPS,
    MOUTH_REGION,
    OUTER_LIPS,
    STABLE,
    TEMPLATE,
    fit_similarity,
    mirror_order,
    shape_of,
)
from engine.face.mouth import openings


def face_mesh(opening: float = 0.1) -> np.ndarray:
    """A 478-point mesh in the face's frame whose stable points are the template and whose lips are two ellipses."""
    mesh = np.zeros((478, 3), np.float32)
    mesh[list(STABLE)] = TEMPLATE
    for ring, half_width, half_height in ((OUTER_LIPS, 0.4, 0.15 + opening / 2), (INNER_LIPS, 0.32, opening / 2)):
        angle = np.pi - np.linspace(0, 2 * np.pi, len(ring), endpoint=False)
        mesh[list(ring)] = np.column_stack(
            [half_width * np.cos(angle), 1.15 + half_height * np.sin(angle), np.full(len(ring), -0.2)]
        )
    mesh[152] = (0, 1.9, -0.1)
    return mesh


@given(
    scale=st.floats(5, 300),
    turn=st.lists(st.floats(-40, 40), min_size=3, max_size=3),
    move=st.lists(st.floats(-500, 500), min_size=3, max_size=3),
)
def test_the_shape_does_not_depend_on_size_place_or_pose(scale: float, turn: list[float], move: list[float]) -> None:
    mesh = face_mesh()
    rotation = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    posed = (mesh @ rotation.T * scale + move).astype(np.float32)
    shape = shape_of(posed)
    # float32 pixels of up to ~1000 keep about 1e-4 of the smallest face's unit
    np.testing.assert_allclose(shape.points, mesh[list(MOUTH_REGION)], atol=2e-3)
    assert shape.scale == pytest.approx(scale, rel=1e-3)
    assert shape.residual < 1e-3


def test_fit_similarity_never_mirrors() -> None:
    source = np.random.default_rng(0).normal(size=(10, 3))
    _, rotation, _ = fit_similarity(source, source * [-1, 1, 1])
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_mirroring_twice_changes_nothing() -> None:
    order = mirror_order()
    np.testing.assert_array_equal(order[order], np.arange(len(MOUTH_REGION)))


def test_mirrored_points_lie_where_their_partners_were() -> None:
    points = face_mesh()[list(MOUTH_REGION)]
    rings = slice(0, len(OUTER_LIPS) + len(INNER_LIPS))
    np.testing.assert_allclose((points[mirror_order()] * [-1, 1, 1])[rings], points[rings], atol=1e-6)


@pytest.mark.parametrize("opening", [0.0, 0.05, 0.2, 0.5])
def test_openings_read_back_what_was_drawn(opening: float) -> None:
    points = face_mesh(opening)[list(MOUTH_REGION)]
    # the mean over the middle three of the ellipse's chords: 1 and twice cos(18 degrees)
    drawn = opening * (1 + 2 * np.cos(np.pi / 10)) / 3
    assert openings(points[None])[0] * 0.8 == pytest.approx(drawn, abs=0.02 * opening + 1e-6)

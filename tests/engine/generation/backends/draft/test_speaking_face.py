"""Moving the lower face of one picture: what changes, what must not, and that the mouth does as it is told."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest

from engine.face.landmarks import shape_of
from engine.face.mesh import FaceFinder, Mesh
from engine.generation.backends.draft.articulation import OUTPUTS, shipped_model
from engine.generation.backends.draft.finding import boxes_in, still_mesh
from engine.generation.backends.draft.interior import Light
from engine.generation.backends.draft.parameters import JAW_DROP, OPENING, WIDTH, measures
from engine.generation.backends.draft.portrait import INNER, Resting, region_points
from engine.generation.backends.draft.speaking_face import SpeakingFace
from tests.engine.generation.backends.draft.talk import drawn_face


def mesh_in(image: np.ndarray) -> np.ndarray:
    finder, mesh = FaceFinder(), Mesh()
    try:
        found = still_mesh(mesh, image, boxes_in(finder, image)[0])
    finally:
        finder.close()
        mesh.close()
    assert found is not None
    return found


@cache
def face() -> SpeakingFace:
    return SpeakingFace.of(drawn_face(), mesh_in(drawn_face()))


def resting() -> Resting:
    return Resting.of(face().shape.points, shipped_model())


def mouth(**named: float) -> np.ndarray:
    values = np.zeros(OUTPUTS, np.float32)
    for name, value in named.items():
        values[{"opening": OPENING, "width": WIDTH, "jaw": JAW_DROP}[name]] = value
    return values


def moved(**named: float) -> np.ndarray:
    return face().drawn(drawn_face(), resting().moved(mouth(**named), shipped_model()), resting().points)


WIDE = {"opening": 0.22, "jaw": 0.15}


def test_everything_outside_the_face_is_the_same_to_the_bit() -> None:
    box = face().fields.grid.box
    outside = np.ones(drawn_face().shape[:2], bool)
    outside[box.top : box.bottom, box.left : box.right] = False
    assert outside.mean() > 0.5
    changed = (moved(**WIDE) != drawn_face()).any(axis=2)
    assert not changed[outside].any()
    assert changed.any()


def test_eyes_hair_and_forehead_do_not_move_when_the_mouth_opens() -> None:
    eyes = face().mesh[[33, 133, 362, 263], 1].max()
    np.testing.assert_array_equal(moved(**WIDE)[: int(eyes)], drawn_face()[: int(eyes)])


def test_the_motion_fades_to_nothing_at_the_regions_border() -> None:
    wanted = resting().moved(mouth(**WIDE), shipped_model())
    pixels = ((wanted - face().shape.points) @ face().shape.rotation.T)[:, :2] * face().shape.scale
    for field in face().fields.inverse(pixels.astype(np.float32)):
        lengths = np.linalg.norm(field, axis=2)
        rim = np.concatenate([lengths[0], lengths[-1], lengths[:, 0], lengths[:, -1]])
        assert rim.max() == 0
        assert lengths.max() > 3


def test_a_mouth_that_stays_as_it_is_leaves_the_picture_as_it_is() -> None:
    unchanged = face().drawn(drawn_face(), face().shape.points, resting().points)
    np.testing.assert_array_equal(unchanged, drawn_face())


@pytest.mark.parametrize("opening", [0.06, 0.12, 0.2])
def test_the_gap_is_as_high_as_asked_to_the_pixel(opening: float) -> None:
    green = np.array([0, 1, 0], np.float32)
    marked = SpeakingFace.of(drawn_face(), face().mesh, Light(green, green, green, green, 0.5))
    picture = marked.drawn(
        drawn_face(), resting().moved(mouth(opening=opening, jaw=0.5 * opening), shipped_model()), resting().points
    )
    middle, lips = np.rint(face().lips[INNER][[5, 15]].mean(axis=0)).astype(int)
    # Whatever is greener than red between the lips was painted there, more or less in shade.
    column = picture[lips - 15 : lips + 30, middle - 1 : middle + 2].astype(int)
    painted = (column[..., 1] > column[..., 0] + 10).sum(axis=0).mean()
    wanted = opening * resting().width / shipped_model().mouth_width * face().shape.scale
    assert painted == pytest.approx(wanted, abs=1.5)  # half a pixel of softness at both lips


def test_the_picture_shows_narrow_and_shut_lips() -> None:
    wide, narrow = (shape_of(mesh_in(moved(opening=0.06, width=width))).points for width in (0.05, -0.12))
    change = (wide - narrow).reshape(-1) @ measures()[WIDTH]
    assert change == pytest.approx(0.17 * resting().width / shipped_model().mouth_width, rel=0.3)
    shut = shape_of(mesh_in(moved())).points.reshape(-1) @ measures()[OPENING]
    assert shut < 0.015


def test_between_open_lips_it_is_dark_below_and_bright_at_the_teeth() -> None:
    picture = moved(**WIDE)
    ring = region_points(mesh_in(picture))[INNER]
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(ring).astype(np.int32)], (255,))
    inside = picture[cv2.erode(mask, np.ones((3, 3))) > 0].mean(axis=1)
    skin = picture[int(face().mesh[205, 1]), int(face().mesh[205, 0])].mean()
    assert np.quantile(inside, 0.1) < 0.35 * skin
    assert np.quantile(inside, 0.97) > 0.55 * skin


def test_small_steps_of_the_mouth_make_small_steps_in_the_picture() -> None:
    openings = np.linspace(0, 0.05, 26)
    pictures = [moved(opening=float(opening)).astype(np.float32) for opening in openings]
    box = face().fields.grid.box
    steps = [
        float(np.abs(after - before)[box.top : box.bottom, box.left : box.right].mean())
        for before, after in pairwise(pictures)
    ]
    assert max(steps) < 4 * np.median(steps)  # nothing pops in: a gap begins as a shade


def test_an_open_mouth_is_shut() -> None:
    open_picture = moved(**WIDE)
    open_face = SpeakingFace.of(open_picture, mesh_in(open_picture))
    rest = Resting.of(open_face.shape.points, shipped_model())
    shut = open_face.drawn(open_picture, rest.moved(mouth(), shipped_model()), rest.points)
    before = open_face.shape.points.reshape(-1) @ measures()[OPENING]
    after = shape_of(mesh_in(shut)).points.reshape(-1) @ measures()[OPENING]
    assert before > 0.12
    assert after < 0.25 * before

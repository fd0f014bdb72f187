from dataclasses import replace

import numpy as np
import pytest

from engine.sample.articulation import MouthShape
from engine.sample.face import Face
from engine.sample.look import LOOKS, Look
from engine.sample.motion import Motion, Pose
from engine.sample.mouth import lip_edges
from engine.sample.painting import Canvas
from engine.sample.scene import Person, Scene

CENTRE = (160.0, 130.0)


def mouth(**values: float) -> MouthShape:
    return MouthShape(*(np.array(values.get(name, 0.0)) for name in MouthShape.__slots__))


@pytest.fixture(scope="module")
def face() -> Face:
    return Face(LOOKS[0], 0.8)


def drawn(face: Face, shape: MouthShape, pose: Pose | None = None) -> np.ndarray:
    frame = np.full((320, 320, 3), 200, np.uint8)
    face.draw(frame, shape, pose or Pose(), CENTRE)
    return frame


@pytest.mark.parametrize("opening", [0.0, 0.4, 3.0, 16.0])
@pytest.mark.parametrize("rounding", [0.0, 1.0])
def test_drawn_lips_are_apart_by_exactly_the_opening(opening: float, rounding: float) -> None:
    canvas = Canvas(-30.05, 40, 60, 60, 10)  # the middle column lies at x = 0
    lips = lip_edges(canvas.x, mouth(opening=opening, rounding=rounding, width=-8 * rounding), LOOKS[0])
    middle = canvas.shape[1] // 2
    assert canvas.x[0, middle] == pytest.approx(0, abs=1e-5)
    assert float((lips.lower - lips.upper)[0, middle]) == pytest.approx(opening, abs=1e-5)
    assert np.all(lips.top <= lips.upper)
    assert np.all(lips.lower <= lips.bottom)


def test_an_opening_mouth_changes_the_lower_face_only(face: Face) -> None:
    shut, wide = drawn(face, mouth()), drawn(face, mouth(opening=14, jaw=10))
    changed = np.flatnonzero(np.abs(shut.astype(int) - wide).max(axis=(1, 2)) > 2)
    assert changed.min() > CENTRE[1] + 30 * 0.8
    assert changed.max() > CENTRE[1] + 110 * 0.8  # the chin goes down with the jaw


def test_open_mouth_is_dark_inside(face: Face) -> None:
    wide = drawn(face, mouth(opening=16, jaw=11))
    column = wide[int(CENTRE[1] + 62 * 0.8) : int(CENTRE[1] + 86 * 0.8), int(CENTRE[0])]
    assert column.max(axis=1).min() < 90


def test_lids_cover_the_eyes(face: Face) -> None:
    wake, asleep = drawn(face, mouth()), drawn(face, mouth(), Pose(lid=1.0))
    eye = (slice(int(CENTRE[1] - 5), int(CENTRE[1] + 5)), slice(int(CENTRE[0] + 15), int(CENTRE[0] + 36)))
    assert wake[eye].min() < 50
    assert np.ptp(asleep[eye].astype(int).sum(axis=2)) < np.ptp(wake[eye].astype(int).sum(axis=2))


def test_head_moves_and_shoulders_stay(face: Face) -> None:
    still, moved = drawn(face, mouth()), drawn(face, mouth(), Pose(x=6.0, yaw=0.05))
    assert np.abs(still[40:200].astype(int) - moved[40:200]).max() > 60
    assert np.array_equal(still[300:], moved[300:])


def test_same_again_is_the_same_picture(face: Face) -> None:
    first = drawn(face, mouth(opening=5, jaw=3))
    drawn(face, mouth(opening=12, width=-9, rounding=1), Pose(lid=0.6, roll=0.03))
    assert np.array_equal(drawn(face, mouth(opening=5, jaw=3)), first)


def test_every_seed_has_a_look_of_its_own() -> None:
    looks = [Look.of(seed) for seed in range(24)]
    assert len(set(looks)) == 24
    assert Look.of(9) == Look.of(9)


def test_people_sit_side_by_side_or_nobody_does() -> None:
    look = replace(LOOKS[1], glasses=True)
    nobody = Scene((320, 180), (), look, seed=3).frame(0.0)
    two = Scene((320, 180), [Person(look, Motion(1), None), Person(LOOKS[4], Motion(2), None)], look, seed=3).frame(0.0)
    difference = np.abs(nobody.astype(int) - two).max(axis=2) > 40
    assert difference[60:110, 60:100].mean() > 0.5
    assert difference[60:110, 220:260].mean() > 0.5
    assert nobody.std() < 40


def test_eyes_blink_now_and_then_and_the_head_never_leaves_its_place() -> None:
    motion = Motion(seed=4, beats=(1.0, 2.0, 3.0))
    poses = [motion.at(number / 25) for number in range(30 * 25)]
    shut = np.array([pose.lid for pose in poses]) > 0.5
    assert 3 <= np.sum(np.diff(shut.astype(int)) == 1) <= 20
    assert max(abs(pose.yaw) for pose in poses) < 0.12
    assert np.ptp([pose.x for pose in poses]) > 0.5
    assert motion.at(3.0) == Motion(seed=4, beats=(1.0, 2.0, 3.0)).at(3.0)

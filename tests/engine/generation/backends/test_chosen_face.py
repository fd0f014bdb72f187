"""Which of several faces is meant, and that it is the same one after it was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import numpy.typing as npt
import pytest

from engine.generation.backend import Picture
from engine.generation.backends.chosen_face import FaceFollower, chosen
from tests.engine.generation.backends.draft.talk import drawn_face


def _box(left: float, width: float) -> npt.NDArray[np.float32]:
    return np.array([left, 10, left + width, 10 + width], np.float32)


def test_faces_are_counted_from_the_left() -> None:
    boxes = [_box(300, 90), _box(20, 60), _box(150, 40)]
    assert chosen(boxes, None) is boxes[0]
    assert [chosen(boxes, number) is boxes[index] for number, index in ((1, 1), (2, 2), (3, 0))] == [True] * 3
    assert chosen(boxes, 4) is None
    assert chosen([], None) is None


@pytest.fixture
def second() -> Iterator[FaceFollower]:
    """Return what follows the second face from the left."""
    with closing(FaceFollower(2)) as follower:
        yield follower


def _middle(follower: FaceFollower, image: Picture) -> float | None:
    found = follower.find(np.ascontiguousarray(image))
    return None if found is None else float(found.in_picture()[:, 0].mean())


def test_a_face_that_was_lost_is_taken_up_again_although_it_is_another_number_by_then(second: FaceFollower) -> None:
    one = drawn_face(3, (320, 320))
    width, nobody = one.shape[1], np.full_like(one, 90)
    assert _middle(second, np.hstack([one, one])) == pytest.approx(1.5 * width, abs=0.1 * width)
    looks = [_middle(second, np.hstack([nobody, nobody])) for _ in range(5)]
    assert looks == [None] * 5
    # Only the second one is back, now the first from the left.
    assert _middle(second, np.hstack([nobody, one])) == pytest.approx(1.5 * width, abs=0.1 * width)


def test_after_a_cut_faces_are_counted_anew(second: FaceFollower) -> None:
    one = drawn_face(3, (320, 320))
    nobody = np.full_like(one, 90)
    assert _middle(second, np.hstack([one, one])) is not None
    second.restart()
    assert _middle(second, np.hstack([nobody, one])) is None

"""The chosen face, picture after picture."""

from __future__ import annotations

import numpy as np
import pytest

from engine.generation.backend import Picture
from engine.generation.backends.latentsync import faces as faces_module
from engine.generation.backends.latentsync.faces import ChosenFace, SeenPicture, pictures_from, seen_pictures
from engine.generation.backends.latentsync.windows import MODEL_FPS, Grid
from tests.engine.generation.backends.latentsync.conftest import SIDE
from tests.engine.generation.in_memory import Pictures


def _seen(images: list[Picture], first: int = 0, number: int | None = None) -> list[SeenPicture]:
    source, grid = Pictures(images), Grid(MODEL_FPS, len(images))
    shown = pictures_from(source, grid, first)
    return list(seen_pictures(shown, source, grid, SIDE, lambda: ChosenFace(SIDE, number, 1.0), first))


def test_what_is_found_does_not_depend_on_where_one_begins(
    pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faces_module, "BLOCK", 16)
    whole = _seen(pictures[:40])
    for first in (20, 32):
        for expected, found in zip(whole[first:], _seen(pictures[:40], first), strict=True):
            assert expected.frame == found.frame
            assert expected.matrix is not None
            np.testing.assert_array_equal(expected.matrix, found.matrix)
            np.testing.assert_array_equal(expected.crops[expected.frame], found.crops[found.frame])


def test_a_cut_begins_a_shot_and_the_face_is_found_again(pictures: list[Picture]) -> None:
    other = [np.ascontiguousarray(255 - image[:, ::-1] // 2) for image in pictures[20:24]]
    shown = [*pictures[:10], *other, *pictures[10:20]]
    seen = _seen(shown)
    assert [each.frame for each in seen if each.begins_shot] == [10, 14]
    assert all(each.matrix is not None for each in seen[:10])
    assert all(each.matrix is not None for each in seen[14:])


def test_the_face_stays_in_its_place_in_the_square(pictures: list[Picture]) -> None:
    """The person sways by many pixels; what the network is shown hardly moves."""
    seen = _seen(pictures)
    crops = np.stack([each.crops[each.frame] for each in seen]).astype(np.float32)
    assert len(crops) == len(pictures)
    upper = crops[:, : SIDE // 3]
    assert float(upper.std(axis=0).mean()) < 12
    shifts = np.stack([each.matrix[:, 2] for each in seen if each.matrix is not None])
    assert float(np.abs(np.diff(shifts, axis=0)).max()) < 6  # no jump from one picture to the next


def test_of_two_people_the_chosen_one_is_followed(pictures: list[Picture]) -> None:
    shown = [np.ascontiguousarray(np.hstack([image, image])) for image in pictures[:6]]
    left, right = (_seen(shown, number=number) for number in (1, 2))
    for one, other in zip(left, right, strict=True):
        assert one.matrix is not None
        assert other.matrix is not None
        inverse = [np.linalg.inv(np.vstack([each.matrix, (0, 0, 1)])) for each in (one, other)]
        places = [float((each @ (SIDE / 3, SIDE / 3, 1))[0]) for each in inverse]
        assert places[1] - places[0] == pytest.approx(pictures[0].shape[1], abs=6)

"""Cutting faces out and putting them back."""

from __future__ import annotations

import re
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from engine.generation.backends.latentsync.align import (
    LEFT_BROW,
    NOSE,
    RIGHT_BROW,
    Aligner,
    box_size,
    cut_out,
    paste_box,
    paste_mouth,
    three_points,
)
from engine.generation.backends.latentsync.mask import keep_mask, latent_mask, mouth_hole
from tests.golden import Golden, goldens, worst


@goldens("latentsync/mask")
def test_the_mask_is_the_published_one(golden: Golden) -> None:
    mask = keep_mask(256)
    runs = golden.sidecar["description"]["runs_of_zero_per_row"]
    expected = np.ones((256, 256), np.float32)
    for row, listed in runs.items():
        for first, length in listed:
            expected[int(row), first : first + length] = 0
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(latent_mask(256), golden.arrays["latent_mask_32"])
    assert worst(latent_mask(512), golden.arrays["latent_mask_64"]) <= 1e-6
    assert worst(np.rint(keep_mask(512)[::4, ::4] * 255), golden.arrays["mask_512_values"]) <= 1


@goldens("latentsync/align")
def test_similarities_are_the_published_ones(golden: Golden) -> None:
    for name, expected in golden.arrays.items():
        if found := re.fullmatch(r"affine_(\d+)", name):
            aligner = Aligner(int(found[1]))
            matrices = np.stack([aligner.matrix(points) for points in golden.arrays["points"]])
            assert worst(matrices, expected) <= golden.tolerance["suggested"]["affine"]


@goldens("latentsync/align")
def test_cut_out_faces_are_the_published_ones(golden: Golden) -> None:
    for resolution, _, matrix, image, expected in _cases(golden, "square"):
        found = cut_out(image, matrix, resolution)
        assert _within_a_level(found[:: resolution // len(expected), :: resolution // len(expected)], expected)


@goldens("latentsync/align")
def test_pasted_boxes_are_the_published_ones(golden: Golden) -> None:
    for resolution, _, matrix, image, expected in _cases(golden, "restored"):
        found = paste_box(image, _generated(resolution), matrix)
        assert worst(found, expected) <= 1  # the published program cuts off the fraction of a level, this one rounds


def _cases(golden: Golden, kind: str) -> list[tuple[int, int, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]]:
    arrays: dict[str, npt.NDArray[Any]] = dict(golden.arrays)
    last = len(arrays["points"]) - 1
    stored = {frame: place for place, frame in enumerate(sorted({0, min(1, last), last}))}
    cases = []
    for name, expected in arrays.items():
        if found := re.fullmatch(rf"{kind}_(\d+)\.(\d+)", name):
            resolution, frame = int(found[1]), int(found[2])
            matrix = arrays[f"affine_{resolution}"][frame].astype(np.float64)
            cases.append((resolution, frame, matrix, arrays["images"][stored[frame]], expected))
    assert cases
    return cases


def _within_a_level(found: npt.NDArray[np.uint8], expected: npt.NDArray[np.uint8]) -> bool:
    """Allow one level in one value of twenty, and 0.1 % of the pixels more, as the sidecar does.

    Where a sample is a whole level but for its last bit, cutting off the fraction takes either; the stretch to a square
    passes it on. Rounding places to OpenCV's 1/32 pixel would show here.
    """
    difference = np.abs(found.astype(int) - expected)
    return bool(np.mean(difference <= 1) >= 0.999) and float(difference.mean()) < 0.05


def _generated(resolution: int) -> npt.NDArray[np.float32]:
    """Return the drawn face of the sidecar's formula."""
    x = np.arange(resolution)[None] / resolution
    y = np.arange(resolution)[:, None] / resolution
    planes = [np.sin(6 * x + 2 * y), np.cos(5 * y - 3 * x), 0.9 * np.sin(9 * x * y) - 0.2]
    return np.stack(planes, -1).astype(np.float32)


@pytest.mark.parametrize("resolution", [256, 512])
@pytest.mark.parametrize("angle", [0.0, 20.0])
@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5])
def test_nothing_outside_the_mouth_changes(resolution: int, angle: float, scale: float) -> None:
    image = _picture()
    matrix = _placed(resolution, angle, scale)
    out = paste_mouth(image, np.ones((resolution, resolution, 3), np.float32), matrix)
    changed = (out != image).any(-1)
    # Where the drawn region lies in the picture, by another way: each of the picture's pixels looked up in the mask.
    width, height = box_size(resolution)
    ys, xs = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    box = np.stack([xs, ys], -1) @ matrix[:, :2].T + matrix[:, 2]
    column, row = (np.floor((box[..., axis] + 0.5) * resolution / side) for axis, side in enumerate((width, height)))
    inside = (column >= 0) & (row >= 0) & (column < resolution) & (row < resolution)
    drawn = np.zeros(image.shape[:2], bool)
    drawn[inside] = mouth_hole(resolution).weight[row[inside].astype(int), column[inside].astype(int)] > 0
    reach = 1 + round(1 / scale) if scale < 1 else 1  # a sample between pixels reaches to the next one
    reached = cv2.dilate(drawn.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    assert changed.any()
    assert not (changed & (reached == 0)).any()
    middle = mouth_hole(resolution).weight[round(0.7 * resolution), resolution // 2]
    assert middle == pytest.approx(1, abs=1e-6)


def test_a_face_put_back_where_it_was_hardly_changes_it() -> None:
    image = cv2.GaussianBlur(_picture(), (0, 0), 4)
    for resolution, scale in ((256, 1.0), (512, 1.0), (512, 0.4)):
        matrix = _placed(resolution, 10, scale)
        face = cut_out(image, matrix, resolution).astype(np.float32) / 127.5 - 1
        for paste in (paste_mouth, paste_box):
            difference = np.abs(paste(image, face, matrix).astype(int) - image)
            # A smooth picture survives two resamplings and the cut-off fraction of a level within two levels, almost
            # everywhere. A shift by half a pixel would be 5.
            assert float(np.quantile(difference, 0.999)) <= 2


def test_places_between_pixels_are_not_rounded() -> None:
    stripes = np.tile(np.array([0, 200], np.uint8), 320)
    image = np.broadcast_to(stripes[None, :, None], (480, 640, 3)).copy()
    matrix = np.array([(1, 0, -50 - 1 / 64), (0, 1, -60)])  # a 64th of a pixel: three levels between these stripes
    width, height = box_size(256)
    row = stripes[50 : 50 + width] * (63 / 64) + stripes[51 : 51 + width] / 64
    box = np.broadcast_to(row.astype(np.uint8)[None, :, None], (height, width, 3))
    expected = cv2.resize(np.ascontiguousarray(box), (256, 256), interpolation=cv2.INTER_LANCZOS4)
    assert worst(cut_out(image, matrix, 256), expected) <= 1


@pytest.mark.parametrize("size", [1.0, 2.0, 4.0])
def test_a_pasted_box_is_as_soft_as_if_all_of_the_picture_were_looked_at(size: float) -> None:
    image = np.zeros((1300, 1000, 3), np.uint8)
    matrix = np.array([(1 / size, 0, -20.25), (0, 1 / size, -15.75)])  # sampled at 32nds of a pixel: OpenCV is exact
    found = paste_box(image, np.ones((256, 256, 3), np.float32), matrix)

    width, height = box_size(256)
    inside = cv2.warpAffine(np.ones((height, width), np.float32), cv2.invertAffineTransform(matrix), (1000, 1300))
    inside = cv2.erode(inside, np.ones((2, 2), np.uint8))
    edge = int(inside.sum() ** 0.5) // 20
    core = cv2.erode(inside, np.ones((2 * edge, 2 * edge), np.uint8))
    soft = cv2.GaussianBlur(core, (2 * edge + 1, 2 * edge + 1), 0.3 * (edge - 1) + 0.8)
    assert worst(found[..., 0], np.rint(255 * inside * soft)) <= 1


def test_a_face_beyond_the_picture_leaves_it_alone() -> None:
    image = _picture()
    matrix = _placed(256, 0, 1.0)
    matrix[:, 2] += 5000
    assert (cut_out(image, matrix, 256) == 127).all()
    face = np.ones((256, 256, 3), np.float32)
    assert (paste_mouth(image, face, matrix) == image).all()
    assert (paste_box(image, face, matrix) == image).all()


def test_three_points_come_from_the_mesh() -> None:
    mesh = np.zeros((478, 3), np.float32)
    for group, value in ((LEFT_BROW, (10, 20, 5)), (RIGHT_BROW, (60, 21, 5)), (NOSE, (35, 44, -9))):
        mesh[list(group)] = value
    assert three_points(mesh).tolist() == [[10, 20], [60, 21], [35, 44]]


def test_calibration_changes_the_size_and_nothing_else() -> None:
    points = np.array([(100.0, 100.0), (160.0, 104.0), (128.0, 150.0)])
    plain, smaller = (Aligner(256, calibration=value).matrix(points) for value in (1.0, 0.9))
    np.testing.assert_allclose(smaller[:, :2], 0.9 * plain[:, :2])
    middle = points.mean(0)
    np.testing.assert_allclose(smaller[:, :2] @ middle + smaller[:, 2], plain[:, :2] @ middle + plain[:, 2])


def _picture() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (480, 640, 3), np.uint8)


def _placed(resolution: int, angle: float, scale: float) -> npt.NDArray[np.float64]:
    """Return a matrix for a face in the middle of the picture, ``scale`` picture pixels per pixel of the 256 box."""
    width, height = box_size(resolution)
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * (resolution / 256) / scale
    return np.hstack([rotation, (np.array([width / 2, height / 2]) - rotation @ (320, 240))[:, None]])

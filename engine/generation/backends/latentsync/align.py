"""Where the face of a frame lies in the network's square, cutting it out, and putting a drawn face back.

LatentSync sees a face through a similarity that brings three points, the middles of both brows and of the nose, near
those of a template; the box of the template (3:4) is stretched to the network's square. Everything here is OpenCV on
the part of the picture that changes, in full precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the field's own abbreviation

from engine.face.landmarks import fit_similarity
from engine.generation.backends.latentsync.mask import SIDE, mouth_hole

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating[Any]]
_Numbers = npt.NDArray[np.floating[Any] | np.integer[Any]]  # what OpenCV's stubs return
Matrix = npt.NDArray[np.float64]
"""Similarity from picture to face box, shape ``(2, 3)``."""

LEFT_BROW = (71, 63, 105, 66, 107)
RIGHT_BROW = (336, 296, 334, 293, 301)
NOSE = (168, 197, 5, 4, 75, 97, 2, 326, 305)
"""Mesh points (left and right as seen in the picture) whose means are the three points: ByteDance's own mapping, from
the history of LatentSync 1.0."""

_TEMPLATE = np.array([(17.0, 20.0), (58.0, 20.0), (37.5, 40.0)])
_TEMPLATE_BOX = (75.0, 100.0)
_TEMPLATE_SCALE = 2.8
"""Template and its enlargement for the 256 pixel square (LatentSync, utils/affine_transform.py)."""
_BORDER = 127
"""Grey beyond the picture's edge."""
_NEW_BIAS = 0.8
"""Share of the new frame in the smoothed bias (golden numbers of the published code)."""


def box_size(resolution: int) -> tuple[int, int]:
    """Return width and height of the face box that is stretched to ``resolution`` squared: 210 x 280 for 256."""
    scale = resolution / SIDE * _TEMPLATE_SCALE
    return int(_TEMPLATE_BOX[0] * scale), int(_TEMPLATE_BOX[1] * scale)


def three_points(mesh: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the middles of left brow, right brow and nose, shape ``(3, 2)``.

    Args:
        mesh: landmarks in pixels of the picture, shape ``(>=468, 2 or 3)``.
    """
    groups = (LEFT_BROW, RIGHT_BROW, NOSE)
    return np.stack([mesh[list(group), :2].astype(np.float64).mean(0) for group in groups])


class Aligner:
    """Finds the similarity of one frame after the other.

    The published code adds to each similarity a fraction of a pixel, by which the nose misses the template, smoothed
    over the frames; the network was trained on faces cut out like that. What a frame says fades by 0.2 with each
    further frame.

    Args:
        resolution: side of the network's square.
        calibration: size of the face in the box relative to the template.
    """

    def __init__(self, resolution: int, *, calibration: float = 1.0) -> None:
        self._template = _TEMPLATE * (resolution / SIDE * _TEMPLATE_SCALE)
        self._calibrated = (self._template - self._template.mean(0)) * calibration + self._template.mean(0)
        self._bias: npt.NDArray[np.float64] | None = None

    def restart(self) -> None:
        """Forget the frames so far: another shot begins."""
        self._bias = None

    def matrix(self, points: npt.NDArray[np.float64]) -> Matrix:
        """Return the similarity of the next frame, shape ``(2, 3)``.

        Args:
            points: as :func:`three_points` returns them.
        """
        rotation, translation = _similarity(points, self._calibrated)
        bias = _normal(self._template)[2] - _normal(points)[2]
        self._bias = bias if self._bias is None else _NEW_BIAS * bias + (1 - _NEW_BIAS) * self._bias
        return np.hstack([rotation, (translation + self._bias)[:, None]])


def _normal(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Centre points and divide them by their overall deviation."""
    centred = points - points.mean(0)
    return np.asarray(centred / max(float(centred.std(ddof=1)), 1e-9))


def _similarity(
    points: npt.NDArray[np.float64], template: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the scaled rotation ``(2, 2)`` and the translation of the published similarity.

    Its rotation is that of least squares, its scale the ratio of the points' deviations.
    """
    _, rotation, _ = fit_similarity(points, template)
    spread = float((points - points.mean(0)).std(ddof=1))
    scaled = rotation * (float((template - template.mean(0)).std(ddof=1)) / max(spread, 1e-9))
    return scaled, template.mean(0) - scaled @ points.mean(0)


def cut_out(image: Image, matrix: Matrix, resolution: int) -> Image:
    """Return the face as the network sees it, shape ``(resolution, resolution, 3)``.

    Args:
        image: RGB, shape ``(h, w, 3)``.
        matrix: as :meth:`Aligner.matrix` returns it.
        resolution: side of the square.
    """
    width, height = box_size(resolution)
    to_picture = _inverse(matrix)
    place = _Place.of(_corners(to_picture, (0, 0, width, height)), image, 2)
    if 0 in place.size:
        return np.full((resolution, resolution, 3), _BORDER, np.uint8)
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ (place.left, place.top)
    box = _exactly_warped(image[place.slices], local, (width, height), _BORDER)
    # The published code cuts off fractions; the margin keeps whole levels whole.
    whole = (box + np.float32(1e-3)).astype(np.uint8)
    return np.asarray(cv2.resize(whole, (resolution, resolution), interpolation=cv2.INTER_LANCZOS4), np.uint8)


@dataclass(frozen=True, slots=True)
class _Place:
    """Part of a picture that a face covers."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, corners: Floats, image: Image, margin: int) -> _Place:
        low, high = np.floor(corners.min(0)).astype(int) - margin, np.ceil(corners.max(0)).astype(int) + margin + 1
        height, width = image.shape[:2]
        return cls(max(0, int(low[0])), max(0, int(low[1])), min(width, int(high[0])), min(height, int(high[1])))

    @property
    def size(self) -> tuple[int, int]:
        return max(0, self.right - self.left), max(0, self.bottom - self.top)

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def local(self, matrix: Matrix) -> Matrix:
        """Return a matrix into the picture as one into this part."""
        return np.asarray(matrix - np.array([[0, 0, self.left], [0, 0, self.top]]))


def paste_mouth(image: Image, face: npt.NDArray[np.float32], matrix: Matrix, share: float = 1.0) -> Image:
    """Return the picture with the drawn mouth region in it; every pixel outside the mask is the original's.

    The square is resampled once, from the network's grid to the picture's, so that the mouth stays as sharp as it was
    drawn.

    Args:
        image: RGB, shape ``(h, w, 3)``.
        face: what the network drew, RGB in -1..1, shape ``(resolution, resolution, 3)``.
        matrix: where the face was cut out.
        share: how much of the drawn face is shown, 0 to 1.
    """
    resolution = len(face)
    width, height = box_size(resolution)
    to_picture = _before(_inverse(matrix), width / resolution, height / resolution)
    hole = mouth_hole(resolution)
    place = _Place.of(_corners(to_picture, hole.box), image, 1)
    if 0 in place.size:
        return image
    # A face smaller than the network's square is reduced by area first: linear sampling would alias.
    shrink = min(1.0, math.sqrt(abs(float(np.linalg.det(to_picture[:, :2])))))
    weight = hole.weight
    if shrink < 1:
        side = max(8, round(resolution * shrink))
        face = np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), np.float32)
        weight = np.asarray(cv2.resize(weight, (side, side), interpolation=cv2.INTER_AREA), np.float32)
        to_picture = _before(to_picture, resolution / side, resolution / side)
    local = place.local(to_picture)
    drawn = cv2.warpAffine(face, local, place.size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.warpAffine(weight, local, place.size, flags=cv2.INTER_LINEAR)
    return _blend(image, place, np.clip(drawn, -1, 1) * 127.5 + 127.5, soft * np.float32(share))


def paste_box(image: Image, face: npt.NDArray[np.float32], matrix: Matrix, share: float = 1.0) -> Image:
    """Return the picture with the whole face box pasted, softly at its edges, as the published code does it.

    Args:
        image: RGB, shape ``(h, w, 3)``.
        face: RGB in -1..1, shape ``(resolution, resolution, 3)``, the original outside the mask.
        matrix: where the face was cut out.
        share: how much of the drawn face is shown, 0 to 1.
    """
    width, height = box_size(len(face))
    to_picture = _inverse(matrix)
    # Between its last pixel and nothing the box fades over one of its pixels; one more is nothing, for the erosion.
    reach = math.ceil(float(np.abs(to_picture[:, :2]).sum(1).max())) + 1
    place = _Place.of(_corners(to_picture, (0, 0, width, height)), image, reach)
    if 0 in place.size:
        return image
    local = place.local(to_picture)
    # The published code fills with 127 where faces go from -1 to 1, so that the box's edge is white on two sides.
    box = _bicubic(face, width, height)
    drawn = _exactly_warped(box, local, place.size, _BORDER)
    drawn = np.clip(drawn, -1, 1) * np.float32(127.5) + np.float32(127.5)
    inside = _exactly_warped(np.ones((height, width, 1), np.float32), local, place.size, 0)
    inside = np.asarray(cv2.erode(inside, np.ones((2, 2), np.uint8)), np.float32)
    edge = int(math.sqrt(float(inside.sum()))) // 20
    core = cv2.erode(inside, np.ones((2 * edge, 2 * edge), np.uint8)) if edge else inside
    soft = cv2.GaussianBlur(core, (2 * edge + 1,) * 2, 0.3 * (edge - 1) + 0.8)
    return _blend(image, place, drawn * inside[..., None], soft * np.float32(share))


def _before(matrix: Matrix, x: float, y: float) -> Matrix:
    """Return a matrix for a picture that is first scaled by ``x`` and ``y``, pixel areas lying on pixel areas."""
    return np.asarray(matrix @ np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]]))


def _exactly_warped(image: _Numbers, matrix: Matrix, size: tuple[int, int], fill: float) -> npt.NDArray[np.float32]:
    """Warp a picture ``(h, w, c)`` bilinearly without rounding places: OpenCV's 1/32 pixel is levels where it is steep.

    The published code samples in the same way, through kornia.
    """
    inverse = _inverse(matrix)
    grid = np.empty((size[1], size[0], 2), np.float32)
    for axis, length in enumerate((image.shape[1], image.shape[0])):
        # From pixels to -1..1 between the outer edges of the picture.
        across = 2 / length * inverse[axis, 0] * np.arange(size[0])
        down = 2 / length * (inverse[axis, 1] * np.arange(size[1]) + inverse[axis, 2] + 0.5) - 1
        np.add(across.astype(np.float32)[None], down.astype(np.float32)[:, None], out=grid[..., axis])
    # Outside counts as 0: what is to be filled in is taken off before and put back after.
    planes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() - fill
    warped = F.grid_sample(planes, torch.from_numpy(grid)[None], mode="bilinear", align_corners=False)
    return np.asarray((warped[0].permute(1, 2, 0).contiguous() + fill).numpy())


def _bicubic(face: npt.NDArray[np.float32], width: int, height: int) -> npt.NDArray[np.float32]:
    """Resize as the published code does: bicubic with low-pass, which OpenCV does not have."""
    planes = torch.from_numpy(np.ascontiguousarray(face)).permute(2, 0, 1)[None]
    resized = F.interpolate(planes, (height, width), mode="bicubic", antialias=True, align_corners=False)
    return np.asarray(resized[0].permute(1, 2, 0).numpy())


def _inverse(matrix: Matrix) -> Matrix:
    return np.asarray(cv2.invertAffineTransform(matrix), np.float64)


def _corners(matrix: Matrix, box: tuple[int, int, int, int]) -> npt.NDArray[np.float64]:
    left, top, right, bottom = box
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)
    return np.asarray(cv2.transform(corners[None], matrix)[0], np.float64)


def _blend(image: Image, place: _Place, drawn: _Numbers, share: _Numbers) -> Image:
    out = image.copy()
    old = image[place.slices].astype(np.float32)
    out[place.slices] = np.rint(old + share[..., None] * (drawn - old)).clip(0, 255).astype(np.uint8)
    return out

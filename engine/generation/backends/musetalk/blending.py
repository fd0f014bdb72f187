"""The drawn face into the picture: which pixels are taken over, how softly, and nothing outside of them.

Masks are made on the square around the face's box, 512 pixels wide, from the classes of the parsing network or, where
its file is not there, from the face's outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from engine.face.landmarks import FACE_OVAL
from engine.generation.backends.musetalk.boxes import Box, Points, around, within
from engine.generation.backends.musetalk.parsing import SIDE, Part
from engine.generation.backends.musetalk.settings import MouthArea, Version

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]

_LOWER = 0.5
"""Only what lies below this share of the square is taken over."""
_CONE, _TAIL = 21, 12
"""Rows of the structuring element that lets the skin grow downwards: a cone that widens by two per row in its lower
half, and a tail below it."""
_CHEEK_KERNEL = (35, 3)
_CHEEK_TIMES = 2
_MOUTH = (Part.MOUTH, Part.UPPER_LIP, Part.LOWER_LIP)

_NOSE = (6, 4, 1, 2, 97, 98, 64, 48, 326, 327, 294, 278)
"""Points of the nose in MediaPipe's mesh."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a version blends.

    Attributes:
        expand: side of the square in sides of the face's box.
        blur: width of the softened edge as a share of the square.
    """

    expand: float
    blur: float


MANNERS = {Version.V1_0: Manner(1.2, 0.1), Version.V1_5: Manner(1.5, 0.05)}
"""As the published code of each version has it."""


def parts_mask(classes: Mask, area: MouthArea, left_cheek: int, right_cheek: int) -> Mask:
    """Return what 1.5 takes over, 0 or 255, shape ``(512, 512)``.

    Args:
        classes: of every pixel of the square, shape ``(512, 512)``.
        area: how much.
        left_cheek: pixels from the middle to the left within which the jaw's edge is not eroded.
        right_cheek: the same to the right.
    """
    if area is MouthArea.RAW:
        return _of_classes(classes, (Part.SKIN, *_MOUTH))
    if area is MouthArea.NECK:
        return _of_classes(classes, (Part.SKIN, *_MOUTH, Part.NECK))
    skin = _grown_jaw(_of_classes(classes, (Part.SKIN,)), left_cheek, right_cheek)
    skin[classes == Part.NOSE] = 0
    return skin | _of_classes(classes, _MOUTH)


def face_mask(classes: Mask) -> Mask:
    """Return what 1.0 takes over: the whole face from the skin to the lips, 0 or 255, shape ``(512, 512)``."""
    return _as_mask((classes >= Part.SKIN) & (classes <= Part.LOWER_LIP))


def outline_mask(mesh: Points, square: Box) -> Mask:
    """Return nearly the same without the parsing network: the face's outline less the nose, shape ``(512, 512)``.

    Args:
        mesh: MediaPipe's mesh in pixels of the picture, shape ``(>=468, 2 or more)``.
        square: the square around the face.
    """
    scale = SIDE / (square[2] - square[0])
    points = (mesh[:, :2] - np.array(square[:2])) * scale
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(FACE_OVAL)]).astype(np.int32)], (255,))
    nose = cv2.convexHull(np.round(points[list(_NOSE)]).astype(np.int32))
    cv2.fillConvexPoly(mask, nose, (0,))
    return mask


def _of_classes(classes: Mask, wanted: Sequence[int]) -> Mask:
    return _as_mask(np.isin(classes, np.array(wanted)))


def _as_mask(chosen: npt.NDArray[np.bool_]) -> Mask:
    return np.where(chosen, 255, 0).astype(np.uint8)


def _grown_jaw(skin: Mask, left_cheek: int, right_cheek: int) -> Mask:
    grown = np.asarray(cv2.dilate(skin, growing_kernel()))
    eroded = np.asarray(cv2.erode(grown, cheek_kernel(), iterations=_CHEEK_TIMES))
    columns = np.arange(SIDE)
    cheeks = (columns <= SIDE // 2 - left_cheek) | (columns >= SIDE // 2 + right_cheek)
    return np.where(cheeks, eroded, grown)


def growing_kernel() -> Mask:
    """Return the structuring element that lets skin grow downwards, 0 or 1, shape ``(33, 33)``."""
    side = _CONE + _TAIL
    columns = np.abs(np.arange(side) - side // 2)
    reach = np.minimum(np.arange(side), _CONE - 1) - _CONE // 2
    return (columns[None] <= reach[:, None]).astype(np.uint8)


def cheek_kernel() -> Mask:
    """Return the structuring element that erodes the cheeks, 0 or 1, shape ``(3, 35)``."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, _CHEEK_KERNEL), np.uint8)


def square_of(picture: Image, square: Box) -> Image:
    """Return the square around a face, black where it leaves the picture."""
    height, width = picture.shape[:2]
    inside = picture[max(square[1], 0) : max(square[3], 0), max(square[0], 0) : max(square[2], 0)]
    margins = (max(-square[1], 0), max(square[3] - height, 0), max(-square[0], 0), max(square[2] - width, 0))
    return np.asarray(cv2.copyMakeBorder(inside, *margins, cv2.BORDER_CONSTANT))


def for_parser(picture: Image, square: Box) -> Image:
    """Return the square as the parsing network sees it, shape ``(512, 512, 3)``."""
    return np.asarray(Pillow.fromarray(square_of(picture, square)).resize((SIDE, SIDE), Pillow.Resampling.BILINEAR))


@dataclass(frozen=True, slots=True)
class SoftMask:
    """How much of the drawn face is taken over.

    Attributes:
        square: where it lies in the picture.
        share: 0 to 255, shape ``(side, side)``.
    """

    square: Box
    share: Mask

    @property
    def touched(self) -> Box:
        """The part of the square outside of which nothing is taken over."""
        x, y, width, height = cv2.boundingRect(self.share)
        return x, y, x + width, y + height

    @classmethod
    def of(cls, mask: Mask, box: Box, manner: Manner) -> SoftMask:
        """Return a mask of the square limited to the face's box and to the lower half, its edge softened.

        Args:
            mask: 0 or 255, shape ``(512, 512)``.
            box: the face.
            manner: how the version blends.
        """
        square = around(box, manner.expand)
        hard = hard_mask(mask, box, square)
        width = int(manner.blur * len(hard) // 2 * 2) + 1
        # Only where there is something to soften: most of the square is empty.
        x, y, across, down = cv2.boundingRect(hard)
        rows = slice(max(0, y - width), y + down + width)
        columns = slice(max(0, x - width), x + across + width)
        hard[rows, columns] = cv2.GaussianBlur(hard[rows, columns], (width, width), 0)
        return cls(square, hard)


def hard_mask(mask: Mask, box: Box, square: Box) -> Mask:
    """Return a mask at the square's size, limited to the face's box and to the lower half, before it is softened."""
    side = square[2] - square[0]
    sized = np.asarray(Pillow.fromarray(mask).resize((side, side), Pillow.Resampling.BICUBIC))
    limited = np.zeros_like(sized)
    top = max(box[1] - square[1], int(side * _LOWER))
    rows, columns = slice(top, box[3] - square[1]), slice(box[0] - square[0], box[2] - square[0])
    limited[rows, columns] = sized[rows, columns]
    return limited


def blended(picture: Image, face: Image, box: Box, mask: SoftMask) -> Image:
    """Return a picture with the drawn face in it; where the mask is 0 it is the picture's own.

    Args:
        picture: shape ``(h, w, 3)``.
        face: what was drawn, of any size; it is brought to that of the box.
        box: where it belongs.
        mask: how much of it.
    """
    x0, y0 = mask.square[:2]
    height, width = picture.shape[:2]
    touched = within(_moved(mask.touched, x0, y0), width, height)
    result = picture.copy()
    if touched is None:
        return result
    left, top, right, bottom = touched
    drawn = picture[top:bottom, left:right].copy()
    sized = cv2.resize(face, (box[2] - box[0], box[3] - box[1]), interpolation=cv2.INTER_LINEAR)
    # The softened mask reaches over the box: there the picture is mixed with itself.
    inner = within(_moved(box, -left, -top), right - left, bottom - top)
    if inner is not None:
        rows, columns = slice(inner[1], inner[3]), slice(inner[0], inner[2])
        x, y = left - box[0], top - box[1]
        drawn[rows, columns] = sized[inner[1] + y : inner[3] + y, inner[0] + x : inner[2] + x]
    share = mask.share[top - y0 : bottom - y0, left - x0 : right - x0, None].astype(np.uint16)
    mixed = drawn * share + picture[top:bottom, left:right] * (255 - share) + np.uint16(128)
    result[top:bottom, left:right] = (mixed + (mixed >> 8)) >> 8  # a division by 255, rounded to the nearest
    return result


def _moved(box: Box, x: int, y: int) -> Box:
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y

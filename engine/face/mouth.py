"""What the mouth does: how far it is open, and a small picture of it, both free of head motion."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engine.face.landmarks import INNER_LIPS, OUTER_LIPS, FaceShape
from engine.face.mesh import Image

PATCH_WIDTH, PATCH_HEIGHT = 48, 32
"""Size of a mouth picture in pixels."""

PATCH_SPAN = 1.4
"""Width of a mouth picture in units of the distance between the eyes: lips, and the skin that moves with them."""

PATCH_CENTRE = (0.0, 1.2, -0.3)
"""Middle of the mouth picture in the face's own frame: a little below the resting mouth, so the dropped jaw fits."""

_INNER = slice(len(OUTER_LIPS), len(OUTER_LIPS) + len(INNER_LIPS))
_OUTER = slice(0, len(OUTER_LIPS))
_RIGHT_CORNER, _BOTTOM, _LEFT_CORNER, _TOP = 0, 5, 10, 15


def openings(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the inner-lip opening as a share of the mouth's width for many frames, shape ``(n,)``.

    Args:
        points: :attr:`FaceShape.points` of each frame, shape ``(n, 61, 3)``.
    """
    outer, inner = points[:, _OUTER], points[:, _INNER]
    gaps = np.mean(
        [np.linalg.norm(inner[:, _BOTTOM + side] - inner[:, _TOP - side], axis=1) for side in (-1, 0, 1)], axis=0
    )
    widths = np.linalg.norm(outer[:, _LEFT_CORNER] - outer[:, _RIGHT_CORNER], axis=1)
    return np.asarray(gaps / np.maximum(widths, 1e-6), np.float32)


def mouth_patch(crop: Image, shape: FaceShape) -> npt.NDArray[np.uint8]:
    """Cut the mouth out of a crop, upright and at a standard size.

    The cut follows the skull (eyes, nose, forehead), not the lips, so that the lips move inside it.

    Args:
        crop: RGB, shape ``(h, w, 3)``.
        shape: the face, fitted in pixels of the crop.

    Returns:
        Grey, shape ``(32, 48)``.
    """
    centre = (shape.rotation @ np.array(PATCH_CENTRE)) * shape.scale + shape.origin
    across = shape.rotation[:2, 0] / max(float(np.linalg.norm(shape.rotation[:2, 0])), 1e-6)
    oversample = 2  # bilinear sampling of a picture up to four times as fine would alias
    step = PATCH_SPAN * shape.scale / (PATCH_WIDTH * oversample)
    matrix = np.array([[across[0], -across[1]], [across[1], across[0]]]) * step
    middle = np.array([PATCH_WIDTH * oversample - 1, PATCH_HEIGHT * oversample - 1]) / 2
    affine = np.column_stack([matrix, centre[:2] - matrix @ middle])
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    fine = cv2.warpAffine(
        grey,
        affine,
        (PATCH_WIDTH * oversample, PATCH_HEIGHT * oversample),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(fine, (PATCH_WIDTH, PATCH_HEIGHT), interpolation=cv2.INTER_AREA))

"""Which part of the picture MuseTalk draws, from a few points of the face.

The published code finds 68 points with DWPose; the same places of MediaPipe's mesh do as well and need no download.
Points are cut to whole pixels first, as there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float32] | npt.NDArray[np.float64]

Box = tuple[int, int, int, int]
"""``x0, y0, x1, y1`` in pixels."""

_NOSE = slice(28, 31)
"""Bridge, middle and tip of the nose among the 68 points of the 300-W markup."""
_MESH_NOSE = (197, 5, 4)
"""The same places of MediaPipe's mesh."""
_MESH_OUTLINE = (
    234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454,
)  # fmt: skip
"""The jaw from ear to ear in MediaPipe's mesh, as the first 17 of the 68 points have it."""


@dataclass(frozen=True, slots=True)
class FacePoints:
    """What of a face decides its box, whole pixels.

    Attributes:
        left: smallest x of the face's outline.
        right: largest x.
        bottom: largest y.
        bridge: y of the nose's bridge (point 28 of 68).
        middle: y of its middle (29), half the box's height.
        tip: y of its tip (30).
    """

    left: int
    right: int
    bottom: int
    bridge: int
    middle: int
    tip: int

    @classmethod
    def of_68(cls, points: Points) -> FacePoints:
        """Return the points of the 300-W markup, shape ``(68, 2)``."""
        return cls._of(points, points[_NOSE])

    @classmethod
    def of_mesh(cls, mesh: Points) -> FacePoints:
        """Return the points of MediaPipe's mesh, pixels, shape ``(>=468, 2 or more)``."""
        return cls._of(mesh[list(_MESH_OUTLINE), :2], mesh[list(_MESH_NOSE), :2])

    @classmethod
    def _of(cls, outline: Points, nose: Points) -> FacePoints:
        whole = np.trunc(outline).astype(int)
        bridge, middle, tip = (int(y) for y in np.trunc(nose[:, 1]))
        return cls(int(whole[:, 0].min()), int(whole[:, 0].max()), int(whole[:, 1].max()), bridge, middle, tip)

    def shifted(self, shift: int) -> FacePoints:
        """Move the box's middle down by so many pixels (``bbox_shift``): more of the mouth is drawn, it opens wider."""
        return replace(self, middle=self.middle + shift)

    def box(self, otherwise: Box | None = None) -> Box | None:
        """Return the face's box: as far above the nose's middle as the chin is below it.

        Args:
            otherwise: what a detector found; taken where the points make no box inside the picture.
        """
        top = max(0, self.middle - (self.bottom - self.middle))
        box = (self.left, top, self.right, self.bottom)
        if box[2] <= box[0] or box[3] <= box[1] or box[0] < 0:
            return otherwise
        return box


def with_margin(box: Box, margin: int, height: int) -> Box:
    """Return a box that reaches further down, for the jaw of 1.5 (``extra_margin``), but not out of the picture."""
    return box[0], box[1], box[2], min(box[3] + margin, height)


def around(box: Box, expand: float) -> Box:
    """Return the square around a box in which the new face is blended with the old one; it may leave the picture.

    Args:
        box: the face.
        expand: side of the square in sides of the box.
    """
    x, y = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
    half = int(max(box[2] - box[0], box[3] - box[1]) // 2 * expand)
    return x - half, y - half, x + half, y + half


def within(box: Box, width: int, height: int) -> Box | None:
    """Return the part of a box that lies in a picture, ``None`` if there is hardly anything."""
    x0, y0, x1, y1 = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    return (x0, y0, x1, y1) if x1 - x0 >= 2 and y1 - y0 >= 2 else None

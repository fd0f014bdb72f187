"""The gentle turning of a still head: what stands out moves, the face's outline and all around it stay."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engine.face.landmarks import FACE_OVAL
from engine.generation.backends.draft.warp import Grid, spline

Floats = npt.NDArray[np.float32]

_INSIDE = (
    1, 4, 5, 6, 168, 2, 98, 327, 48, 278, 9, 151, 66, 296, 105, 334, 33, 133, 159, 145, 362, 263, 386, 374,
    50, 280, 205, 425, 187, 411, 61, 291, 0, 17, 13, 14, 199, 200, 18,
)  # fmt: skip


def relief(mesh: Floats, grid: Grid) -> Floats:
    """Return how far each point of a grid stands out before the face's outline, pixels, shape ``(rows, columns, 1)``.

    Args:
        mesh: landmarks in pixels, z in the same unit, shape ``(468 or more, 3)``.
        grid: over the face.
    """
    unit = float(np.linalg.norm(mesh[263, :2] - mesh[33, :2])) + 1e-6
    outline, inside = mesh[list(FACE_OVAL)], mesh[list(_INSIDE)]
    middle = outline[:, :2].mean(0)
    outside = middle + 1.25 * (outline[:, :2] - middle)
    # The outline's own depth near each point: opposite sides of a turned head lie at different depths.
    plane = np.linalg.lstsq(np.column_stack([outline[:, :2], np.ones(len(outline))]), outline[:, 2], rcond=None)[0]
    height = np.maximum(np.column_stack([inside[:, :2], np.ones(len(inside))]) @ plane - inside[:, 2], 0)
    controls = np.concatenate([inside[:, :2], outline[:, :2], outside]) / unit
    field = spline(controls.astype(np.float32), grid.points.reshape(-1, 2) / unit, len(inside)) @ height
    # Only what lies inside the outline moves.
    rows, columns = grid.points.shape[:2]
    return np.asarray(np.maximum(field.reshape(rows, columns, 1), 0) * grid.taper * _within(outside, grid), np.float32)


def _within(outline: Floats, grid: Grid) -> Floats:
    """Return 1 well inside an outline, falling to 0 at it, on the grid."""
    ring = outline.astype(np.float32).reshape(-1, 1, 2)
    size = 0.12 * float(np.ptp(outline[:, 0]))
    flat = grid.points.reshape(-1, 2)
    distance = np.array([cv2.pointPolygonTest(ring, (float(x), float(y)), True) for x, y in flat])
    share = np.clip(distance / size, 0, 1)
    return np.asarray((share * share * (3 - 2 * share)).reshape(*grid.points.shape[:2], 1), np.float32)

"""Which part of the aligned face LatentSync draws: a fixed shape around mouth, cheeks and jaw.

The published ``mask.png`` (256 x 256, 1 keeps, 0 is drawn) is told here row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 256
"""Side of the published mask."""

_NOTCHED_ROWS = range(95, 128)
_NOTCHED_RUNS = ((9, 78), (178, 247))
"""Beside the nose: two runs ``(first column, column after the last)`` per row."""
_FIRST_WHOLE_ROW = 128
_WHOLE_RUNS = (
    *[(9, 248)] * 7, (9, 247), *[(10, 247)] * 13, (10, 246), *[(11, 246)] * 13, (11, 245), *[(12, 245)] * 6, (12, 244),
    (13, 244), (13, 243), (14, 243), (14, 242), (15, 242), (15, 241), (16, 241), (16, 240), (17, 239), (18, 239),
    (18, 238), (19, 237), (19, 237), (20, 236), (21, 235), (21, 235), (22, 234), (22, 233), (23, 233), (24, 232),
    (25, 231), (26, 231), (26, 230), (27, 229), (28, 229), (29, 228), (30, 227), (31, 226), (32, 225), (33, 224),
    (34, 224), (34, 223), (35, 222), (36, 221), (37, 220), (38, 219), (39, 218), (40, 217), (42, 216), (43, 215),
    (44, 214), (45, 213), (47, 212), (48, 211), (49, 209), (51, 208), (52, 207), (54, 205), (56, 204), (57, 203),
    (59, 201), (60, 200), (62, 198), (64, 197), (66, 195), (68, 193), (70, 192), (72, 190), (74, 188), (76, 186),
    (78, 184), (80, 181), (82, 179), (85, 176), (87, 174), (90, 172), (93, 169), (95, 167), (99, 165), (104, 161),
    (108, 157), (131, 153),
)  # fmt: skip
"""From the nose to the chin: one run per row."""

_FEATHER = 6
"""Pixels of the 256 mask over which the drawn region fades into the original, inside the mask."""


@lru_cache(maxsize=4)
def keep_mask(resolution: int) -> npt.NDArray[np.float32]:
    """Return the mask at a resolution, 1 where the original is kept, shape ``(resolution, resolution)``.

    Other sizes than 256 are resized with Lanczos-4 as published, which overshoots a little at edges; it is clipped.
    """
    mask = np.full((SIDE, SIDE), 255, np.uint8)
    for first, stop in _NOTCHED_RUNS:
        mask[_NOTCHED_ROWS.start : _NOTCHED_ROWS.stop, first:stop] = 0
    for row, (first, stop) in enumerate(_WHOLE_RUNS, start=_FIRST_WHOLE_ROW):
        mask[row, first:stop] = 0
    if resolution != SIDE:
        mask = np.asarray(cv2.resize(mask, (resolution, resolution), interpolation=cv2.INTER_LANCZOS4), np.uint8)
    return _locked(mask.astype(np.float32) / 255)


def latent_mask(resolution: int) -> npt.NDArray[np.float32]:
    """Return the mask on the latents' grid, nearest neighbour, shape ``(resolution / 8, resolution / 8)``.

    In full precision whatever the network computes in: half precision on some devices makes black frames of it.
    """
    return keep_mask(resolution)[::8, ::8]


@dataclass(frozen=True, slots=True)
class MouthHole:
    """Where a drawn face may change the picture.

    Attributes:
        weight: share of the drawn face, 0 outside the drawn region, shape ``(resolution, resolution)``.
        box: ``left, top, right, bottom`` of where the weight is not 0.
    """

    weight: npt.NDArray[np.float32]
    box: tuple[int, int, int, int]


@lru_cache(maxsize=4)
def mouth_hole(resolution: int) -> MouthHole:
    """Return the drawn region, faded inwards so that nothing outside it is touched."""
    drawn = (keep_mask(resolution) < 0.5).astype(np.uint8)
    feather = max(1, round(_FEATHER * resolution / SIDE))
    size = 2 * feather + 1
    # Half the feather away from the edge the weight is one half, at the edge and at a whole feather it is 0 and 1.
    inner = cv2.erode(drawn, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    weight = cv2.GaussianBlur(inner.astype(np.float32), (size, size), feather / 2.5) * drawn
    columns, rows = np.flatnonzero(drawn.any(0)), np.flatnonzero(drawn.any(1))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return MouthHole(_locked(weight), box)


def _locked(array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    array.flags.writeable = False  # shared by everybody who asks
    return array

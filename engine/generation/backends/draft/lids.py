"""Blinks of a still picture: the skin between brow and lashes is drawn down over the eye."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from engine.face.mesh import Image
from engine.generation.backends.draft.warp import Box

Floats = npt.NDArray[np.float32]

STEPS = 10
"""Positions of the lid between open and shut; pictures of each are made once."""

_EYES = (
    (
        (33, 246, 161, 160, 159, 158, 157, 173, 133),
        (33, 7, 163, 144, 145, 153, 154, 155, 133),
        (46, 53, 52, 65, 55),
    ),
    (
        (362, 398, 384, 385, 386, 387, 388, 466, 263),
        (362, 382, 381, 380, 374, 373, 390, 249, 263),
        (285, 295, 282, 283, 276),
    ),
)
"""Upper lid, lower lid and lower edge of the brow of each eye, from the picture's left to its right."""

_CREASE = 0.75
"""Share of the way from the lashes up to the brow from which skin is drawn down."""
_LASHES = 0.07
"""Height of the strip of lashes, against the width of the eye."""
_INSET = 0.03
"""How far inside the eye the landmarks of the upper lid lie."""
_OVERLAP = 0.04
"""How far the shut upper lid reaches over the lower one."""
_BEYOND = 0.10
"""How far on either side the eye reaches beyond its landmarks, at most: in wide eyes they lie inside of the corners."""


@dataclass
class Lids:
    """The eyes of one picture.

    Args:
        image: RGB, shape ``(h, w, 3)``.
        mesh: landmarks in pixels, shape ``(468 or more, 3)``.
    """

    image: Image
    mesh: Floats
    _made: dict[int, list[tuple[Box, Image]]] = field(default_factory=dict)

    def patches(self, lid: float) -> list[tuple[Box, Image]]:
        """Return what is to be laid over the picture when the eyes are shut by ``lid``, 0 to 1."""
        step = round(lid * STEPS)
        if step <= 0:
            return []
        if step not in self._made:
            shut = min(step / STEPS, 1.0)
            made = (_shut_eye(self.image, self.mesh, eye, shut) for eye in _EYES)
            self._made[step] = [one for one in made if one is not None]
        return self._made[step]


def _shut_eye(image: Image, mesh: Floats, eye: tuple[tuple[int, ...], ...], shut: float) -> tuple[Box, Image] | None:
    upper, lower, brow = (mesh[list(points), :2] for points in eye)
    across = upper[-1] - upper[0]
    width = float(np.linalg.norm(across))
    if width < 6:
        return None
    across = across / width
    down = np.array([-across[1], across[0]], np.float32)
    origin = upper[0]
    local = [np.stack([(part - origin) @ across, (part - origin) @ down], axis=1) for part in (upper, lower, brow)]
    reach = (_BEYOND + 0.06) * width
    for part in local[:2]:
        part[:, 0] += (part[:, 0] / width - 0.5) * 2 * _BEYOND * width
    every = np.concatenate([upper, lower, brow])
    low, high = np.floor(every.min(0) - reach).astype(int), np.ceil(every.max(0) + reach).astype(int)
    box = Box(max(low[0], 0), max(low[1], 0), min(high[0], image.shape[1]), min(high[1], image.shape[0]))
    if box.width < 2 or box.height < 2:
        return None
    x = np.arange(box.left, box.right, dtype=np.float32)[None, :]
    y = np.arange(box.top, box.bottom, dtype=np.float32)[:, None]
    u = (x - origin[0]) * across[0] + (y - origin[1]) * across[1]
    v = (x - origin[0]) * down[0] + (y - origin[1]) * down[1]
    lashes, floor, brow_line = (np.interp(u, *_ordered(part)) for part in local)
    floor = np.maximum(floor, lashes)
    # Nothing moves at the corners of the eye; the strip of lashes goes down as it is, and skin is drawn after it.
    apart = np.clip((floor - lashes) / (0.5 * _LASHES * width), 0, 1)
    edge = lashes + shut * (floor - lashes + _OVERLAP * width * apart)
    strip = apart * _LASHES * width
    root = lashes - _INSET * width * apart
    crease = lashes - _CREASE * np.maximum(lashes - brow_line, 0.15 * width) - strip
    have, want = np.maximum(root - strip - crease, 1e-3), np.maximum(edge - strip - crease, 1e-3)
    share = np.clip((v - crease) / want, 0, 1)
    ratio = want / have
    # Beginning at the crease with no stretch at all, and evenly stretched towards the lashes.
    drawn = crease + have * (0.5 * share + 0.5 * (1 - (1 - share) ** np.maximum(2 * ratio - 1, 1.0)))
    source = np.where(v > edge - strip, v - edge + root, drawn)
    inside = (u > -_BEYOND * width) & (u < (1 + _BEYOND) * width)
    moved = np.where(inside & (v > crease), source - v, 0).astype(np.float32)
    lid = cv2.remap(image, x + moved * down[0], y + moved * down[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = (np.clip(edge - v + 0.5, 0, 1) * inside).astype(np.float32)[..., None]
    own = box.of(image)
    # The lid is shaded where it curves down to the lashes.
    shade = 1 - 0.22 * shut * (np.exp(-0.5 * ((v - edge) / (0.05 * width)) ** 2) * inside * apart)[..., None]
    patch = own * (1 - cover) + lid * shade * cover
    return box, np.clip(patch + 0.5, 0, 255).astype(np.uint8)


def _ordered(points: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(points[:, 0])
    return points[order, 0], points[order, 1]

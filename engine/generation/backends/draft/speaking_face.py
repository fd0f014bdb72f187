"""Draws one face of one picture with another mouth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.face.landmarks import FaceShape, shape_of
from engine.face.mesh import Image
from engine.generation.backends.draft.interior import Light, Place, paint_mouth
from engine.generation.backends.draft.parameters import measures
from engine.generation.backends.draft.portrait import INNER, LOWER_LIP, UPPER_LIP, in_picture, region_points
from engine.generation.backends.draft.warp import Fields, Grid, region_of, remap

Floats = npt.NDArray[np.float32]

_CHIN = measures()[3].reshape(-1, 3)[:, 1].argmax()
_OVERLAP, _OVERLAP_EDGE = 0.09, 0.008
"""How much further than to each other lips go when they close: share of the way, and eye distances."""
_LEAST_MOVE = 0.02
"""Pixels: a smaller displacement changes nothing."""


@dataclass(frozen=True, slots=True)
class SpeakingFace:
    """A face and what is needed to move its mouth.

    Attributes:
        mesh: landmarks in pixels, shape ``(468 or more, 3)``.
        shape: the face's own frame.
        lips: ``MOUTH_REGION`` in the picture, shape ``(61, 2)``.
        fields: the splines.
        light: its colours.
        keeps_teeth: whether teeth that the picture shows stay at their place; in a moving picture they would come and
            go with the person's own speech.
    """

    mesh: Floats
    shape: FaceShape
    lips: Floats
    fields: Fields
    light: Light
    keeps_teeth: bool

    @classmethod
    def of(cls, image: Image, mesh: Floats, light: Light | None = None, *, in_video: bool = False) -> SpeakingFace:
        """Prepare a face for moving.

        Args:
            image: RGB, shape ``(h, w, 3)``.
            mesh: landmarks in pixels, shape ``(468 or more, 3)``.
            light: its colours, by default as they are in this picture.
            in_video: it is one of many pictures: teeth are not kept, and only the lower face is made ready, since the
                head turns by itself.
        """
        size = (image.shape[1], image.shape[0])
        grid = Grid.over(region_of(mesh, size, below_eyes=in_video), size)
        lips = region_points(mesh)
        colours = light or Light.of(image, mesh, lips)
        return cls(mesh, shape_of(mesh), lips, Fields.of(mesh, lips, grid), colours, not in_video)

    def drawn(self, image: Image, wanted: Floats, resting: Floats, turned: Floats | None = None) -> Image:
        """Return a picture with another mouth; outside the face's region it is the same.

        Args:
            image: the picture the face was found in (a blink may have been laid over it).
            wanted: ``MOUTH_REGION`` as it shall be, in the face's own frame, shape ``(61, 3)``.
            resting: the same of the shut mouth, to which the jaw's drop is relative.
            turned: displacement of the grid's points by the head's turning, pixels, ``(rows, columns, 2)``.
        """
        grid, scale = self.fields.grid, self.shape.scale
        moved = ((wanted - self.shape.points) @ self.shape.rotation.T)[:, :2].astype(np.float32) * np.float32(scale)
        carried = np.zeros_like(moved) if turned is None else grid.sampled(turned, self.lips[:, None])[:, 0]
        out = image.copy()
        if max(float(np.abs(moved).max()), float(np.abs(carried).max())) < _LEAST_MOVE:
            return out
        closing = self._closing(wanted)
        upper, lower = self.fields.inverse(moved + self._overlap(closing), turned)
        after = np.asarray(self.lips + moved + carried, np.float32)
        back = _joined(grid, upper, lower, after, self.shape)
        face = remap(image, grid, back)
        skull = carried[INNER].mean(0)
        middle = in_picture(self.shape, resting[INNER].mean(0, keepdims=True))[0]
        place = Place(middle, self.shape.rotation[:2, :2].astype(np.float32) * np.float32(scale))
        jaw = max(float(wanted[_CHIN, 1] - resting[_CHIN, 1]), 0.0)
        corner = (grid.box.left, grid.box.top)
        own = self.lips[INNER] if self.keeps_teeth else None
        nearer, was_open = float(closing[3:6].mean()), float(_gaps(self.shape.points)[3:6].mean())
        paint_mouth(face, corner, image, after[INNER], own, place, jaw, self.light, skull, nearer, was_open)
        grid.box.of(out)[:] = face
        return out

    def _closing(self, wanted: Floats) -> Floats:
        """Return how much nearer the lips shall come along the mouth, in units, shape ``(9,)``."""
        return np.asarray(np.maximum(_gaps(self.shape.points) - _gaps(wanted), 0), np.float32)

    def _overlap(self, closing: Floats) -> Floats:
        """Return how much further lips must go that were apart and shall be closer, pixels, shape ``(61, 2)``.

        Landmarks lie a little inside of the lips' edges; what of the mouth's inside is left on them would stay as a
        slit. The further way is hidden: each lip ends at the line between them.
        """
        further = _OVERLAP * closing + _OVERLAP_EDGE * np.clip(closing / _OVERLAP_EDGE / 4, 0, 1)
        amount = np.zeros(len(self.lips), np.float32)
        for ring in (0, INNER.start):
            amount[ring + UPPER_LIP], amount[ring + LOWER_LIP] = further, -further
        down = self.shape.rotation[:2, 1] * self.shape.scale
        return np.asarray(amount[:, None] * down, np.float32)


def _gaps(points: Floats) -> Floats:
    """Return how far the lips are apart along the mouth, in units, shape ``(9,)``."""
    return np.asarray(points[INNER][LOWER_LIP, 1] - points[INNER][UPPER_LIP, 1], np.float32)


def _joined(grid: Grid, upper: Floats, lower: Floats, lips: Floats, shape: FaceShape) -> Floats:
    """Return the full displacement: the upper lip's above the line between the lips, the lower lip's below.

    Args:
        grid: of both.
        upper: see :meth:`Fields.inverse`.
        lower: the same.
        lips: moved ``MOUTH_REGION`` in the picture, shape ``(61, 2)``.
        shape: the face's own frame.
    """
    above, below = grid.full(upper), grid.full(lower)
    ring = lips[INNER]
    corners = lips[[0, 10]]
    across = corners[1] - corners[0]
    width = float(np.linalg.norm(across)) + 1e-6
    across = across / width
    down = np.array([-across[1], across[0]], np.float32)
    if float(down @ shape.rotation[:2, 1]) < 0:
        down = -down
    line = np.concatenate([corners[:1], (ring[1:10] + ring[19:10:-1]) / 2, corners[1:]])
    local_u, local_v = (line - corners[0]) @ across, (line - corners[0]) @ down
    gap = np.concatenate([[0], np.maximum((ring[1:10] - ring[19:10:-1]) @ down, 0), [0]])
    order = np.argsort(local_u)
    table_u = np.linspace(-0.6 * width, 1.6 * width, 96)
    height = np.interp(table_u, local_u[order], local_v[order])
    # Outside of the corners the fields agree less and less sharply where they meet.
    outside = np.maximum(np.maximum(-table_u, table_u - width), 0)
    soft = 1.0 + 0.15 * np.interp(table_u, local_u[order], gap[order]) + 0.8 * outside

    x = (np.arange(grid.box.left, grid.box.right, dtype=np.float32) - corners[0, 0])[None, :]
    y = (np.arange(grid.box.top, grid.box.bottom, dtype=np.float32) - corners[0, 1])[:, None]
    v = x * down[0] + y * down[1]
    reach = float(np.abs(local_v).max() + 2 + 0.6 * width)
    band = np.flatnonzero((v > -reach).any(1) & (v < reach).any(1))
    if not len(band):
        return above
    rows = slice(int(band[0]), int(band[-1]) + 1)
    u = x * across[0] + y[rows] * across[1]
    index = np.clip((u - table_u[0]) / (table_u[1] - table_u[0]), 0, len(table_u) - 1.001)
    whole = index.astype(np.int32)
    share = index - whole
    line_v = height[whole] + (height[whole + 1] - height[whole]) * share
    softness = soft[whole] + (soft[whole + 1] - soft[whole]) * share
    weight = np.clip(0.5 + (v[rows] - line_v) / (2 * softness), 0, 1).astype(np.float32)[..., None]
    joined = above
    joined[rows.stop :] = below[rows.stop :]
    joined[rows] = above[rows] * (1 - weight) + below[rows] * weight
    return joined

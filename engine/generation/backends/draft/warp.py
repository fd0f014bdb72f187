"""Moves the lower face: two smooth fields of displacement that differ only across the line between the lips.

Each field is a thin-plate spline (Bookstein 1989, IEEE PAMI 11) through the landmarks, one as the upper lip moves and
one as the lower lip does. Because each is smooth by itself, lips keep their shape when they part; the seam between the
two lies in the gap, which is painted over, or between lips that touch, where both agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.face.landmarks import CHEEKS, JAW, OUTER_LIPS
from engine.face.mesh import Image

Floats = npt.NDArray[np.float32]

STEP = 8
"""Pixels between the points at which displacements are computed, at most; they are interpolated in between."""
_MOST_POINTS = 44
"""Points of the grid along its longer side, at most: a larger face gets a coarser grid."""

_STILL = (1, 2, 98, 327, 168, 6, 33, 133, 145, 362, 263, 374, 127, 356, 234, 454, 10, 67, 297)
"""Landmarks that speech does not move: nose, eyes, temples, ears, forehead."""
_BELOW = 1.42
"""Where the neck no longer follows the jaw, as a multiple of the jaw's distance from the nose bridge."""
_ITERATIONS = 4
_SMOOTHNESS = 2e-3
"""Weight of the spline's smoothness against passing exactly through landmarks, which are no better than a pixel."""

_LIPS = len(OUTER_LIPS)
_LOWER = [*range(11), *(_LIPS + index for index in range(11))]
_UPPER = [0, *range(10, 20), _LIPS, *(_LIPS + index for index in range(10, 20))]
_AROUND = [2 * _LIPS + index for index in range(len(JAW) + len(CHEEKS))]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels, its right and lower edges outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    def of(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the part of a picture, as a view."""
        return image[self.top : self.bottom, self.left : self.right]


def region_of(mesh: Floats, size: tuple[int, int], *, below_eyes: bool = False) -> Box:
    """Return the rectangle that holds the face and the neck below it.

    Args:
        mesh: landmarks in pixels, shape ``(468 or more, 3)``.
        size: width and height of the picture.
        below_eyes: whether only what is below the lower lids is wanted, which is all that speech moves.
    """
    face = mesh[:468, :2]
    if below_eyes:
        face = face[_below_lids(mesh, face) >= 0]
    points = np.concatenate([face, _neck(mesh)])
    low, high = points.min(0), points.max(0)
    margin = 0.06 * (high - low)
    left, top = np.floor(low - margin).astype(int)
    right, bottom = np.ceil(high + margin).astype(int)
    return Box(max(left, 0), max(top, 0), min(right, size[0]), min(bottom, size[1]))


def _neck(mesh: Floats) -> Floats:
    bridge = mesh[168, :2]
    return np.asarray(bridge + _BELOW * (mesh[list(JAW), :2] - bridge), np.float32)


@dataclass(frozen=True, slots=True)
class Grid:
    """The points of a region at which displacements are computed.

    Attributes:
        box: the region.
        step: pixels between points, x and y.
        points: their places in the picture, shape ``(rows, columns, 2)``.
        taper: 1 inside, falling smoothly to 0 at the region's border, shape ``(rows, columns, 1)``.
    """

    box: Box
    step: tuple[float, float]
    points: Floats
    taper: Floats

    @classmethod
    def over(cls, box: Box, size: tuple[int, int]) -> Grid:
        """Lay a grid over a region; borders that are the picture's own do not taper."""
        pixels = max(STEP, max(box.width, box.height) / _MOST_POINTS)
        columns, rows = max(3, round(box.width / pixels) + 1), max(3, round(box.height / pixels) + 1)
        x = box.left + np.linspace(0, box.width - 1, columns, dtype=np.float32)
        y = box.top + np.linspace(0, box.height - 1, rows, dtype=np.float32)
        points = np.stack(np.meshgrid(x, y), axis=2)
        edge_x = _ramp(columns, box.left > 0, box.right < size[0])
        edge_y = _ramp(rows, box.top > 0, box.bottom < size[1])
        taper = (edge_y[:, None] * edge_x[None, :])[..., None]
        step = ((box.width - 1) / (columns - 1), (box.height - 1) / (rows - 1))
        return cls(box, step, points, np.asarray(taper, np.float32))

    def sampled(self, field: Floats, at: Floats) -> Floats:
        """Return a field's values at places in the picture ``(..., 2)``, bilinear."""
        x = (at[..., 0] - self.box.left) / np.float32(self.step[0])
        y = (at[..., 1] - self.box.top) / np.float32(self.step[1])
        flat = (x.reshape(x.shape[0], -1), y.reshape(y.shape[0], -1))
        values = cv2.remap(field, *flat, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(values, np.float32).reshape(*x.shape, -1)

    def full(self, field: Floats) -> Floats:
        """Return a field at every pixel of the region, shape ``(height, width, n)``."""
        matrix = np.array([[1 / self.step[0], 0, 0], [0, 1 / self.step[1], 0]], np.float64)
        size = (self.box.width, self.box.height)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(field, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _ramp(count: int, low: bool, high: bool) -> Floats:
    """Return 1 with a smooth fall to 0 over the outer tenth on the sides that are wanted, shape ``(count,)``."""
    place = np.linspace(0, 1, count)
    ramp = np.ones(count)
    for wanted, distance in ((low, place), (high, 1 - place)):
        if wanted:
            share = np.clip(distance / 0.1, 0, 1)
            ramp *= share * share * (3 - 2 * share)
    return ramp.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Fields:
    """The two splines of one face, ready to be multiplied with displacements.

    Attributes:
        grid: where they are computed.
        upper: from displacements of the :data:`_UPPER` and :data:`_AROUND` points, shape ``(points of the grid, n)``.
        lower: the same of the lower lip.
    """

    grid: Grid
    upper: Floats
    lower: Floats

    @classmethod
    def of(cls, mesh: Floats, region: Floats, grid: Grid) -> Fields:
        """Prepare the splines.

        Args:
            mesh: landmarks in pixels, shape ``(468 or more, 3)``.
            region: the same for ``MOUTH_REGION``, shape ``(61, 2)``.
            grid: over the face.
        """
        unit = float(np.linalg.norm(mesh[263, :2] - mesh[33, :2])) + 1e-6
        still = np.concatenate([mesh[list(_STILL), :2], _neck(mesh)])
        places = grid.points.reshape(-1, 2) / unit
        splines, taper = [], (grid.taper * _below_eyes(mesh, grid)).reshape(-1, 1)
        for lip in (_UPPER, _LOWER):
            moving = region[[*lip, *_AROUND]]
            splines.append(spline(np.concatenate([moving, still]) / unit, places, len(moving)) * taper)
        return cls(grid, splines[0], splines[1])

    def inverse(self, moved: Floats, common: Floats | None = None) -> tuple[Floats, Floats]:
        """Return where each point of the grid comes from, by the upper and by the lower lip's motion.

        Args:
            moved: displacement of each point of ``MOUTH_REGION`` in pixels, shape ``(61, 2)``.
            common: a displacement to add to both, on the grid, shape ``(rows, columns, 2)``.

        Returns:
            Two fields of source minus target, shape ``(rows, columns, 2)`` each.
        """
        shape = self.grid.points.shape
        found = []
        for spline, lip in ((self.upper, _UPPER), (self.lower, _LOWER)):
            forward = (spline @ moved[[*lip, *_AROUND]].astype(np.float32)).reshape(shape)
            if common is not None:
                forward = forward + common
            back = -forward
            for _ in range(_ITERATIONS):
                back = -self.grid.sampled(forward, self.grid.points + back)
            found.append(back)
        return found[0], found[1]


def _below_eyes(mesh: Floats, grid: Grid) -> Floats:
    """Return 0 down to the lower lids and 1 from the middle of the nose on, shape ``(rows, columns, 1)``."""
    width = float(np.linalg.norm(mesh[263, :2] - mesh[33, :2])) + 1e-6
    nose = float(_below_lids(mesh, mesh[4, :2]))
    share = np.clip(_below_lids(mesh, grid.points) / max(0.8 * nose, 0.05 * width), 0, 1)
    return np.asarray((share * share * (3 - 2 * share))[..., None], np.float32)


def _below_lids(mesh: Floats, places: Floats) -> Floats:
    """Return how far places ``(..., 2)`` are below the lower lids, pixels along the face's own vertical."""
    across = mesh[263, :2] - mesh[33, :2]
    down = np.array([-across[1], across[0]], np.float32) / (float(np.linalg.norm(across)) + 1e-6)
    lids = max(float((mesh[lid, :2] - mesh[33, :2]) @ down) for lid in (145, 374))
    return np.asarray((places - mesh[33, :2]) @ down - lids, np.float32)


def spline(controls: Floats, places: Floats, moving: int) -> Floats:
    """Return the matrix from the first ``moving`` controls' displacements to those at places; other controls rest."""
    count = len(controls)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _bending(controls, controls)
    system[range(count), range(count)] += _SMOOTHNESS
    system[:count, count:] = np.column_stack([np.ones(count), controls])
    system[count:, :count] = system[:count, count:].T
    known = np.zeros((count + 3, moving))
    known[range(moving), range(moving)] = 1
    weights = np.linalg.solve(system, known).astype(np.float32)
    bent: Floats = _bending(places, controls) @ weights[:count]
    return bent + np.column_stack([np.ones(len(places), np.float32), places]) @ weights[count:]


def _bending(first: Floats, second: Floats) -> Floats:
    """Return r² log r for all pairs, shape ``(len(first), len(second))``."""
    squares = (
        np.square(first).sum(1)[:, None] + np.square(second).sum(1)[None, :] - 2 * first @ second.T
    ).clip(1e-9)  # fmt: skip
    return np.asarray(0.5 * squares * np.log(squares), np.float32)


def remap(image: Image, grid: Grid, back: Floats) -> Image:
    """Return a region of a picture, moved.

    Args:
        image: RGB, shape ``(h, w, 3)``.
        grid: its region.
        back: source minus target at every pixel of the region, shape ``(height, width, 2)``.
    """
    box = grid.box
    x = np.arange(box.left, box.right, dtype=np.float32)[None, :] + back[..., 0]
    y = np.arange(box.top, box.bottom, dtype=np.float32)[:, None] + back[..., 1]
    moved = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved)

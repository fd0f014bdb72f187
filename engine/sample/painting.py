"""A canvas in millimetres of the drawn person, with the few brushes the portrait needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

_SUPERSAMPLING = 4


@dataclass(frozen=True)
class Canvas:
    """A rectangle of the drawing, measured in mm from the point between the eyes, y downward.

    Attributes:
        left: x of the left edge.
        top: y of the upper edge.
        width: in mm.
        height: in mm.
        scale: pixels per mm.
    """

    left: float
    top: float
    width: float
    height: float
    scale: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns in pixels."""
        return round(self.height * self.scale), round(self.width * self.scale)

    @cached_property
    def x(self) -> Plane:
        """The x of every pixel's centre, shape ``(1, columns)``."""
        return ((np.arange(self.shape[1], dtype=np.float32) + 0.5) / self.scale + self.left)[None, :]

    @cached_property
    def y(self) -> Plane:
        """The y of every pixel's centre, shape ``(rows, 1)``."""
        return ((np.arange(self.shape[0], dtype=np.float32) + 0.5) / self.scale + self.top)[:, None]

    def part(self, left: float, top: float, width: float, height: float) -> tuple[Canvas, tuple[slice, slice]]:
        """Return a canvas on this pixel grid that covers at least the given rectangle, and its place in this one."""
        first_column = int(np.floor((left - self.left) * self.scale))
        first_row = int(np.floor((top - self.top) * self.scale))
        columns, rows = int(np.ceil(width * self.scale)) + 1, int(np.ceil(height * self.scale)) + 1
        inner = Canvas(
            self.left + first_column / self.scale,
            self.top + first_row / self.scale,
            columns / self.scale,
            rows / self.scale,
            self.scale,
        )
        return inner, (slice(first_row, first_row + rows), slice(first_column, first_column + columns))

    def fill(self, outline: Points, *, blur: float = 0.0) -> Plane:
        """Return the coverage, 0 to 1, of a polygon given in mm, shape ``(points, 2)``, optionally blurred by mm."""
        return self.fill_all([outline], blur=blur)

    def fill_all(self, outlines: Iterable[Points], *, blur: float = 0.0) -> Plane:
        """Return the joint coverage of several polygons."""
        shapes = [np.asarray(outline, float) for outline in outlines]
        everything = np.concatenate(shapes)
        margin = 3 * blur + 2 / self.scale
        low = np.maximum(everything.min(axis=0) - margin, (self.left, self.top))
        high = np.minimum(everything.max(axis=0) + margin, (self.left + self.width, self.top + self.height))
        whole = np.zeros(self.shape, np.float32)
        if np.any(high <= low):
            return whole
        near, place = self.part(low[0], low[1], high[0] - low[0], high[1] - low[1])
        rows, columns = near.shape
        big = np.zeros((rows * _SUPERSAMPLING, columns * _SUPERSAMPLING), np.uint8)
        for outline in shapes:
            pixels = (outline - (near.left, near.top)) * near.scale * _SUPERSAMPLING - 0.5
            cv2.fillPoly(big, [np.round(pixels * 16).astype(np.int32)], (255,), shift=4)
        coverage = np.asarray(cv2.resize(big, (columns, rows), interpolation=cv2.INTER_AREA), np.float32) / 255
        if blur:
            coverage = near.soften(coverage, blur)
        room = whole[place]
        room[:] = coverage[: room.shape[0], : room.shape[1]]
        return whole

    def stroke(self, line: Points, widths: float | npt.ArrayLike) -> Plane:
        """Return the coverage of a line whose width in mm may vary from point to point."""
        line = np.asarray(line, float)
        half = np.broadcast_to(np.asarray(widths, float) / 2, (len(line),))
        along = np.gradient(line, axis=0)
        normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        return self.fill(np.concatenate([line + normal * half[:, None], (line - normal * half[:, None])[::-1]]))

    def soften(self, plane: Plane, spread: float) -> Plane:
        """Return ``plane`` blurred by a Gaussian of ``spread`` mm."""
        sigma = max(spread * self.scale, 0.3)
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)

    def spot(self, x: float, y: float, spread_x: float, spread_y: float) -> Plane:
        """Return a soft spot: a Gaussian with its peak, 1, at ``(x, y)``."""
        across = np.exp(-0.5 * ((self.x - x) / spread_x) ** 2)
        down = np.exp(-0.5 * ((self.y - y) / spread_y) ** 2)
        return np.asarray(across * down, np.float32)


def curve(points: npt.ArrayLike, *, closed: bool = True, steps: int = 16) -> Points:
    """Return a smooth line through ``points`` (Catmull-Rom), shape ``(n, 2)``."""
    knots = np.asarray(points, float)
    if closed:
        padded = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    share = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(b + 0.5 * share * (c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a))))
    if not closed:
        pieces.append(knots[-1:])
    return np.concatenate(pieces)


def mirrored(points: npt.ArrayLike) -> Points:
    """Return a closed outline from its right half, given from one end to the other; points at x = 0 are shared."""
    right = np.asarray(points, float)
    return np.concatenate([right, right[right[:, 0] != 0][::-1] * (-1, 1)])


def paint(picture: Plane, colour: npt.ArrayLike, coverage: Plane) -> None:
    """Lay ``colour`` (one, or one per pixel) over ``picture`` in place where ``coverage`` says so.

    A picture of four channels carries its own coverage, and its colours are multiplied by it.
    """
    picture[..., :3] += coverage[..., None] * (np.asarray(colour, np.float32) - picture[..., :3])
    if picture.shape[2] == 4:
        picture[..., 3] += coverage * (1 - picture[..., 3])


def darken(picture: Plane, amount: Plane, tint: tuple[float, float, float] = (0.8, 1.0, 1.05)) -> None:
    """Put a shadow on ``picture`` in place; red is taken least, as in skin."""
    picture[..., :3] *= 1 - amount[..., None] * np.asarray(tint, np.float32)


def ramp(light: Plane, stops: Iterable[tuple[float, tuple[float, float, float]]]) -> Plane:
    """Turn an intensity into colours along ``stops``, shape ``(rows, columns, 3)``."""
    places, colours = zip(*stops, strict=True)
    table = np.asarray(colours)
    return np.stack([np.interp(light, places, table[:, channel]) for channel in range(3)], axis=-1).astype(np.float32)


def coarse_grid(count: int, step: int) -> Plane:
    """Return the pixel positions, ``step`` apart, at which :func:`spread` wants values along ``count`` pixels."""
    return ((np.arange(-(-count // step) + 2, dtype=np.float32) - 0.5) * step - 0.5).astype(np.float32)


def spread(coarse: Plane, step: int, shape: tuple[int, int]) -> Plane:
    """Return a plane known on a coarse grid at all pixels, linear in between.

    Args:
        coarse: values at the positions that :func:`coarse_grid` gives for rows and columns.
        step: distance of its points in pixels.
        shape: rows and columns wanted.
    """
    rows, columns = shape
    fine = cv2.resize(coarse, (coarse.shape[1] * step, coarse.shape[0] * step), interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine[step : step + rows, step : step + columns], np.float32)


def smooth_noise(rng: np.random.Generator, count: int, knots: int) -> Plane:
    """Return ``count`` values of smooth noise about 0 with roughly unit spread."""
    values = np.interp(np.linspace(0, knots - 1, count), np.arange(knots), rng.standard_normal(knots))
    return values.astype(np.float32)

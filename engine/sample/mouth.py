"""Draws the moving mouth: lips, teeth, tongue, and the skin that the jaw takes along.

All curves are functions of x, so that every pixel of the small region around the mouth is computed at once. Sizes are
those of an average adult: lips 53 mm wide, 7 and 9.5 mm thick (Farkas 1994, *Anthropometry of the Head and Face*).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.sample.articulation import MouthShape
from engine.sample.head import CHIN_Y, MOUTH_Y
from engine.sample.look import Look
from engine.sample.painting import Canvas, Plane, coarse_grid, darken, paint, spread

_HALF_WIDTH = 26.5
_UPPER_SHARE = 0.27
"""Share of the opening by which the upper lip rises; the rest is the lower lip going down with the jaw."""

_TUBERCLE = 0.55
"""How far the middle of the upper lip hangs into the line of the mouth, mm."""

_TOOTH_EDGE = 1.6
"""How far the upper teeth reach below the closed lips' line, mm."""

_THROAT, _TONGUE = (0.20, 0.07, 0.07), (0.72, 0.36, 0.36)
_UPPER_TEETH, _LOWER_TEETH = (0.95, 0.92, 0.87), (0.84, 0.79, 0.72)

REGION = (-88.0, 36.0, 176.0, 140.0)
"""Left, top, width and height, in mm, of all that a moving mouth changes."""

LIPS_REGION = (-36.0, MOUTH_Y - 19, 72.0, 56.0)
"""The part of it in which :func:`draw_mouth` draws."""


@dataclass(frozen=True, slots=True)
class Lips:
    """The four edges of the lips at the columns of a canvas, mm, each of shape ``(1, columns)``.

    Attributes:
        across: place between the corners, -1 to 1; beyond, outside.
        top: outer edge of the upper lip.
        upper: its inner edge.
        lower: inner edge of the lower lip.
        bottom: its outer edge.
    """

    across: Plane
    top: Plane
    upper: Plane
    lower: Plane
    bottom: Plane


def lip_edges(x: Plane, shape: MouthShape, look: Look) -> Lips:
    """Return where the lips of one mouth shape are; ``lower - upper`` at x = 0 is exactly the opening."""
    opening, rounding = float(shape.opening), float(shape.rounding)
    press, tuck = float(shape.press), float(shape.tuck)
    half = _HALF_WIDTH + float(shape.width) / 2 - 0.05 * opening
    across = x / half
    u = np.clip(np.abs(across), 0, 1)
    inner = np.clip(np.abs(x) / (half - 2.5 - 1.5 * rounding), 0, 1)
    # a round mouth opens like an ellipse, a spread one like an almond
    parted = min(opening / 5, 1.0)
    gap = (opening + _TUBERCLE * parted) * (1 - inner ** (2.5 - 0.3 * rounding)) ** (0.8 - 0.25 * rounding)
    line = MOUTH_Y + 0.4 * u**2 - 1.9 * u**4 - tuck
    # shut lips meet along a wave; the lower lip has it only while they touch
    wave = _TUBERCLE * np.exp(-((across / 0.16) ** 2)) - 0.4 * u * np.exp(-(((u - 0.34) / 0.2) ** 2)) / 0.34
    upper_share = _UPPER_SHARE + 0.4 * tuck
    full = look.lip_fullness * (1 + 0.16 * rounding) * (1 - 0.26 * press)
    bow = 1 - 0.15 * np.exp(-((across / 0.10) ** 2)) + 0.05 * np.exp(-(((u - 0.22) / 0.13) ** 2))
    thin = 1 - 0.014 * opening
    above = 7.4 * full * thin * bow * np.maximum(1 - u**1.7, 0) ** 0.85
    below = 9.4 * full * thin * (1 - 0.42 * tuck) * np.maximum(1 - u**2.3, 0) ** 0.8
    upper = line + wave - upper_share * gap
    lower = line + wave * (1 - parted) + (1 - upper_share) * gap
    return Lips(across, upper - above, upper, lower, lower + below)


def draw_mouth(canvas: Canvas, picture: Plane, shape: MouthShape, look: Look) -> None:
    """Draw the mouth over the skin of ``picture``, shape ``(rows, columns, 3)``, in place."""
    lips = lip_edges(canvas.x, shape, look)
    y = canvas.y
    inside = np.clip((1 - np.abs(lips.across)) * 10, 0, 1)
    _draw_shadow(picture, y, lips)
    lip = _covers(canvas, y - lips.top, 2.2) * _covers(canvas, lips.bottom - y, 2.2) * inside
    paint(picture, _lip_colour(y, lips, shape, look), lip)
    if shape.opening > 0:
        thin = np.clip((lips.lower - lips.upper) * canvas.scale, 0, 1)  # a gap thinner than a pixel is seen as a shade
        hole = _covers(canvas, y - lips.upper) * _covers(canvas, lips.lower - y) * thin * inside
        paint(picture, _inside_colour(canvas, lips, shape, look), hole)
    # the line where the lips touch, and the wet rim of open ones
    for edge, reach in ((lips.upper, 0.55), (lips.lower, 0.35)):
        rim = np.exp(-0.5 * ((y - edge) / reach) ** 2) * inside
        darken(picture, 0.42 * rim, (0.75, 0.95, 0.95))


def _covers(canvas: Canvas, distance: Plane, soft: float = 1.0) -> Plane:
    """Return the coverage of what lies at positive ``distance`` (mm) inside an edge ``soft`` pixels wide."""
    return np.clip(distance * canvas.scale / soft + 0.5, 0, 1)


def _draw_shadow(patch: Plane, y: Plane, lips: Lips) -> None:
    """Put the shadow under the lower lip and the small hollows at the corners on the skin."""
    under = 0.26 * np.exp(-0.5 * ((y - lips.bottom - 2.4) / 2.6) ** 2) * np.exp(-((lips.across / 0.62) ** 2))
    under = np.where(y > lips.lower, under, 0)
    line = (lips.upper + lips.lower) / 2
    corners = 0.30 * np.exp(-0.5 * (((np.abs(lips.across) - 1.03) / 0.055) ** 2 + ((y - line) / 1.7) ** 2))
    darken(patch, np.clip(under + corners, 0, 0.6), (0.8, 1.0, 1.0))


def _lip_colour(y: Plane, lips: Lips, shape: MouthShape, look: Look) -> Plane:
    is_upper = y < (lips.upper + lips.lower) / 2
    height = np.where(is_upper, lips.upper - lips.top, lips.bottom - lips.lower)
    depth = np.clip(np.where(is_upper, y - lips.top, y - lips.lower) / np.maximum(height, 0.5), 0, 1)
    u = np.abs(lips.across)
    # the upper lip faces down and lies in shade; the lower one catches the light just below its inner edge
    tone = np.where(is_upper, 0.97 - 0.20 * depth, 0.86 + 0.34 * _bell(depth, 0.38, 0.33) - 0.16 * depth)
    tone = tone - 0.10 * u**2 - 0.05 * lips.across
    tone = tone + 0.018 * np.sin(lips.across * 57 + 3 * np.sin(lips.across * 9)) * (1 - u)  # creases
    gloss = np.where(
        is_upper,
        0.10 * _bell(depth, 0.25, 0.2) * _bell(u, 0.2, 0.14),
        0.20 * _bell(depth, 0.34, 0.13) * _bell(lips.across, -0.16, 0.30),
    )
    gloss = gloss * (1 + 0.4 * float(shape.rounding))
    colour = np.array(look.lips) * tone[..., None] + np.array([1.0, 0.92, 0.9]) * gloss[..., None]
    return np.asarray(np.clip(colour, 0, 1), np.float32)


def _bell(place: Plane, centre: float, width: float) -> Plane:
    return np.asarray(np.exp(-(((place - centre) / width) ** 2)))


def _inside_colour(canvas: Canvas, lips: Lips, shape: MouthShape, look: Look) -> Plane:
    """Return the colours seen between the lips: throat, tongue, lower and upper teeth."""
    x, y = canvas.x, canvas.y
    away = np.abs(x)
    light = 0.55 + 0.45 * sum(look.skin) / 3 / 0.8
    jaw, tongue = float(shape.jaw), float(shape.tongue)
    colour = np.empty((*canvas.shape, 3), np.float32)
    colour[:] = np.array(_THROAT) * light
    back = MOUTH_Y + 4.0 + jaw * (0.75 - 0.55 * tongue) + 0.010 * x**2
    round_tongue = 0.62 + 0.30 * np.clip((y - back) / 7, 0, 1)
    paint(colour, np.array(_TONGUE) * round_tongue[..., None], _covers(canvas, y - back, 4))
    bite = MOUTH_Y + _TOOTH_EDGE
    row = light * np.clip(1 - (x / 24) ** 2, 0, 1) ** 0.6  # the row of teeth curves back into the dark
    low = _covers(canvas, y - (bite - 0.4 + jaw + 0.008 * x**2), 1.5) * np.clip((21 - away) / 4, 0, 1)
    tone = row * (1 - 0.10 * _bell(away % 5.4, 2.7, 0.35)) * max(1 - 0.03 * jaw, 0.6)
    paint(colour, np.array(_LOWER_TEETH) * tone[..., None], low)
    edge = bite - 0.45 * _bell(away, 8.4, 2.2) - 0.010 * x**2
    high = _covers(canvas, edge - y, 1.5) * np.clip((23 - away) / 4, 0, 1)
    gaps = 1 - 0.10 * (_bell(away, 0, 0.3) + _bell(away, 8.6, 0.3)) - 0.08 * _bell(away, 15, 0.3)
    shaded = 0.62 + 0.38 * np.clip((y - lips.upper) / 3.2, 0, 1)  # by the upper lip
    paint(colour, np.array(_UPPER_TEETH) * (row * gaps * shaded)[..., None], high)
    return colour


def skin_source(canvas: Canvas, shape: MouthShape) -> tuple[Plane, Plane]:
    """Return, for every pixel of a moving face, which point (mm) of the still face its skin comes from.

    The chin goes down with the jaw, the cheeks lengthen, the lips' corners pull the skin beside them.
    """
    jaw = 0.92 * float(shape.jaw)
    step = 8
    x = canvas.left + (coarse_grid(canvas.shape[1], step)[None, :] + 0.5) / canvas.scale
    y = canvas.top + (coarse_grid(canvas.shape[0], step)[:, None] + 0.5) / canvas.scale
    down = _ramp((y - (MOUTH_Y - 8)) / 44) * (1 - _ramp((y - (CHIN_Y + 6)) / 46))
    sides = 0.12 + 0.88 * np.exp(-0.5 * (np.maximum(np.abs(x) - 16, 0) / 24) ** 2)
    out = np.exp(-0.5 * (np.maximum(np.abs(x) - 62, 0) / 9) ** 2)
    dy = jaw * down * sides * out
    corner = float(shape.width) / 2 - 0.05 * float(shape.opening)
    reach = np.exp(-0.5 * ((y - MOUTH_Y - 1) / 15) ** 2)
    pull = np.exp(-0.5 * ((np.abs(x) - 27) / 13) ** 2)
    dx = 0.85 * corner * pull * reach * np.tanh(x / 6)
    edge = _ramp((canvas.left + canvas.width - 2 - np.abs(x)) / 8)  # nothing moves at the border of the region
    return spread((x - edge * dx).astype(np.float32), step, canvas.shape), spread(
        (y - edge * dy).astype(np.float32), step, canvas.shape
    )


def _ramp(share: Plane) -> Plane:
    s = np.clip(share, 0, 1)
    return s * s * (3 - 2 * s)

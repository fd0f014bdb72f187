"""The still parts of the face: a modelled head lit from the upper left, ears, nose and brows.

The head is a surface z(x, y): an ellipsoid with a nose, brows, eye sockets, cheeks and a chin laid on it as soft bumps.
Its slopes give the shading, and its depth lets the finished head turn a little.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.sample.look import Colour, Hair, Look
from engine.sample.painting import Canvas, Plane, Points, curve, darken, mirrored, paint, ramp

MOUTH_Y = 67.0
"""Height of the closed lips' line below the eyes, mm."""

CHIN_Y = 119.0

_CONTOUR = (
    (-112, 0), (-111, 18), (-107, 36), (-98, 52), (-84, 64), (-66, 71.5), (-44, 75), (-20, 75.5), (2, 74.5),
    (24, 72.5), (44, 69.5), (62, 65), (78, 58), (91, 49), (102, 38.5), (110.5, 27), (116.5, 14.5), (119, 0),
)  # fmt: skip
"""Half the outline of the average head: height and half-width, mm."""


def half_widths(look: Look) -> tuple[Plane, Plane]:
    """Return heights, ascending, and the head's half-width there, both in mm."""
    y, w = np.array(_CONTOUR, float).T
    jaw = np.clip((y - 20) / 50, 0, 1) * np.clip((CHIN_Y + 6 - y) / 20, 0, 1)
    return y, w * (look.face_width + (look.jaw_width - 1) * jaw)


def head_outline(look: Look) -> Points:
    """Return the outline of the head from crown to chin, mm."""
    y, w = half_widths(look)
    return curve(mirrored(np.stack([w, y], axis=1)))


def depth(canvas: Canvas, look: Look) -> Plane:
    """Return how far each point of the head stands out towards the viewer, mm; the outline is at 0."""
    x, y = canvas.x, canvas.y
    heights, widths = half_widths(look)
    # the outline closes to a point at crown and chin; the surface below it should not, or it would show a crease
    half = np.interp(canvas.y[:, 0], heights, np.maximum(widths, 30))[:, None]
    half = canvas.soften(np.broadcast_to(half, canvas.shape).astype(np.float32), 6.0)
    across = np.clip(1 - np.abs(x / (half * 1.03)) ** 2.3, 0, 1) ** 0.5
    upright = np.clip(1 - np.abs((y - 8) / 132) ** 2.6, 0, 1) ** 0.5
    z = 78 * across * upright
    z += _nose(canvas, look)
    for side in (-1, 1):
        z -= 8.5 * canvas.spot(side * 30, 0, 15, 8.5)
        z += 4.5 * canvas.spot(side * 31.5, 0, 9.5, 6.5)
        z += 3.2 * canvas.spot(side * 27, -17, 17, 6.5)
        z += 4.5 * canvas.spot(side * 42, 27, 17, 15)
        z -= 2.6 * canvas.spot(side * 46, 66, 11, 20)
    z += 3.0 * canvas.spot(0, -55, 40, 26)
    z += 6.5 * canvas.spot(0, 66, 27, 19)
    z -= 1.5 * canvas.spot(0, 87, 17, 6)
    z += 7.0 * canvas.spot(0, 104, 17, 11)
    return np.asarray(z, np.float32)


def _nose(canvas: Canvas, look: Look) -> Plane:
    x, y = canvas.x, canvas.y
    rows = y[:, 0]
    height = np.interp(rows, [-22, -10, 2, 20, 36, 43, 47, 50.5, 53], [0, 2.5, 4.5, 10, 16.5, 18.5, 16, 6, 0])
    width = look.nose_width * np.interp(rows, [-20, 0, 25, 40, 50], [7.0, 5.2, 5.8, 8.2, 8.5])
    ridge = height[:, None] * np.exp(-0.5 * (x / width[:, None]) ** 2)
    nose = canvas.soften(ridge.astype(np.float32), 1.6)
    for side in (-1, 1):
        nose += 7.5 * canvas.spot(side * 12.5 * look.nose_width, 43.5, 4.4, 4.6)
    return nose


def _tones(colour: Colour) -> list[tuple[float, Colour]]:
    """Return the skin's colours from shadow to light: shadows of skin are warmer and more saturated."""
    red, green, blue = colour

    def tone(r: float, g: float, b: float) -> Colour:
        return min(red * r, 1.0), min(green * g, 1.0), min(blue * b, 1.0)

    return [
        (0.0, tone(0.34, 0.23, 0.21)),
        (0.35, tone(0.66, 0.51, 0.46)),
        (0.62, tone(0.90, 0.83, 0.79)),
        (0.82, colour),
        (1.05, tone(1.06, 1.08, 1.09)),
        (1.3, tone(1.12, 1.18, 1.22)),
    ]


_KEY = np.array([-0.42, -0.52, 0.74])
_FILL = np.array([0.62, -0.12, 0.78])


def shade(canvas: Canvas, surface: Plane, look: Look) -> Plane:
    """Return the skin's colour at every pixel of a surface, shape ``(rows, columns, 3)``."""
    slope_y, slope_x = np.gradient(canvas.soften(surface, 0.7) * canvas.scale)
    length = np.sqrt(slope_x**2 + slope_y**2 + 1)

    def lit(direction: np.ndarray[tuple[int], np.dtype[np.float64]], wrap: float) -> Plane:
        facing = (-slope_x * direction[0] - slope_y * direction[1] + direction[2]) / length
        return np.asarray(np.clip((facing + wrap) / (1 + wrap), 0, 1), np.float32)

    light = 0.16 + 0.62 * lit(_KEY / np.linalg.norm(_KEY), 0.35) + 0.26 * lit(_FILL / np.linalg.norm(_FILL), 0.2)
    half_way = _KEY / np.linalg.norm(_KEY) + np.array([0, 0, 1.0])
    gloss = lit(half_way / np.linalg.norm(half_way), 0.0) ** 34
    return ramp(light + 0.10 * gloss, _tones(look.skin))


def draw_head(canvas: Canvas, picture: Plane, look: Look) -> Plane:
    """Draw ears and head (no eyes, no lips, no hair) on ``picture`` in place and return the head's coverage."""
    surface = depth(canvas, look)
    skin = shade(canvas, surface, look)
    for side in () if look.hair_style in (Hair.BOB, Hair.LONG) else (-1, 1):
        _draw_ear(canvas, picture, look, side)
    head = canvas.fill(head_outline(look))
    _tint(canvas, skin, look)
    paint(picture, skin, head)
    _draw_nostrils(canvas, picture, look)
    for side in (-1, 1):
        _draw_brow(canvas, picture, look, side)
    return head


def _tint(canvas: Canvas, skin: Plane, look: Look) -> None:
    """Give cheeks and nose their blood, and put the shadows that the nose casts."""
    for side in (-1, 1):
        flush = 0.10 * canvas.spot(side * 43, 36, 15, 12)
        darken(skin, flush, (0.15, 1.0, 0.8))
        darken(skin, 0.10 * canvas.spot(side * 29, 2, 15, 9), (0.6, 1.0, 0.95))
        fold = curve([(side * 17, 45), (side * 24, 53), (side * 30, 63)], closed=False)
        darken(
            skin,
            0.16 * canvas.soften(canvas.stroke(fold, np.interp(np.arange(len(fold)), [0, len(fold)], [2.5, 1])), 1.6),
        )
    darken(skin, 0.10 * canvas.spot(0, 42, 11, 7), (0.1, 1.0, 0.8))
    darken(skin, 0.22 * canvas.spot(2.5, 53.5, 11 * look.nose_width, 2.6), (0.75, 1.0, 1.0))
    darken(skin, 0.10 * canvas.spot(0, 57, 2.2, 3.2))
    darken(skin, 0.10 * canvas.spot(0, 88.5, 13, 4.5))
    skin += (0.05 * canvas.spot(-2.0, 39.5, 2.2, 2.6) + 0.03 * canvas.spot(-1.5, 20, 1.6, 9))[..., None]


def _draw_nostrils(canvas: Canvas, picture: Plane, look: Look) -> None:
    dark = np.array(look.skin) * (0.30, 0.17, 0.15)
    for side in (-1, 1):
        x = side * look.nose_width
        hole = curve([(x * 3.4, 49.2), (x * 6.5, 47.6), (x * 9.6, 48.8), (x * 8.6, 50.3), (x * 5.0, 50.6)])
        paint(picture, dark, 0.7 * canvas.fill(hole, blur=0.6))
        wing = curve([(x * 14.5, 39.5), (x * 17.2, 44), (x * 15.6, 49), (x * 11.5, 50.4)], closed=False)
        widths = 1.5 * np.sin(np.linspace(0.15, np.pi - 0.15, len(wing)))
        paint(picture, dark * 1.7, 0.42 * canvas.soften(canvas.stroke(wing, widths), 0.55))


def _draw_ear(canvas: Canvas, picture: Plane, look: Look, side: int) -> None:
    edge = 71.0 * look.face_width
    outer = [
        (edge - 4, -8),
        (edge + 6, -13),
        (edge + 12.5, -6),
        (edge + 11, 10),
        (edge + 6, 25),
        (edge, 33),
        (edge - 5, 24),
    ]
    ear = canvas.fill(curve(np.array(outer) * (side, 1)))
    base = np.array(look.skin) * (0.80, 0.68, 0.64) * (1.06 if side < 0 else 0.92)
    paint(picture, base, ear)
    inner = curve(np.array([(edge + 2, -5), (edge + 8.5, -5), (edge + 7.5, 8), (edge + 3, 19)]) * (side, 1))
    darken(picture, 0.30 * canvas.fill(inner, blur=1.4) * ear)


def _draw_brow(canvas: Canvas, picture: Plane, look: Look, side: int) -> None:
    line = curve([(14.5, -20.6), (24, -22.6), (35, -24.2), (45.5, -22.2), (53.5, -16.2)], closed=False)
    places = np.linspace(0, 1, len(line))
    widths = look.brow * np.interp(places, [0, 0.12, 0.45, 0.8, 1], [1.6, 3.6, 4.2, 2.9, 0.6])
    brow = canvas.soften(canvas.stroke(line * (side, 1), widths), 0.45)
    hairs = np.sin((canvas.x * side * 1.1 + canvas.y * 1.9) * 2.6) * 0.10 + 0.84
    colour = 0.75 * np.array(look.hair) + 0.12 * np.array(look.skin) * (0.5, 0.35, 0.3)
    paint(picture, colour, brow * hairs.astype(np.float32))


def turn_depth(canvas: Canvas, look: Look) -> Plane:
    """Return the smooth depth by which a turn of the head shifts each point, mm, with hair and ears included."""
    z = np.clip(depth(canvas, look), 0, None)
    skull = 62 * np.sqrt(np.clip(1 - (canvas.x / 100) ** 2 - ((canvas.y + 5) / 150) ** 2, 0, 1))
    return cv2.GaussianBlur(np.maximum(z, skull).astype(np.float32), (0, 0), 3.0 * canvas.scale) - 40

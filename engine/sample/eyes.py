"""Draws the eyes, open to shut."""

from __future__ import annotations

import numpy as np

from engine.sample.look import Look
from engine.sample.painting import Canvas, Plane, curve, darken, paint

REGION = (-64.0, -27.0, 128.0, 54.0)
"""Left, top, width and height, in mm, of all that a blink changes."""

_CENTRE_X = 31.5
_SIZE = 1.16
_INNER, _OUTER = (16.4, 2.2), (46.6, -1.2)
_UPPER = ((21.5, -3.9), (29.5, -6.6), (38.5, -5.4))
_LOWER = ((22.5, 4.0), (31.0, 5.3), (40.0, 3.4))


def draw_eyes(canvas: Canvas, picture: Plane, lid: float, look: Look) -> None:
    """Draw both eyes over the skin of ``picture`` in place.

    Args:
        canvas: where ``picture`` lies.
        picture: shape ``(rows, columns, 3)``.
        lid: 0 wide open, 1 shut.
        look: whose eyes.
    """
    for side in (-1, 1):
        inner, place = canvas.part(side * _CENTRE_X - 22, -19, 44, 33)
        _draw_eye(inner, picture[place], lid, look, side)


def _draw_eye(canvas: Canvas, picture: Plane, lid: float, look: Look, side: int) -> None:
    turn = np.array([side, 1.0])
    canvas = _enlarged(canvas, side)
    share = 0.94 * np.clip(lid, 0, 1)
    open_lid = curve([_INNER, *_UPPER, _OUTER], closed=False)
    below = curve([_INNER, *_LOWER, _OUTER], closed=False)
    lid_line = open_lid + share * (below - open_lid)
    slit = canvas.fill(np.concatenate([lid_line, below[::-1]]) * turn)
    _draw_ball(canvas, picture, slit, lid_line * turn, look, side)
    skin = np.array(look.skin)
    if share > 0.02:
        cover = canvas.fill(np.concatenate([open_lid - (0, 0.6), lid_line[::-1]]) * turn)
        round_light = 0.86 + 0.10 * np.exp(-0.5 * ((canvas.y + 1.5) / 3.0) ** 2) - 0.05 * canvas.x / 40
        paint(picture, skin * (1.0, 0.93, 0.90) * round_light[..., None], cover)
    places = np.linspace(0, 1, len(lid_line))
    crease = open_lid + np.stack([np.zeros_like(places), -2.6 + 1.2 * share + 1.6 * np.abs(places - 0.5)], axis=1)
    widths = 1.1 * np.sin(np.pi * np.clip(places * 0.9 + 0.07, 0, 1))
    darken(picture, 0.34 * canvas.soften(canvas.stroke(crease * turn, widths), 0.35))
    lash = 0.75 + 0.85 * look.lashes
    widths = lash * np.interp(places, [0, 0.15, 0.6, 0.9, 1], [0.35, 0.8, 1.25, 1.3, 0.5])
    dark = 0.35 * np.array(look.hair) + (0.04, 0.025, 0.02)
    if look.lashes > 0.4:
        tip = np.array([_OUTER, (_OUTER[0] + 2.2, _OUTER[1] - 1.7 + 2.6 * share)]) - (0.6, 0)
        paint(picture, dark, 0.9 * canvas.stroke(tip * turn, [1.4, 0.2]))
    paint(picture, dark, 0.92 * canvas.stroke(lid_line * turn - (0, 0.3), widths))
    rim = canvas.soften(canvas.stroke(below * turn + (0, 0.35), 0.7), 0.25)
    paint(picture, skin * (0.62, 0.42, 0.38), 0.5 * rim)
    darken(picture, 0.12 * canvas.soften(canvas.stroke(below * turn + (0, 4.2), 2.0), 1.5))


def _enlarged(canvas: Canvas, side: int) -> Canvas:
    """Return the same pixels in a frame whose mm are larger about the eye: drawn people have large eyes."""
    centre = side * _CENTRE_X
    return Canvas(
        centre + (canvas.left - centre) / _SIZE,
        canvas.top / _SIZE,
        canvas.width / _SIZE,
        canvas.height / _SIZE,
        canvas.scale * _SIZE,
    )


def _draw_ball(canvas: Canvas, picture: Plane, slit: Plane, lid_line: Plane, look: Look, side: int) -> None:
    x, y = canvas.x - side * (_CENTRE_X - 0.4), canvas.y + 0.4
    radius = np.sqrt(x**2 + y**2)
    white = np.array([0.955, 0.94, 0.925]) * (0.62 + 0.38 * sum(look.skin) / 3 / 0.8)
    ball = np.clip(1.02 - (x / 24) ** 2 - (y / 20) ** 2, 0, 1)[..., None] * white
    eye = ball.astype(np.float32)
    paint(
        eye,
        (0.80, 0.48, 0.45),
        np.clip(1 - np.hypot(canvas.x - side * 17.6, canvas.y - 1.9) / 1.9, 0, 1).astype(np.float32),
    )
    edge = np.clip((5.9 - radius) * canvas.scale + 0.5, 0, 1)
    angle = np.arctan2(y, x)
    fibres = 0.90 + 0.16 * np.sin(angle * 23 + 2 * np.sin(angle * 5)) * np.clip(radius / 6, 0, 1)
    glow = 0.72 + 0.75 * np.clip((y + 1) / 6, 0, 1) * np.clip(1 - np.abs(radius - 3.9) / 2.6, 0, 1)
    limb = 1 - 0.6 * np.clip((radius - 4.7) / 1.2, 0, 1)
    iris = np.clip(np.array(look.iris) * 1.15 * (fibres * glow * limb)[..., None], 0, 1)
    paint(eye, iris, edge.astype(np.float32))
    paint(eye, (0.03, 0.02, 0.02), np.clip((2.5 - radius) * canvas.scale + 0.5, 0, 1).astype(np.float32))
    # the lid's shadow on the ball
    line = np.interp(canvas.x[0], *(lid_line[np.argsort(lid_line[:, 0])].T))[None, :]
    darken(eye, 0.42 * np.exp(-np.clip(canvas.y - line, 0, None) / 1.8).astype(np.float32), (0.9, 1, 1))
    for dx, dy, size, strength in ((-1.9, -2.1, 1.35, 0.95), (1.8, 2.0, 0.8, 0.35)):
        gleam = np.clip((size - np.hypot(x - dx, y - dy)) * canvas.scale + 0.5, 0, 1)
        paint(eye, (1.0, 1.0, 1.0), (strength * gleam).astype(np.float32))
    paint(picture, eye, slit)


def draw_glasses(canvas: Canvas, picture: Plane) -> None:
    """Draw a pair of glasses over finished eyes, in place."""
    dark = (0.12, 0.10, 0.10)
    for side in (-1, 1):
        rim = curve(
            np.array([(10.5, -7), (20, -13.5), (41, -14.5), (54.5, -9), (55.5, 5), (47, 17), (27, 18.5), (12.5, 9)])
            * (side, 1)
        )
        lens = canvas.fill(rim)
        gleam = canvas.fill(
            np.array([(side * 32 - 14, 14), (side * 32 - 4, -12), (side * 32 + 1, -12), (side * 32 - 9, 14)]), blur=1.0
        )
        picture += (0.03 * lens + 0.06 * lens * gleam)[..., None]
        paint(picture, dark, 0.92 * canvas.stroke(np.concatenate([rim, rim[:2]]), 1.9))
        paint(picture, dark, 0.9 * canvas.stroke(np.array([(side * 54.5, -6.0), (side * 61, -7.5)]), 2.2))
    bridge = curve([(-10.8, -4.5), (-5.5, -7.6), (0, -8.4), (5.5, -7.6), (10.8, -4.5)], closed=False)
    paint(picture, dark, 0.92 * canvas.stroke(bridge, 1.8))

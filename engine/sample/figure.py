"""The rest of the picture: neck, shoulders and sweater, and the room behind."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engine.sample.head import head_outline
from engine.sample.look import Look
from engine.sample.painting import Canvas, Plane, curve, darken, mirrored, paint, ramp


def draw_neck(canvas: Canvas, picture: Plane, look: Look) -> None:
    """Draw the neck with the shadow of the chin, in place."""
    broad = 1.0 if look.jaw_width <= 1 else 1.14
    half = [
        (44 * broad, 60),
        (43 * broad, 100),
        (44.5 * broad, 130),
        (52 * broad, 152),
        (78, 172),
        (84, 205),
        (40, 225),
    ]
    neck = canvas.fill(curve(mirrored(half), steps=12))
    bend = np.clip(1 - (canvas.x / (56 * broad)) ** 2, 0, 1) ** 0.5
    light = np.broadcast_to(0.30 + 0.48 * bend - 0.12 * canvas.x / 50, canvas.shape)
    red, green, blue = look.skin
    skin = ramp(
        light.astype(np.float32),
        [(0.1, (red * 0.50, green * 0.36, blue * 0.32)), (0.5, (red * 0.80, green * 0.69, blue * 0.64)),
         (0.9, (red, green * 0.97, blue * 0.95))],
    )  # fmt: skip
    chin = canvas.fill(head_outline(look) - (-3, -17), blur=4.5)
    darken(skin, 0.50 * chin)
    for side in (-1, 1):
        cord = curve([(side * 33, 118), (side * 22, 150), (side * 9, 172)], closed=False)
        darken(skin, 0.13 * canvas.soften(canvas.stroke(cord, 4.0), 2.6))
    darken(skin, 0.22 * canvas.spot(0, 172, 7, 6))
    paint(picture, skin, neck)


def draw_shoulders(canvas: Canvas, picture: Plane, look: Look) -> None:
    """Draw a crew-neck sweater, in place."""
    broad = 1.0 if look.jaw_width <= 1 else 1.1
    half = [
        (0, 184),
        (24, 181),
        (44, 170),
        (58, 158),
        (96, 170),
        (142, 182),
        (180, 202),
        (204, 246),
        (216, 320),
        (218, 460),
        (0, 460),
    ]
    outline = curve(mirrored(np.array(half) * (broad, 1)), steps=12)
    body = canvas.fill(outline)
    x, y = canvas.x, canvas.y
    bulk = np.clip(1 - np.abs(x / (225 * broad)) ** 2.6, 0, 1) ** 0.5
    light = 0.50 + 0.42 * bulk - 0.16 * x / 200 - 0.16 * np.clip((y - 190) / 220, 0, 1.4)
    for sign in (-1, 1):
        fold = curve([(sign * 128 * broad, 222), (sign * 112 * broad, 282), (sign * 118 * broad, 400)], closed=False)
        light -= 0.24 * canvas.soften(canvas.stroke(fold, np.linspace(3, 16, len(fold))), 8)
        crease = curve([(sign * 70, 186), (sign * 88, 222), (sign * 92, 268)], closed=False)
        light -= 0.10 * canvas.soften(canvas.stroke(crease, 5), 6)
    knit = 0.018 * np.sin(x * 2.4) * np.sin(y * 1.7)
    base = np.array(look.cloth)
    cloth = np.clip(base * 0.42 + (light + knit)[..., None] * base * 0.78, 0, 1).astype(np.float32)
    collar = curve([(-59, 157), (-46, 171), (-24, 183), (0, 187), (24, 183), (46, 171), (59, 157)], closed=False)
    band = canvas.stroke(collar, np.interp(np.linspace(0, 1, len(collar)), [0, 0.07, 0.93, 1], [2.0, 9.0, 9.0, 2.0]))
    paint(picture, cloth, body)
    ribs = 0.90 + 0.07 * np.sin(x * 3.6)
    paint(picture, np.clip(cloth * (ribs * 0.98)[..., None], 0, 1), band)
    darken(picture, 0.32 * canvas.soften(canvas.stroke(collar - (0, -6.0), 1.6), 1.1) * body, (1, 1, 1))
    darken(picture, 0.25 * canvas.soften(canvas.stroke(collar - (0, 4.6), 1.4), 1.0), (0.9, 1, 1))


def backdrop(look: Look, size: tuple[int, int], seed: int) -> npt.NDArray[np.uint8]:
    """Return the room behind: a softly lit wall with a window's light and things out of focus.

    Args:
        look: gives the colours.
        size: width and height in pixels.
        seed: where the out-of-focus things stand.

    Returns:
        Picture, shape ``(height, width, 3)``, RGB.
    """
    width, height = size
    rng = np.random.default_rng([seed, 41])
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    lit, dim = np.array(look.wall[0]), np.array(look.wall[1])
    share = np.clip(0.5 + 0.38 * x + 0.24 * y, 0, 1)[..., None]
    room = ((1 - share) * lit + share * dim).astype(np.float32)
    glow = np.exp(-0.5 * (((x + 0.55) / 0.45) ** 2 + ((y + 0.5) / 0.6) ** 2))
    room += 0.07 * glow[..., None]
    things = room.copy()
    unit = height / 720
    for _ in range(9):
        left, top = rng.uniform(0, width), rng.uniform(0.05, 0.8) * height
        wide, tall = rng.uniform(30, 110) * unit, rng.uniform(70, 240) * unit
        colour = np.clip((lit + dim) / 2 * rng.uniform(0.72, 1.05) + rng.normal(0, 0.035, 3), 0, 1)
        cv2.rectangle(things, (int(left), int(top)), (int(left + wide), int(top + tall)), colour.tolist(), -1)
    things = cv2.GaussianBlur(things, (0, 0), 26 * unit)
    room = 0.45 * room + 0.55 * things
    room *= (1 - 0.16 * np.clip(x**2 + y**2 - 0.3, 0, 2))[..., None]
    room += rng.normal(0, 0.004, (height, width, 1)).astype(np.float32)  # keeps the coder from making bands
    return np.asarray(np.clip(np.round(room * 255), 0, 255), np.uint8)

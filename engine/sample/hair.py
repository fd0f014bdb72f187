"""Hair: a mass behind the head, and locks before it, with strands that follow the comb."""

from __future__ import annotations

import numpy as np

from engine.sample.look import Hair, Look
from engine.sample.painting import Canvas, Plane, Points, curve, darken, mirrored, paint, smooth_noise

_BACK: dict[Hair, tuple[tuple[float, float], ...]] = {
    Hair.BOB: ((0, -128), (45, -120), (80, -88), (95, -40), (99, 20), (97, 66), (90, 94), (74, 108), (40, 112)),
    Hair.LONG: ((0, -126), (44, -119), (78, -88), (92, -40), (97, 30), (103, 100), (108, 165), (100, 196), (62, 204)),
    Hair.CURLY: ((0, -146), (48, -138), (88, -104), (106, -56), (104, -4), (94, 34), (70, 46)),
}
"""Right halves of the outlines behind the head, top to bottom, mm."""

_CAP: dict[Hair, tuple[tuple[float, float], ...]] = {
    Hair.SHORT: (
        (0, -125), (36, -122), (64, -104), (78, -74), (81, -40), (79, -8), (75, 10), (71.5, 8), (70.5, -16),
        (68, -38), (62, -52), (54, -67), (42, -74), (24, -71), (0, -68),
    ),
    Hair.CURLY: (
        (0, -128), (36, -124), (66, -106), (82, -76), (86, -40), (81, -10), (75.5, -2), (71.5, -22), (67, -46),
        (57, -60), (38, -68), (16, -70), (0, -69),
    ),
}  # fmt: skip
"""Right halves of the outlines before the head: along the outer edge down, and back along the hairline."""

_WHOLE: dict[Hair, tuple[tuple[float, float], ...]] = {
    Hair.SIDE_PART: (
        (-30, -121), (2, -129), (38, -123), (66, -103), (80, -72), (82, -38), (79, -6), (74, 8), (71, -14), (68, -40),
        (58, -60), (30, -72), (2, -74), (-22, -82), (-42, -70), (-58, -57), (-67, -40), (-70, -14), (-74, 8), (-79, -6),
        (-82, -40), (-79, -74), (-60, -106),
    ),
    Hair.BOB: (
        (-26, -122), (6, -130), (42, -123), (72, -101), (90, -62), (96, -10), (98, 40), (96, 74), (88, 98), (74, 107),
        (64, 102), (67, 78), (72, 40), (73, 4), (69, -28), (58, -54), (36, -70), (6, -80), (-20, -85), (-40, -68),
        (-60, -46), (-70, -18), (-73, 14), (-72, 48), (-67, 78), (-64, 102), (-74, 107), (-88, 98), (-96, 74),
        (-98, 40), (-96, -10), (-88, -62), (-64, -104),
    ),
    Hair.LONG: (
        (-28, -121), (0, -128), (40, -122), (70, -100), (87, -60), (93, 0), (99, 60), (105, 120), (109, 176),
        (103, 204), (86, 208), (76, 180), (72, 130), (69, 84), (71, 40), (72, 2), (67, -34), (50, -62), (22, -78),
        (0, -86), (-22, -78), (-50, -62), (-67, -34), (-72, 2), (-71, 40), (-69, 84), (-72, 130), (-76, 180),
        (-86, 208), (-103, 204), (-109, 176), (-105, 120), (-99, 60), (-93, 0), (-87, -60), (-70, -100), (-50, -114),
    ),
}  # fmt: skip
"""Whole outlines before the head where the two sides differ or hang down."""


def draw_back_hair(canvas: Canvas, picture: Plane, look: Look) -> None:
    """Draw what hangs behind head and neck, in place."""
    half = _BACK.get(look.hair_style)
    if half is None:
        return
    outline = curve(mirrored(half))
    mass = _curly(canvas, outline) if look.hair_style is Hair.CURLY else canvas.fill(outline)
    paint(picture, 0.62 * _strands(canvas, look), mass)


def draw_front_hair(canvas: Canvas, picture: Plane, head: Plane, look: Look) -> None:
    """Draw what lies on the head, with its shadow on the skin, in place."""
    style = look.hair_style
    outline = curve(mirrored(_CAP[style]) if style in _CAP else _WHOLE[style])
    mass = _curly(canvas, outline) if style is Hair.CURLY else canvas.fill(outline)
    shadow = canvas.soften(np.roll(mass, (round(3.5 * canvas.scale), round(1.5 * canvas.scale)), (0, 1)), 3.0)
    darken(picture, 0.42 * shadow * head * (1 - mass))
    mass = canvas.soften(mass, 0.35)
    paint(picture, _strands(canvas, look), mass)


def _strands(canvas: Canvas, look: Look) -> Plane:
    """Return the colour of combed hair everywhere: streaks around the parting and a band of light."""
    part = {Hair.SIDE_PART: -26.0, Hair.BOB: -22.0}.get(look.hair_style, 0.0)
    rng = np.random.default_rng(5)
    # strands run together at the parting, spread over the skull and fall straight below it
    above = np.clip((10 - canvas.y) / 142, 0, 1)
    half = np.maximum(np.sqrt(1 - above**2.2), 0.06)
    across = (canvas.x - part * above) / half
    if look.hair_style is Hair.CURLY:
        across = across + 5 * np.sin(canvas.y / 3.1 + 2.2 * np.sin(canvas.x / 5.3)) + 4 * np.sin(canvas.x / 2.7)
    coarse, fine = smooth_noise(rng, 2400, 120), smooth_noise(rng, 2400, 700)
    index = np.clip((across + 170) / 340 * 2399, 0, 2399)
    places = np.arange(2400)
    streaks = 0.13 * np.interp(index, places, coarse) + 0.07 * np.interp(index, places, fine)
    radius = np.sqrt((canvas.x / 88) ** 2 + ((canvas.y + 10) / 118) ** 2)
    lit = np.clip(0.5 - 0.5 * (canvas.x / 95 * 0.75 + canvas.y / 150 * 0.5), 0, 1)
    band = np.exp(-0.5 * (((radius - 0.86) / 0.07) ** 2 + ((canvas.x + 30) / 45) ** 2))
    band = band * np.clip((30 - canvas.y) / 60, 0, 1)
    tone = 0.72 + 0.5 * lit + streaks + 0.42 * band * (0.75 + streaks * 2)
    tone *= 1 - 0.28 * np.clip((canvas.y - 20) / 120, 0, 1)
    colour = np.array(look.hair)[None, None] * tone[..., None] + (0.10 * band)[..., None] * np.array([0.9, 0.8, 0.7])
    clipped: Plane = np.clip(colour, 0, 1).astype(np.float32)
    return clipped


def _curly(canvas: Canvas, outline: Points) -> Plane:
    """Fill an outline whose edge is made of curls."""
    rng = np.random.default_rng(9)
    ring = outline[:: max(1, len(outline) // 64)]
    turns = np.linspace(0, 2 * np.pi, 24)
    curls = []
    for centre in ring:
        radius = rng.uniform(5.0, 8.0)
        curls.append(centre + radius * np.stack([np.cos(turns), np.sin(turns)], axis=1))
    return canvas.fill_all([outline, *curls])

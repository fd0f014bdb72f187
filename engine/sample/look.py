"""What the drawn people look like: a handful of characters, and many more by seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

Colour = tuple[float, float, float]
"""sRGB, each 0 to 1."""


class Hair(Enum):
    """Hair styles."""

    SHORT = "short"
    SIDE_PART = "side_part"
    BOB = "bob"
    LONG = "long"
    CURLY = "curly"


@dataclass(frozen=True, slots=True)
class Look:
    """One drawn person and the room behind.

    Attributes:
        skin: colour of the skin in full light.
        lips: colour of the lips.
        hair: colour of the hair.
        hair_style: how it is worn.
        iris: colour of the eyes.
        cloth: colour of the sweater.
        wall: colours of the background, lit side first.
        face_width: width of the head against the average.
        jaw_width: width of the jaw against the average.
        nose_width: width of the nose against the average.
        lip_fullness: thickness of the lips against the average.
        brow: thickness of the eyebrows against the average.
        lashes: how strongly the upper lashes are drawn, 0 to 1.
        glasses: whether the person wears glasses.
    """

    skin: Colour = (0.93, 0.76, 0.66)
    lips: Colour = (0.78, 0.42, 0.40)
    hair: Colour = (0.27, 0.17, 0.11)
    hair_style: Hair = Hair.BOB
    iris: Colour = (0.35, 0.23, 0.14)
    cloth: Colour = (0.16, 0.36, 0.42)
    wall: tuple[Colour, Colour] = ((0.93, 0.86, 0.77), (0.72, 0.66, 0.62))
    face_width: float = 1.0
    jaw_width: float = 1.0
    nose_width: float = 1.0
    lip_fullness: float = 1.0
    brow: float = 1.0
    lashes: float = 0.7
    glasses: bool = False

    @classmethod
    def of(cls, seed: int) -> Look:
        """Return the look for a seed: the first six are drawn by hand, the others vary them."""
        base = LOOKS[seed % len(LOOKS)]
        if 0 <= seed < len(LOOKS):
            return base
        rng = np.random.default_rng([seed, 31])

        def near(colour: Colour, spread: float) -> Colour:
            red, green, blue = np.clip(np.array(colour) + rng.normal(0, spread, 3), 0.03, 0.97)
            return float(red), float(green), float(blue)

        return replace(
            base,
            hair=near(base.hair, 0.012),
            iris=near(base.iris, 0.03),
            cloth=near(base.cloth, 0.11),
            wall=(near(base.wall[0], 0.035), near(base.wall[1], 0.035)),
            face_width=base.face_width * float(rng.uniform(0.97, 1.03)),
            jaw_width=base.jaw_width * float(rng.uniform(0.95, 1.05)),
            nose_width=base.nose_width * float(rng.uniform(0.92, 1.08)),
            lip_fullness=base.lip_fullness * float(rng.uniform(0.92, 1.08)),
        )


LOOKS: tuple[Look, ...] = (
    Look(),
    Look(
        skin=(0.87, 0.67, 0.54),
        lips=(0.70, 0.40, 0.36),
        hair=(0.12, 0.10, 0.09),
        hair_style=Hair.SHORT,
        iris=(0.26, 0.17, 0.10),
        cloth=(0.78, 0.44, 0.28),
        wall=((0.80, 0.87, 0.88), (0.52, 0.62, 0.66)),
        face_width=1.02,
        jaw_width=1.1,
        nose_width=1.1,
        lip_fullness=0.88,
        brow=1.4,
        lashes=0.15,
    ),
    Look(
        skin=(0.55, 0.36, 0.26),
        lips=(0.52, 0.27, 0.25),
        hair=(0.10, 0.07, 0.06),
        hair_style=Hair.CURLY,
        iris=(0.20, 0.12, 0.07),
        cloth=(0.90, 0.72, 0.32),
        wall=((0.86, 0.80, 0.86), (0.56, 0.50, 0.62)),
        nose_width=1.18,
        lip_fullness=1.2,
        brow=1.1,
        lashes=0.8,
    ),
    Look(
        skin=(0.95, 0.80, 0.70),
        lips=(0.76, 0.46, 0.43),
        hair=(0.62, 0.44, 0.24),
        hair_style=Hair.SIDE_PART,
        iris=(0.30, 0.45, 0.55),
        cloth=(0.24, 0.28, 0.42),
        wall=((0.84, 0.88, 0.80), (0.55, 0.63, 0.54)),
        face_width=1.0,
        jaw_width=1.06,
        lip_fullness=0.9,
        brow=1.2,
        lashes=0.1,
        glasses=True,
    ),
    Look(
        skin=(0.93, 0.77, 0.63),
        lips=(0.80, 0.38, 0.38),
        hair=(0.09, 0.08, 0.09),
        hair_style=Hair.LONG,
        iris=(0.22, 0.15, 0.10),
        cloth=(0.80, 0.36, 0.42),
        wall=((0.80, 0.84, 0.92), (0.52, 0.56, 0.70)),
        face_width=1.02,
        jaw_width=0.95,
        nose_width=0.95,
        brow=0.9,
        lashes=0.8,
    ),
    Look(
        skin=(0.70, 0.49, 0.36),
        lips=(0.60, 0.33, 0.30),
        hair=(0.16, 0.11, 0.09),
        hair_style=Hair.SHORT,
        iris=(0.24, 0.15, 0.08),
        cloth=(0.30, 0.46, 0.34),
        wall=((0.92, 0.84, 0.74), (0.66, 0.56, 0.48)),
        face_width=0.99,
        jaw_width=1.04,
        nose_width=1.12,
        lip_fullness=1.05,
        brow=1.35,
        lashes=0.2,
        glasses=True,
    ),
)
"""Six people drawn by hand."""

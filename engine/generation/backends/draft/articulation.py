"""From what is heard to what the mouth does: a small convolutional network, computed with NumPy alone.

Trained on real speech by ``training/articulation.py`` (see its data card). It looks a third of a second to both sides,
so that lips round before the vowel is heard; its output is free of delay.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from engine.generation.backends.draft.parameters import NAMED, SHAPES, Basis
from engine.sync.residual import Floats, ResidualStack

OUTPUTS = len(NAMED) + SHAPES
"""Mouth parameters per row; one more output says whether the lips are shut."""

REACH = 20
"""Rows on both sides that a row's answer depends on (0.4 s), rounded up."""


@dataclass(frozen=True, slots=True)
class Articulation:
    """The trained model.

    Attributes:
        basis: what each parameter does to the face.
        stack: from 80 numbers per row to the parameters and one more.
        mean: of each parameter while people speak, shape ``(8,)``.
        spread: standard deviation of each parameter, shape ``(8,)``.
        gain: what each parameter is multiplied with, so that it varies as much as mouths do, shape ``(8,)``.
        mouth_width: distance between the outer corners of the resting mouths it was trained on, in eye distances.
    """

    basis: Basis
    stack: ResidualStack
    mean: Floats
    spread: Floats
    gain: Floats
    mouth_width: float

    def __call__(self, rows: Floats) -> tuple[Floats, Floats]:
        """Return mouth parameters and how surely the lips are shut.

        Args:
            rows: see :meth:`engine.generation.backends.draft.hearing.Colour.rows`, shape ``(rows, 80)``.

        Returns:
            Parameters, shape ``(rows, 8)``, and the probability of shut lips, shape ``(rows,)``.
        """
        out = self.stack(rows, np.ones((len(rows), 1), np.float32))
        shut = 1 / (1 + np.exp(-np.clip(out[:, OUTPUTS], -30, 30)))
        values = (out[:, :OUTPUTS] * self.spread + self.mean) * self.gain
        return np.asarray(values, np.float32), np.asarray(shut, np.float32)


@cache
def shipped_model() -> Articulation:
    """Return the model that ships with the program."""
    with files("resources").joinpath("generation", "articulation.npz").open("rb") as stream:
        return read_model(dict(np.load(stream)))


def read_model(arrays: dict[str, npt.NDArray[np.generic]]) -> Articulation:
    """Build a model from the arrays of a weights file (written by ``training/articulation.py``)."""

    def floats(name: str) -> Floats:
        return np.asarray(arrays[name], np.float32)

    return Articulation(
        basis=Basis(floats("directions")),
        stack=ResidualStack.read(arrays),
        mean=floats("mean"),
        spread=floats("spread"),
        gain=floats("gain"),
        mouth_width=float(floats("mouth_width")),
    )

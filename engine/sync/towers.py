"""The sync model: two small convolutional towers whose embeddings agree where sound and mouth belong together.

One tower reads the mouth (landmarks and a small picture of it), the other the sound; the inner product of their
embeddings, summed over time, is the evidence for a lag. Trained on real speech by ``training/`` (see its data card);
computed here with NumPy alone, so that measuring needs no deep-learning framework.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from engine.sync.residual import Floats, ResidualStack
from engine.sync.rows import MouthRows

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tower:
    """Rows of one side to embeddings.

    Attributes:
        stack: what computes them.
    """

    stack: ResidualStack

    def __call__(self, rows: Floats, present: Mask) -> Floats:
        """Return embeddings, mean over the present rows removed, zero elsewhere, shape ``(rows, outputs)``."""
        mask = present.astype(np.float32)[:, None]
        embedded = self.stack(rows, mask)
        if present.any():
            embedded = embedded - embedded[present].mean(0)
        return embedded * mask


@dataclass(frozen=True, slots=True)
class SyncModel:
    """An ensemble of tower pairs over one basis.

    Attributes:
        points_basis: whitened principal components of the mouth's landmarks, shape ``(183, n)``.
        patches_basis: the same of the mouth's picture, shape ``(384, m)``.
        mouths: one mouth tower per member.
        sounds: one sound tower per member.
        scales: what each member's inner products are multiplied with, shape ``(members,)``.
        null: score of "this sound does not belong to this mouth".
        zero_ms: what the model says when sound and lips are truly together; subtracted from every lag.
        calibration: see :mod:`engine.sync.calibration`.
    """

    points_basis: Floats
    patches_basis: Floats
    mouths: tuple[Tower, ...]
    sounds: tuple[Tower, ...]
    scales: Floats
    null: float
    zero_ms: float
    calibration: dict[str, npt.NDArray[np.float64]]

    def embed_mouth(self, mouth: MouthRows) -> Floats:
        """Return the mouth's embeddings of all members side by side, shape ``(rows, members * outputs)``."""
        if not mouth.seen.any():
            return np.zeros((len(mouth.seen), sum(tower.stack.outputs for tower in self.mouths)), np.float32)
        points = (mouth.points - mouth.points[mouth.seen].mean(0)) @ self.points_basis
        patches = (mouth.patches - mouth.patches[mouth.seen].mean(0)) @ self.patches_basis
        rows = np.concatenate([points, patches], 1) * mouth.seen[:, None]
        return np.concatenate(
            [
                tower(rows, mouth.seen) * (scale / len(self.mouths))
                for tower, scale in zip(self.mouths, self.scales, strict=True)
            ],
            axis=1,
        )

    def embed_sound(self, rows: Floats, heard: Mask) -> Floats:
        """Return the sound's embeddings of all members side by side, shape ``(rows, members * outputs)``."""
        return np.concatenate([tower(rows, heard) for tower in self.sounds], axis=1)


@cache
def shipped_model() -> SyncModel:
    """Return the model that ships with the program."""
    with files("resources").joinpath("sync", "towers.npz").open("rb") as stream:
        return read_model(dict(np.load(stream)))


def read_model(arrays: dict[str, npt.NDArray[np.generic]]) -> SyncModel:
    """Build a model from the arrays of a weights file (written by ``training/``)."""

    def floats(name: str) -> Floats:
        return np.asarray(arrays[name], np.float32)

    members = len(arrays["scales"])
    return SyncModel(
        points_basis=floats("points_basis"),
        patches_basis=floats("patches_basis"),
        mouths=tuple(Tower(ResidualStack.read(arrays, f"{member}.mouth.")) for member in range(members)),
        sounds=tuple(Tower(ResidualStack.read(arrays, f"{member}.sound.")) for member in range(members)),
        scales=floats("scales"),
        null=float(floats("null")),
        zero_ms=float(floats("zero_ms")),
        calibration={
            name.removeprefix("calibration."): np.asarray(values, np.float64)
            for name, values in arrays.items()
            if name.startswith("calibration.")
        },
    )

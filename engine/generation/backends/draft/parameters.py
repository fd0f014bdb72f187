"""The mouth in a few numbers: four that a person can name, and the lips' finer shape as principal components.

All are linear in the points of :data:`engine.face.landmarks.MOUTH_REGION` in the face's own frame, so that going from
points to parameters and back is a matrix product. The named ones are exact: a mouth built from an opening of 0.1 has
an inner-lip gap of 0.1, whatever the finer shape is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.face.landmarks import INNER_LIPS, JAW, MOUTH_REGION, OUTER_LIPS, mirror_order

Floats = npt.NDArray[np.float32]

NAMED = ("opening", "width", "protrusion", "jaw")
"""The first parameters, in units of the distance between the eyes. ``opening``: height of the inner-lip gap, mean of
its middle three pairs of points, 0 when shut. ``width``: distance between the outer corners, ``protrusion``: how far
the lips' middle stands out before the corners, ``jaw``: how low the chin is; these three against the resting face."""

SHAPES = 4
"""How many principal components of the lips' finer shape follow."""

OPENING, WIDTH, PROTRUSION, JAW_DROP = range(len(NAMED))

_OUTER, _INNER = 0, len(OUTER_LIPS)
_CHIN = len(OUTER_LIPS) + len(INNER_LIPS) + JAW.index(152)
_RIGHT, _BOTTOM, _LEFT, _TOP = 0, 5, 10, 15


def measures() -> Floats:
    """Return the weights that read the :data:`NAMED` parameters off flattened points, shape ``(4, 183)``."""
    weights = np.zeros((len(NAMED), len(MOUTH_REGION), 3), np.float32)
    for side in (-1, 0, 1):
        weights[OPENING, _INNER + _BOTTOM + side, 1] = 1 / 3
        weights[OPENING, _INNER + _TOP - side, 1] = -1 / 3
    weights[WIDTH, _OUTER + _LEFT, 0], weights[WIDTH, _OUTER + _RIGHT, 0] = 1, -1
    weights[PROTRUSION, [_OUTER + _RIGHT, _OUTER + _LEFT], 2] = 0.5
    weights[PROTRUSION, [_OUTER + _BOTTOM, _OUTER + _TOP], 2] = -0.5
    weights[JAW_DROP, _CHIN, 1] = 1
    return weights.reshape(len(NAMED), -1)


def symmetric(points: Floats) -> Floats:
    """Return points made mirror-symmetric, shape as given ``(..., 61, 3)``."""
    mirrored = points[..., mirror_order(), :] * np.array([-1, 1, 1], np.float32)
    return np.asarray((points + mirrored) / 2, np.float32)


@dataclass(frozen=True, slots=True)
class Basis:
    """What each parameter does to the points.

    Attributes:
        directions: displacement of the flattened points per unit of each parameter, shape ``(8, 183)``.
    """

    directions: Floats

    @classmethod
    def of(cls, displacements: Floats) -> Basis:
        """Fit on displacements from resting faces, shape ``(n, 61, 3)``.

        The named directions are the regression of the points on the named parameters, the others principal components
        of what that leaves; of that rest the named weights read exactly zero, so the parts do not mix.
        """
        flat = symmetric(displacements).reshape(len(displacements), -1).astype(np.float64)
        named = flat @ measures().T
        directions = np.linalg.lstsq(named, flat, rcond=None)[0]
        rest = flat - named @ directions
        _, vectors = np.linalg.eigh(rest.T @ rest)
        shapes = vectors[:, ::-1][:, :SHAPES].T
        return cls(np.concatenate([directions, shapes]).astype(np.float32))

    def parameters(self, displacements: Floats) -> Floats:
        """Return the parameters of displacements ``(n, 61, 3)``, shape ``(n, 8)``."""
        flat = symmetric(displacements).reshape(len(displacements), -1)
        named = flat @ measures().T
        shapes = (flat - named @ self.directions[: len(NAMED)]) @ self.directions[len(NAMED) :].T
        return np.concatenate([named, shapes], axis=1)

    def displacements(self, parameters: Floats) -> Floats:
        """Return the displacements of the points for parameters ``(n, 8)``, shape ``(n, 61, 3)``."""
        return (parameters @ self.directions).reshape(len(parameters), -1, 3)

"""One face as it is found in a picture: its landmarks, its resting mouth, and what its mouth must do to speak."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from engine.face.landmarks import INNER_LIPS, MOUTH_REGION, OUTER_LIPS, FaceShape, fit_similarity
from engine.generation.backends.draft.articulation import Articulation
from engine.generation.backends.draft.parameters import JAW_DROP, OPENING, measures
from engine.refusal import Refused

Floats = npt.NDArray[np.float32]

_LIPS = len(OUTER_LIPS)
INNER = slice(_LIPS, _LIPS + len(INNER_LIPS))
"""The inner lip ring among the points of ``MOUTH_REGION``."""
LOWER_LIP = np.arange(1, 10)
"""Points of either lip ring on the lower lip, from the right to the left."""
UPPER_LIP = 20 - LOWER_LIP
"""The points above them."""
_UPPER_SHARE = 0.3
"""Share of a gap that the upper lip closes; the lower one comes up with the jaw."""
_JAW_SHARE = 0.6
"""How much the jaw rises when a mouth is shut, against the gap."""
ALMOND = np.sqrt(1 - (np.abs(np.arange(1, 10) - 5) / 5) ** 2).astype(np.float32)
"""How the gap narrows from the middle of the lips towards their corners, at the inner ring's nine pairs of points."""
_HIGHEST_GAP = 1.25
"""The gap anywhere, against that in the middle, at most."""
_LEAST_EYES = 6.0
"""Pixels between eyes that are marked by hand, at least."""
_STRETCH = (0.45, 2.2)
"""How much longer than an average face one that is marked by hand may be."""
_EYES = ((33, 133), (362, 263))
_CORNERS = (61, 291)


@dataclass(frozen=True, slots=True)
class Resting:
    """A person's mouth at rest and shut, in the face's own frame.

    Attributes:
        points: ``MOUTH_REGION``, shape ``(61, 3)``.
        width: distance between the outer corners.
    """

    points: Floats
    width: float

    @classmethod
    def of(cls, points: Floats, model: Articulation) -> Resting:
        """Shut a mouth that may be open, shape ``(61, 3)``."""
        gap = float(points.reshape(-1) @ measures()[OPENING])
        directions = model.basis.directions.reshape(-1, *points.shape)
        shut = points.copy()
        if gap > 0:
            shut -= directions[OPENING] * gap + directions[JAW_DROP] * _JAW_SHARE * gap
        shut = with_gap(shut, 0.0)
        return cls(shut, float(np.linalg.norm(points[10] - points[0])))

    def moved(self, parameters: Floats, model: Articulation) -> Floats:
        """Return the points of the mouth for parameters ``(8,)``, shape ``(61, 3)``."""
        size = self.width / model.mouth_width
        points = self.points + model.basis.displacements(parameters[None])[0] * np.float32(size)
        return with_gap(points, float(parameters[OPENING]) * size)


def with_gap(points: Floats, gap: float) -> Floats:
    """Return points whose lips are ``gap`` apart in the middle, and nowhere crossed, shape ``(61, 3)``."""
    out = points.copy()
    inner, outer = out[INNER], out[:_LIPS]
    have = inner[LOWER_LIP, 1] - inner[UPPER_LIP, 1]
    middle = float(have[3:6].mean())
    wanted = np.clip(have + (gap - middle) * ALMOND, 0, _HIGHEST_GAP * max(gap, 0.0))
    change = (wanted - have).astype(np.float32)
    for ring in (inner, outer):
        ring[UPPER_LIP, 1] -= _UPPER_SHARE * change
        ring[LOWER_LIP, 1] += (1 - _UPPER_SHARE) * change
    return out


@cache
def average_mesh() -> Floats:
    """Return an average face's landmarks in the face's own frame, shape ``(468, 3)``."""
    with files("resources").joinpath("generation", "articulation.npz").open("rb") as stream:
        return np.asarray(np.load(stream)["mesh"], np.float32)


def mesh_from_points(points: Floats) -> Floats:
    """Lay the average face over a picture whose face is only known by four points.

    Args:
        points: right eye, left eye, right and left mouth corner in pixels (the person's right), shape ``(4, 2)``.

    Returns:
        Landmarks in pixels, shape ``(468, 3)``.

    Raises:
        Refused: ``draft.face_points`` if that is no face.
    """
    if float(np.linalg.norm(points[1] - points[0])) < _LEAST_EYES:
        raise Refused.because("draft.face_points")
    mesh = average_mesh()
    known = np.array(
        [*(mesh[list(pair), :2].mean(0) for pair in _EYES), *(mesh[corner, :2] for corner in _CORNERS)], np.float64
    )
    scale, rotation, shift = fit_similarity(known, points.astype(np.float64))
    # Faces differ most in the distance from eyes to mouth: stretch along the face's own vertical to meet it.
    upright = (points - shift) @ rotation / scale
    eyes, mouth = known[:2, 1].mean(), known[2:, 1].mean()
    stretch = (upright[2:, 1].mean() - upright[:2, 1].mean()) / (mouth - eyes)
    if not _STRETCH[0] <= stretch <= _STRETCH[1]:
        raise Refused.because("draft.face_points")
    placed = mesh.astype(np.float64)
    placed[:, 1] = (placed[:, 1] - eyes) * stretch + upright[:2, 1].mean()
    flat = placed[:, :2] @ rotation.T * scale + shift
    return np.column_stack([flat, placed[:, 2] * scale]).astype(np.float32)


def in_picture(shape: FaceShape, points: Floats) -> Floats:
    """Return where points of the face's own frame are in the picture, shape ``(n, 2)``."""
    return np.asarray((points @ shape.rotation.T * shape.scale + shape.origin)[:, :2], np.float32)


def region_points(mesh: Floats) -> Floats:
    """Return ``MOUTH_REGION`` of landmarks in pixels, shape ``(61, 2)``."""
    return mesh[list(MOUTH_REGION), :2]

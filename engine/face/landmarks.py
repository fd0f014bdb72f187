"""Which mesh points describe the mouth, which hold still, and the face's own frame.

Point numbers are those of MediaPipe's 468-point face mesh (its ``face_mesh_connections`` lists the lip and oval rings).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
"""Outer lip ring, from the face's right corner along the lower lip to its left corner and back."""

INNER_LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
"""Inner lip ring, in the same order."""

JAW = (172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397)
"""Lower face oval from the right jaw angle over the chin to the left."""

CHEEKS = (205, 50, 187, 207, 425, 280, 411, 427)
"""Cheek points beside the mouth, right then left."""

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Outline of the face, from the top of the forehead over the face's left side round."""

MOUTH_REGION = OUTER_LIPS + INNER_LIPS + JAW + CHEEKS
"""The points whose motion speech drives; :attr:`FaceShape.points` keeps them in this order."""

STABLE = (33, 133, 362, 263, 168, 6, 197, 195, 10, 151, 9, 127, 356, 162, 389, 21, 251, 54, 284)
"""Eye corners, nose bridge, forehead and temples: skull, not jaw. The face's own frame is fitted to them."""

TEMPLATE = np.array(
    [
        (-0.7171, -0.0085, 0.0435),
        (-0.2829, 0.0085, -0.0435),
        (0.2829, 0.0085, -0.0435),
        (0.7171, -0.0085, 0.0435),
        (0.0, -0.0956, -0.3034),
        (0.0, 0.0212, -0.3819),
        (0.0, 0.1275, -0.4705),
        (0.0, 0.2309, -0.5676),
        (0.0, -0.8970, -0.1666),
        (0.0, -0.6404, -0.2492),
        (0.0, -0.3601, -0.3138),
        (-1.1456, 0.1123, 0.8394),
        (1.1456, 0.1123, 0.8394),
        (-1.1257, -0.1518, 0.6992),
        (1.1257, -0.1518, 0.6992),
        (-1.0677, -0.3658, 0.5109),
        (1.0677, -0.3658, 0.5109),
        (-0.9623, -0.5659, 0.3270),
        (0.9623, -0.5659, 0.3270),
    ]
)
"""The :data:`STABLE` points of an average face in its own frame: generalised Procrustes mean of 53 adults' meshes, made
symmetric. Origin between the eyes, unit their distance; x to the face's left, y down, z into the head."""


def _ring_mirror(ring: tuple[int, ...]) -> list[int]:
    """Return, for a ring that starts at the right corner, the position of each point's mirror image."""
    half = len(ring) // 2
    return [(half - position) % len(ring) for position in range(len(ring))]


def mirror_order() -> npt.NDArray[np.intp]:
    """Return the permutation of :data:`MOUTH_REGION` that exchanges left and right, shape ``(points,)``."""
    order: list[int] = []
    base = 0
    for ring in (OUTER_LIPS, INNER_LIPS):
        order += [base + position for position in _ring_mirror(ring)]
        base += len(ring)
    order += [base + len(JAW) - 1 - position for position in range(len(JAW))]
    base += len(JAW)
    half = len(CHEEKS) // 2
    order += [base + (position + half) % len(CHEEKS) for position in range(len(CHEEKS))]
    return np.array(order, dtype=np.intp)


@dataclass(frozen=True, slots=True)
class FaceShape:
    """One face of one frame, brought into the face's own frame.

    Attributes:
        points: :data:`MOUTH_REGION` in the face's own frame (see :data:`TEMPLATE`), shape ``(61, 3)``.
        rotation: rotation from the face's frame to the picture, shape ``(3, 3)``.
        origin: the frame's origin in the picture, pixels, shape ``(3,)``.
        scale: pixels per unit, i.e. the distance between the eyes when seen from the front.
        residual: root-mean-square misfit of the stable points, in units; large when the mesh has lost the face.
    """

    points: npt.NDArray[np.float32]
    rotation: npt.NDArray[np.float64]
    origin: npt.NDArray[np.float64]
    scale: float
    residual: float

    @property
    def yaw_degrees(self) -> float:
        """How far the head is turned to a side; 0 is frontal, the sign is the picture's."""
        return float(np.degrees(np.arctan2(self.rotation[0, 2], self.rotation[2, 2])))


def fit_similarity(
    source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]
) -> tuple[float, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return scale, rotation and translation that map ``source`` onto ``target`` with least squares.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991.

    Args:
        source: points, shape ``(n, d)``.
        target: points, shape ``(n, d)``.

    Returns:
        ``scale, rotation (d, d), translation (d,)`` with ``target ≈ scale * source @ rotation.T + translation``.
    """
    source_mean, target_mean = source.mean(0), target.mean(0)
    centred = source - source_mean
    covariance = (target - target_mean).T @ centred / len(source)
    left, singular, right = np.linalg.svd(covariance)
    signs = np.ones(len(singular))
    if np.linalg.det(left) * np.linalg.det(right) < 0:
        signs[-1] = -1
    rotation = left @ np.diag(signs) @ right
    variance = float((centred**2).sum() / len(source))
    scale = float((singular * signs).sum()) / max(variance, 1e-12)
    return scale, rotation, target_mean - scale * rotation @ source_mean


def shape_of(mesh: npt.NDArray[np.float32]) -> FaceShape:
    """Bring a mesh into the face's own frame.

    Args:
        mesh: landmarks in pixels (z in the same unit), shape ``(>=468, 3)``.
    """
    stable = mesh[list(STABLE)].astype(np.float64)
    scale, rotation, translation = fit_similarity(TEMPLATE, stable)
    scale = max(scale, 1e-6)
    region = mesh[list(MOUTH_REGION)].astype(np.float64)
    misfit = (stable - translation) @ rotation / scale - TEMPLATE
    return FaceShape(
        points=((region - translation) @ rotation / scale).astype(np.float32),
        rotation=rotation,
        origin=translation,
        scale=scale,
        residual=float(np.sqrt((misfit**2).sum(1).mean())),
    )

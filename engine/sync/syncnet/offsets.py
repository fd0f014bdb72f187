"""From points of pictures and of sound to an offset: SyncNet's arithmetic, and its sign turned into ours.

SyncNet counts frames of 1/25 s, positive where the *sound* comes first. That sign ends in this file:
:attr:`Offsets.offset_ms` is positive where the sound is late, as everywhere else in this program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

REACH = 15
"""Frames searched to either side (``vshift`` of the reference)."""
FRAME_MS = 40.0
"""A frame at SyncNet's 25 fps."""

_EPSILON = 1e-6
"""Added to every difference before it is squared, as ``torch.nn.functional.pairwise_distance`` does."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Offsets:
    """What the distances say.

    Attributes:
        leads_by: SyncNet's own number: frames by which the sound comes before the picture.
        confidence: how much smaller the best mean distance is than the median one; the literature's LSE-C.
        distance: the best mean distance; the literature's LSE-D.
        curve: mean distance per shift, shape ``(2 * reach + 1,)``, from the sound leading by ``reach`` frames down.
    """

    leads_by: int
    confidence: float
    distance: float
    curve: Floats

    @property
    def offset_ms(self) -> float:
        """How late the sound is, in milliseconds; negative, early."""
        return -self.leads_by * FRAME_MS


def distances(pictures: Floats, sounds: Floats, stride: int = 1) -> Floats:
    """Return how far each window of pictures is from the windows of sound around it.

    Args:
        pictures: points of windows, shape ``(n, dim)``.
        sounds: points of the windows at every frame, from ``reach`` before the first window of pictures to as many
            after the last, shape ``((n - 1) * stride + 1 + 2 * reach, dim)``.
        stride: frames from one window of pictures to the next.

    Returns:
        Shape ``(n, 2 * reach + 1)``.
    """
    span = (len(pictures) - 1) * stride + 1
    return np.stack(
        [
            np.sqrt(np.square(pictures - sounds[shift : shift + span : stride] + np.float32(_EPSILON)).sum(1))
            for shift in range(len(sounds) - span + 1)
        ],
        axis=1,
    )


def conclude(curve: Floats) -> Offsets:
    """Return what a curve of mean distances says.

    Args:
        curve: shape ``(2 * reach + 1,)``, an odd number.
    """
    best = int(curve.argmin())
    return Offsets(
        leads_by=len(curve) // 2 - best,
        confidence=float(np.median(curve) - curve[best]),
        distance=float(curve[best]),
        curve=curve,
    )

"""Both sides on one grid: what the mouth does and what is heard, 50 rows a second, ready for the towers."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.face.tracks import FaceTrack

Floats = npt.NDArray[np.float32]

ROW_RATE = 50
"""Rows per second. Video has nothing above 15 Hz to say; the score's peak is interpolated between rows."""

PATCH_SHAPE = (16, 24)
"""Height and width of the mouth picture the towers see."""

MAX_GAP = 0.21
"""Seconds between neighbouring sightings that are still bridged: 8 frames per second with one frame missing is not."""

FLOOR = 0.003
"""Magnitude, relative to loud speech, below which sound counts as silence (about -50 dB)."""

_LOUD_PERCENTILE = 95.0
_MEL_SPREAD = 1.5
"""Typical standard deviation of a log-mel band of speech, in nepers: brings the rows to about unit size."""


@dataclass(frozen=True, slots=True)
class MouthRows:
    """One face's mouth on the grid.

    Attributes:
        points: mouth region in the face's frame, flattened, shape ``(rows, 183)``.
        patches: mouth pictures with local contrast normalised, flattened, shape ``(rows, 384)``.
        seen: whether the face was seen around the row, shape ``(rows,)``.
    """

    points: Floats
    patches: Floats
    seen: npt.NDArray[np.bool_]


def normalised_patches(patches: npt.NDArray[np.uint8]) -> Floats:
    """Shrink mouth pictures and free each of its brightness and contrast.

    Args:
        patches: grey, shape ``(n, 32, 48)``.

    Returns:
        Zero mean and unit deviation per picture, shape ``(n, 384)``.
    """
    height, width = PATCH_SHAPE
    small = np.stack([cv2.resize(patch, (width, height), interpolation=cv2.INTER_AREA) for patch in patches])
    flat = np.asarray(small.reshape(len(small), -1), np.float32)
    flat -= flat.mean(1, keepdims=True)
    flat /= flat.std(1, keepdims=True) + 4.0  # 4 grey levels: below that contrast is noise and must not be blown up
    return flat


def mouth_rows(track: FaceTrack, times: npt.NDArray[np.float64]) -> MouthRows:
    """Interpolate a face track at the given times from its true presentation times.

    Args:
        track: the face.
        times: seconds, ascending, shape ``(rows,)``.
    """
    after = np.clip(np.searchsorted(track.times, times), 1, max(len(track) - 1, 1))
    if len(track) < 2:
        return MouthRows(
            np.zeros((len(times), track.points[0].size), np.float32),
            np.zeros((len(times), PATCH_SHAPE[0] * PATCH_SHAPE[1]), np.float32),
            np.zeros(len(times), bool),
        )
    before = after - 1
    gap = track.times[after] - track.times[before]
    weight = (times - track.times[before]) / gap
    # A row just outside the first or last frame still belongs to it for half a frame.
    seen = (gap <= MAX_GAP) & (weight >= -0.5) & (weight <= 1.5)
    share = np.clip(weight, 0, 1).astype(np.float32)[:, None]
    points = track.points.reshape(len(track), -1)
    first, last = int(before.min()), int(after.max())
    patches = normalised_patches(track.patches[first : last + 1])
    return MouthRows(
        points=points[before] * (1 - share) + points[after] * share,
        patches=patches[before - first] * (1 - share) + patches[after - first] * share,
        seen=seen,
    )


def sound_rows(magnitudes: Floats, heard: npt.NDArray[np.bool_]) -> Floats:
    """Turn mel magnitudes into the towers' sound rows, free of level and of the recording's colour.

    Args:
        magnitudes: mel band magnitudes at 100 Hz, shape ``(2 * rows, bands)``.
        heard: where there is sound at all, at 100 Hz, shape ``(2 * rows,)``.

    Returns:
        Two neighbouring 10 ms rows side by side, window mean removed, zero where unheard, shape ``(rows, 2 * bands)``.
    """
    rows = len(magnitudes) // 2
    out = np.zeros((rows * 2, magnitudes.shape[1]), np.float32)
    if heard.any():
        loud = np.percentile(magnitudes[heard].mean(1), _LOUD_PERCENTILE) + 1e-7
        log = np.log(magnitudes[: rows * 2] / loud + FLOOR)
        log -= log[heard[: rows * 2]].mean(0)
        out[heard[: rows * 2]] = log[heard[: rows * 2]] / _MEL_SPREAD
    return out.reshape(rows, -1)

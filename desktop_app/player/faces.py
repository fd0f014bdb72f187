"""Where faces and their mouths are in the picture at a moment. Arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from engine.sync.result import OUTER_POINTS, FacePath, MouthTrace

_LONGEST_GAP = 0.6
"""Seconds from the nearest sighting within which a face is still shown where it was."""
_LONGEST_LIP_GAP = 0.05
"""The same for the outline of its lips, which move at up to a face's height in a second."""
_MOUTH_HEIGHT = 0.74
"""Where the lips' middle lies between forehead and chin of the face mesh's box, as a share of its height."""
_MOUTH_WIDTH = 0.75
"""Width of what the loupe shows, as a share of the face's width: lips, and the skin that moves with them."""


def face_at(path: FacePath, seconds: float) -> QRectF | None:
    """Return where a face is at a time, in shares of the picture, ``None`` where it was not seen."""
    if len(path.times) == 0:
        return None
    after = int(np.searchsorted(path.times, seconds))
    around = [index for index in (after - 1, after) if 0 <= index < len(path.times)]
    distances = [abs(float(path.times[index]) - seconds) for index in around]
    if min(distances) > _LONGEST_GAP:
        return None
    if len(around) == 2 and max(distances) <= _LONGEST_GAP:
        share = distances[0] / max(sum(distances), 1e-9)
        box = path.boxes[around[0]] * (1 - share) + path.boxes[around[1]] * share
    else:
        box = path.boxes[around[int(np.argmin(distances))]]
    x0, y0, x1, y1 = (float(value) for value in box)
    return QRectF(x0, y0, x1 - x0, y1 - y0)


def lips_at(path: FacePath, seconds: float) -> tuple[list[QPointF], list[QPointF]] | None:
    """Return the outer and the inner outline of the lips at a time, in shares of the picture.

    ``None`` where nobody looked within a frame or two: lips move faster than faces.
    """
    times = path.times[: len(path.lips)]
    after = int(np.searchsorted(times, seconds))
    around = [index for index in (after - 1, after) if 0 <= index < len(times)]
    distances = [abs(float(times[index]) - seconds) for index in around]
    if not around or min(distances) > _LONGEST_LIP_GAP:
        return None
    index = around[int(np.argmin(distances))]
    x0, y0, x1, y1 = (float(value) for value in path.boxes[index])
    points = path.lips[index] / np.iinfo(np.uint16).max * (x1 - x0, y1 - y0) + (x0, y0)
    ring = [QPointF(x, y) for x, y in points.tolist()]
    return ring[:OUTER_POINTS], ring[OUTER_POINTS:]


def mouth_of(face: QRectF, aspect: float, ratio: float) -> QRectF:
    """Return what a loupe on the mouth shows, in shares of the picture.

    Args:
        face: the face, in shares of the picture.
        aspect: width of the picture divided by its height.
        ratio: width of the loupe divided by its height.
    """
    width = face.width() * _MOUTH_WIDTH
    height = width * aspect / ratio
    middle = QPointF(face.center().x(), face.top() + _MOUTH_HEIGHT * face.height())
    return QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height)


def around(point: QPointF, aspect: float, ratio: float, width: float = 0.18) -> QRectF:
    """Return what a loupe shows that was put on a point by hand, in shares of the picture."""
    height = width * aspect / ratio
    return QRectF(point.x() - width / 2, point.y() - height / 2, width, height)


def inside(rect: QRectF) -> QRectF:
    """Return a rectangle moved, and if need be shrunk, so that it lies in the picture."""
    width, height = min(rect.width(), 1.0), min(rect.height(), 1.0)
    left = min(max(rect.center().x() - width / 2, 0.0), 1.0 - width)
    top = min(max(rect.center().y() - height / 2, 0.0), 1.0 - height)
    return QRectF(left, top, width, height)


def person_at(people: Sequence[FacePath], seconds: float, point: QPointF) -> int:
    """Return the number of the person whose face is under a point, counted from 1, or 0."""
    for number, path in enumerate(people, start=1):
        face = face_at(path, seconds)
        if face is not None and face.contains(point):
            return number
    return 0


def opening_at(mouth: MouthTrace, seconds: float) -> float | None:
    """Return how far the lips are open at a time, as a share of the mouth's width; ``None`` where nobody looked."""
    if len(mouth.times) == 0:
        return None
    index = int(np.argmin(np.abs(mouth.times - seconds)))
    if abs(float(mouth.times[index]) - seconds) > _LONGEST_GAP / 4 or not np.isfinite(mouth.opening[index]):
        return None
    return float(mouth.opening[index])

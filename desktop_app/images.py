"""Pixels as Qt images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage


def to_image(pixels: npt.NDArray[np.uint8]) -> QImage:
    """Return an image of its own memory, in the format that is painted fastest.

    Args:
        pixels: RGB, shape ``(h, w, 3)``.
    """
    height, width, _ = pixels.shape
    packed = np.ascontiguousarray(pixels)
    borrowed = QImage(packed.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return borrowed.convertToFormat(QImage.Format.Format_RGB32)

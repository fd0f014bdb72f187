"""Decoded pictures as Qt images, made outside the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from desktop_app.player.clock import Moment

MOST_THREADS = 4
"""Of a decoder of the window. More are of no use to the eye: two decode 1080p a dozen times faster than it is played;
sixteen take 60 MB more than four."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes:
        moment: when it is first shown, on the picture's clock, and in which lap of a loop.
        image: as it is shown.
    """

    moment: Moment
    image: QImage

    @property
    def bytes(self) -> int:
        """Memory it takes."""
        return int(self.image.sizeInBytes())


def to_image(pixels: npt.NDArray[np.uint8]) -> QImage:
    """Return an image of its own memory, in the format that is painted fastest.

    Args:
        pixels: RGB, shape ``(h, w, 3)``.
    """
    height, width, _ = pixels.shape
    packed = np.ascontiguousarray(pixels)
    borrowed = QImage(packed.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return borrowed.convertToFormat(QImage.Format.Format_RGB32)

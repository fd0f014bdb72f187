"""Decoded pictures as Qt images, made outside the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass

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

"""How a decoded picture must be turned before it is shown: the display matrix of the container."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame


def _unknown(kinds: type[SideDataType], _value: object) -> SideDataType:
    return kinds.SEI_UNREGISTERED


# FFmpeg knows more kinds of side data than PyAV does (EXIF of photographs, say), and one of those would make all others
# of the frame unreadable; :mod:`enum` asks this hook for values without a name.
SideDataType._missing_ = classmethod(_unknown)  # type: ignore[assignment, method-assign]


@dataclass(frozen=True, slots=True)
class Orientation:
    """A mirroring followed by a turn; all eight orientations of a rectangle are one of each.

    Attributes:
        rotation: degrees clockwise to turn the decoded picture by: 0, 90, 180 or 270.
        is_mirrored: whether it is flipped left to right first.
    """

    rotation: int = 0
    is_mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.rotation in {90, 270}

    def apply(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the picture upright, contiguous; shape ``(h, w)`` or ``(h, w, 3)`` in and out."""
        if self.is_mirrored:
            image = image[:, ::-1]
        if self.rotation:
            image = np.rot90(image, -self.rotation // 90)
        return np.ascontiguousarray(image)


def orientation_of(frame: VideoFrame) -> Orientation:
    """Read the display matrix that a decoded frame carries (ISO/IEC 14496-12, 6.2.2), to the nearest quarter turn.

    The matrix maps a picture point (x right, y down) to ``(a x + c y, b x + d y)``.
    """
    # PyAV's stub calls this a dictionary; it iterates over its values.
    for data in cast("Iterable[SideData]", frame.side_data):
        if data.type is SideDataType.DISPLAYMATRIX:
            a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
            return _quarter_turn(a, b, c, d)
    return Orientation()


def _quarter_turn(a: int, b: int, c: int, d: int) -> Orientation:
    if abs(a) + abs(d) >= abs(b) + abs(c):
        if a * d >= 0:
            return Orientation(180 if a < 0 else 0)
        return Orientation(180 if d < 0 else 0, is_mirrored=True)
    if b * c <= 0:
        return Orientation(90 if b > 0 else 270)
    return Orientation(270 if b > 0 else 90, is_mirrored=True)

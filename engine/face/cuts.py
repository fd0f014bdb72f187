"""Where one shot ends and the next begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

_GRID = (16, 9)
_CUT_CHANGE = 28.0
"""Mean change of the small picture, in grey levels of 255, that is always a cut."""
_JUMP_CHANGE = 8.0
"""A smaller change is a cut when the changes before and after it are several times smaller: a jump cut of the same
speaker. A shaken camera changes the picture for several frames in a row."""
_JUMP_RATIO = 3.5
"""How many times larger than the changes before and after a lesser change has to be."""


def with_cuts(frames: Iterable[tuple[float, Image]]) -> Iterator[tuple[float, Image, bool]]:
    """Yield ``time, picture, is_cut`` for each frame, one frame late: a cut is told by what follows it, too.

    Args:
        frames: presentation time in seconds and RGB picture, in display order.
    """
    waiting: tuple[float, Image] | None = None
    tiny: npt.NDArray[np.float32] | None = None
    before, change = 0.0, 0.0
    for time, image in frames:
        now = cv2.resize(image, _GRID, interpolation=cv2.INTER_AREA).astype(np.float32)
        following = 0.0 if tiny is None else float(np.abs(now - tiny).mean())
        if waiting is not None:
            yield *waiting, _is_cut(before, change, following)
            before, change = change, following
        waiting, tiny = (time, image), now
    if waiting is not None:
        yield *waiting, _is_cut(before, change, 0.0)


def _is_cut(before: float, change: float, after: float) -> bool:
    return change > _CUT_CHANGE or (change > _JUMP_CHANGE and change > _JUMP_RATIO * max(before, after))

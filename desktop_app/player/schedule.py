"""Which of the decoded pictures is to be on screen. Arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from desktop_app.player.clock import Moment


class Timed(Protocol):
    """Something with a time of its own."""

    @property
    def moment(self) -> Moment:
        """When it is first shown, on the picture's clock."""
        ...


def due(frames: Sequence[Timed], now: Moment, early: float) -> int:
    """Return the index of the picture to show, or -1 when none is due.

    Args:
        frames: in the order in which they are shown.
        now: where the picture's clock is.
        early: seconds by which a picture may come early: half the time until the next look, so that pictures are as
            often early as late.
    """
    found = -1
    for index, frame in enumerate(frames):
        moment = frame.moment
        if moment.lap > now.lap or (moment.lap == now.lap and moment.seconds > now.seconds + early):
            break
        found = index
    return found

"""Pictures of segment after segment from a pipeline that does not stop between them.

The stages prepare, draw and put back pictures ahead of whoever encodes them. A segment that does not follow the one
before begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from engine.generation.backend import Picture
from engine.generation.events import Untouched
from engine.generation.pipeline import Pipeline, Shelf, Stopped
from engine.generation.plan import Segment
from engine.jobs import Progress
from engine.words import Message

if TYPE_CHECKING:
    from engine.generation.device_pool import Pool

Answer = TypeVar("Answer")

PICTURES_READY = 3
"""Finished pictures that wait for the encoder."""
PICTURES_READ = 4
"""Decoded pictures that wait for a look at the face, and pictures with faces that wait to be drawn."""

_PATIENCE = 0.3
"""Seconds between signs of life while nothing is finished."""
_SOON = 0.05
"""Seconds after which a stage that waits for a device looks whether anybody still wants the answer."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A finished picture.

    Attributes:
        image: as it goes into the clip.
        is_untouched: whether it is the source's, because there was no face that could be drawn on.
    """

    image: Picture
    is_untouched: bool


class DrawnAhead:
    """Yields the pictures of segments.

    Args:
        start: sets up the stages for a clip from the first picture of a segment on, and returns their last shelf.
        pool: what the stages draw with; closed together with this.
    """

    def __init__(self, start: Callable[[Pipeline, Segment], Shelf[Shown]], pool: Pool[Any, Any]) -> None:
        self._start = start
        self._pool = pool
        self._pipeline = Pipeline()
        self._pictures: Shelf[Shown] | None = None
        self._next_frame = -1

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """Yield the pictures of a segment; what was prepared for it during the one before is used."""
        if self._pictures is None or segment.first_frame != self._next_frame:
            self._stop()
            self._pipeline = Pipeline()
            self._pictures = self._start(self._pipeline, segment)
        # Until this segment is finished, nobody knows how far the stages will have come.
        self._next_frame = -1
        untouched = 0
        for done in range(segment.frame_count):
            while (shown := self._pictures.take(_PATIENCE)) is None:
                yield Progress("drawing", (done + self._pool.share) / segment.frame_count)
            untouched += shown.is_untouched
            yield shown.image
        self._next_frame = segment.stop_frame
        if untouched:
            note = Message("generation.note.untouched", count=untouched, all=segment.frame_count)
            yield Progress("drawing", 1.0, Untouched(note, frames=untouched))

    def close(self) -> None:
        """Stop everything, and give back what draws."""
        self._stop()
        self._pool.close()

    def _stop(self) -> None:
        """End all stages; the next segment begins anew."""
        self._pipeline.close()
        self._pool.forget()
        self._pictures = None


def awaited(answer: Future[Answer], pipeline: Pipeline) -> Answer:
    """Return what a device answers, for a stage of a pipeline.

    Raises:
        Stopped: if nobody wants those pictures any more.
        BaseException: what went wrong on the device.
    """
    while not wait([answer], _SOON).done:
        if pipeline.is_closed:
            raise Stopped
    return answer.result()

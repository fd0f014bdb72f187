"""Pictures without a face that can be drawn on: told once while the render goes on, and in full in its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.generation.backend import Picture
from engine.generation.events import Notice, Untouched
from engine.generation.plan import Segment
from engine.generation.render import render
from engine.generation.report import RenderReport
from engine.generation.spec import RenderSpec
from engine.jobs import Progress, run
from engine.words import Message
from tests.engine.generation.grey_engine import GreyEngine

SENTENCE = "{} of {} pictures were left as they are: there was no face that could be drawn on."


class Shy(GreyEngine):
    """Says of all segments but the first that it left three pictures alone."""

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        yield from super().render(segment)
        if segment.index > 0:
            note = Message("generation.note.untouched", count=3, all=segment.frame_count)
            yield Progress("drawing", 1.0, Untouched(note, frames=3))


def test_the_report_counts_the_whole_clip_whatever_was_rendered_before(
    spec: RenderSpec, offer: Callable[..., None]
) -> None:
    offer(grey=Shy)
    told: list[str] = []
    job = render(spec)
    for progress in job:
        if type(progress.partial) is Notice:
            told.append(str(progress.partial.message))
        if progress.done > 0.75:
            job.close()  # in the last of four segments
            break
    assert told == [SENTENCE.format(3, 13)], "once, not for every segment"
    report = run(render(spec))
    assert isinstance(report, RenderReport)
    assert report.resumed_segments > 1
    assert SENTENCE.format(9, 50) in [str(note) for note in report.notes]

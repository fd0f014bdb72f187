"""Lets an engine draw the segments that are missing, into the encoder, and gives it less to carry when it falls."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import numpy as np

from engine.generation.backend import Backend, Capabilities, Host, OutOfMemory, Picture, RenderJob
from engine.generation.demands import Demands, first_demands, lower
from engine.generation.events import PREVIEW_HEIGHT, Notice, Preview, Untouched
from engine.generation.face_source import PictureSource, SourceInfo, VideoFaceSource, fitted, open_source
from engine.generation.plan import Plan, Segment
from engine.generation.segment_file import SegmentWriter
from engine.generation.storage import SegmentStore
from engine.generation.telemetry import Telemetry
from engine.jobs import Job, Progress
from engine.refusal import Refused
from engine.words import Message

_PREVIEW_SECONDS = 0.5


class SegmentRunner:
    """Renders what is missing.

    Args:
        engine: the engine.
        job: what it is given.
        source: what :func:`open_source` takes.
        store: where segments go.
        telemetry: who is told.
        host: the machine.
        check: called before every segment; raises if going on makes no sense.

    Attributes:
        notes: steps down that were taken.
        resumed: segments that were finished already.
    """

    def __init__(
        self,
        engine: Backend,
        job: RenderJob,
        source: SourceInfo,
        store: SegmentStore,
        telemetry: Telemetry,
        host: Host,
        check: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._capabilities: Capabilities = engine.capabilities()
        self._job = job
        self._source = source
        self._store = store
        self._telemetry = telemetry
        self._host = host
        self._check = check
        self._demands: Demands = first_demands(job.spec, self._capabilities, host)
        self._is_loaded = False
        self._smaller: PictureSource | VideoFaceSource | None = None
        self._previewed = -_PREVIEW_SECONDS
        self._has_told = False
        self.notes: list[Message] = []
        self.resumed = 0

    def run(self) -> Job[None]:
        """Render all segments that are missing.

        Raises:
            Refused: ``generation.out_of_memory``, ``generation.wrong_pictures``, or as the engine.
            OSError: if the disk is full.
        """
        plan = self._job.plan
        missing = self._missing(plan)
        self.resumed = len(plan.segments) - len(missing)
        there = plan.frame_count - sum(segment.frame_count for segment in missing)
        self._telemetry.run(self._capabilities.name, plan.frame_count, str(plan.fps), there)
        if self.resumed and missing:
            message = Message("generation.note.resumed", done=self.resumed, all=len(plan.segments))
            yield Progress("rendering", there / plan.frame_count, self._telemetry.notice(message))
        done = there
        for segment in missing:
            self._check()
            for progress in self._segment(segment):
                yield replace(progress, done=(done + segment.frame_count * progress.done) / plan.frame_count)
            done += segment.frame_count

    def close(self) -> None:
        """Give back what the engine holds, and what was opened for it."""
        self._engine.close()
        self._close_smaller()

    def _missing(self, plan: Plan) -> list[Segment]:
        """Return the segments to render, ascending.

        Where segments build upon each other, everything after the last one whose state is known is done again.
        """
        whole = [self._store.has(segment) for segment in plan.segments]
        if not self._store.is_stateful():
            return [segment for segment, is_whole in zip(plan.segments, whole, strict=True) if not is_whole]
        first_gap = whole.index(False) if False in whole else len(whole)
        if first_gap == len(whole):
            return []
        known = [n for n in range(first_gap) if self._store.state_after(plan.segments[n]) is not None]
        return list(plan.segments[known[-1] + 1 if known else 0 :])

    def _segment(self, segment: Segment) -> Job[None]:
        """Render one segment, with lower demands as often as it takes; ``done`` counts within the segment."""
        while True:
            drawn = 0
            try:
                if not self._is_loaded:
                    yield from self._load(segment)
                for progress in self._draw(segment):
                    drawn = round(progress.done * segment.frame_count)
                    yield progress
            except OutOfMemory as memory:
                self._telemetry.lost(drawn)
                yield Progress("rendering", 0.0, self._telemetry.notice(self._lower(memory), is_warning=True))
            else:
                return

    def _lower(self, memory: OutOfMemory) -> Message:
        self._engine.close()
        self._is_loaded = False
        lowered = lower(self._demands, self._job.spec, self._capabilities, self._host)
        if lowered is None:
            smaller = self._job.spec.allow_smaller
            key = "generation.out_of_memory" if smaller else "generation.out_of_memory_size"
            raise Refused.because(key, device=memory.device) from memory
        self._demands, what = lowered
        message = Message("generation.note.out_of_memory", device=memory.device, what=what)
        self.notes.append(message)
        return message

    def _load(self, segment: Segment) -> Job[None]:
        began = time.perf_counter()
        self._telemetry.stage("loading")
        loading = self._engine.load(self._scaled(self._demands.scale), self._demands.devices)
        with closing(loading):
            for progress in loading:
                yield Progress(progress.stage, 0.0, progress.partial or self._telemetry.reading())
        if segment.index > 0:
            state = self._store.state_after(self._job.plan.segments[segment.index - 1])
            if state is not None:
                self._engine.restore(state)
        self._is_loaded = True
        self._telemetry.write(
            "feature_extract_time",
            seconds=round(time.perf_counter() - began, 6),
            voice_seconds=float(self._job.plan.seconds),
        )

    def _scaled(self, scale: Fraction) -> RenderJob:
        """Return the job at a share of the clip's size."""
        if scale == 1:
            return self._job
        step = self._capabilities.size_multiple
        width, height = (max(step, round(side * scale / step) * step) for side in self._job.plan.size)
        self._close_smaller()
        self._smaller = open_source(self._source, self._job.spec, (width, height), self._job.plan.fps)
        return replace(self._job, source=self._smaller, plan=replace(self._job.plan, size=(width, height)))

    def _close_smaller(self) -> None:
        if self._smaller is not None:
            self._smaller.close()
            self._smaller = None

    def _draw(self, segment: Segment) -> Job[None]:
        self._telemetry.stage("rendering")
        plan, part = self._job.plan, self._store.part(segment)
        count = 0
        try:
            with (
                SegmentWriter(part, plan.size, plan.fps, self._job.spec.crf) as writer,
                closing(_pictures(self._engine, segment)) as pictures,
            ):
                began = time.perf_counter()
                for item in pictures:
                    if isinstance(item, Progress):
                        told = item.partial
                        event = self._left_alone(segment, told) if isinstance(told, Untouched) else told
                        yield Progress("rendering", count / segment.frame_count, event or self._telemetry.reading())
                        continue
                    picture = self._checked(item, segment, count)
                    drawn = time.perf_counter()
                    writer.write(picture)
                    count += 1
                    written = time.perf_counter()
                    self._telemetry.picture(drawn - began, written - drawn)
                    began = written
                    event = self._event(segment, count - 1, picture)
                    yield Progress("rendering", count / segment.frame_count, event)
                if count != segment.frame_count:
                    raise self._wrong(segment, count)
            self._store.finish(segment, self._engine.state())
        finally:
            part.unlink(missing_ok=True)

    def _left_alone(self, segment: Segment, told: Untouched) -> Notice | None:
        """Write down what was left alone in a segment; only the first time it is said at once, all in the report."""
        is_first = not self._has_told
        self._has_told = True
        self._telemetry.write("untouched", segment=segment.index, frames=told.frames)
        return self._telemetry.notice(told.message) if is_first else None

    def _checked(self, item: Picture, segment: Segment, count: int) -> Picture:
        """Return a picture of the clip's size.

        Raises:
            Refused: ``generation.wrong_pictures`` if it is none, or one too many.
        """
        width, height = self._job.plan.size
        if count == segment.frame_count or item.dtype != np.uint8 or item.ndim != 3 or item.shape[2] != 3:
            raise self._wrong(segment, count + 1)
        if item.shape[:2] == (height, width):
            return item
        if self._demands.scale == 1:
            raise self._wrong(segment, count + 1)
        return fitted(item, (width, height))

    def _wrong(self, segment: Segment, count: int) -> Refused:
        return Refused.because(
            "generation.wrong_pictures",
            engine=self._capabilities.title,
            segment=segment.index + 1,
            count=count,
            wanted=segment.frame_count,
        )

    def _event(self, segment: Segment, index: int, picture: Picture) -> object:
        """Return a reading or a preview when it is time for one; the first picture is shown at once."""
        reading = self._telemetry.reading()
        if reading is not None:
            return reading
        now = self._telemetry.seconds
        if now - self._previewed < _PREVIEW_SECONDS:
            return None
        self._previewed = now
        frame = segment.first_frame + index
        height, width = picture.shape[:2]
        scale = min(1.0, PREVIEW_HEIGHT / height)
        image = fitted(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
        return Preview(frame, frame / self._job.plan.fps, image)


def _pictures(engine: Backend, segment: Segment) -> Generator[Picture | Progress, None, None]:
    """Yield what the engine draws; closing this closes that, if it is a generator."""
    yield from engine.render(segment)

"""The Draft engine, as the frame around it sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from engine.generation.backend import Capabilities, Demand, Devices, Estimate, Host, Picture, RenderJob, SourceKind
from engine.generation.backends.draft.settings import PARAMETERS, Settings
from engine.generation.plan import Plan, Segment
from engine.generation.spec import RenderSpec
from engine.jobs import Job, Progress, part_of
from engine.refusal import Refusal
from engine.words import Message

_RAM_BYTES = 350 << 20
"""What OpenCV, MediaPipe and the model take."""
_PICTURES_HELD = 12
_SECONDS_TO_START = 2.0
_SECONDS_PER_PICTURE = 0.004
_SECONDS_PER_MEGAPIXEL = 0.012
"""Measured on two cores with encoding (``tests/benchmarks/draft.py``)."""
_LANDMARK_SECONDS = 0.010


class Speaker(Protocol):
    """A source that has been looked at, ready to speak."""

    def frames(self, segment: Segment) -> Iterator[Picture]:
        """Yield the pictures of a segment."""
        ...

    def close(self) -> None:
        """Free what is held."""
        ...


class Draft:
    """Moves the lower face of the picture itself, by a small model of how people articulate; needs nothing."""

    def __init__(self) -> None:
        self._speaker: Speaker | None = None

    def capabilities(self) -> Capabilities:
        """See :class:`~engine.generation.backend.Backend`."""
        return Capabilities(
            name="draft",
            title=Message("draft.title"),
            about=Message("draft.about"),
            version="2",
            takes=(SourceKind.PICTURE, SourceKind.VIDEO),
            parameters=PARAMETERS,
            lowers=(Demand.SIZE,),
        )

    def plan(self, spec: RenderSpec, plan: Plan, host: Host) -> Estimate | Refusal:
        """See :class:`~engine.generation.backend.Backend`."""
        del spec, host
        pixels = plan.size[0] * plan.size[1]
        each = _SECONDS_PER_PICTURE + _LANDMARK_SECONDS + _SECONDS_PER_MEGAPIXEL * pixels / 1e6
        return Estimate(
            vram_bytes=0,
            ram_bytes=_RAM_BYTES + _PICTURES_HELD * plan.picture_bytes,
            disk_bytes=plan.disk_bytes,
            seconds=_SECONDS_TO_START + plan.frame_count * each,
            notes=(Message("draft.note"),),
        )

    def load(self, job: RenderJob, devices: Devices) -> Job[None]:
        """See :class:`~engine.generation.backend.Backend`.

        Raises:
            Refused: ``draft.no_face``, ``draft.no_such_face``, ``draft.face_points``.
        """
        del devices
        # OpenCV and MediaPipe take a second to import: only whoever renders pays for it.
        from engine.generation.backends.draft.articulation import shipped_model
        from engine.generation.backends.draft.performance import Performance
        from engine.generation.backends.draft.still import Still
        from engine.generation.backends.draft.video import Video

        self.close()
        settings = Settings.of(job.parameters)
        yield Progress("loading", 0.0)
        performance = yield from part_of(Performance.heard(job.voice, shipped_model()), 0.05, 0.5)
        if job.source.kind is SourceKind.PICTURE:
            self._speaker = Still(job, performance, settings)
        else:
            self._speaker = yield from part_of(Video.prepared(job, performance, settings), 0.5, 1.0)
        yield Progress("loading", 1.0)

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """See :class:`~engine.generation.backend.Backend`."""
        if self._speaker is None:
            raise RuntimeError("nothing is loaded")
        yield from self._speaker.frames(segment)

    def state(self) -> bytes | None:
        """Segments stand by themselves."""
        return None

    def restore(self, state: bytes) -> None:
        """Nothing to take up."""

    def close(self) -> None:
        """See :class:`~engine.generation.backend.Backend`."""
        if self._speaker is not None:
            self._speaker.close()
        self._speaker = None

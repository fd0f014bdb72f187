"""A complete engine, as an example: it draws grey pictures, brighter where the voice is louder.

An engine of your own needs these methods, and an entry point in its package's ``pyproject.toml``:

    [project.entry-points."plosive.engines"]
    grey = "grey_engine:GreyEngine"

Everything else (voice, frame rates, encoding, resuming, sound, measuring) is done around it. An engine whose segments
depend on earlier ones (``echoes=True`` here) gives what the next one needs through ``state`` and takes it in
``restore``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.generation.backend import (
    Capabilities,
    Devices,
    Estimate,
    Host,
    OutOfMemory,
    Parameter,
    ParameterKind,
    Picture,
    RenderJob,
    Requirement,
)
from engine.generation.plan import Plan, Segment
from engine.generation.spec import RenderSpec
from engine.jobs import Job, Progress
from engine.refusal import Refusal
from engine.words import Message

_A_SENTENCE = Message("generation.verdict.skipped")
"""Sentences come from the catalogues; an engine of its own brings its own."""


class GreyEngine:
    """Draws grey.

    Args:
        echoes: whether a picture depends on the one before.
        fits: which demands it has memory for, ``None`` for all; for tests of running out.
        requirements: what it says it needs.
    """

    def __init__(
        self,
        *,
        echoes: bool = False,
        fits: list[Devices] | None = None,
        requirements: tuple[Requirement, ...] = (),
        name: str = "grey",
        block_frames: int = 1,
    ) -> None:
        self._echoes = echoes
        self._fits = fits
        self._requirements = requirements
        self._name = name
        self._block = block_frames
        self._job: RenderJob | None = None
        self._level = 0.0
        self.loaded: list[Devices] = []
        self.drawn: list[int] = []

    def capabilities(self) -> Capabilities:
        """Say what it can do."""
        gain = Parameter(
            "gain", ParameterKind.NUMBER, 1.0, _A_SENTENCE, _A_SENTENCE, minimum=0.0, maximum=4.0, step=0.1
        )
        return Capabilities(
            name=self._name,
            title=_A_SENTENCE,
            about=_A_SENTENCE,
            version="1",
            block_frames=self._block,
            parameters=(gain,),
            requirements=self._requirements,
        )

    def plan(self, spec: RenderSpec, plan: Plan, host: Host) -> Estimate | Refusal:  # noqa: ARG002 - needs nothing
        """Estimate: a megabyte, and a millisecond per picture."""
        return Estimate(0, 1 << 20, 1 << 20, plan.frame_count / 1000)

    def load(self, job: RenderJob, devices: Devices) -> Job[None]:
        """Get ready."""
        self.loaded.append(devices)
        yield Progress("loading", 0.5)
        if self._fits is not None and devices not in self._fits:
            raise OutOfMemory(devices.names[0])
        self._job, self._level = job, 0.0

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """Yield the pictures of a segment."""
        assert self._job is not None
        job = self._job
        gain = job.parameters["gain"]
        assert isinstance(gain, float)
        width, height = job.plan.size
        rng = np.random.default_rng([job.spec.seed, segment.index])
        for frame in range(segment.first_frame, segment.stop_frame):
            heard = job.voice.read(job.plan.frame_map.sample(frame), job.plan.frame_map.sample(frame + 1))
            level = 40 + 180 * min(1.0, gain * float(np.abs(heard).max(initial=0))) + rng.uniform(0, 10)
            self._level = 0.9 * self._level + 0.1 * level if self._echoes else level
            picture = np.full((height, width, 3), round(self._level), np.uint8)
            picture[: height // 8] = job.source.frame_at(frame)[: height // 8]
            self.drawn.append(frame)
            yield picture

    def state(self) -> bytes | None:
        """Return the last level, if the next segment needs it."""
        return np.float64(self._level).tobytes() if self._echoes else None

    def restore(self, state: bytes) -> None:
        """Take the last level up again."""
        self._level = float(np.frombuffer(state, np.float64)[0])

    def close(self) -> None:
        """Let go of everything."""
        self._job = None

"""Faces and voices for the Draft engine's tests: drawn people, the sample voice, and jobs made of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from engine.generation.backend import Devices, Picture, RenderJob
from engine.generation.backends.draft import backend
from engine.generation.backends.draft.articulation import shipped_model
from engine.generation.backends.draft.engine import Draft
from engine.generation.backends.draft.performance import Performance
from engine.generation.plan import FrameMap, make_plan
from engine.generation.spec import RenderSpec
from engine.jobs import run
from engine.sample.articulation import Articulation
from engine.sample.clip import SamplePlan, plan_sample_clip
from tests.engine.generation.in_memory import RATE, Pictures, RecordedVoice


@cache
def sample_plan(seed: int, seconds: int = 8) -> SamplePlan:
    return plan_sample_clip(offset_ms=0, seconds=seconds, seed=seed)


@cache
def sample_voice(seed: int, seconds: int = 8) -> np.ndarray:
    """A synthetic voice at 16 kHz; the model was trained on seeds 40 to 49, use others."""
    sound = sample_plan(seed, seconds).soundtrack()
    return np.asarray(soxr.resample(sound.read(0, seconds * sound.sample_rate), sound.sample_rate, RATE), np.float32)


def truth(seed: int, seconds: int = 8) -> Articulation:
    """How the mouth moves that says :func:`sample_voice`."""
    return sample_plan(seed, seconds).articulation


def performance(samples: np.ndarray) -> Performance:
    return run(Performance.heard(RecordedVoice(samples), shipped_model()))


@cache
def drawn_face(seed: int = 0, size: tuple[int, int] = (640, 360), people: int = 1) -> Picture:
    """A drawn person whose lips are shut; not to be changed."""
    picture = plan_sample_clip(seconds=1, size=size, seed=seed, people=people).scene().frame(0.02)
    picture.flags.writeable = False
    return picture


def render_job(
    pictures: Sequence[Picture], samples: np.ndarray, fps: Fraction = Fraction(25), **choices: Any
) -> RenderJob:
    source = Pictures(pictures)
    spec = RenderSpec(Path("face.png"), Path("voice.wav"), Path("clip.mp4"), fps=fps, **choices)
    frames = FrameMap(fps).frames_for(len(samples))
    plan = make_plan(spec, fps=fps, size=source.size, frame_count=frames, voice_samples=len(samples))
    return RenderJob(spec, plan, RecordedVoice(samples), source, backend().capabilities().values(spec))


def loaded(job: RenderJob) -> Draft:
    engine = backend()
    run(engine.load(job, Devices()))
    return engine


def drawn(job: RenderJob, segments: Sequence[int] | None = None) -> list[Picture]:
    """All pictures of a job, or of some of its segments."""
    engine = loaded(job)
    try:
        wanted = job.plan.segments if segments is None else [job.plan.segments[number] for number in segments]
        return [picture for segment in wanted for picture in engine.render(segment) if isinstance(picture, np.ndarray)]
    finally:
        engine.close()

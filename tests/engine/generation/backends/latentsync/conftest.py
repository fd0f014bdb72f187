"""Tiny checkpoints in the official layout, and a talking person in memory."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from engine.generation.backend import Picture, RenderJob
from engine.generation.backends.latentsync import files as files_module
from engine.generation.backends.latentsync.engine import LatentSync
from engine.generation.backends.latentsync.files import Files, Version
from engine.generation.plan import FrameMap, Plan, make_plan
from engine.generation.spec import RenderSpec
from engine.jobs import run
from engine.media.frames import read_frames
from engine.sample.clip import build_sample_clip
from tests.engine.generation.backends.latentsync.checkpoints import write_checkpoints
from tests.engine.generation.in_memory import Pictures, RecordedVoice
from tests.media.voices import voice_samples

SIDE = 64
"""Side of the square that the tiny network draws: a sixteenth of the work."""


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with LatentSync 1.5 as it is officially laid out, tiny; read it, do not change it."""
    return write_checkpoints(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def files(checkpoints: Path) -> Files:
    """Return the three files of that folder."""
    base = checkpoints / "LatentSync-1.5"
    vae = base / "vae" / "diffusion_pytorch_model.safetensors"
    return Files(base / "latentsync_unet.pt", base / "whisper" / "tiny.pt", vae, Version.V1_5)


@pytest.fixture
def models(checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the program find the tiny checkpoints, and nothing of the user's."""
    monkeypatch.setenv("PLOSIVE_MODELS", str(checkpoints))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(files_module.RESOLUTIONS, Version.V1_5, SIDE)
    return checkpoints


@pytest.fixture(scope="session")
def person(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip of a drawn person who speaks for three seconds, 25 pictures per second, 320 x 320."""
    target = tmp_path_factory.mktemp("person") / "person.mp4"
    return run(build_sample_clip(target, offset_ms=0.0, seconds=3, size=(320, 320), seed=3))


@pytest.fixture(scope="session")
def pictures(person: Path) -> list[Picture]:
    """Return that clip's pictures, not to be written to."""
    found = [frame.image for frame in read_frames(person)]
    for image in found:
        image.flags.writeable = False
    return found


def make_job(source: Pictures, *, frames: int | None = None, fps: str = "25", **changes: Any) -> RenderJob:
    """Return a job for pictures in memory and a voice of the same length; one step unless it says otherwise."""
    frame_count = frames or source.count
    parameters = {"steps": 1} | changes.pop("parameters", {})
    spec = RenderSpec(Path("face.mp4"), Path("voice.wav"), Path("clip.mp4"), "latentsync", parameters, **changes)
    rate = Fraction(fps)
    samples = FrameMap(rate).sample(frame_count)
    plan: Plan = make_plan(
        spec, fps=rate, size=source.size, frame_count=frame_count, voice_samples=samples, block_frames=16
    )
    voice = RecordedVoice(voice_samples(samples / 16_000 + 1, 16_000)[:samples])
    values = LatentSync().capabilities().values(spec)
    return RenderJob(spec, plan, voice, source, values)


def images(items: Iterator[Any]) -> list[npt.NDArray[np.uint8]]:
    """Return the pictures among what an engine yields."""
    return [item for item in items if isinstance(item, np.ndarray)]

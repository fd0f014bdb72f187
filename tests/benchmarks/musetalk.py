"""What MuseTalk costs around its networks, beside the same video merely decoded and encoded in the same run.

Run ``python -m tests.benchmarks musetalk``. No checkpoint is needed: where the network would draw, the face it is shown
is taken for what it draws.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine.generation.backend import Picture, RenderJob
from engine.generation.backends.musetalk import backend
from engine.generation.backends.musetalk.audio import Hearing
from engine.generation.backends.musetalk.drawing import Faces
from engine.generation.backends.musetalk.rendering import Rendering
from engine.generation.backends.musetalk.settings import Settings, Version
from engine.generation.device_pool import Drawing, LocalPool
from engine.generation.face_source import look_at, open_source
from engine.generation.plan import make_plan
from engine.generation.segment_file import SegmentWriter
from engine.generation.spec import RenderSpec
from engine.jobs import run
from engine.sample.clip import build_sample_clip
from tests.benchmarks.table import show

RATE = Fraction(25)
SIZE = (1280, 720)
FRAMES = 300


def _draw(faces: Faces) -> Drawing[npt.NDArray[np.uint8]]:
    """Draw grey faces in no time."""
    yield 1.0
    return np.full_like(faces.crops, 127)


class _Silence:
    path = Path("voice.wav")
    sample_rate = 16_000
    samples = FRAMES * 640

    def read(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        return np.zeros(stop - start, np.float32)


def main() -> None:
    """Print the table."""
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = run(build_sample_clip(folder / "face.mp4", offset_ms=0.0, seconds=12, size=SIZE, seed=3))
        encoder: Any = WhisperEncoder(
            WhisperConfig(d_model=384, encoder_layers=4, encoder_attention_heads=6, encoder_ffn_dim=1536)
        )
        rows = []
        for label, pictures in (
            ("decode and encode (baseline)", _decoded(clip)),
            ("and faces, cut out, sound, mask, blend", _drawn(clip, encoder.eval())),
        ):
            began = time.perf_counter()
            with SegmentWriter(folder / "segment.mkv", SIZE, RATE, 16) as writer:
                for picture in pictures:
                    writer.write(picture)
            took = time.perf_counter() - began
            rows.append((label, took))
    show(
        f"{SIZE[0]}x{SIZE[1]}, {FRAMES / float(RATE):.0f} s, networks take no time",
        ("", "frames/s", "times the baseline"),
        [(label, f"{FRAMES / took:.0f}", f"{took / rows[0][1]:.2f}") for label, took in rows],
    )


def _job(clip: Path) -> RenderJob:
    info = look_at(clip)
    spec = RenderSpec(clip, clip, clip, "musetalk")
    plan = make_plan(spec, fps=RATE, size=info.size, frame_count=FRAMES, voice_samples=_Silence.samples)
    source = open_source(info, spec, info.size, RATE)
    return RenderJob(spec, plan, _Silence(), source, backend().capabilities().values(spec))


def _decoded(clip: Path) -> Iterator[Picture]:
    yield from _job(clip).source.frames(0, FRAMES)


def _drawn(clip: Path, encoder: WhisperEncoder) -> Iterator[Picture]:
    job = _job(clip)
    hearing = Hearing(encoder, job.voice, RATE, Version.V1_5)
    settings = Settings.of(job.parameters)
    shares = np.ones(FRAMES, np.float32)
    rendering = Rendering(job, settings, Version.V1_5, hearing, shares, LocalPool(_draw), None, settings.batch)
    try:
        for segment in job.plan.segments:
            for item in rendering.render(segment):
                if isinstance(item, np.ndarray):
                    yield item
    finally:
        rendering.close()


if __name__ == "__main__":
    main()

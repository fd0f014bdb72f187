"""What MuseTalk costs around its networks, beside the same video merely decoded and encoded in the same run.

Run ``python -m tests.benchmarks musetalk``. No checkpoint is needed: where the network would draw, the face it is shown
is taken for what it draws. ``python -m tests.benchmarks.musetalk --gpu`` measures the networks themselves on a card, at
full size with random weights, and writes the README's rows.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
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
from engine.generation.backends.musetalk.drawing import Drawer, Faces
from engine.generation.backends.musetalk.network import Networks, unet_for
from engine.generation.backends.musetalk.rendering import Rendering
from engine.generation.backends.musetalk.settings import Settings, Version
from engine.generation.backends.placement import Placement
from engine.generation.device_pool import Drawing, LocalPool
from engine.generation.face_source import look_at, open_source
from engine.generation.plan import make_plan
from engine.generation.segment_file import SegmentWriter
from engine.generation.spec import RenderSpec
from engine.jobs import run
from engine.sample.clip import build_sample_clip
from tests.benchmarks.cards import GB, card, finished, in_bfloat16, operations, options, picture_autoencoder, write_rows
from tests.benchmarks.table import show, show_memory_by_length
from tests.engine.generation.in_memory import Silence

RATE = Fraction(25)
SIZE = (1280, 720)
FRAMES = 300


def _draw(faces: Faces) -> Drawing[npt.NDArray[np.uint8]]:
    """Draw grey faces in no time."""
    yield 1.0
    return np.full_like(faces.crops, 127)


def main() -> None:
    """Print the table."""
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _around(folder)
        show_memory_by_length("tests.benchmarks.musetalk", _clip(folder, (320, 320), 4), "320x320")


def _around(folder: Path) -> None:
    """Everything but the networks, from file to file."""
    clip = _clip(folder, SIZE, 12)
    rows = []
    for label, pictures in (
        ("decode and encode (baseline)", _decoded(clip)),
        ("and faces, cut out, sound, mask, blend", _drawn(clip, FRAMES)),
    ):
        began, processor = time.perf_counter(), time.process_time()
        with SegmentWriter(folder / "segment.mkv", SIZE, RATE, 16) as writer:
            for picture in pictures:
                writer.write(picture)
        rows.append((label, time.perf_counter() - began, time.process_time() - processor))
    show(
        f"{SIZE[0]}x{SIZE[1]}, {FRAMES / float(RATE):.0f} s, networks take no time",
        ("", "frames/s", "times the baseline", "processor time per frame"),
        [
            (label, f"{FRAMES / took:.0f}", f"{took / rows[0][1]:.2f}", f"{1000 * processor / FRAMES:.1f} ms")
            for label, took, processor in rows
        ],
    )


def draw_all(clip: Path, minutes: int) -> None:
    """Draw a clip of some minutes, over and over the same pictures."""
    torch.set_grad_enabled(False)
    for _ in _drawn(clip, minutes * 60 * int(RATE)):
        pass


def on_card(words: Sequence[str]) -> None:
    """Draw faces with the networks on a card: time, operations, memory."""
    asked = options(words, __doc__)
    on = card(tiny=asked.tiny)
    if on is None:
        return
    widths = (32, 32, 32, 32) if asked.tiny else (320, 640, 1280, 1280)
    shapes: dict[str, tuple[int, ...]] = {
        f"down_blocks.{level}.resnets.0.conv1.weight": (width,) for level, width in enumerate(widths)
    }
    shapes |= {"conv_in.weight": (widths[0], 8, 3, 3), "conv_out.weight": (4, widths[0], 3, 3)}
    shapes["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"] = (widths[0], 384)
    unet: Any = unet_for(shapes)
    unet.to_empty(device=on.device)
    for parameter in unet.parameters():
        parameter.data.normal_(0, 0.02)
    placement = Placement(str(on.device), torch.bfloat16)
    networks = Networks(picture_autoencoder(on, tiny=asked.tiny), in_bfloat16(unet), placement)
    baseline = on.matrix_tflops(tiny=asked.tiny)
    rows = []
    for batch in (2,) if asked.tiny else (1, 8, 32):
        rng = np.random.default_rng(batch)
        crops = rng.integers(0, 256, (batch, 256, 256, 3), np.uint8)
        tokens = rng.standard_normal((batch, 50, 384)).astype(np.float32)
        for is_still in (False, True):
            drawer = Drawer(networks, 1)
            shown = 0

            def work(drawer: Drawer = drawer, crops: Any = crops, tokens: Any = tokens, still: bool = is_still) -> None:
                nonlocal shown
                shown += 0 if still else len(crops)  # a picture that was seen before is not encoded again
                keys = tuple((shown + number, (0, 0, 256, 256)) for number in range(len(crops)))
                finished(drawer.draw(Faces(keys, crops, tokens)))

            on.forget_peak()
            took = on.seconds(work, 2 if asked.tiny else 10)
            used = on.peak_bytes()
            tera = operations(work) / 1e12
            title = f"batch of {batch}, {'pictures seen before' if is_still else 'new pictures'}"
            figure = (
                f"{batch / took:.1f} frames/s, {tera / took:.3g} TFLOP/s: "
                f"{100 * tera / took / baseline:.0f} % of plain matrix products; {used / GB:.1f} GB used"
            )
            rows.append((f"MuseTalk, {'tiny' if asked.tiny else 'full size'}, random weights, {title}", figure))
    if networks.is_single_precision:
        print("bfloat16 gave results that are no numbers: these are times of single precision")
    write_rows(rows, on, tiny=asked.tiny)


def _clip(folder: Path, size: tuple[int, int], length: int) -> Path:
    target = folder / f"{size[0]}x{size[1]}.mp4"
    return run(build_sample_clip(target, offset_ms=0.0, seconds=length, size=size, seed=3))


def _job(clip: Path, frames: int) -> RenderJob:
    info = look_at(clip)
    spec = RenderSpec(clip, clip, clip, "musetalk")
    plan = make_plan(spec, fps=RATE, size=info.size, frame_count=frames, voice_samples=frames * 640)
    source = open_source(info, spec, info.size, RATE)
    return RenderJob(spec, plan, Silence(frames * 640), source, backend().capabilities().values(spec))


def _decoded(clip: Path) -> Iterator[Picture]:
    yield from _job(clip, FRAMES).source.frames(0, FRAMES)


def _drawn(clip: Path, frames: int) -> Iterator[Picture]:
    job = _job(clip, frames)
    encoder: Any = WhisperEncoder(
        WhisperConfig(d_model=384, encoder_layers=4, encoder_attention_heads=6, encoder_ffn_dim=1536)
    )
    hearing = Hearing(encoder.eval(), job.voice, RATE, Version.V1_5)
    settings = Settings.of(job.parameters)
    shares = np.ones(frames, np.float32)
    rendering = Rendering(job, settings, Version.V1_5, hearing, shares, LocalPool(_draw), None, settings.batch)
    try:
        for segment in job.plan.segments:
            for item in rendering.render(segment):
                if isinstance(item, np.ndarray):
                    yield item
    finally:
        rendering.close()


if __name__ == "__main__":
    on_card(sys.argv[1:]) if "--gpu" in sys.argv else main()

"""What LatentSync costs around its networks, each figure beside a named baseline in the same run.

Run ``python -m tests.benchmarks latentsync``. No checkpoint is needed: where a network would draw, its input is taken
for its output. ``python -m tests.benchmarks.latentsync --gpu`` measures the networks themselves on a card, at full size
with random weights, and writes the README's rows.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the field's own abbreviation
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine.generation.backend import Picture
from engine.generation.backends.latentsync.align import Aligner, box_size, cut_out, paste_mouth
from engine.generation.backends.latentsync.audio import Hearing
from engine.generation.backends.latentsync.drawing import Drawer, Face, SeededNoise, WindowPart
from engine.generation.backends.latentsync.faces import ChosenFace
from engine.generation.backends.latentsync.memory import Work as CardWork
from engine.generation.backends.latentsync.memory import arrangements
from engine.generation.backends.latentsync.networks import Networks
from engine.generation.backends.latentsync.rendering import Manner, Rendering
from engine.generation.backends.latentsync.sampler import Sampling
from engine.generation.backends.latentsync.unet import LatentSyncUNet, UNetConfig
from engine.generation.backends.latentsync.windows import Grid
from engine.generation.backends.placement import Placement
from engine.generation.device_pool import Drawing, LocalPool
from engine.generation.face_source import look_at, open_source
from engine.generation.plan import Segment
from engine.generation.segment_file import SegmentWriter
from engine.generation.spec import Offload, Precision, RenderSpec
from engine.jobs import run
from engine.sample.clip import build_sample_clip
from tests.benchmarks.cards import GB, card, finished, in_bfloat16, operations, options, picture_autoencoder, write_rows
from tests.benchmarks.table import seconds, show, show_memory_by_length
from tests.engine.generation.in_memory import Silence

RATE = Fraction(25)


def main() -> None:
    """Print the tables."""
    torch.set_grad_enabled(False)
    _aligning()
    with tempfile.TemporaryDirectory() as name:
        _around(Path(name))
        show_memory_by_length("tests.benchmarks.latentsync", _clip(Path(name), (320, 320), 4), "320x320")


def on_card(words: Sequence[str]) -> None:
    """Draw windows with the networks on a card: time, operations, memory beside the plan."""
    asked = options(words, __doc__)
    on = card(tiny=asked.tiny)
    if on is None:
        return
    config = UNetConfig((32, 32, 32, 32)) if asked.tiny else UNetConfig()
    with torch.device(on.device):
        unet: LatentSyncUNet = in_bfloat16(LatentSyncUNet(config))
    arrangement = next(arrangements(Offload.NONE))
    placement = Placement(str(on.device), torch.bfloat16)
    networks = Networks(unet, picture_autoencoder(on, tiny=asked.tiny), placement, arrangement.vae_batch)
    values = [sum(each.numel() for each in network.parameters()) for network in (unet, networks.vae)]
    baseline = on.matrix_tflops(tiny=asked.tiny)
    rows = []
    for resolution in (256,) if asked.tiny else (256, 512):
        rng = np.random.default_rng(1)
        faces = rng.integers(0, 256, (_WINDOW, resolution, resolution, 3), np.uint8)
        part = WindowPart(0, faces, rng.standard_normal((_WINDOW, 50, 384)).astype(np.float32))
        planned = arrangement.card_bytes(
            CardWork(resolution, Precision.BF16, True, values[0], values[1], config.channels[0])
        )
        for cached in (False, True):
            sampling = Sampling(steps=2 if asked.tiny else 20, feature_cache=cached)
            drawer = Drawer(networks, sampling, SeededNoise(1))

            def work(drawer: Drawer = drawer, part: WindowPart = part) -> None:
                finished(drawer.draw([part]))

            on.forget_peak()
            took = on.seconds(work, 2)
            used = on.peak_bytes()
            tera = operations(work) / 1e12
            title = f"{resolution}, {sampling.steps} steps, guided{', feature cache' if cached else ''}"
            figure = (
                f"{took:.2f} s per window of {_WINDOW}, {_WINDOW / took:.1f} frames/s, {tera / took:.3g} TFLOP/s: "
                f"{100 * tera / took / baseline:.0f} % of plain matrix products; "
                f"{used / GB:.1f} GB used, {planned / GB:.1f} GB planned"
            )
            rows.append((f"LatentSync, {'tiny' if asked.tiny else 'full size'}, random weights, {title}", figure))
    if networks.is_single_precision:
        print("bfloat16 gave results that are no numbers: these are times of single precision")
    write_rows(rows, on, tiny=asked.tiny)


_WINDOW = 16
"""Frames that the network sees at once."""


def _aligning() -> None:
    """Cut a face out of a picture and put one back, against the way of the published code, in torch."""
    rows = []
    for width, height, resolution in ((1280, 720, 256), (1920, 1080, 256), (1920, 1080, 512)):
        image = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
        scale = height / 720
        points = np.array([(560.0, 260.0), (720.0, 262.0), (640.0, 370.0)]) * scale
        matrix = Aligner(resolution).matrix(points)
        face = np.zeros((resolution, resolution, 3), np.float32)

        def ours(image: Picture = image, matrix: npt.NDArray[np.float64] = matrix, face: Face = face) -> None:
            cut_out(image, matrix, len(face))
            paste_mouth(image, face, matrix)

        def theirs(image: Picture = image, matrix: npt.NDArray[np.float64] = matrix, face: Face = face) -> None:
            _in_torch(image, face, matrix)

        mine, baseline = seconds(ours, 5), seconds(theirs, 3)
        rows.append(
            (
                f"{width}x{height}, square of {resolution}",
                f"{1000 * mine:.1f} ms",
                f"{1000 * baseline:.0f} ms",
                f"{baseline / mine:.0f}",
            )
        )
    show(
        "Cut out and put back one face; baseline: the published steps over the whole picture in torch",
        ("picture", "OpenCV", "torch", "times faster"),
        rows,
    )


def _in_torch(image: Picture, face: Face, matrix: npt.NDArray[np.float64]) -> None:
    """Do what kornia does on a processor: sample grids over whole pictures, erode and blur the whole mask.

    Erosion is a pooling here, which is many times faster than kornia's own.
    """
    height, width = image.shape[:2]
    box_width, box_height = box_size(len(face))
    square = np.vstack([matrix, (0, 0, 1)])
    picture = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    box = F.grid_sample(
        picture, _grid(np.linalg.inv(square), (box_height, box_width), (height, width)), align_corners=False
    )
    F.interpolate(box, (len(face), len(face)), mode="bicubic")
    drawn = F.interpolate(
        torch.from_numpy(face).permute(2, 0, 1)[None], (box_height, box_width), mode="bicubic", antialias=True
    )
    grid = _grid(square, (height, width), (box_height, box_width))
    pasted = F.grid_sample(drawn, grid, align_corners=False)
    mask = F.grid_sample(torch.ones(1, 1, box_height, box_width), grid, align_corners=False)
    edge = max(1, int(float(mask.sum()) ** 0.5) // 20)
    mask = -F.max_pool2d(-mask, 2 * edge + 1, stride=1, padding=edge)
    kernel = torch.exp(-0.5 * (torch.arange(-edge, edge + 1) / (0.3 * (edge - 1) + 0.8)) ** 2)
    kernel = kernel / kernel.sum()
    mask = F.conv2d(mask, kernel[None, None, None], padding=(0, edge))
    mask = F.conv2d(mask, kernel[None, None, :, None], padding=(edge, 0))
    blended = mask * (pasted * 0.5 + 0.5) * 255 + (1 - mask) * picture
    blended[0].permute(1, 2, 0).to(torch.uint8).numpy()


def _grid(matrix: npt.NDArray[np.float64], size: tuple[int, int], source: tuple[int, int]) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    places = torch.stack([columns, rows, torch.ones_like(rows)], -1).float() @ torch.from_numpy(matrix).float().T
    return ((places[..., :2] + 0.5) * 2 / torch.tensor([source[1], source[0]]) - 1)[None]


class _Copier:
    """Draws what it is shown."""

    def __init__(self, per_window: float = 0.0) -> None:
        self._per_window = per_window
        self.seconds = 0.0

    def draw(self, parts: Sequence[WindowPart]) -> Drawing[list[Face]]:
        """Return the faces as they are, after the time that a network would take on a card."""
        began = time.perf_counter()
        for _ in parts:
            time.sleep(self._per_window)
        yield 1.0
        faces = [part.faces.astype(np.float32) / np.float32(127.5) - 1 for part in parts]
        self.seconds += time.perf_counter() - began
        return faces


def _around(folder: Path) -> None:
    """Everything but the networks, from file to file."""
    clip = _clip(folder, (1280, 720), 12)
    frames = 300
    rows = []
    for label, per_window in (("networks take no time", 0.0), ("networks take 0.5 s per window", 0.5)):
        copier = _Copier(per_window)
        began, began_cpu = time.perf_counter(), time.process_time()
        _draw(clip, frames, copier, folder / "segment.mkv")
        took, cpu = time.perf_counter() - began, time.process_time() - began_cpu
        rows.append(
            (
                label,
                f"{frames / took:.0f}",
                f"{1000 * cpu / frames:.1f} ms",
                f"{took:.1f} s",
                f"{copier.seconds:.1f} s",
                f"{100 * (took / copier.seconds - 1):.0f} %" if per_window else "",
            )
        )
    show(
        "1280x720, 12 s: decode, faces, cut out, sound, put back, encode",
        ("", "frames/s", "processor time per frame", "whole", "bare calls of the networks", "more than these"),
        rows,
    )


def draw_all(clip: Path, minutes: int) -> None:
    """Draw a clip of some minutes, over and over the same pictures."""
    torch.set_grad_enabled(False)
    _draw(clip, minutes * 60 * int(RATE), _Copier(), None)


def _draw(clip: Path, frames: int, copier: _Copier, target: Path | None) -> None:
    info = look_at(clip)
    spec = RenderSpec(clip, clip, clip, "latentsync")
    source = open_source(info, spec, info.size, RATE)
    grid = Grid(RATE, frames)
    encoder = WhisperEncoder(
        WhisperConfig(d_model=384, encoder_layers=4, encoder_attention_heads=6, encoder_ffn_dim=1536)
    ).eval()
    hearing = Hearing(encoder, Silence(frames * 640))
    manner = Manner(256, lambda: ChosenFace(256, None, 0.97), whole_box=False)
    rendering = Rendering(source, grid, hearing, np.ones(grid.drawn_count, np.float32), LocalPool(copier.draw), manner)
    pictures = (
        item
        for first in range(0, frames, 80)
        for item in rendering.render(Segment(first // 80, first, min(80, frames - first)))
        if isinstance(item, np.ndarray)
    )
    try:
        if target is None:
            for _ in pictures:
                pass
        else:
            with SegmentWriter(target, info.size, RATE, 16) as writer:
                for picture in pictures:
                    writer.write(picture)
    finally:
        rendering.close()
        source.close()


def _clip(folder: Path, size: tuple[int, int], length: int) -> Path:
    target = folder / f"{size[0]}x{size[1]}.mp4"
    return run(build_sample_clip(target, offset_ms=0.0, seconds=length, size=size, seed=3))


if __name__ == "__main__":
    on_card(sys.argv[1:]) if "--gpu" in sys.argv else main()

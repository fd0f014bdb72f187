"""Both neural engines on tiny checkpoints of their own, and videos of any kind with a face in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest

from engine.generation.backend import Picture
from engine.generation.backends.latentsync import files as latentsync_files
from engine.generation.backends.latentsync.files import Version
from tests.engine.generation.backends.latentsync.checkpoints import write_checkpoints as write_latentsync
from tests.engine.generation.backends.musetalk.checkpoints import write_checkpoints as write_musetalk

NEURAL = ("latentsync", "musetalk")

_SIDE = 64
"""Side of the square that the tiny LatentSync draws."""
_BT2020, _PQ, _BT2020_MATRIX = 9, 16, 9
"""Codes of ITU-T H.273 for the colours of HDR10."""


@pytest.fixture(scope="session")
def both_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of both engines in their official layouts, tiny; read it, do not change it."""
    folder = tmp_path_factory.mktemp("both")
    write_latentsync(folder)
    write_musetalk(folder / "MuseTalk")
    return folder


@pytest.fixture
def both(both_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the program find these files and nothing else, and return their folder."""
    monkeypatch.setenv("PLOSIVE_MODELS", str(both_checkpoints))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(latentsync_files.RESOLUTIONS, Version.V1_5, _SIDE)
    return both_checkpoints


WriteVideo = Callable[..., Path]


@pytest.fixture
def write_video(tmp_path: Path) -> WriteVideo:
    """Return a function that writes pictures as a video, at any times, in any pixel format."""

    def write(
        pictures: Sequence[Picture],
        *,
        ticks: Sequence[int] | None = None,
        time_base: Fraction = Fraction(1, 25),
        pixel_format: str = "yuv420p",
        hdr: bool = False,
    ) -> Path:
        path = tmp_path / "face.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=1 / time_base, options={"preset": "ultrafast", "crf": "12"})
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = pixel_format
            context = stream.codec_context
            context.time_base = time_base
            context.max_b_frames = 0
            if hdr:
                context.color_primaries, context.color_trc, context.colorspace = _BT2020, _PQ, _BT2020_MATRIX
            for number, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixel_format)
                frame.pts, frame.time_base = ticks[number] if ticks else number, time_base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write

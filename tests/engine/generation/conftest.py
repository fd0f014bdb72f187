"""Voices and faces made by code, the grey engine in the registry, and an own folder for what is remembered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine.generation import registry
from engine.generation.backend import Backend, Picture
from engine.generation.spec import RenderSpec
from tests.engine.generation.grey_engine import GreyEngine
from tests.media.voices import write_voice


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's calibration and engines out of the tests."""
    monkeypatch.setenv("PLOSIVE_HOME", str(tmp_path_factory.mktemp("home")))


class FakePoint:
    """An entry point of another package."""

    def __init__(self, name: str, factory: Callable[[], Backend]) -> None:
        self.name = name
        self._factory = factory

    def load(self) -> Callable[[], Backend]:
        """Return the factory."""
        return self._factory


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that installs engines, as another package would."""

    def install(**engines: Callable[[], Backend]) -> None:
        points = [FakePoint(name, factory) for name, factory in engines.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])

    return install


@pytest.fixture
def grey(offer: Callable[..., None]) -> GreyEngine:
    """Install the grey engine and return it."""
    engine = GreyEngine()
    offer(grey=lambda: engine)
    return engine


def write_picture(path: Path, pixels: Picture, codec: str = "png", pixel_format: str = "rgb24") -> Path:
    """Write one picture, shape ``(h, w, 3)`` or ``(h, w, 4)``."""
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream(codec, rate=1)
        stream.height, stream.width = pixels.shape[:2]
        stream.pix_fmt = pixel_format
        frame = av.VideoFrame.from_ndarray(pixels, format="rgba" if pixels.shape[2] == 4 else "rgb24")
        container.mux(stream.encode(frame.reformat(format=pixel_format)))
        container.mux(stream.encode(None))
    return path


def face(width: int = 96, height: int = 64) -> Picture:
    """Return a picture whose left half is red and whose right half is blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = 220
    pixels[:, width // 2 :, 2] = 220
    return pixels


@pytest.fixture
def spec(tmp_path: Path, grey: GreyEngine) -> RenderSpec:  # noqa: ARG001 - the engine has to be there
    """Return a small render: a picture and two seconds of voice at 25 fps, in segments of half a second."""
    return make_spec(tmp_path)


def make_spec(folder: Path, **changes: Any) -> RenderSpec:
    """Write a face and a voice into a folder and return a render of them."""
    values: dict[str, Any] = {
        "source": write_picture(folder / "face.png", face()),
        "voice": write_voice(folder / "voice.wav", seconds=2.0),
        "target": folder / "clip.mp4",
        "engine": "grey",
        "segment_seconds": "1/2",
        "verify": False,
    }
    return RenderSpec.from_json(
        {"version": 1}
        | {name: str(value) if isinstance(value, Path) else value for name, value in (values | changes).items()}
    )

"""A tiny network in the official layout as the models folder, a render with it, and a meter in the network's place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.generation.backends.liveavatar import audio, denoiser, vae
from engine.generation.backends.liveavatar.schedule import Finished, Script
from engine.generation.render import render
from engine.generation.spec import RenderSpec
from engine.jobs import Progress, run
from engine.refusal import Refusal
from tests.engine.generation.backends.liveavatar.checkpoint import write_official
from tests.engine.generation.conftest import make_spec, write_picture
from tests.media.voices import write_voice


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_official(folder)
    return folder


@pytest.fixture
def spec(official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RenderSpec:
    """Two seconds of voice, a picture of 64x64, segments of one block."""
    monkeypatch.setenv("PLOSIVE_MODELS", str(official))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no-hub"))
    picture = np.random.default_rng(2).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    made = make_spec(tmp_path, engine="liveavatar", size=[64, 64], prompt="a person talks")
    write_picture(made.source, picture)
    write_voice(made.voice, seconds=1.5)
    return replace(made, segment_seconds=Fraction(1, 2))


def refusal_of(spec: RenderSpec) -> Refusal:
    result = run(render(spec))
    assert isinstance(result, Refusal), result
    assert result.sentence.text("zh_CN") != result.sentence.text("en")
    return result


class Meter:
    """In the network's place: latents that say how loud each of their frames is."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def blocks(self) -> Iterator[Finished]:
        for block in range(self._script.blocks):
            loud = self._script.features(block)[0, 0]  # 12 frames
            latents = torch.zeros(16, 3, *self._script.reference.shape[2:])
            latents[:4] = loud.view(3, 4).T[:, :, None, None]
            yield Finished(block, latents)

    def save(self, folder: Path) -> None:
        """Nothing is remembered."""

    def restore(self, folder: Path) -> None:
        """Nothing is remembered."""

    def stop(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def metered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pictures be as bright as the sound that drives them is loud; reading, mapping and muxing are real."""

    def loudness(_: Any, wave: Tensor) -> Tensor:
        rows = audio.row_count(len(wave))
        power = torch.stack([wave[320 * n : 320 * n + 400].square().mean().sqrt() for n in range(rows)])
        return power[None, :, None].expand(25, -1, 8)

    def load(_weights: Any, script: Script, *_: Any, **__: Any) -> Iterator[Progress]:
        yield Progress("loading", 0.5)
        return Meter(script)  # type: ignore[return-value]  # what a job returns

    def decode(_: vae.StreamDecoder, latents: Tensor) -> Iterator[Tensor]:
        for frame in latents.split(1, dim=1):
            shades = frame[:4, 0, 0, 0].clamp(0, 1) * 2 - 1
            yield shades.view(1, 4, 1, 1).expand(3, 4, 8 * latents.shape[2], 8 * latents.shape[3])

    def encode(_: vae.Codec, pixels: Tensor) -> Tensor:
        return torch.zeros(16, 1 + (pixels.shape[1] - 1) // 4, pixels.shape[2] // 8, pixels.shape[3] // 8)

    monkeypatch.setattr(audio, "hidden_states", loudness)
    monkeypatch.setattr(denoiser, "load_local", load)
    monkeypatch.setattr(vae.StreamDecoder, "decode", decode)
    monkeypatch.setattr(vae.Codec, "encode", encode)

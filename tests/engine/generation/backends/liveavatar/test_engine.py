"""The whole path on a tiny network in the official layout: load, draw, mux; sound and picture; stop and go on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.generation.backend import Gpu, Host
from engine.generation.backends.liveavatar import audio, denoiser, vae
from engine.generation.backends.liveavatar.denoiser import LocalDenoiser
from engine.generation.backends.liveavatar.importing import import_settings
from engine.generation.backends.liveavatar.schedule import Finished, Script
from engine.generation.render import estimate, render
from engine.generation.report import RenderReport
from engine.generation.spec import RenderSpec
from engine.generation.storage import work_folder
from engine.jobs import Progress, run
from engine.media.frames import read_frames
from engine.media.probe import probe
from engine.media.samples import read_samples
from engine.refusal import Refusal
from tests.engine.generation.backends.liveavatar.checkpoint import write_official
from tests.engine.generation.conftest import make_spec, write_picture
from tests.engine.generation.test_render import content, rendered
from tests.media.voices import write_voice

GIB = 1 << 30


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


@pytest.mark.slow
def test_four_seconds_become_a_clip(spec: RenderSpec) -> None:
    write_voice(spec.voice, seconds=4.0)
    seen: list[Progress] = []
    report = run(render(replace(spec, online_decode=True)), seen.append)
    assert isinstance(report, RenderReport), report
    info = probe(spec.target)
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.frame_count, info.video.rate, info.video.start) == (100, 25, 0)
    assert (report.frames, report.size) == (100, (64, 64))
    assert info.audio.start == 0
    assert info.audio.duration == pytest.approx(4.0, abs=0.05)  # an AAC frame at either end
    assert {"loading", "listening", "reading_prompt", "looking", "rendering"} <= {progress.stage for progress in seen}
    moving = [frame.image.astype(int) for frame in read_frames(spec.target)]
    assert np.mean([np.abs(one - other).mean() for one, other in pairwise(moving)]) > 0.5


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


def lag(clip: Path, fps: int) -> float:
    """Return by how many ms the sound of a clip is late against its brightness: where both fit best."""
    shown = np.array([float(frame.image.mean()) for frame in read_frames(clip)])
    sound = np.concatenate([block.data for block in read_samples(clip)]).reshape(-1)
    rate = len(sound) / (len(shown) / fps)
    window = int(rate / fps)
    shown, steps = shown - shown.mean(), 8

    def fit(step: int) -> float:
        heard = [
            np.abs(sound[max(0, begin) : max(0, begin) + window]).mean() if begin + window < len(sound) else 0.0
            for begin in (int((n + step / steps) * rate / fps) for n in range(len(shown)))
        ]
        return float(np.dot(shown, np.array(heard) - np.mean(heard)))

    return max(range(-6 * steps, 6 * steps + 1), key=fit) / steps * 1000 / fps


@pytest.mark.usefixtures("metered")
@pytest.mark.parametrize("fps", [25, 16])
def test_pictures_are_those_of_their_sound(spec: RenderSpec, fps: int) -> None:
    """Within the 20 ms of a row of features and the 27 ms by which the published mapping stretches."""
    write_voice(spec.voice, seconds=4.0)
    rendered(replace(spec, fps=Fraction(fps)))
    assert abs(lag(spec.target, fps)) <= 50
    early = replace(spec, fps=Fraction(fps), audio_offset_ms=-200.0, overwrite=True)
    rendered(early)
    assert lag(spec.target, fps) == pytest.approx(200, abs=50)  # the mouth moves earlier, so the sound is late


@pytest.mark.usefixtures("metered")
def test_without_lead_in_the_published_mistake_shows(spec: RenderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pictures thrown away and their sound kept: what the test above has to notice."""
    write_voice(spec.voice, seconds=4.0)
    real = audio.VoiceFeatures

    def unled(*arguments: Any) -> audio.VoiceFeatures:
        return real(*arguments[:-1], 0)

    monkeypatch.setattr(audio, "VoiceFeatures", unled)
    rendered(spec)
    assert lag(spec.target, 25) == pytest.approx(120, abs=50)


def stop_after(segments: int) -> Callable[[Progress], None]:
    done: list[int] = []

    def watch(progress: Progress) -> None:
        done.append(1)
        if progress.stage == "rendering" and progress.done > 0.06 + 0.8 * segments / 4 + 0.05:
            raise KeyboardInterrupt

    return watch


@pytest.mark.slow
@pytest.mark.parametrize("rings", ["kept", "gone"])
def test_a_stopped_render_goes_on_to_the_same_file(spec: RenderSpec, rings: str) -> None:
    rendered(spec)
    whole = content(spec.target)
    spec = replace(spec, overwrite=True)
    with pytest.raises(KeyboardInterrupt):
        run(render(spec), stop_after(2))
    saved = list((work_folder(spec.target) / "engine").glob("rings-*"))
    assert len(saved) == 1
    if rings == "gone":
        shutil.rmtree(saved[0])
    report = rendered(spec)
    assert report.resumed_segments > 0
    assert content(spec.target) == whole


@pytest.mark.slow
def test_seed_prompt_steps_and_picture_count(spec: RenderSpec) -> None:
    write_voice(spec.voice, seconds=0.4)
    spec = replace(spec, overwrite=True)
    seen = {content_of(spec), content_of(spec)}
    assert len(seen) == 1
    seen.add(content_of(replace(spec, seed=1)))
    seen.add(content_of(replace(spec, prompt="somebody else")))
    seen.add(content_of(spec.with_parameters(sample_steps=3)))
    write_picture(spec.source, np.full((80, 80, 3), 90, np.uint8))
    seen.add(content_of(spec))
    assert len(seen) == 5


def content_of(spec: RenderSpec) -> str:
    rendered(spec)
    return content(spec.target)


@pytest.mark.usefixtures("metered")
@pytest.mark.parametrize(
    ("shape", "size"),
    [((90, 210, 4), (768, 320)), ((300, 300, 3), (512, 512)), ((1080, 1920, 3), (704, 384)), ((64, 64, 3), (512, 512))],
)
def test_pictures_of_any_shape(spec: RenderSpec, shape: tuple[int, int, int], size: tuple[int, int]) -> None:
    """21:9 with transparency, a square, a stamp: their shape at the usual area, in multiples of 64, without bars."""
    write_picture(spec.source, np.full(shape, 255, np.uint8), pixel_format="rgba" if shape[2] == 4 else "rgb24")
    write_voice(spec.voice, seconds=0.3)
    assert rendered(replace(spec, size=None)).size == size


@pytest.mark.usefixtures("metered")
@pytest.mark.parametrize(("clips", "frames"), [(1, 45), (3, 75)])
def test_num_clip_shortens_as_the_voice_does(spec: RenderSpec, clips: int, frames: int) -> None:
    write_voice(spec.voice, seconds=3.0)
    read = import_settings(f"--num_clip {clips} --size 704*384", replace(spec, engine="draft"))
    report = rendered(read.spec)
    assert report.frames == frames  # one clip less the three pictures; then the voice is what ends it
    info = probe(spec.target)
    assert info.video is not None
    assert info.audio is not None
    assert info.video.frame_count == frames
    assert info.audio.duration == pytest.approx(frames / 25, abs=0.05)  # an AAC frame at either end


def test_a_picture_of_one_pixel_is_refused(spec: RenderSpec) -> None:
    write_picture(spec.source, np.zeros((1, 1, 3), np.uint8))
    assert refusal_of(spec).code == "liveavatar.tiny_picture"


def test_missing_weights_are_named(
    spec: RenderSpec, official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(official, tmp_path / "some")
    (tmp_path / "some" / "LiveAvatar" / "liveavatar.safetensors").unlink()
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "some"))
    assert "LoRA" in str(refusal_of(spec))


def test_too_little_memory_is_said_before_loading(spec: RenderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    def poor(_: Path) -> Host:
        return Host(cores=2, ram_bytes=GIB, free_ram_bytes=GIB, free_disk_bytes=100 * GIB)

    monkeypatch.setattr("engine.generation.render.this_host", poor)
    assert refusal_of(spec).code == "liveavatar.memory_processor"


def test_the_plan_is_told_before_loading(spec: RenderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    card = Gpu("cuda:0", "a card", 24 * GIB, 23 * GIB, compute=(8, 9))

    def rich(_: Path) -> Host:
        return Host(cores=8, ram_bytes=64 * GIB, free_ram_bytes=60 * GIB, free_disk_bytes=1 << 20, gpus=(card,))

    monkeypatch.setattr("engine.generation.render.this_host", rich)
    found = run(estimate(replace(spec, prompt="", devices=("auto",))))
    assert not isinstance(found, Refusal), found
    keys = [note.key for note in found.notes]
    assert keys[0] == "liveavatar.plan.wavefront"
    assert {"liveavatar.plan.speed", "liveavatar.note.not_saved", "liveavatar.note.no_prompt"} <= set(keys)
    assert all(note.text("zh_CN") != note.text("en") for note in found.notes)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("No available kernel. Aborting execution."), "liveavatar.no_kernel"),
        (torch._dynamo.exc.TorchDynamoException("no C++ compiler"), "liveavatar.not_compiled"),
    ],
)
def test_what_this_machine_cannot_do_is_said(
    spec: RenderSpec, monkeypatch: pytest.MonkeyPatch, error: RuntimeError, code: str
) -> None:
    def fail(_: LocalDenoiser) -> Iterator[Finished]:
        raise error
        yield

    monkeypatch.setattr(LocalDenoiser, "blocks", fail)
    assert refusal_of(spec).code == code


def test_attention_kernels_are_asked_for_by_name(spec: RenderSpec) -> None:
    """On a processor there is no cuDNN; which kernels exist is the machine's affair, what they compute is not."""
    assert refusal_of(spec.with_parameters(attention="cudnn")).code == "liveavatar.no_kernel"


def test_a_lost_card_is_said_in_words(spec: RenderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_: LocalDenoiser) -> Iterator[Finished]:
        raise RuntimeError("CUDA error: unspecified launch failure")
        yield

    monkeypatch.setattr(LocalDenoiser, "blocks", lost)
    assert refusal_of(spec).code == "liveavatar.card_lost"

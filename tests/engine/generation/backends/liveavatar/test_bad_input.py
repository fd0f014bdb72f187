"""What is wrong, odd or too much: said before anything is loaded, or drawn all the same; nothing finished is lost."""

from __future__ import annotations

import shutil
import wave
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from engine.generation.backend import Estimate, Gpu, Host
from engine.generation.backends.liveavatar.config import LatentSize
from engine.generation.backends.liveavatar.denoiser import LocalDenoiser
from engine.generation.backends.liveavatar.rotary import block_rotation
from engine.generation.backends.liveavatar.schedule import Finished
from engine.generation.calibrate import draw_face
from engine.generation.render import estimate
from engine.generation.report import SyncCheck
from engine.generation.spec import Offload, Precision, RenderSpec
from engine.jobs import run
from engine.refusal import Refusal
from tests.engine.generation.backends.liveavatar.conftest import Meter, refusal_of
from tests.engine.generation.conftest import write_picture
from tests.engine.generation.test_render import content, rendered
from tests.media.voices import write_voice

GIB = 1 << 30


def notes_of(spec: RenderSpec) -> set[str]:
    """Keys of what is said before a render."""
    found = run(estimate(spec))
    assert isinstance(found, Estimate), found
    assert all(note.text("zh_CN") != note.text("en") for note in found.notes)
    return {note.key for note in found.notes}


# --- pictures --------------------------------------------------------------------------------------------------------


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


def profile() -> npt.NDArray[np.uint8]:
    """A head from the side: half a disc and a nose."""
    rows, columns = np.mgrid[:200, :160]
    head = ((rows - 100) ** 2 + (columns - 60) ** 2 < 70**2) & (columns > 30)
    nose = (abs(rows - 105) < 14) & (columns >= 120) & (columns < 150 - abs(rows - 105))
    return np.where((head | nose)[..., None], np.uint8([224, 180, 150]), np.uint8([60, 70, 90]))


@pytest.mark.usefixtures("metered")
@pytest.mark.parametrize("kind", ["profile", "cartoon"])
def test_whoever_is_shown_is_drawn_and_measured_as_far_as_it_goes(spec: RenderSpec, kind: str) -> None:
    """The network needs no landmarks; where no lips can be found afterwards, that is what the report says."""
    if kind == "cartoon":
        draw_face(spec.source, (320, 320))
    else:
        write_picture(spec.source, profile())
    report = rendered(replace(spec, size=(128, 128), verify=True))
    assert report.check is SyncCheck.UNMEASURABLE  # the meter in the network's place draws no face
    assert report.verdict.text("zh_CN") != report.verdict.text("en")


def test_a_picture_of_one_pixel_is_refused(spec: RenderSpec) -> None:
    write_picture(spec.source, np.zeros((1, 1, 3), np.uint8))
    assert refusal_of(spec).code == "liveavatar.tiny_picture"


# --- voices ----------------------------------------------------------------------------------------------------------


def write_wave(path: Path, samples: npt.NDArray[np.int16]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())


def test_a_voice_of_no_length_is_refused(spec: RenderSpec) -> None:
    write_wave(spec.voice, np.zeros(0, np.int16))
    assert "voice.wav" in str(refusal_of(spec))


@pytest.mark.usefixtures("metered")
@pytest.mark.parametrize("kind", ["silence", "music", "a blink"])
def test_sound_that_is_no_speech_is_drawn(spec: RenderSpec, kind: str) -> None:
    """Silence has no level to divide by, music no words, and 20 ms no row of features."""
    time = np.arange(16_000) / 16_000
    chord = np.sum([np.sin(2 * np.pi * tone * time) for tone in (220.0, 277.2, 329.6)], axis=0) / 3
    samples = {"silence": np.zeros(16_000), "music": chord * 12_000, "a blink": chord[:320] * 12_000}[kind]
    write_wave(spec.voice, samples.astype(np.int16))
    assert rendered(spec).frames == -(-len(samples) // 640)


@pytest.mark.usefixtures("big")
def test_a_voice_of_three_hours_is_planned(spec: RenderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published table of angles ends after two hours."""
    hours = 3 * 3600
    machine(monkeypatch, 80, 200)
    with wave.open(str(spec.voice), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        for _ in range(hours // 60):
            file.writeframes(bytes([128]) * 8000 * 60)
    found = run(estimate(replace(spec, size=(704, 384))))
    assert isinstance(found, Estimate), found
    assert found.seconds > hours  # a card of 80 GB draws slower than people speak
    last = hours * 25 // 12
    angles = block_rotation(last, LatentSize(8, 8), 48, "cpu")
    before = block_rotation(last - 1, LatentSize(8, 8), 48, "cpu")
    assert torch.isfinite(angles.cos).all()
    assert not torch.equal(angles.cos, before.cos)


# --- prompts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "note"),
    [
        ("", "liveavatar.note.no_prompt"),
        ("x" * 5000, "liveavatar.note.long_prompt"),
        ("一个人在厨房里说话。" * 100, "liveavatar.note.long_prompt"),
        ("一个人在厨房里说话。" * 20, None),
        ("a person talks", None),
    ],
)
def test_odd_prompts_are_noted(spec: RenderSpec, prompt: str, note: str | None) -> None:
    kinds = {"liveavatar.note.no_prompt", "liveavatar.note.long_prompt"}
    assert notes_of(replace(spec, prompt=prompt)) & kinds == ({note} if note else set())


@pytest.mark.usefixtures("metered")
@pytest.mark.parametrize("prompt", ["", "very " * 1000, "一个人在说话。"])
def test_any_prompt_is_drawn(spec: RenderSpec, prompt: str) -> None:
    write_voice(spec.voice, seconds=0.3)
    assert rendered(replace(spec, prompt=prompt)).frames == 8


# --- settings --------------------------------------------------------------------------------------------------------


def test_clips_of_no_whole_blocks_are_rounded_with_a_note(spec: RenderSpec) -> None:
    """A shorter memory that was asked for is not said to be one that was needed."""
    rounded, short = "liveavatar.import.frames", "liveavatar.plan.window"
    assert notes_of(spec.with_parameters(infer_frames=32)) & {rounded, short} == {rounded}
    assert not notes_of(spec.with_parameters(infer_frames=36)) & {rounded, short}


def test_a_number_out_of_range_is_said_with_the_range(spec: RenderSpec) -> None:
    refusal = refusal_of(spec.with_parameters(sample_steps=5))
    assert "from 3 to 4." in str(refusal)


def test_a_processor_is_not_said_to_have_graphics_memory(spec: RenderSpec) -> None:
    notes = notes_of(spec)
    assert "liveavatar.plan.processor" in notes
    assert "liveavatar.plan.wavefront" not in notes


# --- machines --------------------------------------------------------------------------------------------------------


@pytest.fixture
def big(spec: RenderSpec, official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the files say that they are the released network; its tensors are only looked at when it is loaded."""
    del spec  # names the tiny one; it has to come first
    shutil.copytree(official, tmp_path / "big")
    (tmp_path / "big" / "Wan2.2-S2V-14B" / "config.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "big"))


def machine(monkeypatch: pytest.MonkeyPatch, vram: float | None, ram: float, disk: float = 500) -> None:
    """Let this machine have so many GiB, and no card for ``None``."""
    card = None if vram is None else Gpu("cuda:0", "a card", int(vram * GIB), int(vram * GIB), compute=(8, 9))
    cards = () if card is None else (card,)
    here = Host(16, int(ram * GIB), int(ram * GIB), int(disk * GIB), cards)
    monkeypatch.setattr("engine.generation.render.this_host", lambda _: here)


@pytest.mark.usefixtures("big")
@pytest.mark.parametrize(
    ("vram", "ram", "code", "says"),
    [(8, 128, "liveavatar.memory", "8.6 GB"), (24, 16, "liveavatar.memory", "17.2 GB"),
     (None, 32, "liveavatar.memory_processor", "34.4 GB")],
)  # fmt: skip
def test_too_little_for_the_released_network_is_said_before_loading(
    spec: RenderSpec, monkeypatch: pytest.MonkeyPatch, vram: float | None, ram: float, code: str, says: str
) -> None:
    """With what it needs and what there is."""
    machine(monkeypatch, vram, ram)
    found = run(estimate(replace(spec, size=(704, 384))))
    assert isinstance(found, Refusal), found
    assert found.code == code
    assert says in found.sentence.text("en")
    assert found.sentence.text("zh_CN") != found.sentence.text("en")


@pytest.mark.usefixtures("big")
def test_wishes_that_cannot_go_together_are_refused(spec: RenderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, 80, 200)
    wishes = spec.with_parameters(ring_precision="fp8", ring_place="ram")
    found = run(estimate(replace(wishes, offload=Offload.NONE, precision=Precision.BF16)))
    assert isinstance(found, Refusal)
    assert found.code == "liveavatar.contradiction"


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


def test_a_full_disk_is_said_before_loading(spec: RenderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil has it
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(GIB, GIB - 1000, 1000))
    assert refusal_of(spec).code == "export.disk_too_small"


@pytest.mark.usefixtures("metered")
def test_a_card_lost_on_the_way_keeps_what_is_finished(spec: RenderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    write_voice(spec.voice, seconds=3.0)
    spec = spec.with_parameters(save_rings=False)  # the meter remembers nothing that could be saved
    rendered(spec)
    whole = content(spec.target)
    again = replace(spec, overwrite=True)
    real = Meter.blocks

    def lost(self: Meter) -> Iterator[Finished]:
        for finished in real(self):
            if finished.block == 4:
                raise RuntimeError("CUDA error: unspecified launch failure")
            yield finished

    with monkeypatch.context() as patch:
        patch.setattr(Meter, "blocks", lost)
        assert refusal_of(again).code == "liveavatar.card_lost"
    report = rendered(again)
    assert report.resumed_segments == 3  # four blocks less the lead-in: three segments of a block, and a part
    assert content(spec.target) == whole

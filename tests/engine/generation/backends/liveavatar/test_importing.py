"""Command lines and settings of the published program, as people keep them."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.generation.backends.liveavatar.importing import import_settings
from engine.generation.spec import Precision, RenderSpec
from engine.refusal import Refused
from tests.engine.generation.conftest import write_picture

LINE = r"""
torchrun --nproc_per_node=1 minimal_inference/s2v_streaming_interact.py \
     --size "704*384" --base_seed 420 --prompt "It's a \"dwarf\" -- laughing" \
     --image {image} --audio "my voice.wav" --infer_frames 32 --sample_steps 4 \
     --sample_guide_scale 0 --num_clip 10000 --fp8 --enable_online_decode --convert_model_dtype
"""


@pytest.fixture
def base(tmp_path: Path) -> RenderSpec:
    picture = write_picture(tmp_path / "face.png", np.zeros((1080, 1920, 3), np.uint8))
    return RenderSpec(picture, tmp_path / "voice.wav", tmp_path / "clip.mp4")


def test_a_command_line(base: RenderSpec) -> None:
    read = import_settings(LINE.replace("{image}", str(base.source)), base)
    spec = read.spec
    assert (spec.engine, spec.seed, spec.size) == ("liveavatar", 420, (704, 384))
    assert (spec.prompt, spec.voice) == ('It\'s a "dwarf" -- laughing', Path("my voice.wav"))
    assert (spec.precision, spec.online_decode, spec.most_frames) == (Precision.FP8, True, 36 * 10_000 - 3)
    assert dict(spec.parameters) == {"infer_frames": 36, "sample_steps": 4}
    assert {"liveavatar.import.frames", "liveavatar.import.clips"} <= {note.key for note in read.notes}
    assert all(note.text("zh_CN") != note.text("en") for note in read.notes)


def test_the_web_page(base: RenderSpec) -> None:
    text = "提示词 / Prompt: a person: talking\n视频尺寸 / Video Size: 688*368\n"
    text += "采样步数 / Sampling Steps: 20\nRandom Seed: -1"
    read = import_settings(text, base)
    assert (read.spec.prompt, read.spec.size, read.spec.seed) == ("a person: talking", (640, 384), 0)
    assert read.spec.parameters["sample_steps"] == 4
    assert {"liveavatar.import.steps", "liveavatar.import.seed"} <= {note.key for note in read.notes}


def test_every_setting_says_what_it_became_or_why_it_did_not(base: RenderSpec) -> None:
    read = import_settings(LINE.replace("{image}", str(base.source)), base)
    data = read.spec.to_json()
    for setting in read.settings:
        assert bool(setting.here) is (setting.why_not is None)
        if setting.here.startswith("parameters."):
            assert data["parameters"][setting.here.removeprefix("parameters.")] == setting.becomes
        elif setting.here:
            assert data[setting.here] == setting.becomes
    assert {each.name for each in read.settings if each.why_not} == {
        "nproc_per_node", "sample_guide_scale", "convert_model_dtype",
    }  # fmt: skip


def test_a_script_with_its_surroundings(base: RenderSpec) -> None:
    """Variables, comments, redirections and the program's own name are no settings, and no values of settings."""
    read = import_settings(
        "# --base_seed 9\nexport ENABLE_COMPILE=false\ntorchrun --master_port=29101 run.py --single_gpu --base_seed 7 "
        "--offload_kv_cache --fp8 2>&1 | tee log", base,
    )  # fmt: skip
    assert (read.spec.seed, read.spec.precision) == (7, Precision.FP8)
    assert dict(read.spec.parameters) == {"compile": False, "ring_place": "ram"}
    assert [each.value for each in read.settings if each.name == "master_port"] == ["29101"]


def test_a_picture_that_is_elsewhere_leaves_the_size_open(base: RenderSpec) -> None:
    read = import_settings("--size 1280*720 --image gone.png", base)
    assert read.spec.size is None
    assert {note.key for note in read.notes} == {"liveavatar.import.no_picture"}


@pytest.mark.parametrize(
    ("clips", "infer_frames", "frames"), [(1, None, 45), (10, None, 477), (10, 36, 357), (2, 32, 69)]
)
def test_num_clip_is_a_length(base: RenderSpec, clips: int, infer_frames: int | None, frames: int) -> None:
    """So many clips, without the three pictures that the published program throws away."""
    line = f"--num_clip {clips}" + ("" if infer_frames is None else f" --infer_frames {infer_frames}")
    assert import_settings(line, base).spec.most_frames == frames


def test_names_that_articles_mention(base: RenderSpec) -> None:
    read = import_settings("--audio_offset_ms=-40 --fps 16 --audio_fps 16000 --online_decode_chunk 24", base)
    assert (read.spec.audio_offset_ms, read.spec.fps, read.spec.online_decode_chunk) == (-40, Fraction(16), None)
    assert [note.key for note in read.notes] == ["liveavatar.import.without_effect", "liveavatar.import.block_by_block"]


def test_a_rate_that_cannot_be_drawn_is_told(base: RenderSpec) -> None:
    read = import_settings("--fps 29.97", replace(base, fps=Fraction(16)))
    assert read.spec.fps is None
    assert [(each.here, each.why_not) for each in read.settings] == [("", read.notes[0])]
    for said in (read.notes[0].text("en"), read.notes[0].text("zh_CN")):
        assert {"29.97", "25", "16"} <= set(re.findall(r"[\d.]*\d", said))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "--what 3",
        "--prompt 'open",
        "--size 3*3",
        "--infer_frames many",
        "--audio_fps 44100",
        "--num_clip 0",
        "--fps 1/0",
        "--fps 0",
    ],
)
def test_nonsense_is_refused(base: RenderSpec, text: str) -> None:
    with pytest.raises(Refused):
        import_settings(text, base)

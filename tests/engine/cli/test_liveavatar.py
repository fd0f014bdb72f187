"""What people have of the published LiveAvatar program becomes a command line that means the same."""

from __future__ import annotations

import json
import shlex
from contextlib import closing
from dataclasses import fields, replace
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.cli import commands, many_files
from engine.cli.exit_codes import ExitCode
from engine.cli.render_jobs import render_file, spec_of
from engine.cli.render_line import render_line
from engine.generation.events import Notice
from engine.generation.spec import LengthPolicy, Offload, Precision, RenderSpec, SilencePolicy
from tests.engine.conftest import Run
from tests.engine.generation.backends.liveavatar.checkpoint import write_official
from tests.engine.generation.conftest import write_picture
from tests.media.voices import write_voice

SCRIPT = r"""
#!/bin/bash
export ENABLE_COMPILE=true
CUDA_VISIBLE_DEVICES=0 torchrun --nproc_per_node=1 --master_port=29101 minimal_inference/s2v_streaming_interact.py \
    --size "704*384" --base_seed 420 --prompt "It's a dwarf -- laughing" --image "my face.png" --audio voice.wav \
    --infer_frames 48 --sample_steps 4 --sample_guide_scale 0 --num_clip 10 --whatever 3 --fp8 2>&1 | tee log.txt
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    write_picture(tmp_path / "my face.png", np.zeros((720, 1280, 3), np.uint8))
    path = tmp_path / "run.sh"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def parsed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> RenderSpec:
    """What a command line asks for, taken from the task that it would start."""
    tasks: list[Any] = []
    monkeypatch.setattr(many_files.Work, "do", lambda _self, given, _show: tasks.extend(given) or 0)
    assert commands.run_command(words) == 0
    arguments = dict(tasks[0].arguments)
    del arguments["resume"]
    return spec_of(**arguments)


def test_a_script_is_read_told_and_becomes_a_command(
    plosive: Run, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = plosive("liveavatar", "import", script)
    assert done.returncode == ExitCode.DONE, done.stderr
    said = " ".join(done.stdout.split())
    assert "size = 704*384 size = 704x384" in said
    assert "num_clip = 10 most_frames = 477" in said
    assert "no setting of this name: whatever" in said
    assert "Without effect in the published program, and here: sample_guide_scale." in said
    words = shlex.split(done.stdout.splitlines()[-1])
    assert words[:2] == ["plosive", "render"]
    monkeypatch.chdir(script.parent)
    spec = parsed(words[1:], monkeypatch)
    assert (spec.engine, spec.size, spec.seed, spec.most_frames) == ("liveavatar", (704, 384), 420, 477)
    assert (spec.prompt, spec.precision) == ("It's a dwarf -- laughing", Precision.FP8)
    assert dict(spec.parameters) == {"compile": True, "infer_frames": 48, "sample_steps": 4}
    record = json.loads(plosive("liveavatar", "import", script, "--json").stdout)
    assert RenderSpec.from_json(record["spec"]) == spec
    assert shlex.split(record["command"]) == words
    assert {each["name"]: each["becomes"] for each in record["settings"]}["infer_frames"] == 48
    left_out = {each["name"]: each["why_not"] for each in record["settings"] if each["here"] is None}
    assert left_out.keys() == {
        "whatever",
        "sample_guide_scale",
        "nproc_per_node",
        "master_port",
        "CUDA_VISIBLE_DEVICES",
    }
    assert all(left_out.values())


def test_what_was_pasted_is_read_from_standard_input(
    script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        "提示词 / Prompt\na person talks\nto us\n视频尺寸 / Video Size\uff1a688*368\n生成片段数量 / Number of Clips: 2"
    )
    with (script.parent / "pasted").open("w+", encoding="utf-8") as pasted:
        pasted.write(text)
        pasted.seek(0)
        monkeypatch.setattr("sys.stdin", pasted)
        words = ["liveavatar", "import", "-", "--face", str(script.parent / "my face.png"), "-o", "a b.mp4", "--json"]
        assert commands.run_command(words) == ExitCode.DONE
    record = json.loads(capsys.readouterr().out)
    assert record["spec"]["prompt"] == "a person talks to us"
    assert (record["spec"]["size"], record["spec"]["most_frames"]) == ([640, 384], 93)
    assert "-o 'a b.mp4'" in record["command"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"hello", "no settings of LiveAvatar"),
        (b"--size 3*3", "size cannot be 3*3"),
        (b"\xff\xfe\x00--", "no text that can be read"),
        (None, "run.sh"),
    ],
)
def test_what_cannot_be_read_is_said(plosive: Run, script: Path, text: bytes | None, said: str) -> None:
    if text is None:
        script.unlink()
    else:
        script.write_bytes(text)
    done = plosive("liveavatar", "import", script)
    assert done.returncode == ExitCode.BAD_INPUT
    assert said in " ".join(done.stderr.split())


FULL = RenderSpec(
    Path("-face.png"),
    Path("voice file.wav"),
    Path("it's.mkv"),
    engine="liveavatar",
    parameters={"sample_steps": 3, "save_rings": False, "attention": "math"},
    fps=Fraction(16),
    size=(640, 384),
    seed=2**40,
    prompts=("--one", "two 二"),
    audio_offset_ms=-40.5,
    lead_in=0,
    length_policy=LengthPolicy.HOLD,
    most_frames=77,
    silence_policy=SilencePolicy.ORIGINAL,
    segment_seconds=Fraction(3, 2),
    online_decode=True,
    online_decode_chunk=24,
    face=2,
    devices=("cuda:0", "cuda:1"),
    offload=Offload.LAYERS,
    precision=Precision.BF16,
    allow_smaller=True,
    crf=18,
    verify=False,
    correct_bias=False,
    overwrite=True,
)
NOT_OPTIONS = {"prompt", "audio_offset_steps", "face_points", "crf"}
"""A single prompt is tested above; the others have no option, as :func:`render_line` says."""


@pytest.mark.parametrize("name", ["everything", "nothing"])
def test_a_spec_becomes_the_command_line_that_makes_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_picture(tmp_path / "-face.png", np.zeros((720, 1280, 3), np.uint8))
    plain = RenderSpec(FULL.source, FULL.voice, FULL.target, engine="liveavatar", crf=18)
    spec = FULL if name == "everything" else plain
    unset = {each.name for each in fields(FULL) if getattr(FULL, each.name) == getattr(plain, each.name)}
    assert unset - NOT_OPTIONS == {"source", "voice", "target", "engine"}
    assert replace(parsed(render_line(spec)[1:], monkeypatch), source=spec.source) == spec


def test_what_a_render_takes_is_said_before_anything_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_official(tmp_path / "models")
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no-hub"))
    picture = write_picture(tmp_path / "face.png", np.zeros((80, 80, 3), np.uint8))
    voice = write_voice(tmp_path / "voice.wav", seconds=0.3)
    job = render_file(
        str(picture), voice=str(voice), output=None, engine="liveavatar", preset="balanced", settings=[],
        fields={"size": [64, 64]}, resume=True,
    )  # fmt: skip
    with closing(job):
        before = [*takewhile(lambda progress: progress.stage != "loading", job)]
    said = [progress.partial.message.key for progress in before if isinstance(progress.partial, Notice)]
    assert said == ["liveavatar.plan.processor", "liveavatar.plan.speed", "liveavatar.note.no_prompt"]

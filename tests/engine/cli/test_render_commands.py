"""Rendering from a terminal: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from engine.cli.exit_codes import ExitCode
from engine.cli.render_answers import show_calibration
from engine.cli.render_jobs import default_output, render_file
from engine.cli.terminal import Terminal
from engine.generation.calibrate import draw_face
from engine.generation.profiles import CalibrationProfile
from engine.generation.spec import LengthPolicy, RenderSpec, spec_path
from engine.jobs import run
from engine.media.probe import probe
from engine.refusal import Refusal
from tests.engine.conftest import Run
from tests.media.voices import write_voice


@pytest.fixture
def face(tmp_path: Path) -> Path:
    draw_face(tmp_path / "face.png", (320, 320))
    return tmp_path / "face.png"


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    return write_voice(tmp_path / "voice.wav", seconds=1.0)


def test_a_clip_is_rendered_and_told(plosive: Run, face: Path, voice: Path) -> None:
    done = plosive(
        "render", face, voice, "-o", "talk.mp4", "--no-verify", "--fps", "30000/1001", "--size", "320x240",
        "--set", "sway=0.5", "--seed", "7", "--length", "hold",
    )  # fmt: skip
    assert done.returncode == ExitCode.DONE, done.stderr
    target = face.with_name("talk.mp4")
    assert "30 at 29.97 per second, 320x240" in done.stdout
    spec = RenderSpec.load(spec_path(target))
    assert (spec.fps, spec.seed, spec.parameters) == (Fraction(30000, 1001), 7, {"sway": 0.5})
    assert spec.length_policy is LengthPolicy.HOLD
    info = probe(target)
    assert info.video is not None
    assert info.video.rate == Fraction(30000, 1001)


def test_json_is_one_object(plosive: Run, face: Path, voice: Path) -> None:
    done = plosive("render", face, voice, "--no-verify", "--json", "--preset", "calibrate_quickly")
    record = json.loads(done.stdout)
    assert record["frames"] == 25
    assert record["check"] == "skipped"
    assert record["spec"]["crf"] == 23
    assert Path(record["file"]) == default_output(face, voice) == face.with_name("face-voice.mp4")


def test_engines_are_listed_in_both_languages(plosive: Run) -> None:
    for language in ("en", "zh"):
        done = plosive("engines", "--lang", language)
        assert done.returncode == ExitCode.DONE
        assert "draft" in done.stdout
        assert ("已就绪" in done.stdout) == (language == "zh")
    records = [json.loads(line) for line in plosive("engines", "--json").stdout.splitlines()]
    assert records[0]["engine"] == "draft"
    assert records[0]["ready"]
    assert {each["name"] for each in records[0]["parameters"]} >= {"sway", "blinks"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--engine", "nobody"], "no engine “nobody”"),
        (["--preset", "worst"], "no preset “worst”"),
        (["--set", "sway=much"], "0 to 2"),
        (["--set", "swing=1"], "no parameter “swing”"),
        (["--set", "sway"], "NAME=VALUE"),
        (["--size", "big"], "1280x720"),
        (["--fps", "0"], "30000/1001"),
        (["--device", "cuda:9"], "no device “cuda:9”"),
        (["-o", "clip.avi"], ".mp4"),
    ],
)
def test_what_cannot_be_is_said(plosive: Run, face: Path, voice: Path, arguments: list[str], said: str) -> None:
    done = plosive("render", face, voice, *arguments)
    assert done.returncode == ExitCode.BAD_INPUT
    assert said in " ".join(done.stderr.split())
    assert not list(face.parent.glob("*.mp4"))


def test_given_values_go_before_the_preset(face: Path, voice: Path) -> None:
    result = run(
        render_file(
            str(face), voice=str(voice), output=None, engine="draft", preset="best", settings=["sway=9"],
            fields={"seed": 1}, resume=True,
        )
    )  # fmt: skip
    assert isinstance(result, Refusal)
    assert result.code == "generation.parameter.range"


def test_a_prompt_is_checked_against_a_voice(plosive: Run, voice: Path) -> None:
    done = plosive("prompt", voice, "--prompt", "a woman dancing wildly")
    assert done.returncode == ExitCode.DONE, done.stderr
    assert "big movements (“dancing”)" in done.stdout
    assert "synchronized to speech" in done.stdout
    record = json.loads(plosive("prompt", voice, "--language", "zh", "--json").stdout)
    assert [each["code"] for each in record["findings"]] == ["prompts.no_person"]
    assert record["voice"]["seconds"] == pytest.approx(1, abs=0.02)
    assert "同步" in record["proposal"]
    assert record["parts"] == [record["proposal"]]


def test_a_voice_that_is_not_there_is_missed(plosive: Run) -> None:
    done = plosive("prompt", "nobody.wav", "--prompt", "a woman")
    assert done.returncode == ExitCode.BAD_INPUT
    assert "nobody.wav" in done.stderr


def test_an_offset_within_the_measurements_error_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    near = CalibrationProfile("draft", "", -3.5, 9.1, "30000/1001", "a processor", "a system", "2026-03-09")
    show_calibration(Terminal(), "draft", near)
    said = capsys.readouterr().out
    assert "nothing to set" in said
    assert "29.97 per second" in said
    assert "--audio-offset-ms" not in said
    show_calibration(Terminal(), "draft", replace(near, offset_ms=-35.0))
    assert "--audio-offset-ms -35" in capsys.readouterr().out

"""A spec says what is wrong with it, and comes out of JSON as it went in."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engine.generation.spec import LengthPolicy, Offload, Precision, RenderSpec, SilencePolicy, spec_path
from engine.refusal import Refused
from engine.wire import from_line, to_line

SPEC = RenderSpec(Path("face.png"), Path("voice.wav"), Path("clip.mp4"))
FULL = RenderSpec(
    Path("a b/脸.mp4"),
    Path("voice.m4a"),
    Path("out.mkv"),
    engine="latentsync",
    parameters={"steps": 20, "guidance": 1.5, "fast": True, "mode": "x"},
    fps=Fraction(30000, 1001),
    size=(640, 360),
    seed=2**40,
    prompt="a person talks",
    prompts=("one", "two"),
    audio_offset_ms=-40.0,
    audio_offset_steps=((Fraction(5, 3), 20.0), (Fraction(9), 0.0)),
    lead_in=3,
    length_policy=LengthPolicy.PING_PONG,
    most_frames=100,
    silence_policy=SilencePolicy.ORIGINAL,
    segment_seconds=Fraction(1, 2),
    online_decode=True,
    online_decode_chunk=12,
    face=2,
    face_points=((0.4, 0.4), (0.6, 0.4), (0.45, 0.7), (0.55, 0.7)),
    devices=("cuda:0", "cuda:1"),
    offload=Offload.LAYERS,
    precision=Precision.FP8,
    allow_smaller=True,
    crf=20,
    verify=False,
    correct_bias=False,
    overwrite=True,
)


@pytest.mark.parametrize("spec", [SPEC, FULL])
def test_a_spec_comes_out_of_json_as_it_went_in(spec: RenderSpec) -> None:
    assert RenderSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert from_line(to_line(spec)) == spec
    assert spec.problem() is None


def test_the_full_spec_leaves_nothing_at_its_default() -> None:
    assert [each.name for each in fields(SPEC) if getattr(SPEC, each.name) == getattr(FULL, each.name)] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fps", Fraction(0)),
        ("fps", Fraction(121)),
        ("size", (641, 360)),
        ("size", (0, 360)),
        ("audio_offset_ms", 2001.0),
        ("audio_offset_ms", float("nan")),
        ("audio_offset_steps", ((Fraction(2), 1.0), (Fraction(1), 1.0))),
        ("seed", -1),
        ("lead_in", -1),
        ("most_frames", 0),
        ("segment_seconds", Fraction(0)),
        ("online_decode_chunk", 0),
        ("face", 0),
        ("face_points", ((0.5, 0.5),)),
        ("face_points", ((1.5, 0.5), (0.6, 0.4), (0.45, 0.7), (0.55, 0.7))),
        ("devices", ()),
        ("devices", ("gpu",)),
        ("crf", 52),
    ],
)
def test_what_cannot_be_is_refused_in_words(name: str, value: Any) -> None:
    problem = replace(SPEC, **{name: value}).problem()
    assert problem is not None
    assert problem.code == f"generation.spec.{name}"
    assert str(problem)
    assert problem.sentence.text("zh_CN") != problem.sentence.text("en")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"fps": "fast"},
        {"fps": "1/0"},
        {"size": [640]},
        {"seed": 1.5},
        {"overwrite": 1},
        {"length_policy": "stretch"},
        {"parameters": {"a": [1]}},
        {"parameters": 3},
        {"audio_offset_ms": "3"},
        {"unknown": 1},
        {"source": 3},
    ],
)
def test_json_of_something_else_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        RenderSpec.from_json(SPEC.to_json() | change)
    assert caught.value.refusal.code == "generation.spec.unreadable"


def test_a_damaged_spec_file_is_refused(tmp_path: Path) -> None:
    path = spec_path(tmp_path / "clip.mp4")
    with pytest.raises(Refused):
        RenderSpec.load(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(Refused):
        RenderSpec.load(path)
    path.write_text(json.dumps(FULL.to_json()), encoding="utf-8")
    assert RenderSpec.load(path) == FULL

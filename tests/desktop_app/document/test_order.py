"""What is to be rendered next: names of new files, what an engine cannot do, presets."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from desktop_app.document.order import Order
from engine.generation.backend import Capabilities, Parameter, ParameterKind
from engine.generation.presets import preset
from engine.words import Message

SENTENCE = Message("generation.verdict.skipped")


def engine(name: str = "one", **more: object) -> Capabilities:
    gain = Parameter("gain", ParameterKind.NUMBER, 1.0, SENTENCE, SENTENCE, 0.0, 2.0)
    return Capabilities(name, SENTENCE, SENTENCE, "1", parameters=(gain,), **more)  # type: ignore[arg-type]


@pytest.fixture
def order(tmp_path: Path) -> Order:
    made = Order()
    made.set_engine(engine())
    made.set_source(tmp_path / "face.png")
    made.set_voice(tmp_path / "voice.wav")
    return made


def test_there_is_nothing_to_render_before_face_and_voice_are_chosen(tmp_path: Path) -> None:
    order = Order()
    assert order.spec is None
    order.set_source(tmp_path / "face.png")
    assert order.spec is None
    order.set_voice(tmp_path / "voice.wav")
    assert order.spec is not None


def test_a_new_file_gets_a_name_that_nobody_has_or_was_promised(tmp_path: Path) -> None:
    promised: set[Path] = set()
    order = Order(promised.__contains__)
    order.set_source(tmp_path / "face.png")
    order.set_voice(tmp_path / "voice.wav")
    assert order.target == tmp_path / "face-voice-draft.mp4"
    (tmp_path / "face-voice-draft.mp4").touch()
    assert order.target == tmp_path / "face-voice-draft-2.mp4"
    promised.add(tmp_path / "face-voice-draft-2.mp4")
    assert order.target == tmp_path / "face-voice-draft-3.mp4"
    order.set_voice(tmp_path / "face.png")
    assert order.target == tmp_path / "face-draft.mp4"


def test_a_file_that_the_user_named_is_replaced(order: Order, tmp_path: Path) -> None:
    (tmp_path / "mine.mp4").touch()
    order.set_target(tmp_path / "mine.mp4")
    assert order.spec is not None
    assert (order.spec.target, order.spec.overwrite) == (tmp_path / "mine.mp4", True)


def test_what_another_engine_cannot_do_is_forgotten(order: Order) -> None:
    order.set_parameter("gain", 2.0)
    order.choose(fps=Fraction(30), size=(642, 480), seed=7)
    other = engine("other", fps=(Fraction(25),), size_multiple=16)
    order.set_engine(other)
    spec = order.spec
    assert spec is not None
    assert other.problem(spec) is None
    assert (spec.fps, spec.size, spec.seed, dict(spec.parameters)) == (None, None, 7, {"gain": 2.0})


def test_a_preset_is_followed_until_one_of_its_choices_is_made_differently(order: Order) -> None:
    order.set_preset(preset("balanced"))
    order.set_source_size((3840, 2160))
    assert order.choices.size == (1280, 720)
    order.choose(seed=3)
    assert order.preset is not None
    order.set_preset(preset("best"))
    assert order.choices.size is None
    assert order.choices.seed == 3
    order.choose(crf=30)
    assert order.preset is None
    order.set_source_size((100, 100))
    assert order.choices.crf == 30


def test_a_face_marked_by_hand_belongs_to_its_picture(order: Order, tmp_path: Path) -> None:
    order.choose(face=2, face_points=((0.1, 0.1), (0.2, 0.1), (0.1, 0.2), (0.2, 0.2)))
    order.set_source(tmp_path / "other.png")
    assert (order.choices.face, order.choices.face_points) == (None, ())

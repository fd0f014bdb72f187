"""Sentences come out in the language asked for, whatever is put into them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.refusal import Refusal
from engine.words import LANGUAGES, Message, current_language, printable, system_language, use_language


def test_values_are_put_in_with_their_format() -> None:
    assert str(Message("timing.moved_later", ms=83.25)) == "sound moved 83.2 ms later"


def test_messages_inside_messages_follow_the_language_of_the_whole() -> None:
    whole = Message("fix.moved", moved=Message("timing.moved_later", ms=1.0))
    assert Message("timing.moved_later", ms=1.0).text("zh_CN") in whole.text("zh_CN")
    use_language("zh")
    assert "sound moved 1.0 ms later" in whole.text("en")


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("zh", "zh_CN"),
        ("zh_TW", "zh_CN"),
        ("zh-Hans", "zh_CN"),
        ("zh_CN.UTF-8", "zh_CN"),
        ("en_GB.UTF-8", "en"),
        ("fr", "en"),
        ("C", "en"),
        ("", "en"),
    ],
)
def test_locale_names_are_understood(asked: str, spoken: str) -> None:
    use_language(asked)
    assert current_language() == spoken


def test_the_environment_chooses_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLOSIVE_LANG", "zh")
    assert system_language() == "zh"
    monkeypatch.delenv("PLOSIVE_LANG")
    monkeypatch.setattr("locale.getlocale", lambda: (None, None))
    assert system_language() == LANGUAGES[0]


def test_an_unknown_key_is_a_bug() -> None:
    with pytest.raises(KeyError):
        str(Message("timing.no_such_sentence"))


def test_equal_messages_are_equal_and_travel() -> None:
    message = Message("timing.late", ms=3, uncertainty=1)
    assert message == Message("timing.late", uncertainty=1, ms=3)
    assert pickle.loads(pickle.dumps(message)) == message
    assert len({message, Message("timing.late", ms=3, uncertainty=1)}) == 1


@given(st.text())
def test_printable_text_has_no_control_characters_and_can_be_encoded(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert not any(character in shown for character in "\n\r\t\x00\x1b\x7f\x85\u2028")
    assert printable(shown) == shown


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("talk (final) [2].mp4", "嘴唇\u3000声音.mp4", "été 🎬👩\u200d🚀.mov", "back\\slash"):
        assert printable(name) == name


@pytest.mark.parametrize("make", [str, Path])
def test_file_names_in_sentences_are_printable(make: Callable[[str], object]) -> None:
    sentence = str(Message("media.missing.sentence", path=make("a\nb\udcff{x}")))
    assert "a\\nb\\udcff{x}" in sentence


def test_sentences_follow_each_other_as_the_language_writes_them() -> None:
    refusal = Refusal.of("export.disk_full", path="/clips")
    assert " is full. Make room" in str(refusal)
    use_language("zh_CN")
    try:
        assert "。 " not in str(refusal)
        assert str(refusal).count("。") > 1
    finally:
        use_language("en")

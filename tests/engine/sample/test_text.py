import pytest

from engine.sample.phonemes import SOUNDS
from engine.sample.text import phrases, sample_text


def names(text: str) -> list[str]:
    return [" ".join(phone.phone for phone in phrase.phones) for phrase in phrases(text)]


@pytest.mark.parametrize("name", ["sentences", "calibration", "mandarin"])
def test_every_word_of_the_projects_own_texts_can_be_said(name: str) -> None:
    for text in sample_text(name):
        for phrase in phrases(text):
            assert all(phone.phone in SOUNDS for phone in phrase.phones)
            assert any(SOUNDS[phone.phone].is_vowel for phone in phrase.phones)


def test_sentences_are_rich_in_sounds_an_eye_can_time() -> None:
    said = [phone.phone for text in sample_text("sentences") for phrase in phrases(text) for phone in phrase.phones]
    visible = sum(name in {"p", "b", "m", "f", "v", "w"} for name in said)
    assert visible / len(said) > 0.2


def test_text_is_cut_into_phrases_at_its_punctuation() -> None:
    assert names("Peak, top, kick.") == ["p iy k", "t aa p", "k ih k"]
    assert [phrase.ending for phrase in phrases("Peak, top. Kick? Peak")] == [",", ".", "?", "."]


def test_pinyin_is_spelt_by_rule_and_carries_its_tone() -> None:
    (phrase,) = phrases("zhuang4 ma")
    assert [phone.phone for phone in phrase.phones] == ["jh", "w", "aa", "ng", "m", "aa"]
    assert [phone.tone for phone in phrase.phones] == [4, 4, 4, 4, 0, 0]


def test_phones_can_be_given_between_slashes() -> None:
    assert names("/p aa1 p ax/ map") == ["p aa p ax m ae p"]


@pytest.mark.parametrize("text", ["xylophone", "/p aa1 zz/", "Peak, qqq."])
def test_an_unknown_word_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"xylophone|zz|qqq"):
        phrases(text)

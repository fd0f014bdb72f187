"""The prompt helper: what a voice sounds like, what does not fit it, and how a prompt is said and split."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.generation.prompts import VoiceTraits, check_prompt, language_of, listen, split_prompt
from engine.jobs import run
from engine.refusal import Refusal
from engine.words import LANGUAGES
from tests.engine.generation.backends.draft.talk import RATE, sample_voice

USUAL = VoiceTraits(seconds=8, speech=7, loudness=-23, syllables=3.6, pauses=0.1, voicing=0.75, laughter=0)
SAFE = "mouth movements synchronized to speech"


def heard(tmp_path: Path, samples: np.ndarray) -> VoiceTraits:
    path = tmp_path / "voice.wav"
    soundfile.write(path, samples, RATE)
    traits = run(listen(path))
    assert isinstance(traits, VoiceTraits)
    return traits


def names(prompt: str, traits: VoiceTraits = USUAL) -> set[str]:
    return {finding.key.removeprefix("prompts.") for finding in check_prompt(prompt, traits).findings}


def test_a_usual_voice_is_heard_as_one(tmp_path: Path) -> None:
    traits = heard(tmp_path, sample_voice(2))
    assert traits.seconds == pytest.approx(8, abs=0.02)
    assert 5 < traits.speech < 8
    assert 2 < traits.syllables < 5.5
    assert traits.voicing > 0.6
    assert traits.laughter == 0
    assert 0.05 < traits.pauses < 0.4


def test_a_quiet_voice_is_quiet_and_silence_is_nothing(tmp_path: Path) -> None:
    loud, quiet = heard(tmp_path, sample_voice(2)), heard(tmp_path, sample_voice(2) * 0.1)
    assert loud.loudness is not None
    assert quiet.loudness is not None
    assert quiet.loudness == pytest.approx(loud.loudness - 20, abs=0.5)
    silent = heard(tmp_path, np.zeros(RATE))
    assert (silent.loudness, silent.speech, silent.syllables) == (None, 0, 0)


def test_a_whisper_has_no_voice_in_it(tmp_path: Path) -> None:
    from scipy.signal import butter, sosfilt

    rng = np.random.default_rng(5)
    breath = sosfilt(butter(2, (1500, 6000), "band", fs=RATE, output="sos"), rng.normal(0, 1, 8 * RATE))
    envelope = np.sqrt(np.convolve(sample_voice(2) ** 2, np.ones(400) / 400, mode="same"))
    assert heard(tmp_path, 0.3 * breath * envelope).voicing < 0.3


def test_laughter_is_told_from_speech(tmp_path: Path) -> None:
    time = np.arange(4 * RATE) / RATE
    pitch = np.cumsum(220 * (1 - 0.04 * time)) / RATE
    bursts = np.clip(np.sin(2 * np.pi * 4.8 * time), 0, 1) ** 1.5
    laugh = 0.15 * bursts * sum(np.sin(2 * np.pi * number * pitch) / number for number in range(1, 14))
    assert heard(tmp_path, laugh).laughter > 2.5


@pytest.mark.clips
@pytest.mark.slow
def test_nobody_laughs_in_the_real_clips(clips_folder: Path) -> None:
    laughing = [
        traits.laughter > 1
        for path in sorted(clips_folder.glob("c0*.mp4"))
        if isinstance(traits := run(listen(path)), VoiceTraits) and traits.speech > 2
    ]
    assert len(laughing) > 10
    assert np.mean(laughing) < 0.05


def test_a_voice_that_cannot_be_heard_is_refused(tmp_path: Path) -> None:
    assert isinstance(run(listen(tmp_path / "nothing.wav")), Refusal)


@pytest.mark.parametrize(
    ("prompt", "change", "finding"),
    [
        ("A woman shouting at the camera", {"loudness": -32.0}, "shouting"),
        ("一位女士对着镜头大喊", {"loudness": -32.0}, "shouting"),
        ("A man yells", {"voicing": 0.1}, "shouting_whisper"),
        ("An old man whispering", {"loudness": -15.0}, "whispering"),
        ("老人低语着", {"loudness": -15.0}, "whispering"),
        ("A rapid speaker", {"syllables": 2.0}, "hurried"),
        ("语速缓慢的老师", {"syllables": 5.5}, "slow"),
        ("A serious newsreader", {"laughter": 3.0}, "serious_laughter"),
        ("严肃的主持人", {"laughter": 3.0}, "serious_laughter"),
        ("A laughing child", {"laughter": 0.0}, "laughing"),
        ("A silent statue", {"speech": 6.0}, "silent"),
        ("A nonstop talker", {"pauses": 0.5}, "nonstop"),
        ("A man dancing in the rain", {}, "motion"),
        ("戴口罩的医生", {}, "hidden"),
    ],
)
def test_what_does_not_fit_is_said(prompt: str, change: dict[str, float], finding: str) -> None:
    traits = replace(USUAL, **change)
    assert finding in names(prompt, traits)
    for message in check_prompt(prompt, traits).findings:
        for language in LANGUAGES:
            assert "{" not in message.text(language)


@pytest.mark.parametrize(
    "prompt",
    [
        "A woman shouting at the camera", "An old man whispering", "A serious newsreader", "A calm teacher",
        "A man who is not dancing", "Without a mask, a doctor", "没有戴口罩的医生", "不要大喊的人",
    ],
)  # fmt: skip
def test_what_fits_or_is_not_asked_for_is_left_alone(prompt: str) -> None:
    sync = SAFE if language_of(prompt) == "en" else "口型同步"
    assert names(f"{prompt}, {sync}") == set()


def test_a_prompt_is_put_in_the_safe_order_and_keeps_the_person() -> None:
    advice = check_prompt("A young woman with red hair, shouting, dancing wildly", replace(USUAL, loudness=-32.0))
    proposal = advice.proposal
    places = [proposal.index(part) for part in ("A young woman with red hair", "calm", "small natural", SAFE)]
    assert places == sorted(places)
    assert "shout" not in proposal
    assert "danc" not in proposal
    assert check_prompt(proposal, replace(USUAL, loudness=-32.0)).findings == ()


def test_a_proposal_in_chinese_is_chinese_throughout() -> None:
    proposal = check_prompt("一位红头发的年轻女子，跳舞", USUAL).proposal
    assert proposal.startswith("一位红头发的年轻女子")
    assert "跳舞" not in proposal
    assert not any(character.isascii() and character.isalpha() for character in proposal)
    assert check_prompt(proposal, USUAL).findings == ()


@pytest.mark.parametrize("traits", [USUAL, replace(USUAL, loudness=-35.0), replace(USUAL, syllables=5.2)])
def test_an_empty_prompt_gets_a_whole_one_that_fits(traits: VoiceTraits) -> None:
    advice = check_prompt("  ", traits)
    assert {finding.key for finding in advice.findings} == {"prompts.no_person"}
    assert check_prompt(advice.proposal, traits).findings == ()


def test_the_emotion_that_was_asked_for_stays_when_it_fits() -> None:
    assert "serious expression" in check_prompt("A serious judge", USUAL).proposal
    assert "cheerful" in check_prompt("A serious judge", replace(USUAL, laughter=4.0)).proposal


def test_a_prompt_is_split_in_order_over_the_clip() -> None:
    prompt = "A man in a blue shirt. He is sad. Then he looks up and smiles; he is confident at the end."
    parts = split_prompt(prompt, replace(USUAL, seconds=38.0))
    assert len(parts) == 4
    assert all(part.startswith("A man in a blue shirt") and SAFE in part for part in parts)
    assert "sad" in parts[1]
    assert "cheerful" in parts[2]
    assert "confident" in parts[3]


def test_chinese_prompts_are_split_too() -> None:
    parts = split_prompt("穿蓝衬衫的男人。他很悲伤，然后他微笑。", replace(USUAL, seconds=25.0))
    assert len(parts) == 3
    assert all(part.startswith("穿蓝衬衫的男人") for part in parts)


def test_short_clips_and_single_wishes_are_not_split() -> None:
    assert len(split_prompt("One. Two. Three.", replace(USUAL, seconds=9.0))) == 1
    assert len(split_prompt("A woman by a window", replace(USUAL, seconds=90.0))) == 1


def test_a_long_prompt_for_a_long_clip_is_to_be_split() -> None:
    long = "A man. " + "He looks at the garden and thinks. " * 20
    assert "too_long" in names(long, replace(USUAL, seconds=60.0))
    assert "too_long" not in names(long)


def test_the_rules_are_complete_in_both_languages() -> None:
    data = tomllib.loads(files("resources").joinpath("generation", "prompts.toml").read_text(encoding="utf-8"))
    for words in [*(rule["words"] for rule in data["rules"]), *data["emotions"].values()]:
        assert set(words) == set(LANGUAGES)
        assert all(words.values())
    for language in LANGUAGES:
        assert set(data["structure"][language]["emotions"]) == set(data["emotions"])
    named = {rule.get("instead") for rule in data["rules"]} | {each["emotion"] for each in data["voices"]}
    assert named - {None} <= set(data["emotions"])
    assert "trait" not in data["voices"][-1]  # something always fits


def test_a_proposal_comes_in_the_language_that_is_wanted() -> None:
    own = check_prompt("A woman in a red coat, smiling", USUAL)
    other = check_prompt("A woman in a red coat, smiling", USUAL, "zh_CN")
    assert language_of(own.proposal) == "en"
    assert language_of(other.proposal) == "zh_CN"
    assert other.proposal.startswith("A woman in a red coat")
    assert other.findings == own.findings
    assert all(language_of(part) == "zh_CN" for part in other.parts)

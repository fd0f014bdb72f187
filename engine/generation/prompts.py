"""Helps with prompts: does what is asked for fit the voice, how is it better said, and how is it split over a clip.

The rules are data (``resources/generation/prompts.toml``), in English and Chinese; a prompt's language is its script's.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.generation.plan import PROMPT_SECONDS, VOICE_RATE
from engine.jobs import Job, Progress
from engine.refusal import Refusal, Refused
from engine.words import Message

_ROWS = 100
"""Rows per second in which a voice is looked at."""
_LOW_BANDS, _MIDDLE_BANDS, _HIGH_BANDS = slice(0, 8), slice(4, 26), slice(28, 40)
"""Of 40 mel bands: 60 to 640 Hz, where a sounding voice is strongest; 270 to 2900 Hz, vowels; above 3.3 kHz, breath."""
_SYLLABLE_RISE_DB = 3.0
_SYLLABLE_APART = 10
_LAUGH_ROWS = 150
_LAUGH_PERIODS = (14, 34)
"""A laugh is a row of bursts, 3 to 7 a second (Bachorowski et al. 2001, J. Acoust. Soc. Am. 110)."""
_LAUGH_EVENNESS = 0.68
"""Autocorrelation of the level at the period of the bursts: speech is hardly ever so even for 1.5 s."""
_LAUGH_SWING_DB = 9.0
"""Standard deviation of the level: between the bursts of a laugh it is nearly silent."""


@dataclass(frozen=True, slots=True)
class VoiceTraits:
    """What can be heard of a voice's manner.

    Attributes:
        seconds: its length.
        speech: seconds of speech.
        loudness: programme loudness in LUFS, ``None`` when there is nothing to hear.
        syllables: that stand out, per second of speech: people reading aloud have 3 to 4.5.
        pauses: share of the time from the first to the last word in which nobody speaks.
        voicing: share of the speech in which the voice sounds; whispering has hardly any.
        laughter: seconds of laughter.
    """

    seconds: float
    speech: float
    loudness: float | None
    syllables: float
    pauses: float
    voicing: float
    laughter: float


@dataclass(frozen=True, slots=True)
class PromptAdvice:
    """What to do about a prompt.

    Attributes:
        findings: what does not fit, in sentences; empty if all is well.
        proposal: the same wish, said in the safe order: person, emotion, limits of motion, sync.
        parts: the proposal for every ten seconds of the voice, for :attr:`RenderSpec.prompts`; a single one if the
            prompt has nothing to split.
    """

    findings: tuple[Message, ...]
    proposal: str
    parts: tuple[str, ...]


def listen(voice: Path) -> Job[VoiceTraits | Refusal]:
    """Hear how a voice speaks; a stream, so that hours take no more memory than a byte per millisecond.

    Returns:
        The traits, or why the file cannot be heard.
    """
    from engine.media.samples import read_samples
    from engine.sound.features import log_mel
    from engine.sound.loudness import LoudnessMeter
    from engine.sound.speech import SpeechActivity

    meter, activity = LoudnessMeter(VOICE_RATE), SpeechActivity(VOICE_RATE)
    active, levels = [np.zeros(0, np.float32)], [np.zeros((0, 3), np.float32)]
    try:
        for block in read_samples(voice, sample_rate=VOICE_RATE, block_seconds=10):
            meter.add(block.data)
            active.append(activity.push(block.data))
            bands = log_mel(block.data)
            levels.append(_level_rows(bands))
            yield Progress("listening", 0.5)
    except Refused as refused:
        return refused.refusal
    active.append(activity.finish())
    return traits_of(np.concatenate(active), np.concatenate(levels), meter.lufs)


def _level_rows(bands: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return dB of low, middle and high bands, shape ``(rows, 3)``."""
    power = np.exp(2 * bands)
    groups = [power[:, part].sum(1) for part in (_LOW_BANDS, _MIDDLE_BANDS, _HIGH_BANDS)]
    return np.asarray(10 * np.log10(np.stack(groups, axis=1) + 1e-12), np.float32)


def traits_of(
    activity: npt.NDArray[np.float32], levels: npt.NDArray[np.float32], loudness: float | None
) -> VoiceTraits:
    """Sum up what was heard.

    Args:
        activity: how surely somebody speaks, 100 rows a second, shape ``(rows,)``.
        levels: dB below 640 Hz, from 270 to 2900 Hz, and above 3.3 kHz, shape ``(rows, 3)``.
        loudness: LUFS.
    """
    rows = min(len(activity), len(levels))
    speaking, levels = activity[:rows] >= 0.5, levels[:rows]
    spoken = int(speaking.sum())
    inside = np.flatnonzero(speaking)
    span = int(inside[-1] - inside[0]) + 1 if spoken else 0
    sounding = levels[speaking, 0] > levels[speaking, 2] + 3.0
    return VoiceTraits(
        seconds=rows / _ROWS,
        speech=spoken / _ROWS,
        loudness=loudness,
        syllables=_syllables(levels[:, 1], speaking) * _ROWS / spoken if spoken else 0.0,
        pauses=1 - spoken / span if span else 0.0,
        voicing=float(sounding.mean()) if spoken else 0.0,
        laughter=_laughing(levels[:, 1]) / _ROWS,
    )


def _syllables(level: npt.NDArray[np.float32], speaking: npt.NDArray[np.bool_]) -> int:
    """Count the peaks of the vowels' level that rise clearly out of the dips beside them."""
    if len(level) < 2 * _SYLLABLE_APART:
        return 0
    window = np.hanning(9)[1:-1]
    smooth = np.convolve(level, window / window.sum(), mode="same")
    count, floor, top, rising = 0, float(smooth[0]), float(smooth[0]), True
    last = -_SYLLABLE_APART
    for row, value in enumerate(smooth.tolist()):
        top, floor = max(top, value), min(floor, value)
        if rising and value < top - _SYLLABLE_RISE_DB:
            rising, floor = False, value
        elif not rising and value > floor + _SYLLABLE_RISE_DB:
            if speaking[row] and row - last >= _SYLLABLE_APART:
                count, last = count + 1, row
            rising, top = True, value
    return count + bool(count)


def _laughing(level: npt.NDArray[np.float32]) -> int:
    """Count the rows that lie in stretches of even bursts."""
    found = np.zeros(len(level), bool)
    for start in range(0, max(len(level) - _LAUGH_ROWS, 0) + 1, _LAUGH_ROWS // 3):
        part = level[start : start + _LAUGH_ROWS].astype(np.float64)
        if len(part) < _LAUGH_ROWS or part.max() < -60:
            continue
        part = np.maximum(part, part.max() - 40)
        if part.std() < _LAUGH_SWING_DB:
            continue
        part -= part.mean()
        # Two periods must fit: a single repetition is chance.
        even = [
            min(_likeness(part, period), _likeness(part, 2 * period)) for period in range(*_LAUGH_PERIODS)
        ]  # fmt: skip
        if max(even) >= _LAUGH_EVENNESS:
            found[start : start + _LAUGH_ROWS] = True
    return int(found.sum())


def _likeness(part: npt.NDArray[np.float64], lag: int) -> float:
    first, second = part[:-lag], part[lag:]
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second) + 1e-9))


def check_prompt(prompt: str, traits: VoiceTraits, language: str | None = None) -> PromptAdvice:
    """Compare a prompt with a voice and say it better.

    Args:
        prompt: what the user wrote; may be empty.
        traits: of the voice, see :func:`listen`.
        language: of what is proposed, ``en`` or ``zh_CN``; by default the prompt's own. What the user wrote about the
            person stays as it is.
    """
    data, said_in = _data(), language
    language = language_of(prompt)
    text = prompt.lower()
    findings, unfit = [], None
    for rule in data["rules"]:
        word = _first_word(text, rule["words"][language], language)
        if word is not None and _holds(rule.get("when"), traits):
            findings.append(Message(f"prompts.{rule['name']}", word=word, **_heard(traits)))
            unfit = unfit or rule.get("instead")
    structure = data["structure"][language]
    if not prompt.strip():
        findings.append(Message("prompts.no_person"))
    elif not any(word in text for word in structure["sync_words"]):
        findings.append(Message("prompts.no_sync"))
    count = max(1, math.ceil(traits.seconds / PROMPT_SECONDS))
    if _is_long(prompt, language) and count > 1:
        findings.append(Message("prompts.too_long", count=count, seconds=PROMPT_SECONDS))
    emotion = unfit or _named_emotion(text, language) or _fitting_emotion(traits)
    parts = split_prompt(prompt, traits, emotion, said_in)
    return PromptAdvice(tuple(findings), _proposal(prompt, emotion, said_in or language), parts)


def split_prompt(
    prompt: str, traits: VoiceTraits, emotion: str | None = None, said_in: str | None = None
) -> tuple[str, ...]:
    """Split a prompt over a clip, in order, one part for every ten seconds of voice.

    Sentences (and what follows a "then") are dealt out evenly; every part is a whole prompt in the safe order. With
    fewer sentences than parts, a sentence holds until the next one.

    Args:
        prompt: what the user wrote.
        traits: of the voice; its length decides.
        emotion: as in the rules, by default as the prompt or the voice has it.
        said_in: language of the parts, by default the prompt's own.
    """
    language = language_of(prompt)
    said_in = said_in or language
    emotion = emotion or _named_emotion(prompt.lower(), language) or _fitting_emotion(traits)
    steps = [step for step in _steps(prompt, language) if _is_kept(step, language)]
    count = max(1, math.ceil(traits.seconds / PROMPT_SECONDS))
    if len(steps) < 2 or count < 2:
        return (_proposal(prompt, emotion, said_in),)
    join = _data()["structure"][language]["join"]
    person = _person(steps[0], language)
    parts = []
    for number in range(count):
        first = number * len(steps) // count
        stop = max(first + 1, (number + 1) * len(steps) // count)
        wish = join.join(steps[first:stop])
        if first > 0:
            wish = join.join([person, wish])
        own = _named_emotion(wish.lower(), language) or emotion
        parts.append(_proposal(wish, own, said_in))
    return tuple(parts)


def language_of(prompt: str) -> str:
    """Return ``zh_CN`` for a prompt with Chinese characters, else ``en``."""
    return "zh_CN" if re.search(r"[\u4e00-\u9fff]", prompt) else "en"


@cache
def _data() -> Mapping[str, Any]:
    text = files("resources").joinpath("generation", "prompts.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _heard(traits: VoiceTraits) -> dict[str, float]:
    return {
        "loudness": -70.0 if traits.loudness is None else traits.loudness,
        "syllables": traits.syllables,
        "pauses": traits.pauses,
        "voicing": traits.voicing,
        "laughter": traits.laughter,
        "speech": traits.speech,
    }


def _holds(limits: Mapping[str, Any] | None, traits: VoiceTraits) -> bool:
    """Return whether a trait lies within limits. Of a voice that says nothing nothing can be said."""
    if limits is None or "trait" not in limits:
        return True
    if traits.speech == 0:
        return False
    value = _heard(traits)[limits["trait"]]
    return bool(value < limits.get("below", math.inf) and value > limits.get("above", -math.inf))


def _first_word(text: str, words: Sequence[str], language: str) -> str | None:
    """Return the first of some words that a prompt has, as it stands there."""
    for word in words:
        pattern = re.escape(word) if language == "zh_CN" else rf"\b{re.escape(word)}\w*"
        for found in re.finditer(pattern, text):
            if not _is_negated(text[: found.start()], language):
                return found.group()
    return None


def _is_negated(before: str, language: str) -> bool:
    """Return whether a word is asked not to happen: "not shouting", "without a mask"."""
    if language == "zh_CN":
        return bool(re.search(r"(不|没有|不要|别|无)[^，。；]{0,2}$", before))
    return bool(re.search(r"\b(no|not|never|without|isn't|don't|avoid)\s+(\w+\s+)?$", before))


def _named_emotion(text: str, language: str) -> str | None:
    for emotion, words in _data()["emotions"].items():
        if _first_word(text, words[language], language):
            return str(emotion)
    return None


def _fitting_emotion(traits: VoiceTraits) -> str:
    return next(str(each["emotion"]) for each in _data()["voices"] if _holds(each, traits))


def _is_long(prompt: str, language: str) -> bool:
    limits: Mapping[str, int] = _data()["limits"]
    if language == "zh_CN":
        return len(prompt) > limits["longest_characters"]
    return len(prompt.split()) > limits["longest_words"]


def _proposal(prompt: str, emotion: str, language: str) -> str:
    """Return a prompt in the safe order; what the user wrote about the person stays, word by word."""
    structure = _data()["structure"][language]
    wish = _wish(prompt, language_of(prompt)) or structure["person"]
    parts = {"person": wish, "emotion": structure["emotions"][emotion], "motion": structure["motion"]}
    parts["sync"] = structure["sync"]
    if structure["motion"] in prompt:
        del parts["motion"]
    said = [parts[name] for name in _data()["structure"]["order"] if name in parts]
    return f"{structure['join'].join(said)}{structure['end']}"


def _wish(prompt: str, language: str) -> str:
    """Return what a prompt says about the person: without emotions, big movements, hidden mouths and sync."""
    data = _data()
    structure = data["structure"][language]
    dropped = [word for rule in data["rules"] for word in rule["words"][language]]
    dropped += [word for words in data["emotions"].values() for word in words[language]]
    kept = []
    for clause in _clauses(prompt, language):
        lowered = clause.lower()
        is_sync = any(word in lowered for word in structure["sync_words"])
        if not is_sync and _first_word(lowered, dropped, language) is None and lowered not in structure["motion"]:
            kept.append(clause)
    return str(structure["join"].join(kept))


def _clauses(prompt: str, language: str) -> Iterator[str]:
    pattern = r"[，。；！？、\n,.;]" if language == "zh_CN" else r"[,.;!?\n]+(?:\s|$)"
    for clause in re.split(pattern, prompt):
        if clause.strip():
            yield clause.strip()


def _steps(prompt: str, language: str) -> list[str]:
    """Return the successive things a prompt asks for."""
    then = "|".join(re.escape(word) for word in _data()["structure"][language]["then"])
    pattern = rf"[。；！？\n]|{then}" if language == "zh_CN" else rf"[.;!?\n]+(?:\s|$)|{then}"
    return [step.strip(" ,，") for step in re.split(pattern, prompt, flags=re.IGNORECASE) if step.strip(" ,，")]


def _is_kept(step: str, language: str) -> bool:
    """Return whether a step says more than that lips follow the voice."""
    sync_words: Sequence[str] = _data()["structure"][language]["sync_words"]
    return bool(_wish(step, language)) or not any(word in step.lower() for word in sync_words)


def _person(step: str, language: str) -> str:
    return next(_clauses(_wish(step, language), language), str(_data()["structure"][language]["person"]))

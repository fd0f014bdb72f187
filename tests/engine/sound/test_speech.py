"""Speech activity: edges, what is not speech, streams, edge cases."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.media.samples import read_samples
from engine.sound.speech import SpeechActivity, speech_activity, speech_segments
from tests.engine.sound.voice import music, speech

EDGE_TOLERANCE = 0.020
"""Two rows: a 25 ms window cannot know an edge better than to about half its length."""

VOICES = [
    {"pitch": 110.0, "size": 1.0, "seed": 1},
    {"pitch": 210.0, "size": 1.17, "seed": 2},
    {"pitch": 300.0, "size": 1.4, "seed": 3},
    {"pitch": 120.0, "noise_db": -45.0, "seed": 4},
    {"pitch": 120.0, "level": 0.02, "seed": 5},
    {"pitch": 120.0, "noise_db": -200.0, "seed": 6},
]


@pytest.mark.parametrize("voice", VOICES)
def test_phrases_are_found_with_their_edges(voice: dict[str, float]) -> None:
    made = speech(12, **voice)
    found = speech_segments(speech_activity(made.samples))
    assert len(found) == len(made.phrases)
    errors = [
        (float(segment.start) - start, float(segment.end) - end)
        for segment, (start, end) in zip(found, made.phrases, strict=True)
    ]
    assert np.abs(errors).max() <= EDGE_TOLERANCE
    # No bias towards early or late: beginnings and ends together average out.
    assert abs(np.mean(errors)) <= 0.006


@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
def test_any_sample_rate_gives_a_hundred_rows_a_second(rate: int) -> None:
    made = speech(6, rate)
    activity = speech_activity(made.samples, rate)
    assert len(activity) == 600
    assert len(speech_segments(activity)) == len(made.phrases)


@pytest.mark.parametrize("seed", range(5))
def test_music_is_not_speech(seed: int) -> None:
    listener = SpeechActivity()
    activity = np.concatenate([listener.push(music(12, seed=seed)), listener.finish()])
    assert (activity > 0.5).mean() < 0.05
    assert listener.tonality > 0.5


def _noises() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    white = random.standard_normal(160_000).astype(np.float32)
    times = np.arange(160_000) / 16_000
    return {
        "white": 0.1 * white,
        "brown": np.cumsum(white).astype(np.float32) * 0.001,
        "tone": (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32),
        "hum": sum(np.sin(2 * np.pi * 50 * n * times) / n for n in range(1, 12)).astype(np.float32) * 0.1,
        "silence": np.zeros(160_000, np.float32),
        "faint dither": 1e-5 * white,
    }


@pytest.mark.parametrize("kind", list(_noises()))
def test_noise_is_not_speech(kind: str) -> None:
    assert (speech_activity(_noises()[kind]) > 0.5).mean() < 0.02


def test_speech_is_heard_through_noise_at_ten_decibels() -> None:
    made = speech(20, level=0.1, seed=9)
    noisy = made.samples + np.random.default_rng(1).standard_normal(len(made.samples)).astype(np.float32) * 0.0316
    activity = speech_activity(noisy)
    inside = np.concatenate([activity[round(100 * start) : round(100 * end)] for start, end in made.phrases])
    outside = np.delete(activity, np.concatenate([np.arange(round(100 * s), round(100 * e)) for s, e in made.phrases]))
    assert inside.mean() > 0.5
    assert outside.mean() < 0.1


MADE = speech(23, seed=7).samples
WHOLE = speech_activity(MADE)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=90_000), max_size=12))
def test_rows_do_not_depend_on_how_the_sound_is_cut(cuts: list[int]) -> None:
    listener = SpeechActivity()
    edges = sorted({0, len(MADE), *(min(cut * 4, len(MADE)) for cut in cuts)})
    rows = [listener.push(MADE[begin:end]) for begin, end in pairwise(edges)]
    assert np.array_equal(np.concatenate([*rows, listener.finish()]), WHOLE)


def test_a_stream_gives_rows_as_it_goes_and_keeps_little() -> None:
    listener = SpeechActivity()
    behind = 0.0
    given_rows = pushed = 0
    for _ in range(60):
        block = MADE[:16_000]
        pushed += len(block)
        given_rows += len(listener.push(block))
        behind = max(behind, pushed / 16_000 - given_rows / 100)
    assert behind <= 11  # ten seconds of context and one block
    assert listener._samples.nbytes < 1_000_000


@pytest.mark.parametrize("count", [0, 1, 159, 160, 161, 800, 8000])
def test_short_sounds_have_a_row_for_every_ten_milliseconds_begun(count: int) -> None:
    activity = speech_activity(MADE[8000 : 8000 + count])
    assert len(activity) == -(-count // 160)
    assert np.all((activity >= 0) & (activity <= 1))


@pytest.mark.parametrize("rate", [0, 4000, 11_025])
def test_rates_off_the_grid_are_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="sample rate"):
        SpeechActivity(rate)


def test_short_pauses_join_and_short_bursts_do_not_count() -> None:
    activity = np.zeros(300, np.float32)
    activity[50:100] = 0.9
    activity[115:150] = 0.8  # 150 ms later: the same stretch
    activity[200:205] = 1.0  # 50 ms: nothing
    (segment,) = speech_segments(activity)
    assert (float(segment.start), float(segment.end)) == (0.495, 1.495)


@pytest.mark.clips
@pytest.mark.slow
def test_talking_clips_are_speech(clips_folder: Path) -> None:
    shares = {}
    for clip in json.loads((clips_folder / "manifest.json").read_text(encoding="utf-8")):
        if clip["role"] == "main":
            sound = np.concatenate([block.data for block in read_samples(clips_folder / clip["file"])])
            shares[clip["file"]] = float((speech_activity(sound) > 0.5).mean())
    # A third: some clips are one short sentence between two pauses.
    assert sum(share > 0.33 for share in shares.values()) >= 0.98 * len(shares), shares
    assert float(np.median(list(shares.values()))) > 0.65

"""Speech that plays at the wrong speed: a recording whose sample rate is labelled wrongly."""

from __future__ import annotations

import json
import math
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.jobs import run
from engine.media.samples import read_samples
from engine.sound.doctor import diagnose
from engine.sound.examination import Examination
from engine.sound.finding import Diagnosis, Severity
from engine.sound.speed import SpeedEstimate, SpeedEstimator, describe_window
from tests.engine.sound.recordings import FloatArray, write
from tests.engine.sound.voice import music, speech

ENOUGH = 2.5
"""Seconds of a clip, as it plays, from which a wrong speed must be noticed."""


def _examined(samples: FloatArray, rate: int) -> Examination:
    """Examine samples as if they had been recorded at ``rate``."""
    exam = Examination(rate, samples.shape[1], "", Fraction(len(samples), rate), coarse=False)
    for first in range(0, len(samples), 2 * rate):
        exam.add(samples[first : first + 2 * rate])
    exam.add(samples[:0], last=True)
    return exam


def _speed(samples: FloatArray, rate: int) -> SpeedEstimate | None:
    return _examined(samples if samples.ndim == 2 else samples[:, None], rate).speed()


@pytest.mark.parametrize(
    ("label", "code", "true_khz"),
    [(16_000, "too_slow_rate", (44.1, 48.0)), (96_000, "too_fast_rate", (32.0, 44.1)), (44_100, None, None)],
)
def test_a_wrong_label_is_named(
    tmp_path: Path, label: int, code: str | None, true_khz: tuple[float, ...] | None
) -> None:
    made = speech(30, 44_100, seed=1)
    diagnosis = run(diagnose(write(tmp_path / "voice.wav", made.samples, label)))
    assert isinstance(diagnosis, Diagnosis)
    found = [finding for finding in diagnosis.findings if finding.code.startswith("too_")]
    assert [finding.code for finding in found] == ([] if code is None else [code])
    if found:
        assert found[0].severity is Severity.PROBLEM
        assert diagnosis.findings[0] is found[0]
        values = dict(found[0].sentence.values)
        assert values["khz_now"] == label / 1000
        assert values["khz_true"] in true_khz  # type: ignore[operator]
        # At the wrong speed it may not sound like speech, which would be the lesser half of the truth.
        assert "no_speech" not in [finding.code for finding in diagnosis.findings]


@pytest.mark.parametrize("voice", [{"seed": 1}, {"pitch": 210, "size": 1.17, "seed": 2}, {"pitch": 290, "size": 1.35}])
def test_made_voices_are_told_from_fast_ones(voice: dict[str, float]) -> None:
    made = speech(30, 44_100, **voice)
    assert _speed(made.samples, 44_100) is None
    found = _speed(made.samples, 121_551)
    assert found is not None
    assert found.factor == pytest.approx(2.756, rel=0.3)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_music_has_no_wrong_speed(seed: int, rate: int) -> None:
    assert _speed(music(24, 44_100, seed=seed), rate) is None


@pytest.mark.parametrize("seconds", [0.0, 0.05, 1.5])
def test_of_too_little_nothing_is_said(seconds: float) -> None:
    made = speech(8, 16_000, seed=1)
    assert _speed(made.samples[8000 : 8000 + round(seconds * 16_000)], 44_100) is None


def test_silence_has_no_speed() -> None:
    assert describe_window(np.zeros(96_000, np.float32)) is None
    assert SpeedEstimator().estimate() is None


@pytest.mark.clips
@pytest.mark.slow
def test_talking_clips_at_right_and_wrong_speeds(clips_folder: Path) -> None:
    false_alarms: list[str] = []
    found, asked = Counter[float](), Counter[float]()
    for clip in json.loads((clips_folder / "manifest.json").read_text(encoding="utf-8")):
        blocks = list(read_samples(clips_folder / clip["file"], sample_rate=None, channels=None))
        rate = blocks[0].sample_rate
        samples = np.concatenate([block.data.reshape(len(block.data), -1) for block in blocks])
        if _speed(samples, rate) is not None:
            false_alarms.append(clip["file"])
        for factor in (44_100 / 16_000, 16_000 / 44_100):
            if len(samples) / rate / factor < ENOUGH or 20 * math.log10(samples.std() + 1e-9) < -45:
                continue  # too short at that speed, or nobody to be heard
            asked[factor] += 1
            speed = _speed(samples, round(rate * factor))
            found[factor] += speed is not None and abs(math.log2(speed.factor / factor)) < 0.7
    assert false_alarms == []
    for factor, count in asked.items():
        assert found[factor] >= 0.9 * count, (factor, found[factor], count)


def test_the_network_says_what_it_said_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from engine.sound import speed
    from training.speech_speed import HIDDEN, Network

    torch.manual_seed(7)
    random = np.random.default_rng(8)
    size = len(speed._weights()["mean"])
    layers = torch.nn.Sequential(
        torch.nn.Dropout(0.1),
        torch.nn.Linear(size, HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.3),
        torch.nn.Linear(HIDDEN, len(speed.OCTAVES)),
    )
    mean, spread = (random.uniform(0.5, 1.5, size).astype(np.float32) for _ in range(2))
    network = Network(mean, spread, layers)
    vectors = random.normal(size=(5, size)).astype(np.float32)
    expected = network.posterior(vectors)
    monkeypatch.setattr(speed, "_weights", network.arrays)
    for vector, answer in zip(vectors, expected, strict=True):
        np.testing.assert_allclose(speed.speed_posterior(vector), answer, atol=1e-6)  # float32 sums in another order

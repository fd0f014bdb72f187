"""From a voice to the mouth's motion: timing, closures, stillness, and the same answer however it is asked."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from engine.generation.backends.draft import hearing
from engine.generation.backends.draft.articulation import REACH, shipped_model
from engine.generation.backends.draft.parameters import OPENING
from tests.engine.generation.backends.draft.talk import RATE, performance, sample_plan, sample_voice, truth

FRAME = 1 / 25


def test_the_weights_stay_small() -> None:
    size = len(files("resources").joinpath("generation", "articulation.npz").read_bytes())
    assert size < 1_000_000


def test_a_row_hears_no_further_than_it_says() -> None:
    rows = np.random.default_rng(1).normal(0, 1, (120, hearing.WIDTH)).astype(np.float32)
    other = rows.copy()
    other[: 60 - REACH] = 0
    other[61 + REACH :] = 0
    model = shipped_model()
    np.testing.assert_allclose(model(rows)[0][60], model(other)[0][60], atol=1e-5)


@pytest.mark.parametrize("seed", [2, 5])
def test_the_mouth_moves_with_the_voice_to_ten_milliseconds(seed: int) -> None:
    times = np.arange(0.3, 7.7, 0.005)
    opening = performance(sample_voice(seed)).at(times, FRAME)[0][:, OPENING]
    speed = np.gradient(opening)
    lags = np.arange(-0.06, 0.0601, 0.002)
    match = [np.corrcoef(speed, np.gradient(truth(seed).at(times - lag).opening))[0, 1] for lag in lags]
    assert max(match) > 0.6  # somebody else's mouth stays below 0.25
    assert abs(lags[int(np.argmax(match))]) <= 0.010


@pytest.mark.parametrize("seed", [2, 5])
def test_lips_shut_for_p_b_and_m(seed: int) -> None:
    times = np.arange(0, 8, 0.002)
    opening = performance(sample_voice(seed)).at(times, FRAME)[0][:, OPENING]
    closures = [one for one in sample_plan(seed).articulation.closures if one.part < 7.8]
    shut = [opening[(times >= one.shut) & (times <= one.part)].min() < 0.01 for one in closures]
    assert len(closures) >= 8
    assert np.mean(shut) >= 0.9


def test_nothing_moves_in_silence() -> None:
    voice = sample_voice(2).copy()
    voice[3 * RATE : 6 * RATE] = 0
    times = np.arange(3.5, 5.5, FRAME)
    mouth, speaking = performance(voice).at(times, FRAME)
    assert np.abs(mouth).max() == 0
    assert speaking.max() == 0


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(800), np.zeros(5 * RATE)])
def test_a_voice_of_nothing_keeps_the_mouth_shut(samples: np.ndarray) -> None:
    mouth, speaking = performance(samples).at(np.arange(0, 1, FRAME), FRAME)
    assert np.abs(mouth).max() == 0
    assert speaking.max() == 0


def test_noise_below_the_voice_does_not_move_the_pauses() -> None:
    voice = sample_voice(2).copy()
    voice[3 * RATE : 6 * RATE] = 0
    voice += np.random.default_rng(3).normal(0, 0.002, len(voice)).astype(np.float32)
    mouth, _ = performance(voice).at(np.arange(3.6, 5.4, FRAME), FRAME)
    assert np.abs(mouth[:, OPENING]).max() < 0.02


def test_any_stretch_can_be_asked_for_by_itself() -> None:
    heard = performance(sample_voice(5))
    times = np.arange(0, 8, FRAME)
    whole = heard.at(times, FRAME)[0]
    for first, last in ((0, 20), (50, 51), (120, 200)):
        # Sums over other numbers of rows are rounded otherwise; a pixel is a hundredth of the unit.
        np.testing.assert_allclose(heard.at(times[first:last], FRAME)[0], whole[first:last], atol=1e-5)


def test_the_recordings_level_does_not_matter() -> None:
    times = np.arange(0, 8, FRAME)
    loud = performance(sample_voice(5)).at(times, FRAME)[0][:, OPENING]
    quiet = performance(sample_voice(5) * np.float32(0.1)).at(times, FRAME)[0][:, OPENING]
    assert np.corrcoef(loud, quiet)[0, 1] > 0.98

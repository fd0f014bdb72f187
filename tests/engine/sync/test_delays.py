"""The delay between two microphones, to a fraction of a sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sync.delays import SAMPLE_RATE, agreement, find_delay


def shifted(sound: np.ndarray, seconds: float) -> np.ndarray:
    """Delay by any fraction of a sample, by the phase of every frequency."""
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    spectrum = np.fft.rfft(sound) * np.exp(-2j * np.pi * hertz * seconds)
    return np.fft.irfft(spectrum, len(sound)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(delay=st.floats(-0.09, 0.09), gain=st.sampled_from([1.0, -1.0, 0.01]), seed=st.integers(0, 100))
def test_any_delay_is_found_to_a_tenth_of_a_sample(delay: float, gain: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    sound = random.normal(size=3 * SAMPLE_RATE).astype(np.float32)
    noise = 0.3 * random.normal(size=len(sound)).astype(np.float32)
    found = find_delay(sound, gain * (shifted(sound, delay) + noise), 0.1)
    assert found is not None
    assert found.seconds == pytest.approx(delay, abs=0.1 / SAMPLE_RATE)
    assert found.is_inverted == (gain < 0)
    assert found.prominence > 20


def test_chance_is_not_prominent() -> None:
    random = np.random.default_rng(1)
    for _ in range(30):
        found = find_delay(*random.normal(size=(2, 5 * SAMPLE_RATE)).astype(np.float32), 0.1)
        assert found is not None
        assert found.prominence < 5.0


def test_silence_and_scraps_have_no_delay() -> None:
    sound = np.random.default_rng(2).normal(size=SAMPLE_RATE).astype(np.float32)
    assert find_delay(sound, np.zeros_like(sound), 0.1) is None
    assert find_delay(sound[:100], sound[:100], 0.1) is None


def test_agreement_tells_which_delay_holds_when() -> None:
    random = np.random.default_rng(3)
    sound = random.normal(size=10 * SAMPLE_RATE).astype(np.float32)
    other = random.normal(size=10 * SAMPLE_RATE).astype(np.float32)
    half = 5 * SAMPLE_RATE
    one = np.concatenate([sound[:half], other[half:]])
    two = np.concatenate([other[:half], sound[half:]])
    gain = agreement(sound, one, two)
    assert gain.shape == (20,)
    assert (gain[:10] > 0.5).all()
    assert (gain[10:] < -0.5).all()

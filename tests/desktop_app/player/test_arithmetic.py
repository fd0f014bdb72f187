"""Clocks, the choice of pictures, slower speech and the blind test: arithmetic without threads or devices."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_app.player.blind_test import Answer, BlindTest
from desktop_app.player.clock import Ledger, Loop, Moment, Running, Steady, looped
from desktop_app.player.schedule import due
from desktop_app.player.stretching import Stretcher


def test_a_loop_begins_anew_without_losing_time() -> None:
    loop = Loop(2.0, 5.0)
    assert looped(1.0, loop) == Moment(0, 1.0)
    assert looped(4.999, loop) == Moment(0, 4.999)
    assert looped(5.0, loop) == Moment(1, 2.0)
    assert looped(2.0 + 3 * 7 + 1.25, loop) == Moment(7, 3.25)
    assert looped(9.0, None) == Moment(0, 9.0)


@given(seconds=st.floats(0, 1e6), start=st.floats(0, 100), length=st.floats(0.01, 100))
def test_a_looped_moment_is_always_inside(seconds: float, start: float, length: float) -> None:
    loop = Loop(start, start + length)
    moment = looped(start + seconds, loop)
    assert loop.start <= moment.seconds <= loop.stop


def test_an_empty_loop_is_a_bug() -> None:
    with pytest.raises(ValueError, match="length"):
        Loop(1.0, 1.0)


def test_a_running_clock_runs_at_its_speed_in_both_directions() -> None:
    assert Running(10.0, 3.0, 0.5).at(14.0) == Moment(0, 5.0)
    assert Running(10.0, 3.0, -2.0).at(11.0) == Moment(0, 1.0)
    assert Running(0.0, 0.0, 2.0, Loop(0.0, 1.0)).at(1.75) == Moment(3, 0.5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), ppm=st.floats(-300, 300))
def test_uneven_readings_become_an_even_clock(seed: int, ppm: float) -> None:
    """A device read every 10 ms that reports in periods of 20 ms: the line strays less than 3 ms once it has settled.

    A period of 20 ms is half of it late on average: the constant part is the device's own latency.
    """
    chance = random.Random(seed)
    rate = 1 + ppm / 1e6
    clock = Steady(0.0, 0.0)
    strays, now = [], 0.0
    while now < 10:
        now += 0.010 + chance.uniform(-0.002, 0.002)
        reading = now * rate // 0.02 * 0.02
        clock = clock.pulled(now, reading)
        if now > 2:
            strays.append(clock.at(now) - now * rate)
    assert max(strays) - min(strays) < 0.006
    assert np.mean(strays) == pytest.approx(-0.01, abs=0.003)


def test_a_device_that_skips_is_followed_at_once() -> None:
    clock = Steady(0.0, 0.0, 48_000.0)
    assert clock.pulled(1.0, 48_480.0).at(1.0) == pytest.approx(48_014.4)
    assert clock.pulled(1.0, 96_000.0).at(1.0) == 96_000.0


def test_the_ledger_knows_which_moment_a_sample_was() -> None:
    ledger = Ledger()
    assert ledger.at(0) is None
    ledger.add(48_000, 0, 10.0, 1 / 48_000)
    ledger.add(24_000, 0, 11.0, 1 / 48_000)
    ledger.add(1_000, 0, 11.5, 0.0)
    ledger.add(48_000, 1, 10.0, 0.5 / 48_000)
    assert ledger.handed == 121_000
    assert ledger.at(-5) == Moment(0, 10.0)
    assert ledger.at(60_000) == Moment(0, pytest.approx(11.25))
    assert ledger.at(72_500) == Moment(0, 11.5)
    assert ledger.at(73_000 + 24_000) == Moment(1, pytest.approx(10.25))
    assert ledger.at(10**9) == Moment(1, pytest.approx(10.5))


@dataclass(frozen=True)
class Shown:
    moment: Moment


FRAMES = [Shown(Moment(0, t / 25)) for t in range(4)] + [Shown(Moment(1, t / 25)) for t in range(4)]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Moment(0, -0.01), -1),
        (Moment(0, -0.003), 0),
        (Moment(0, 0.039), 1),
        (Moment(0, 0.035), 0),
        (Moment(0, 5.0), 3),
        (Moment(1, 0.0), 4),
        (Moment(1, -0.1), 3),
        (Moment(2, 0.0), 7),
    ],
)
def test_the_picture_that_is_due(now: Moment, expected: int) -> None:
    assert due(FRAMES, now, early=0.004) == expected


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.75, 1.5, 2.0])
def test_stretched_speech_has_its_length_and_its_pitch(speed: float) -> None:
    rate = 48_000
    time = np.arange(2 * rate) / rate
    hum = np.stack([np.sin(2 * np.pi * 220 * time)] * 2, axis=1).astype(np.float32)
    stretcher = Stretcher(rate, speed)
    out = np.concatenate([stretcher.feed(block) for block in np.split(hum, 20)])
    # What is held back at the end is at most the last windows: 2 x 12 ms and the search of 16 ms.
    assert len(out) == pytest.approx(len(hum) / speed, abs=(0.04 + 0.012) * rate / min(speed, 1))
    spectrum = np.abs(np.fft.rfft(out[:, 0] * np.hanning(len(out))))
    assert np.argmax(spectrum) * rate / len(out) == pytest.approx(220, abs=1)
    # No beats: the hum stays as loud as it was, hop by hop.
    hops = out[: len(out) // 480 * 480, 0].reshape(-1, 480)[5:-5]
    assert np.sqrt((hops**2).mean(axis=1)).min() > 0.5


def test_normal_speed_changes_nothing() -> None:
    block = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    assert Stretcher(48_000, 1.0).feed(block) is block


def test_a_blind_test_hides_and_then_tells() -> None:
    test = BlindTest(random.Random(3))
    orders = []
    while not test.is_over:
        new_first = test.plays_new(Answer.FIRST)
        assert test.plays_new(Answer.SECOND) is not new_first
        orders.append(new_first)
        test.answer(Answer.FIRST if new_first else Answer.SECOND)
    assert set(orders) == {True, False}
    outcome = test.outcome()
    assert (outcome.new, outcome.old, outcome.same) == (8, 0, 0)
    assert outcome.chance == pytest.approx(2 / 256)
    assert outcome.is_clear


def test_guessing_is_not_taken_for_seeing() -> None:
    test = BlindTest(random.Random(3))
    for number in range(8):
        new_first = test.plays_new(Answer.FIRST)
        test.answer(Answer.SAME if number < 4 else Answer.FIRST if new_first == (number % 2 == 0) else Answer.SECOND)
    outcome = test.outcome()
    assert (outcome.new, outcome.old, outcome.same) == (2, 2, 4)
    assert outcome.chance == 1.0
    assert not outcome.is_clear


def test_the_order_is_not_always_the_same() -> None:
    assert {BlindTest(random.Random(seed)).plays_new(Answer.FIRST) for seed in range(20)} == {True, False}


def test_a_finished_blind_test_takes_no_more_answers() -> None:
    test = BlindTest(random.Random(0), rounds=1)
    test.answer(Answer.SAME)
    with pytest.raises(ValueError, match="over"):
        test.answer(Answer.FIRST)
    with pytest.raises(ValueError, match="places"):
        test.plays_new(Answer.FIRST)

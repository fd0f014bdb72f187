import numpy as np
import pytest

from engine.sample.articulation import Articulation
from engine.sample.text import sample_text
from engine.sample.voice import Speech, speak


@pytest.fixture(scope="module")
def speech() -> Speech:
    return speak(sample_text("sentences")[:6], seed=2)


@pytest.fixture(scope="module")
def articulation(speech: Speech) -> Articulation:
    return Articulation(speech)


def test_lips_are_shut_exactly_from_closure_to_burst(speech: Speech, articulation: Articulation) -> None:
    bilabial = [phone for phone in speech.phones if phone.name in {"p", "b"} and phone.burst is not None]
    assert len(bilabial) > 10
    parted = {closure.part for closure in articulation.closures}
    for phone in bilabial:
        burst = float(phone.burst)
        assert burst in parted
        inside = articulation.at(np.linspace(float(phone.start), burst, 50))
        assert np.all(inside.opening == 0)
    for closure in articulation.closures:
        around = articulation.at([closure.shut - 0.002, closure.part + 0.002])
        assert np.all(around.opening > 0)


def test_lips_move_at_human_speed(articulation: Articulation) -> None:
    time = np.arange(0, 12, 0.001)
    speed = np.abs(np.diff(articulation.at(time).opening)) * 1000
    # landmarks of real talkers move at 150 to 200 mm/s in the fastest 5 % of the frames; single peaks are higher
    assert speed.max() < 500
    assert np.percentile(speed, 95) > 80


def test_opening_after_a_burst_takes_60_to_100_ms() -> None:
    speech = speak("/p aa1 p aa1/.", seed=1)
    burst = float(next(phone.burst for phone in speech.phones if phone.burst is not None))
    time = burst + np.arange(0, 0.2, 0.001)
    opening = Articulation(speech).at(time).opening
    assert 0.05 < np.argmax(opening > 0.9 * opening.max()) / 1000 < 0.1


def test_rounding_begins_before_its_vowel() -> None:
    speech = speak("/t ih1 t uw1 t ih1/.", seed=1)
    vowel = next(phone for phone in speech.phones if phone.name == "uw")
    time = float(vowel.start) - np.arange(0, 0.3, 0.001)
    rounding = Articulation(speech).at(time).rounding
    lead = np.argmax(rounding < 0.2) / 1000
    assert 0.05 < lead < 0.2


def test_lower_lip_touches_the_teeth_while_f_and_v_sound() -> None:
    speech = speak("/aa1 f aa1 v aa1/.", seed=1)
    articulation = Articulation(speech)
    for name in ("f", "v"):
        phone = next(phone for phone in speech.phones if phone.name == name)
        during = articulation.at(np.linspace(float(phone.start), float(phone.end), 20))
        assert np.all(during.tuck == 1)
        assert np.all(during.opening < 3)


def test_jaw_is_slower_than_the_lips(articulation: Articulation) -> None:
    time = np.arange(0, 12, 0.001)
    shape = articulation.at(time)
    quickness = [np.abs(np.diff(path)).max() / np.ptp(path) for path in (shape.jaw, shape.opening)]
    assert quickness[0] < 0.5 * quickness[1]


def test_mouth_rests_in_long_pauses(speech: Speech, articulation: Articulation) -> None:
    pauses = [phone for phone in speech.phones if phone.name == "pau" and phone.end - phone.start > 0.45]
    assert pauses
    for pause in pauses:
        assert articulation.at(float(pause.start) + 0.16).opening[0] < 4.5


def test_every_instant_is_the_same_alone_or_among_others(articulation: Articulation) -> None:
    time = np.random.default_rng(1).uniform(-1, 14, 80)
    together = articulation.at(time)
    for index in (0, 17, 42, 79):
        alone = articulation.at(time[index])
        assert alone.opening[0] == pytest.approx(together.opening[index], abs=1e-9)
        assert alone.width[0] == pytest.approx(together.width[index], abs=1e-6)
        assert alone.jaw[0] == pytest.approx(together.jaw[index], abs=1e-6)

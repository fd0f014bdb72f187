from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from engine.sample.prosody import Voice
from engine.sample.text import sample_text
from engine.sample.voice import NATIVE_RATE, Speech, speak


@pytest.fixture(scope="module")
def speech() -> Speech:
    return speak(sample_text("sentences")[:4], seed=3)


def at(speech: Speech, begin: Fraction, end: Fraction) -> np.ndarray:
    return speech.read(round(begin * speech.sample_rate), round(end * speech.sample_rate))


def test_phones_follow_each_other_without_gap(speech: Speech) -> None:
    phones = speech.phones
    assert phones[0].start == Fraction(1, 2)  # the lead-in
    assert all(one.end == other.start for one, other in pairwise(phones))
    assert phones[-1].end == speech.duration
    assert all(phone.start < phone.end for phone in phones)
    assert all(phone.start < phone.burst < phone.end for phone in phones if phone.burst is not None)


def test_every_time_is_a_whole_millisecond(speech: Speech) -> None:
    times = [time for phone in speech.phones for time in (phone.start, phone.end, phone.burst) if time is not None]
    assert all((time * 1000).denominator == 1 for time in times)


def test_tempo_is_that_of_calm_speech(speech: Speech) -> None:
    spoken = [phone for phone in speech.phones if phone.name != "pau"]
    seconds = float(sum((phone.end - phone.start for phone in spoken), Fraction(0)))
    syllables = sum(phone.sound.is_vowel for phone in spoken)
    assert 4.0 <= syllables / seconds <= 5.2


def test_sound_stays_inside_full_scale_and_is_loud_enough(speech: Speech) -> None:
    samples = speech.samples
    assert samples.dtype == np.float32
    assert len(samples) == round(speech.duration * NATIVE_RATE)
    assert 0.3 < np.abs(samples).max() < 0.95
    assert np.isfinite(samples).all()


def test_a_burst_begins_with_the_very_sample_of_its_time() -> None:
    """After the silent closure of a voiceless stop the first sample that is not silence is the burst's."""
    speech = speak("/t aa1 p aa1 t aa1 k aa1/.", seed=1)
    bursts = [phone for phone in speech.phones if phone.burst is not None]
    assert [phone.name for phone in bursts] == ["t", "p", "t", "k"]
    for phone in bursts:
        first = round(phone.burst * NATIVE_RATE)
        before, after = speech.read(first - 240, first), speech.read(first, first + 48)
        # 5 ms of closure hold at most the dying resonances of the vowel, 46 dB below the burst's first millisecond
        assert np.abs(before).max() < 0.005 * np.abs(after).max()
        assert np.abs(after[:6]).max() > 0.1 * np.abs(after).max()


def test_closures_of_voiced_stops_carry_a_voice_bar_and_those_of_voiceless_ones_none() -> None:
    speech = speak("/aa1 b aa1 p aa1/.", seed=1)
    stops = {phone.name: phone for phone in speech.phones if phone.burst is not None}

    def level(name: str) -> float:
        phone = stops[name]
        middle = (phone.start + phone.burst) / 2
        return float(np.sqrt(np.mean(at(speech, middle, middle + Fraction(1, 100)) ** 2)))

    assert level("b") > 0.003
    assert level("p") < 0.0003


def test_fricatives_hiss_and_vowels_do_not() -> None:
    speech = speak("/aa1 s aa1 sh aa1/.", seed=1)
    high = sosfilt(butter(4, 4000, "high", fs=NATIVE_RATE, output="sos"), speech.samples)

    def share(name: str) -> float:
        phone = next(phone for phone in speech.phones if phone.name == name)
        place = slice(round(phone.start * NATIVE_RATE), round(phone.end * NATIVE_RATE))
        return float(np.sum(high[place] ** 2) / np.sum(speech.samples[place] ** 2))

    assert share("s") > 0.8
    assert share("aa") < 0.02


def test_vowels_have_their_formants() -> None:
    """The strongest resonance of /iy/ above 1 kHz is its second formant, that of /uw/ lies far lower."""
    speech = speak("/iy1/. /uw1/.", seed=1, voice=Voice(pitch_hz=100))

    def centre(name: str, low: float, high: float) -> float:
        phone = next(phone for phone in speech.phones if phone.name == name)
        samples = at(speech, phone.start, phone.end)
        power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 15)) ** 2
        hertz = np.fft.rfftfreq(1 << 15, 1 / NATIVE_RATE)
        band = (hertz > low) & (hertz < high)
        return float((hertz[band] * power[band]).sum() / power[band].sum())

    assert 2000 < centre("iy", 1500, 2700) < 2600
    assert 700 < centre("uw", 600, 1600) < 1150


def test_pitch_is_the_speakers() -> None:
    for pitch in (110.0, 210.0):
        speech = speak("/aa1 m aa1 m aa1/.", seed=2, voice=Voice(pitch_hz=pitch, pitch_range=0.3))
        vowel = [phone for phone in speech.phones if phone.name == "aa"][1]
        samples = at(speech, vowel.start, vowel.end).astype(float)
        likeness = np.correlate(samples, samples, "full")[len(samples) - 1 :]
        low, high = round(NATIVE_RATE / (pitch * 1.4)), round(NATIVE_RATE / (pitch * 0.7))
        period = low + int(np.argmax(likeness[low:high]))
        assert pitch * 0.85 < NATIVE_RATE / period < pitch * 1.25


def test_same_seed_same_speech_other_seed_another() -> None:
    first, again, other = (speak("Papa may move.", seed=seed) for seed in (5, 5, 6))
    assert first.phones == again.phones
    assert np.array_equal(first.samples, again.samples)
    assert first.phones != other.phones


@settings(max_examples=25, deadline=None)
@given(st.integers(-5000, 400_000), st.integers(1, 60_000))
def test_any_stretch_reads_the_same(start: int, length: int) -> None:
    speech = _SHORT
    whole = np.zeros(length, np.float32)
    begin, end = max(start, 0), min(start + length, len(speech))
    if begin < end:
        whole[begin - start : end - start] = _SHORT_SAMPLES[begin:end]
    assert np.array_equal(speech.read(start, start + length), whole)


_SHORT = speak("Papa may move, my voice.", seed=4)
_SHORT_SAMPLES = _SHORT.samples


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_other_rates_hold_the_same_sound_at_the_same_times(rate: int) -> None:
    native, other = _SHORT, speak("Papa may move, my voice.", seed=4, sample_rate=rate)
    assert native.phones == other.phones
    burst = next(phone.burst for phone in native.phones if phone.burst is not None)
    loud = [
        float(burst) - 0.003 + np.argmax(np.abs(at(speech, burst - Fraction(3, 1000), burst + Fraction(3, 1000))))
        / speech.sample_rate
        for speech in (native, other)
    ]  # fmt: skip
    # rounding to whole samples at both ends, and what the band limit moves the burst's peak by
    assert abs(loud[0] - loud[1]) < 0.0006


def test_text_is_repeated_until_long_enough() -> None:
    speech = speak("Peak, top, kick.", at_least=Fraction(6))
    assert 6 <= speech.duration < 8
    assert sum(phone.name == "p" for phone in speech.phones) >= 5


def test_nothing_to_say_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        speak("...")

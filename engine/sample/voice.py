"""A synthetic voice: a formant synthesiser after Klatt (1980, JASA 67), written for known timing.

Glottal pulses and breath noise run through a cascade of resonators; friction and bursts are shaped noise beside it.
The first sample of every burst is exactly at :attr:`engine.sample.prosody.Phone.burst`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import cycle

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter, sosfilt

from engine.sample.phonemes import Manner, NoiseBand
from engine.sample.prosody import Phone, Utterance, Voice, timeline
from engine.sample.text import phrases
from engine.sample.tracks import STEP_MS, Controls, controls
from engine.timing import Rounding

Samples = npt.NDArray[np.float32]
_Floats = npt.NDArray[np.float64]

NATIVE_RATE = 48_000
"""The rate the synthesiser works at; other rates are resampled from it, without delay."""

_UPPER_FORMANTS = ((3500, 200), (4500, 260), (5500, 320), (6500, 400), (7600, 500))
"""Centre and bandwidth in Hz of the resonances above F3 of a man's vocal tract."""

_NASAL_POLE_HZ, _NASAL_ZERO_HZ, _NASAL_WIDTH_HZ = 270.0, 480.0, 100.0
_OPEN_QUOTIENT = 0.62
_LEVEL = 0.3
"""Full scale against a glottal pulse, so that loud vowels stay below 0.8."""


class Speech:
    """Something said: exact times of all phones, and the sound, synthesised phrase by phrase when it is asked for.

    Attributes:
        utterances: the phrases in order.
        phones: all phones in order, pauses included, contiguous from the end of the lead-in.
        sample_rate: samples per second of :meth:`read` and :attr:`samples`.
        duration: from 0 to the end of the last pause, seconds.
    """

    def __init__(self, utterances: Sequence[Utterance], voice: Voice, sample_rate: int, seed: int) -> None:
        self.utterances = tuple(utterances)
        self.phones: tuple[Phone, ...] = tuple(phone for utterance in utterances for phone in utterance.phones)
        self.sample_rate = sample_rate
        self.duration = self.utterances[-1].end
        self._voice, self._seed = voice, seed
        self._edges = [self._index(utterance.start) for utterance in self.utterances] + [self._index(self.duration)]
        self._phrase = lru_cache(maxsize=3)(self._synthesise)

    def __len__(self) -> int:
        return self._edges[-1]

    @property
    def samples(self) -> Samples:
        """The whole sound, mono, shape ``(n,)``, peaks below 1."""
        return self.read(0, len(self))

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``start`` to ``stop``; outside the speech there is silence. Only some phrases are held."""
        out = np.zeros(stop - start, np.float32)
        number = max(0, bisect_right(self._edges, start) - 1)
        while number < len(self.utterances) and self._edges[number] < stop:
            first, last = self._edges[number : number + 2]
            begin, end = max(first, start), min(last, stop)
            if begin < end:
                out[begin - start : end - start] = self._phrase(number)[begin - first : end - first]
            number += 1
        return out

    def _index(self, seconds: Fraction) -> int:
        return Rounding.NEAREST.apply(seconds * self.sample_rate)

    def _synthesise(self, number: int) -> Samples:
        rng = np.random.default_rng([self._seed, 13, number])
        sound = _utter(self.utterances[number], self._voice, rng)
        if self.sample_rate != NATIVE_RATE:
            import soxr

            sound = soxr.resample(sound, NATIVE_RATE, self.sample_rate, "VHQ")
        wanted = self._edges[number + 1] - self._edges[number]
        return np.pad(sound[:wanted], (0, max(0, wanted - len(sound))))


def speak(
    text: str | Sequence[str],
    *,
    sample_rate: int = NATIVE_RATE,
    voice: Voice | None = None,
    seed: int = 0,
    lead_in: Fraction = Fraction(1, 2),
    at_least: Fraction | None = None,
) -> Speech:
    """Say ``text``.

    Args:
        text: words of the sample lexicon, pinyin syllables (``ma1``) or phones between slashes, see
            :func:`engine.sample.text.phrases`; several texts are said one after another.
        sample_rate: samples per second of the sound.
        voice: the speaker, by default a man.
        seed: of the natural variation in timing, melody and noise.
        lead_in: silence before the first phone, seconds.
        at_least: if given, the text is repeated until it lasts so many seconds, lead-in included.

    Returns:
        The speech; nothing is synthesised before it is read.

    Raises:
        ValueError: if a word is unknown or there is none.
    """
    voice = voice or Voice()
    rng = np.random.default_rng([seed, 11])
    said = [phrase for one in ([text] if isinstance(text, str) else text) for phrase in phrases(one)]
    if not said:
        raise ValueError("there is nothing to say")
    utterances: list[Utterance] = []
    for utterance in timeline(said if at_least is None else cycle(said), voice, rng, start=lead_in):
        utterances.append(utterance)
        if at_least is not None and utterance.end >= at_least:
            break
    return Speech(utterances, voice, sample_rate, seed)


def _utter(utterance: Utterance, voice: Voice, rng: np.random.Generator) -> Samples:
    """Synthesise one phrase and its pause at the native rate."""
    track = controls(utterance, voice)
    count = Rounding.NEAREST.apply((utterance.end - utterance.start) * NATIVE_RATE)
    position = np.arange(count) / (NATIVE_RATE * STEP_MS / 1000)
    rows = np.arange(len(track.pitch))

    def sampled(values: _Floats) -> _Floats:
        return np.interp(position, rows, values)

    pulses, open_phase = _glottis(sampled(track.pitch), voice, rng)
    muffle, aspiration = sampled(track.muffle), sampled(track.aspiration)
    for phone in utterance.phones:
        if phone.burst is not None:
            # smooth controls must not leak out of a closure before its burst
            first, last = (
                Rounding.NEAREST.apply((time - utterance.start) * NATIVE_RATE) for time in (phone.start, phone.burst)
            )
            muffle[(first + last) // 2 : last] = 1
            aspiration[(first + last) // 2 : last] = 0
    voiced = sampled(track.voicing) * ((1 - muffle) * pulses + muffle * _lowpass(pulses, 300.0))
    breath = aspiration * rng.standard_normal(count) * (0.55 + 0.45 * open_phase)
    sound = _cascade(voiced + breath, track, voice)
    for phone in utterance.phones:
        _add_noise(sound, phone, utterance.start, voice, open_phase, rng)
    return (_LEVEL * sound).astype(np.float32)


def _glottis(pitch: _Floats, voice: Voice, rng: np.random.Generator) -> tuple[_Floats, _Floats]:
    """Return the derivative of the glottal flow and where the glottis is open (0 or 1).

    The flow is p^2 - p^3 while it is open (KLGLOTT88: Klatt and Klatt 1990, JASA 87).

    Args:
        pitch: Hz at every sample, shape ``(n,)``.
        voice: the speaker.
        rng: of jitter and shimmer.
    """
    turns = np.cumsum(pitch / NATIVE_RATE)
    cycles = int(turns[-1]) + 2
    edges = np.arange(cycles + 1) + np.concatenate([[0], rng.normal(0, voice.jitter, cycles)])
    # Klatt's flutter: slow wandering of the pitch that keeps a held vowel from sounding like a buzzer
    edges += 0.012 * np.cumsum(rng.standard_normal(cycles + 1)) / 3
    edges = np.maximum.accumulate(edges)
    shimmer = np.clip(rng.normal(1, 0.04, cycles + 1), 0.85, 1.15)
    which = np.clip(np.searchsorted(edges, turns, side="right") - 1, 0, cycles - 1)
    phase = (turns - edges[which]) / np.maximum(edges[which + 1] - edges[which], 0.5)
    share = np.clip(phase / _OPEN_QUOTIENT, 0, 1)
    is_open = (phase < _OPEN_QUOTIENT).astype(np.float64)
    flow = (2 * share - 3 * share**2) * is_open * shimmer[which]
    flow -= 0.6 * _lowpass(flow, 600.0)  # a clear speaker's glottis shuts faster than the polynomial's
    return _lowpass(flow, 4200.0 - 1800.0 * voice.breath), is_open


def _lowpass(samples: _Floats, corner_hz: float) -> _Floats:
    pole = float(np.exp(-2 * np.pi * corner_hz / NATIVE_RATE))
    filtered: _Floats = lfilter([1 - pole], [1, -pole], samples)
    return filtered


def _cascade(source: _Floats, track: Controls, voice: Voice) -> _Floats:
    """Run the source through the moving resonances of the mouth and the nose."""
    rows = len(track.pitch)
    upper = np.array([pair for pair in _UPPER_FORMANTS if pair[0] / voice.tract < 0.45 * NATIVE_RATE], float)
    centres = np.hstack([track.formants, np.broadcast_to(upper[:, 0] / voice.tract, (rows, len(upper)))])
    widths = np.hstack([track.bandwidths, np.broadcast_to(upper[:, 1], (rows, len(upper)))])
    sections = np.zeros((rows, centres.shape[1] + 1, 6))
    gain, first, second = _resonator(centres, widths)
    sections[:, :-1, 0], sections[:, :-1, 3] = gain, 1
    sections[:, :-1, 4], sections[:, :-1, 5] = -first, -second
    nose = np.full(rows, _NASAL_WIDTH_HZ)
    zero = _NASAL_POLE_HZ + track.nasality * (_NASAL_ZERO_HZ - _NASAL_POLE_HZ)
    z_gain, z_first, z_second = _resonator(zero, nose)
    p_gain, p_first, p_second = _resonator(np.full(rows, _NASAL_POLE_HZ), nose)
    ratio = p_gain / z_gain
    sections[:, -1] = np.stack([ratio, -ratio * z_first, -ratio * z_second, np.ones(rows), -p_first, -p_second], axis=1)
    out = np.empty_like(source)
    state = np.zeros((sections.shape[1], 2))
    width = NATIVE_RATE * STEP_MS // 1000
    for row in range(rows):
        block = slice(row * width, (row + 1) * width)
        if len(source[block]):
            out[block], state = sosfilt(sections[row], source[block], zi=state)
    return out


def _resonator(centre_hz: _Floats, width_hz: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Return A, B, C of Klatt's resonator y[n] = A x[n] + B y[n-1] + C y[n-2], which passes 0 Hz unchanged."""
    third = -np.exp(-2 * np.pi * width_hz / NATIVE_RATE)
    second = 2 * np.exp(-np.pi * width_hz / NATIVE_RATE) * np.cos(2 * np.pi * centre_hz / NATIVE_RATE)
    return 1 - second - third, second, third


def _add_noise(
    sound: _Floats, phone: Phone, zero: Fraction, voice: Voice, open_phase: _Floats, rng: np.random.Generator
) -> None:
    """Add the friction or the burst of one phone to ``sound`` in place."""
    kind = phone.sound
    if not kind.noise or (kind.has_closure and phone.burst is None):
        return
    begin = Rounding.NEAREST.apply(((phone.burst or phone.start) - zero) * NATIVE_RATE)
    end = Rounding.NEAREST.apply((phone.end - zero) * NATIVE_RATE)
    if kind.manner is Manner.STOP:
        # a click of the released pressure, then noise that dies away; t and k are released more slowly than p
        decay_ms = {"p": 4.0, "b": 3.0, "t": 7.0, "d": 4.5}.get(phone.name, 9.0)
        length = min(NATIVE_RATE * 45 // 1000, len(sound) - begin)
        time_ms = np.arange(length) * 1000 / NATIVE_RATE
        excitation = rng.standard_normal(length) * np.exp(-time_ms / decay_ms)
        excitation[: NATIVE_RATE // 1000] += 2.0 * np.exp(-time_ms[: NATIVE_RATE // 1000] / 0.3)
    else:
        tail = NATIVE_RATE * 12 // 1000  # the constriction opens while the next sound begins
        length = min(end + tail - begin, len(sound) - begin)
        time_ms = np.arange(length) * 1000 / NATIVE_RATE
        rise_ms = 3.0 if kind.has_closure else 28.0
        envelope = np.minimum(1, (time_ms + 0.3) / rise_ms) * np.clip((time_ms[-1] - time_ms) / 24.0, 0, 1)
        excitation = rng.standard_normal(length) * envelope
        if not kind.is_voiceless:
            excitation *= 0.35 + 0.65 * open_phase[begin : begin + length]
    shaped = np.zeros(length)
    for band in kind.noise:
        shaped += band.gain * _band_noise(excitation, band, voice)
    sound[begin : begin + length] += kind.noise_gain * _FRICTION * shaped


_FRICTION = 1.5
"""Level of unit friction against the cascade's output, set so that /s/ is about 10 dB below a stressed vowel."""


def _band_noise(excitation: _Floats, band: NoiseBand, voice: Voice) -> _Floats:
    """Pass noise through a band-pass of unit gain at its centre."""
    centre = min(band.centre_hz / voice.tract, 0.45 * NATIVE_RATE)
    radius = float(np.exp(-np.pi * band.width_hz / NATIVE_RATE))
    gain = (1 - radius**2) / 2
    filtered: _Floats = lfilter(
        [gain, 0, -gain], [1, -2 * radius * np.cos(2 * np.pi * centre / NATIVE_RATE), radius**2], excitation
    )
    return filtered

"""Everything the doctor measures in one reading of a recording, in constant memory."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import soxr

from engine.sound.bandwidth import BandwidthMeter
from engine.sound.channels import ChannelStatistics
from engine.sound.clipping import ClippingMeter
from engine.sound.dropouts import DropoutMeter
from engine.sound.features import ROW_RATE
from engine.sound.levels import LevelStatistics, row_levels
from engine.sound.loudness import LoudnessMeter, TruePeakMeter
from engine.sound.speech import SpeechActivity, speech_activity
from engine.sound.speed import RATE, WINDOW_SECONDS, SpeedEstimate, SpeedEstimator

FloatArray = npt.NDArray[np.float32]

_SPEED_WINDOWS = 40
"""Windows spread over the recording from which the speed is told: four minutes are enough, however long it is."""

_KEPT_WINDOWS = 4
_MUCH_SOUND, _LITTLE_SOUND = 2.0, 0.4
"""Seconds of sound from which the speed is told; from the lesser on only when the evidence is overwhelming."""

_NATURAL, _NATURAL_OF_LITTLE = 0.15, 0.01
"""Probability of natural speed under which speech is said to play at a wrong one. Clips of speakers that the network
had not heard: no false alarm in 178, 99 % of those 2.76 times slow and 97 % of those 2.76 times fast found, if they
last 2.5 s as they play; of those twice slow 89 %, twice fast 83 %; within a factor of 1.5 it rarely dares to say."""

_SPEED_OCTAVES = 0.5
"""A wrong speed is reported from half an octave on: 1.4 times too fast or too slow."""
_NATURAL_AFTERWARDS, _SPOKEN_AFTERWARDS = 0.3, 0.1
_SILENT_SAMPLE = 1.5 / 32768


class Examination:
    """Measures a recording block by block.

    Args:
        sample_rate: of the blocks.
        channels: of the blocks.
        layout: arrangement of the channels, such as ``stereo``.
        seconds: length if it is known.
        coarse: the file has 8-bit samples.

    Attributes:
        samples: how many came.
        clipping: per channel.
        dropouts: holes in the mix.
        bandwidth: of the mix.
        channels: levels of the channels, at 16 kHz.
        levels: levels of the mix, at 16 kHz.
        loudness: of the mix.
        peak: of the mix.
        leading_zeros: digitally silent samples at the beginning.
        speech_seconds: how long somebody speaks.
        listener: the speech detector.
    """

    def __init__(self, sample_rate: int, channels: int, layout: str, seconds: Fraction | None, *, coarse: bool) -> None:
        self.sample_rate = sample_rate
        self.samples = 0
        self.clipping = [ClippingMeter(coarse=coarse) for _ in range(channels)]
        self.dropouts = DropoutMeter(sample_rate)
        self.bandwidth = BandwidthMeter(sample_rate)
        self.channels = ChannelStatistics(channels, RATE, layout)
        self.levels = LevelStatistics()
        self.loudness = LoudnessMeter(RATE)
        self.peak = TruePeakMeter(RATE)
        self.leading_zeros = 0
        self.speech_seconds = 0.0
        self.listener = SpeechActivity(RATE)
        self._coarse = coarse
        self._only_zeros = True
        self._to_16k = None if sample_rate == RATE else soxr.ResampleStream(sample_rate, RATE, channels, "float32")
        self._row_rest = np.zeros(0, np.float32)
        self._speed = SpeedEstimator()
        self._window = np.zeros(0, np.float32)
        self._windows_seen = 0
        total = 0 if seconds is None else float(seconds) / WINDOW_SECONDS
        self._window_stride = max(1, math.ceil(total / _SPEED_WINDOWS))
        self._kept: list[tuple[int, FloatArray]] = []

    def add(self, samples: FloatArray, *, last: bool = False) -> None:
        """Take the next samples, shape ``(n, channels)``; ``last`` ends the examination."""
        self._count_zeros(samples)
        self.samples += len(samples)
        for channel, meter in enumerate(self.clipping):
            meter.add(samples[:, channel])
        at_16k = samples if self._to_16k is None else self._to_16k.resample_chunk(samples, last=last)
        self.channels.add(at_16k)
        # What is heard through the better channel when the mix cancels: the choice firms up as the sound comes in.
        mix = self.channels.mix_down()
        if not self._coarse:  # in 8 bits quiet sound is digital silence all the time
            self.dropouts.add(mix.apply(samples))
        self.bandwidth.add(mix.apply(samples))
        self._listen(mix.apply(at_16k), last=last)

    def _count_zeros(self, samples: FloatArray) -> None:
        if self._only_zeros:
            sounding = np.flatnonzero((np.abs(samples) > _SILENT_SAMPLE).any(axis=1))
            self._only_zeros = len(sounding) == 0
            self.leading_zeros += len(samples) if self._only_zeros else int(sounding[0])

    def _listen(self, mono: FloatArray, *, last: bool) -> None:
        self.loudness.add(mono)
        self.peak.add(mono, last=last)
        joined = np.concatenate([self._row_rest, mono])
        levels = row_levels(joined, RATE)
        self._row_rest = joined[len(levels) * (RATE // ROW_RATE) :]
        self.levels.add(levels)
        rows = [self.listener.push(mono)]
        if last:
            rows.append(self.listener.finish())
        self.speech_seconds += sum(int((part > 0.5).sum()) for part in rows) / ROW_RATE
        self._window = np.concatenate([self._window, mono])
        length = WINDOW_SECONDS * RATE
        while len(self._window) >= length or (last and len(self._window)):
            if self._windows_seen % self._window_stride == 0:
                self._hear_speed(self._window[:length])
            self._windows_seen += 1
            self._window = self._window[length:]

    def _hear_speed(self, window: FloatArray) -> None:
        active = self._speed.add(window)
        if active:
            self._kept.append((active, window.copy()))
            self._kept = sorted(self._kept, key=lambda each: -each[0])[:_KEPT_WINDOWS]

    @property
    def heard_seconds(self) -> float:
        """How long there is sound: rows within 40 dB of the louder syllables."""
        return self.levels.seconds_above((self.levels.speech_level_db or 0.0) - 40)

    def speed(self) -> SpeedEstimate | None:
        """Return how fast the speech plays when that is surely not its natural speed, else ``None``.

        The suspicion is confirmed on the sound itself: brought to natural speed it must be natural speech.
        """
        estimate = self._speed.estimate()
        if estimate is None or estimate.seconds < _LITTLE_SOUND or abs(math.log2(estimate.factor)) < _SPEED_OCTAVES:
            return None
        if estimate.natural >= (_NATURAL if estimate.seconds >= _MUCH_SOUND else _NATURAL_OF_LITTLE):
            return None
        corrected = SpeedEstimator()
        spoken = rows = 0
        for _, window in self._kept:
            natural = soxr.resample(window, RATE, RATE * estimate.factor).astype(np.float32)
            activity = speech_activity(natural, RATE)
            spoken, rows = spoken + int((activity > 0.5).sum()), rows + len(activity)
            for begin in range(0, len(natural), WINDOW_SECONDS * RATE):
                corrected.add(natural[begin : begin + WINDOW_SECONDS * RATE])
        after = corrected.estimate()
        confirmed = after is not None and after.natural > _NATURAL_AFTERWARDS and spoken > _SPOKEN_AFTERWARDS * rows
        return estimate if confirmed else None

"""What the channels of a recording say about each other, and how to make one good channel of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from av.audio.layout import AudioLayout

from engine.sound.levels import DIGITAL_SILENCE_DB, LevelStatistics, row_levels

FloatArray = npt.NDArray[np.float32]

_CANCELS = 0.25
"""Mix power, as a share of what unrelated channels would give, under which the channels cancel each other (-6 dB)."""

_DEAD_BELOW_BEST_DB = 40.0
"""A channel this far under the best one carries no voice worth mixing in."""

_WEIGHTS = {"FC": 1.0, "FL": math.sqrt(0.5), "FR": math.sqrt(0.5), "LFE": 0.0, "LFE2": 0.0}
_OTHER_WEIGHT = 0.5
"""ITU-R BS.775-3, table 2: speech is in the centre, the low-frequency channel is left out, the room is lowered."""


def mix_weights(channels: int, layout: str = "") -> FloatArray:
    """Return how much of each channel goes into the mono mix, summing to one, shape ``(channels,)``.

    Args:
        channels: how many there are.
        layout: name of their arrangement, such as ``5.1``; all weigh the same when it is unknown.
    """
    try:
        names = [channel.name for channel in AudioLayout(layout).channels]
    except ValueError:
        names = []
    weights = np.array([_WEIGHTS.get(name, _OTHER_WEIGHT) for name in names], np.float32)
    if len(weights) != channels or not weights.any():
        weights = np.ones(channels, np.float32)
    normalised: FloatArray = (weights / weights.sum()).astype(np.float32)
    return normalised


class MixReason(StrEnum):
    """Why a recording is mixed down the way it is."""

    MONO = "mono"
    MIX = "mix"
    OUT_OF_PHASE = "out_of_phase"
    DEAD_CHANNEL = "dead_channel"


@dataclass(frozen=True, slots=True)
class MixDown:
    """How several channels become one.

    Attributes:
        weights: factor per channel, shape ``(channels,)``.
        reason: why.
        channel: the one channel that is used, counted from 0, or ``None`` for a mix.
    """

    weights: tuple[float, ...]
    reason: MixReason
    channel: int | None = None

    def apply(self, samples: FloatArray) -> FloatArray:
        """Mix a block of shape ``(n, channels)`` to shape ``(n,)``."""
        return weighted_sum(samples, self.weights)


def weighted_sum(samples: FloatArray, weights: Sequence[float] | FloatArray) -> FloatArray:
    """Return ``samples @ weights``, shape ``(n,)``; for two columns BLAS costs more than it saves."""
    out = np.zeros(len(samples), np.float32)
    for channel, weight in enumerate(weights):
        if weight:
            out += samples[:, channel] * np.float32(weight)
    return out


class ChannelStatistics:
    """Levels of every channel and how alike the channels are, gathered block by block.

    Args:
        channels: number of channels.
        sample_rate: a multiple of 100.
        layout: name of their arrangement, such as ``stereo``.
    """

    def __init__(self, channels: int, sample_rate: int, layout: str = "") -> None:
        self.weights = mix_weights(channels, layout)
        self.channels = channels
        self.sample_rate = sample_rate
        self.samples = 0
        self.levels = [LevelStatistics() for _ in range(channels)]
        self._sum = np.zeros(channels)
        self._products = np.zeros((channels, channels))
        self._rest = np.zeros((0, channels), np.float32)

    def add(self, samples: FloatArray) -> None:
        """Take the next samples, shape ``(n, channels)``."""
        self.samples += len(samples)
        self._sum += samples.sum(axis=0, dtype=np.float64)
        self._products += np.einsum("na,nb->ab", samples, samples, dtype=np.float64)
        joined = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        levels = row_levels(joined, self.sample_rate)
        self._rest = joined[len(levels) * (self.sample_rate // 100) :].copy()
        for channel, statistics in enumerate(self.levels):
            statistics.add(levels[:, channel])

    @property
    def dc(self) -> npt.NDArray[np.float64]:
        """Mean of every channel, shape ``(channels,)``."""
        return self._sum / max(1, self.samples)

    @property
    def covariance(self) -> npt.NDArray[np.float64]:
        """Covariance of the channels, shape ``(channels, channels)``."""
        return np.asarray(self._products / max(1, self.samples) - np.outer(self.dc, self.dc))

    @property
    def speech_levels(self) -> list[float]:
        """Level of the louder syllables per channel in dBFS; -120 for digital silence."""
        return [-120.0 if level.speech_level_db is None else level.speech_level_db for level in self.levels]

    @property
    def dead(self) -> list[int]:
        """Channels without a signal although another one has it."""
        speech = self.speech_levels
        best = max(speech)
        if best < DIGITAL_SILENCE_DB + 20:
            return []
        return [n for n, level in enumerate(speech) if level < best - _DEAD_BELOW_BEST_DB]

    @property
    def best(self) -> int:
        """The channel whose speech stands highest above its pauses."""
        speech = self.speech_levels
        alive = [n for n in range(self.channels) if n not in self.dead]

        def clearness(n: int) -> float:
            floor = self.levels[n].noise_floor_db
            # Level counts a little: between two equally clear channels the louder one has the finer steps.
            return speech[n] - (floor if floor is not None else -120.0) + 0.1 * speech[n]

        return max(alive, key=clearness)

    @property
    def cancels(self) -> bool:
        """Whether mixing takes away most of the sound because channels have opposite polarity."""
        weights = self.weights.astype(np.float64)
        covariance = self.covariance
        expected = float(weights**2 @ np.diag(covariance))
        return expected > 0 and float(weights @ covariance @ weights) < _CANCELS * expected

    @property
    def mix(self) -> MixDown:
        """The mix of all channels."""
        reason = MixReason.MONO if self.channels == 1 else MixReason.MIX
        return MixDown(tuple(float(weight) for weight in self.weights), reason)

    def mix_down(self) -> MixDown:
        """Decide how to make one channel: the mix, or the better channel where mixing would do harm."""
        if self.channels == 1:
            return self.mix
        alive = [n for n in range(self.channels) if n not in self.dead]
        if self.cancels:
            return self._only(self.best, MixReason.OUT_OF_PHASE)
        if len(alive) == 1:
            return self._only(alive[0], MixReason.DEAD_CHANNEL)
        return self.mix

    def _only(self, channel: int, reason: MixReason) -> MixDown:
        return MixDown(tuple(float(n == channel) for n in range(self.channels)), reason, channel)

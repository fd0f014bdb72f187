"""What the mouth does at any instant of a voice: the articulation model, closures, and stillness in pauses.

Any stretch can be asked for by itself and gives the same numbers: rows lie on an absolute grid, and every row depends
on its own neighbourhood and on two things that are heard once, the recording's colour and where somebody speaks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from engine.generation.backend import DrivingVoice
from engine.generation.backends.draft import hearing
from engine.generation.backends.draft.articulation import REACH, Articulation
from engine.generation.backends.draft.closures import find_closures, freedom
from engine.generation.backends.draft.parameters import OPENING
from engine.jobs import Job, Progress
from engine.sound.speech import SpeechActivity
from engine.sync.plosives import find_bursts

Floats = npt.NDArray[np.float32]

_BLOCK = 10 * hearing.SAMPLE_RATE
_COLOUR_BLOCKS = 60
"""The recording's colour is taken from at most so many blocks of 10 s, evenly spread."""
_MARGIN = 1.0
"""Seconds around a stretch that are looked at so that its ends are as exact as its middle."""
_BEFORE, _AFTER = 0.14, 0.12
"""Lips begin to move before the voice and come to rest after it, seconds."""
_EASE = 0.10
"""Half of the time in which they do."""
_SMOOTH = np.array([0.06, 0.24, 0.40, 0.24, 0.06], np.float32)
"""Symmetric, so without delay: takes off what lies above 12 Hz, which lips do not do."""
_ACTIVITY_ROWS = 100


@dataclass(frozen=True)
class Performance:
    """A voice, heard.

    Attributes:
        voice: what is said.
        model: the articulation model.
        colour: of the recording.
        activity: how surely somebody speaks, 100 rows a second, shape ``(rows,)``.
    """

    voice: DrivingVoice
    model: Articulation
    colour: hearing.Colour
    activity: Floats

    @classmethod
    def heard(cls, voice: DrivingVoice, model: Articulation) -> Job[Performance]:
        """Listen to the whole voice once."""
        blocks = max(1, math.ceil(voice.samples / _BLOCK))
        listener = SpeechActivity(hearing.SAMPLE_RATE)
        rows, colours = [], []
        every = max(1, math.ceil(blocks / _COLOUR_BLOCKS))
        for number in range(blocks):
            samples = voice.read(number * _BLOCK, min((number + 1) * _BLOCK, voice.samples))
            rows.append(listener.push(samples))
            if number % every == 0:
                colours.append(hearing.magnitudes(samples))
            yield Progress("listening", (number + 1) / blocks)
        rows.append(listener.finish())
        return cls(voice, model, hearing.Colour.of(colours), np.concatenate(rows))

    def at(self, times: npt.NDArray[np.float64], frame_seconds: float) -> tuple[Floats, Floats]:
        """Return the mouth at some times.

        Args:
            times: seconds of the voice, ascending, shape ``(n,)``.
            frame_seconds: how far apart pictures are.

        Returns:
            Mouth parameters, shape ``(n, 8)``, and how much the person is speaking, 0 to 1, shape ``(n,)``.
        """
        first = math.floor((times[0] - _MARGIN) * hearing.ROW_RATE) - REACH
        last = math.ceil((times[-1] + _MARGIN) * hearing.ROW_RATE) + REACH
        hop = hearing.SAMPLE_RATE // hearing.ROW_RATE
        # One row more on both sides: the windows of the outermost rows would reach beyond what is read.
        samples = self.voice.read((first - 1) * hop, (last + 1) * hop)
        parameters, shut = self.model(self.colour.rows(hearing.magnitudes(samples)))
        row_times = np.arange(first - 1, last + 1) / hearing.ROW_RATE + hearing.ROW_CENTRE
        smooth = np.stack([np.convolve(column, _SMOOTH, mode="same") for column in parameters.T], axis=1)
        values = np.asarray(CubicSpline(row_times, smooth, axis=0)(times), np.float32)
        bursts = find_bursts(samples, hearing.SAMPLE_RATE, start=(first - 1) / hearing.ROW_RATE)
        speaking = self.speaking(times)
        free = freedom(find_closures(shut, row_times, bursts), times, frame_seconds)
        values[:, OPENING] = np.maximum(values[:, OPENING], 0) * free
        return values * speaking[:, None], speaking

    def speaking(self, times: npt.NDArray[np.float64]) -> Floats:
        """Return how much the person is speaking at some times, 0 to 1, rising before the voice does."""
        reach = _BEFORE + _AFTER + 2 * _EASE
        first = math.floor((times[0] - reach) * _ACTIVITY_ROWS)
        last = math.ceil((times[-1] + reach) * _ACTIVITY_ROWS) + 1
        rows = np.zeros(last - first, np.float32)
        begin, end = max(first, 0), min(last, len(self.activity))
        if begin < end:
            rows[begin - first : end - first] = self.activity[begin:end]
        loud = np.flatnonzero(rows >= 0.5)
        held = np.zeros(len(rows) + 1, np.int32)
        # From an eased length before each active row to one after it; overlaps do not matter.
        begins = np.clip(loud - round(_BEFORE * _ACTIVITY_ROWS), 0, len(rows))
        ends = np.clip(loud + round(_AFTER * _ACTIVITY_ROWS) + 1, 0, len(rows))
        np.add.at(held, begins, 1)
        np.add.at(held, ends, -1)
        on = (np.cumsum(held)[:-1] > 0).astype(np.float32)
        window = np.hanning(2 * round(_EASE * _ACTIVITY_ROWS) + 1)[1:-1]
        eased = np.convolve(on, window / window.sum(), mode="same")
        return np.interp(times, np.arange(first, last) / _ACTIVITY_ROWS, eased).astype(np.float32)

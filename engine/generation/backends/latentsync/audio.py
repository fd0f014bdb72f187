"""What LatentSync hears of a video frame: 50 tokens, from states of Whisper tiny's encoder around its time."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine.generation.backend import DrivingVoice
from engine.generation.backends.speech_states import STATE_RATE, states_of_whole

TOKENS = 50
"""Tokens of one video frame: 10 states in time, 5 layers each, time-major."""

_BEFORE, _AFTER = 4, 5
"""States before and after a frame's own: two video frames each way at 25 fps."""


def window_rows(time: Fraction, rows: int) -> npt.NDArray[np.int64]:
    """Return which states the frame at a time hears, shape ``(10,)``, the edges repeated.

    Args:
        time: when the frame is shown, seconds from the beginning of the sound. For frame ``i`` that is ``i / fps``,
            exactly, at any rate.
        rows: number of states of the sound, at least 1.
    """
    centre = math.floor(time * STATE_RATE)
    return np.arange(centre - _BEFORE, centre + _AFTER + 1).clip(0, rows - 1)


class Hearing:
    """Tokens of the frames of a clip.

    Args:
        encoder: Whisper tiny's encoder with its weights.
        voice: mono sound at 16 kHz.
    """

    def __init__(self, encoder: WhisperEncoder, voice: DrivingVoice) -> None:
        self._states = states_of_whole(encoder, voice)
        self._width = encoder.config.d_model

    def tokens(self, times: list[Fraction]) -> Tensor:
        """Return the tokens of frames, shape ``(len(times), 50, 384)``, zeros where there is no sound at all.

        Args:
            times: when the frames are shown, seconds from the beginning of the sound.
        """
        if self._states.rows == 0:
            return torch.zeros(len(times), TOKENS, self._width)
        rows = np.stack([window_rows(time, self._states.rows) for time in times])
        return self._states.states(rows.ravel()).unflatten(0, rows.shape).flatten(1, 2)

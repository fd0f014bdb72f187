"""What MuseTalk hears: states of Whisper tiny's encoder at 50 Hz, and the 50 tokens that belong to a video frame.

A frame hears ten states around its middle. The published code counts them with ``int(fps)``, which drifts by 374 ms in
ten seconds at 23.976 fps and fails from 50 fps on; here their place is computed from the frame's own exact time. At
25 fps both agree to the row.

The two versions differ: 1.5 takes the encoder's last state *after* its final layer norm and hears zeros outside the
sound; 1.0 takes it before, as LatentSync does, and hears the first and last state for ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine.generation.backend import DrivingVoice
from engine.generation.backends.musetalk.settings import Version
from engine.generation.backends.speech_states import SLICE_SECONDS, STATE_RATE, LogMel, SpeechStates, states_of_whole
from engine.generation.plan import VOICE_RATE
from engine.models.whisper import layer_states

ROWS = 10
"""States that a frame hears, 20 ms each."""
TOKENS = 50
"""Tokens of a frame: ten states in time, five layers each, time-major."""

_SLICE_SAMPLES = SLICE_SECONDS * VOICE_RATE


def first_row(frame: int, fps: Fraction) -> int:
    """Return the first of the ten rows that a frame hears; it may lie before the sound.

    The middle of the ten rows is the row nearest to the middle of the frame, ``50 (frame + 1/2) / fps - 5``.

    Args:
        frame: its number.
        fps: frames per second, exact.
    """
    return math.floor((frame + Fraction(1, 2)) * STATE_RATE / fps - ROWS // 2 + Fraction(1, 2))


def rows_of(frame: int, fps: Fraction, rows: int, version: Version) -> npt.NDArray[np.int64]:
    """Return which rows a frame hears, shape ``(10,)``; -1 stands for a row of zeros.

    Args:
        frame: its number.
        fps: frames per second, exact.
        rows: how many the sound has.
        version: whose manners at the edges.
    """
    start = first_row(frame, fps)
    wanted = np.arange(start, start + ROWS)
    if version is Version.V1_0:
        return wanted.clip(0, rows - 1)
    return np.where((wanted >= 0) & (wanted < rows), wanted, -1)


def position_table(width: int) -> Tensor:
    """Return what is added to the tokens so that the network knows their order, shape ``(50, width)``.

    Sine and cosine in turns (Vaswani et al., "Attention is all you need", 2017).
    """
    exponent = torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10_000.0) / width)
    # By way of double: processors disagree on the last bit of exp in single precision, and 49 times that is visible.
    angle = torch.arange(TOKENS)[:, None] * exponent.double().exp().float()
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


def states_of_segments(encoder: WhisperEncoder, voice: DrivingVoice) -> SpeechStates:
    """Return the states as 1.5 computes them: 30 s at a time, each padded with silence, the last after the layer norm.

    Args:
        encoder: Whisper tiny's encoder with its weights.
        voice: mono sound at 16 kHz.
    """

    def encode(number: int) -> Tensor:
        return layer_states(encoder, LogMel(_Slice(voice, number)).slice(0), final_norm=True)

    return SpeechStates(voice.samples * STATE_RATE // voice.sample_rate, encode)


class _Slice:
    """30 s of a voice, silence after its end; a voice of its own."""

    samples = _SLICE_SAMPLES
    sample_rate = VOICE_RATE

    def __init__(self, voice: DrivingVoice, number: int) -> None:
        self.path = voice.path
        self._voice = voice
        self._begin = number * _SLICE_SAMPLES

    def read(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        return self._voice.read(self._begin + start, self._begin + stop)


class Hearing:
    """Tokens of the frames of a clip.

    Args:
        encoder: Whisper tiny's encoder with its weights.
        voice: the sound.
        fps: frames per second of the clip, exact.
        version: of MuseTalk.
    """

    def __init__(self, encoder: WhisperEncoder, voice: DrivingVoice, fps: Fraction, version: Version) -> None:
        states_of = states_of_segments if version is Version.V1_5 else states_of_whole
        self._states = states_of(encoder, voice)
        self._fps = fps
        self._version = version
        self._positions = position_table(encoder.config.d_model)

    def tokens(self, frames: Sequence[int]) -> Tensor:
        """Return the tokens of frames with their positions, shape ``(len(frames), 50, width)``."""
        windows = torch.zeros(len(frames), ROWS, TOKENS // ROWS, self._positions.shape[1])
        count = self._states.rows
        if count > 0:
            rows = np.stack([rows_of(frame, self._fps, count, self._version) for frame in frames])
            is_heard = rows >= 0
            if is_heard.any():
                windows[torch.from_numpy(is_heard)] = self._states.states(rows[is_heard])
        return windows.flatten(1, 2) + self._positions

"""A voice as networks hear it that were trained on Whisper tiny: states of its encoder, 50 per second.

The encoder takes 30 s at a time. Slices do not know each other, so they are computed when they are asked for and
forgotten again: memory does not grow with the sound.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the field's own abbreviation
from torch import Tensor
from transformers.audio_utils import mel_filter_bank
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine.generation.backend import DrivingVoice
from engine.generation.plan import VOICE_RATE
from engine.models.whisper import layer_states

STATE_RATE = 50
"""States per second."""
SLICE_SECONDS = 30
"""Length of what the encoder takes at a time."""

_FFT = 400
_HOP = 160
_MEL_BANDS = 80
_MEL_RANGE = 8.0
"""Decades below the loudest point of the whole sound at which the log-mel is cut off (OpenAI's Whisper)."""
_SLICE_COLUMNS = SLICE_SECONDS * VOICE_RATE // _HOP
_SLICE_STATES = SLICE_SECONDS * STATE_RATE
_SLICES_KEPT = 2
"""A frame at a border hears states of two."""


class LogMel:
    """Log-mel of a sound of any length, computed in slices.

    Args:
        voice: mono sound at 16 kHz.

    Attributes:
        columns: length, 100 per second.
    """

    def __init__(self, voice: DrivingVoice) -> None:
        self._voice = voice
        self.columns = voice.samples // _HOP
        filters = mel_filter_bank(
            1 + _FFT // 2, _MEL_BANDS, 0.0, VOICE_RATE / 2, VOICE_RATE, norm="slaney", mel_scale="slaney"
        )
        self._filters = torch.from_numpy(filters.T.astype(np.float32))
        self._window = torch.hann_window(_FFT)
        starts = range(0, self.columns, _SLICE_COLUMNS)
        self._loudest = max((float(self._log_power(start).max()) for start in starts), default=0.0)

    def slice(self, number: int) -> Tensor:
        """Return a slice of 30 s, shape ``(80, 3000)``, zeros after the end of the sound."""
        power = self._log_power(number * _SLICE_COLUMNS)
        mel = (torch.clamp(power, min=self._loudest - _MEL_RANGE) + 4) / 4
        return F.pad(mel, (0, _SLICE_COLUMNS - mel.shape[1]))

    def _log_power(self, start: int) -> Tensor:
        """Return log10 of the mel power of at most 3000 columns from ``start`` on, shape ``(80, columns)``."""
        columns = min(_SLICE_COLUMNS, self.columns - start)
        # The published transform mirrors half a window at both ends of the whole sound.
        reach = np.arange(start * _HOP - _FFT // 2, (start + columns - 1) * _HOP + _FFT // 2)
        mirrored = np.abs(reach)
        last = self._voice.samples - 1
        mirrored = np.where(mirrored > last, 2 * last - mirrored, mirrored).clip(0, last)
        low, high = int(mirrored.min()), int(mirrored.max()) + 1
        sound = torch.from_numpy(self._voice.read(low, high)[mirrored - low])
        spectrum = torch.stft(sound, _FFT, _HOP, window=self._window, center=False, return_complex=True)
        return torch.log10(torch.clamp(self._filters @ spectrum.abs().square(), min=1e-10))


class SpeechStates:
    """The encoder's states of one sound, slice by slice as they are asked for.

    Args:
        rows: number of states of the sound, 50 per second.
        encode: returns the states of the slice with a number, shape ``(1500, layers + 1, width)``.
    """

    def __init__(self, rows: int, encode: Callable[[int], Tensor]) -> None:
        self.rows = rows
        self._slice = lru_cache(_SLICES_KEPT)(encode)

    def states(self, rows: npt.NDArray[np.int64]) -> Tensor:
        """Return rows in any order, at least one, shape ``(len(rows), layers + 1, width)``."""
        # Neighbouring frames share most of their rows.
        once, places = np.unique(rows, return_inverse=True)
        slices, begins = np.unique(once // _SLICE_STATES, return_index=True)
        parts = np.split(once % _SLICE_STATES, begins[1:])
        found = [self._slice(int(number))[torch.from_numpy(part)] for number, part in zip(slices, parts, strict=True)]
        return torch.cat(found)[torch.from_numpy(places)]


def states_of_whole(encoder: WhisperEncoder, voice: DrivingVoice) -> SpeechStates:
    """Return a sound's states as LatentSync and MuseTalk 1.0 were trained on them.

    Their published code takes the log-mel of the whole sound and cuts it into slices of 30 s, the last padded with
    zeros *in log-mel*, not with silence; the last layer's states do not pass the final layer norm.

    Args:
        encoder: Whisper tiny's encoder with its weights.
        voice: mono sound at 16 kHz.
    """
    mel = LogMel(voice)
    return SpeechStates(mel.columns // 2, lambda number: layer_states(encoder, mel.slice(number)))

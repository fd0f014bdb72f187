"""What LatentSync hears: states of Whisper tiny's encoder at 50 Hz, and the 50 tokens that belong to a video frame.

The published code takes the log-mel of the whole sound, cuts it into slices of 30 s (the last padded with zeros *in
log-mel*, not with silence), and stacks five states per slice: after the convolutions and positions, and after each of
the four blocks, without the final layer norm. Slices do not know each other, so they are computed when they are asked
for and forgotten again: memory does not grow with the sound.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the field's own abbreviation
from torch import Tensor
from transformers import WhisperConfig
from transformers.audio_utils import mel_filter_bank
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine.generation.backend import DrivingVoice
from engine.generation.plan import VOICE_RATE

STATE_RATE = 50
"""States per second."""
TOKENS = 50
"""Tokens of one video frame: 10 states in time, 5 layers each, time-major."""

_FFT = 400
_HOP = 160
_MEL_BANDS = 80
_MEL_RANGE = 8.0
"""Decades below the loudest point of the whole sound at which the log-mel is cut off (OpenAI's Whisper)."""
_SLICE_COLUMNS = 3000
_SLICE_STATES = _SLICE_COLUMNS // 2
_BEFORE, _AFTER = 4, 5
"""States before and after a frame's own: two video frames each way at 25 fps."""
_HEAD_CHANNELS = 64
_SLICES_KEPT = 2

_RENAMED = (
    ("attn_ln", "self_attn_layer_norm"),
    ("mlp_ln", "final_layer_norm"),
    ("attn.query", "self_attn.q_proj"),
    ("attn.key", "self_attn.k_proj"),
    ("attn.value", "self_attn.v_proj"),
    ("attn.out", "self_attn.out_proj"),
    ("mlp.0", "fc1"),
    ("mlp.2", "fc2"),
    ("ln_post", "layer_norm"),
    ("positional_embedding", "embed_positions.weight"),
    ("blocks.", "layers."),
)
"""Parts of OpenAI's key names and what transformers calls the same tensors."""


def renamed(key: str) -> str:
    """Return transformers' name for a key of the encoder in OpenAI's ``tiny.pt``, both without ``encoder.``."""
    for theirs, ours in _RENAMED:
        key = key.replace(theirs, ours)
    return key


def encoder_for(shapes: Mapping[str, tuple[int, ...]]) -> WhisperEncoder:
    """Return an encoder with the widths of a checkpoint, its weights unset.

    Args:
        shapes: shape per key in transformers' names (see :func:`renamed`).
    """
    width, bands = shapes["conv1.weight"][:2]
    layers = sum(1 for key in shapes if key.endswith(".fc1.weight"))
    config = WhisperConfig(
        d_model=width,
        num_mel_bins=bands,
        encoder_layers=layers,
        encoder_attention_heads=width // _HEAD_CHANNELS,
        encoder_ffn_dim=shapes["layers.0.fc1.weight"][0],
        max_source_positions=shapes["embed_positions.weight"][0],
    )
    config._attn_implementation = "sdpa"  # noqa: SLF001 - what from_pretrained() would set
    return WhisperEncoder(config)


def layer_states(encoder: WhisperEncoder, mel: Tensor) -> list[Tensor]:
    """Return what enters the encoder's first layer and what leaves each layer, shape ``(1, columns / 2, 384)`` each.

    Args:
        encoder: Whisper tiny's encoder with its weights.
        mel: of one slice, shape ``(80, columns)``.
    """
    x = F.gelu(encoder.conv1(mel.to(encoder.conv1.weight)[None]))
    x = F.gelu(encoder.conv2(x)).transpose(1, 2) + encoder.embed_positions.weight
    stack = [x]
    for layer in encoder.layers:
        x = layer(x, None)
        stack.append(x)
    return stack


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


def window_rows(time: Fraction, rows: int) -> npt.NDArray[np.int64]:
    """Return which states the frame at a time hears, shape ``(10,)``, the edges repeated.

    Args:
        time: when the frame is shown, seconds from the beginning of the sound. For frame ``i`` that is ``i / fps``,
            exactly, at any rate.
        rows: number of states of the sound, at least 1.
    """
    centre = math.floor(time * STATE_RATE)
    return np.arange(centre - _BEFORE, centre + _AFTER + 1).clip(0, rows - 1)


def window_count(rows: int, fps: Fraction) -> int:
    """Return how many frames the published code makes of a sound: it goes on until a window begins after the end.

    Args:
        rows: number of states of the sound.
        fps: frames per second.
    """
    return math.ceil((rows + 1) * fps / STATE_RATE) + 1


class SpeechStates:
    """The encoder's states of one sound, slice by slice as they are asked for.

    Args:
        encoder: Whisper tiny's encoder with its weights.
        voice: mono sound at 16 kHz.

    Attributes:
        rows: number of states, 50 per second.
    """

    def __init__(self, encoder: WhisperEncoder, voice: DrivingVoice) -> None:
        self._encoder = encoder
        self._mel = LogMel(voice)
        self.rows = self._mel.columns // 2
        self._slices: OrderedDict[int, Tensor] = OrderedDict()

    def tokens(self, times: list[Fraction]) -> Tensor:
        """Return the tokens of frames, shape ``(len(times), 50, 384)``, zeros where there is no sound at all.

        Args:
            times: when the frames are shown, seconds from the beginning of the sound.
        """
        if self.rows == 0:
            return torch.zeros(len(times), TOKENS, self._encoder.config.d_model)
        rows = np.stack([window_rows(time, self.rows) for time in times])
        return self.states(rows.ravel()).unflatten(0, rows.shape).flatten(1, 2)

    def states(self, rows: npt.NDArray[np.int64]) -> Tensor:
        """Return rows of the stack, shape ``(len(rows), 5, 384)``."""
        slices, places = np.divmod(rows, _SLICE_STATES)
        found = torch.empty(len(rows), 1 + len(self._encoder.layers), self._encoder.config.d_model)
        for number in np.unique(slices):
            chosen = slices == number
            found[torch.from_numpy(chosen)] = self._slice(int(number))[torch.from_numpy(places[chosen])]
        return found

    def _slice(self, number: int) -> Tensor:
        """Return the states of one slice, shape ``(1500, 5, 384)``."""
        if number not in self._slices:
            self._slices[number] = self._encode(self._mel.slice(number))
            while len(self._slices) > _SLICES_KEPT:
                self._slices.popitem(last=False)
        self._slices.move_to_end(number)
        return self._slices[number]

    @torch.inference_mode()
    def _encode(self, mel: Tensor) -> Tensor:
        return torch.stack(layer_states(self._encoder, mel), dim=2)[0].float().cpu()

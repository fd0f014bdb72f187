"""Voice to what the transformer hears: 25 hidden states of wav2vec 2 per video frame, computed as they are needed.

The published path reads the whole recording at once and keeps everything. Here a long voice is heard in pieces that
overlap, and only the pieces a block needs are in memory, so an hour costs what a minute does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.generation.backends.liveavatar.config import BLOCK_FRAMES
from engine.models.checkpoints import load_strict, read_state

RATE = 16_000
"""Samples per second that wav2vec 2 is trained on."""
FEATURE_RATE = 50
"""Rows of features per second."""
_MIDDLE_RATE = 30
"""The published path takes features to 30 rows per second before it picks the row of a video frame."""
_HOP = RATE // FEATURE_RATE
_WINDOW = 400
"""Samples that one row sees: the receptive field of the seven convolutions."""
_VARIANCE_FLOOR = 1e-7
"""As in the processor of transformers."""

WHOLE_SECONDS = 60
"""Voices up to this long are heard in one piece, exactly as published (attention over time costs its square)."""
_PIECE_SECONDS = 30
_OVERLAP_SECONDS = 5

Samples = npt.NDArray[np.float32]
Read = Callable[[int, int], Samples]
"""Returns samples ``start`` to ``stop``, full scale 1; silence outside the voice."""


def load_wav2vec2(folder: Path, device: torch.device | str = "cpu") -> Any:
    """Load the network from its official folder (``config.json`` and one file of weights), in float32.

    Raises:
        Refused: as :func:`engine.models.checkpoints.load_strict`.
    """
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    path = next((folder / name for name in _FILES if (folder / name).exists()), folder / _FILES[0])
    state = read_state(path)
    with torch.device("meta"):
        network = Wav2Vec2Model(Wav2Vec2Config.from_json_file(folder / "config.json"))
    load_strict(network, wav2vec2_state(state), path=path, wanted="wav2vec2", dtype=torch.float32, device=device)
    return network.eval()


_FILES = ("model.safetensors", "pytorch_model.bin")


def wav2vec2_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of the encoder under today's names, without the head for writing down what is said."""
    renamed = (
        (name.removeprefix("wav2vec2."), value) for name, value in state.items() if not name.startswith("lm_head.")
    )
    return {
        name.replace("conv.weight_g", "conv.parametrizations.weight.original0").replace(
            "conv.weight_v", "conv.parametrizations.weight.original1"
        ): value
        for name, value in renamed
    }


@torch.inference_mode()
def hidden_states(network: Any, wave: Tensor) -> Tensor:
    """Return ``[layers + 1, rows, dim]`` for a normalised wave ``[samples]``.

    From version 5 on, transformers returns the last hidden state without the final norm, without saying so; the video
    model was trained with it.
    """
    found = network(wave[None], output_hidden_states=True)
    return torch.cat([*found.hidden_states[:-1], found.last_hidden_state])


def row_count(samples: int) -> int:
    """Return how many rows of features wav2vec 2 makes of so many samples."""
    for kernel, stride in ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)):
        samples = (samples - kernel) // stride + 1
    return max(0, samples)


def frame_rows(first: int, count: int, rows: int, fps: Fraction) -> npt.NDArray[np.float64]:
    """Return which row of features drives each of ``count`` video frames from ``first`` on, as published.

    The rows are first thought of at 30 per second, stretched so that first and last row meet, and the nearest of those
    is taken. Next to exact times that wanders by up to 13 ms, and 27 ms more towards the end; the weights know it so.

    Args:
        first: number of the first frame.
        count: how many.
        rows: rows of features there are.
        fps: video frames per second.

    Returns:
        Fractional row numbers, −1 for frames after the end.
    """
    middle = int(rows / FEATURE_RATE * _MIDDLE_RATE)
    nearest = np.array([round(frame * _MIDDLE_RATE / fps) for frame in range(first, first + count)])
    # In single precision, as torch interpolates: after ten seconds an exact place already differs in the features.
    stretch = np.float32(rows - 1) / np.float32(middle - 1) if middle > 1 else np.float32(0)
    return np.where(nearest < middle, (nearest.astype(np.float32) * stretch).astype(np.float64), -1.0)


@dataclass(frozen=True, slots=True)
class Level:
    """Mean and standard deviation of a recording, by which it is normalised."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, read: Read, samples: int) -> Level:
        """Measure a recording, a minute at a time."""
        total = squares = 0.0
        for start in range(0, samples, 60 * RATE):
            block = read(start, min(samples, start + 60 * RATE)).astype(np.float64)
            total += float(block.sum())
            squares += float(np.square(block).sum())
        mean = total / max(1, samples)
        variance = max(0.0, squares / max(1, samples) - mean * mean)
        return cls(mean, math.sqrt(variance + _VARIANCE_FLOOR))


class VoiceFeatures:
    """What the transformer hears, block by block, in any order.

    Args:
        network: see :func:`load_wav2vec2`.
        read: the voice.
        samples: its length, with all silence before and after that the video is to have.
        level: by which it is normalised.
        fps: video frames per second.
        lead_in: video frames of silence to put before it.
    """

    def __init__(self, network: Any, read: Read, samples: int, level: Level, fps: Fraction, lead_in: int = 0) -> None:
        self._network = network
        self._read = read
        self._level = level
        self._fps = fps
        self._lead = round(lead_in * RATE / fps)
        self._samples = samples + self._lead
        self._pieces: dict[int, Future[Tensor]] = {}
        self._listener = ThreadPoolExecutor(1, "listening")
        self._nothing = torch.zeros(network.config.num_hidden_layers + 1, network.config.hidden_size)
        self.rows = row_count(self._samples)
        """Rows of features in all."""
        self._step = _PIECE_SECONDS * FEATURE_RATE if self._samples > WHOLE_SECONDS * RATE else max(1, self.rows)

    def block(self, number: int) -> Tensor:
        """Return ``[25, dim, 12]``: hidden states for the frames of a block; zeros after the end of the voice."""
        return self.frames(BLOCK_FRAMES * number, BLOCK_FRAMES)

    def frames(self, first: int, count: int) -> Tensor:
        """Return ``[25, dim, count]`` for video frames from ``first`` on."""
        places = frame_rows(first, count, self.rows, self._fps)
        return torch.stack([self._at(float(place)) if place >= 0 else self._nothing for place in places], dim=-1)

    def _at(self, place: float) -> Tensor:
        """Return ``[25, dim]`` between two rows."""
        low = min(int(place), self.rows - 1)
        share = place - low
        below = self._row(low)
        return below if share == 0 else below * (1 - share) + self._row(min(low + 1, self.rows - 1)) * share

    def _row(self, row: int) -> Tensor:
        piece = row // self._step
        if piece not in self._pieces or piece + 1 not in self._pieces:
            # The one before, since a block may lie across their border, and the one after, heard while this is used.
            kept = {number: each for number, each in self._pieces.items() if abs(number - piece) <= 1}
            for number in (piece, piece + 1):
                if number not in kept and number * self._step < self.rows:
                    kept[number] = self._listener.submit(self._hear, number)
            self._pieces = kept
        return self._pieces[piece].result()[:, row - piece * self._step]

    def close(self) -> None:
        """Stop listening ahead."""
        self._listener.shutdown(cancel_futures=True)

    def _hear(self, piece: int) -> Tensor:
        """Return ``[25, rows, dim]`` of one piece, heard with some of what is around it."""
        begin, end = piece * self._step, min(self.rows, (piece + 1) * self._step)
        first = max(0, begin - _OVERLAP_SECONDS * FEATURE_RATE)
        last = min(self.rows, end + _OVERLAP_SECONDS * FEATURE_RATE)
        stop = self._samples if last == self.rows else (last - 1) * _HOP + _WINDOW
        wave = self._read(first * _HOP - self._lead, stop - self._lead).astype(np.float32, copy=False)
        normal = torch.from_numpy((wave - self._level.mean) / self._level.deviation).float()
        device = next(self._network.parameters()).device
        return hidden_states(self._network, normal.to(device))[:, begin - first : end - first].cpu()

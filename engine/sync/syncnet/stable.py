"""StableSyncNet, LatentSync's own judge: how well 16 aligned faces and 0.65 s of sound belong together.

Layers, names and sizes are those of ``stable_syncnet.pt`` (configuration ``syncnet_16_pixel_attn``). It was trained on
faces aligned as LatentSync aligns them, and judges others badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the field's own abbreviation
from diffusers.models.attention import FeedForward
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from engine.models.checkpoints import load_strict, read_state
from engine.sync.syncnet.features import MEL_RATE

PICTURES = 16
"""Faces at 25 fps that are judged together."""
COLUMNS = 52
"""Columns of the mel spectrogram at 80 Hz for the same time."""

_FPS = 25
_GROUPS, _EPSILON, _HEADS = 32, 1e-6, 8

Factor = int | tuple[int, int]

_AUDIO: tuple[int, Sequence[int], Sequence[Factor], Sequence[int]] = (
    1, (32, 64, 128, 256, 512, 1024, 2048), ((2, 1), 2, 2, 1, 2, 2, (2, 3)), (3, 4),
)  # fmt: skip
_VISUAL: tuple[int, Sequence[int], Sequence[Factor], Sequence[int]] = (
    3 * PICTURES, (64, 128, 256, 256, 512, 1024, 2048, 2048), ((1, 2), 2, 2, 2, 2, 2, 2, 2), (4, 5),
)  # fmt: skip
"""Channels in, widths, strides in rows and columns, and the stages that end with attention."""


class StableSyncNet(nn.Module):
    """The two encoders of the released configuration."""

    def __init__(self) -> None:
        super().__init__()
        self.audio_encoder = _Encoder(*_AUDIO)
        self.visual_encoder = _Encoder(*_VISUAL)

    @torch.inference_mode()
    def see(self, faces: Tensor) -> Tensor:
        """Return unit vectors of windows of faces, shape ``(windows, 2048)``.

        Args:
            faces: lower halves in -1..1, channel ``3 * picture + colour``, shape ``(windows, 48, 128, 256)``.
        """
        return F.normalize(self.visual_encoder(faces).flatten(1), dim=1)

    @torch.inference_mode()
    def hear(self, spectrogram: Tensor) -> Tensor:
        """Return unit vectors of windows of sound, shape ``(windows, 2048)``.

        Args:
            spectrogram: shape ``(windows, 1, 80, 52)``.
        """
        return F.normalize(self.audio_encoder(spectrogram).flatten(1), dim=1)


def faces_window(faces: npt.NDArray[np.uint8]) -> Tensor:
    """Return 16 aligned faces as the network takes them, shape ``(48, 128, 256)``.

    Args:
        faces: RGB, shape ``(16, 256, 256, 3)``.
    """
    lower = torch.from_numpy(np.ascontiguousarray(faces[:, faces.shape[1] // 2 :])).float() / 127.5 - 1
    return lower.permute(0, 3, 1, 2).flatten(0, 1)


def sound_window(spectrogram: npt.NDArray[np.floating[Any]], start: int) -> Tensor | None:
    """Return the sound of the window that begins with a picture, shape ``(1, 80, 52)``; ``None`` past the end.

    Args:
        spectrogram: of the whole sound, see :func:`engine.sync.syncnet.features.mel`.
        start: number of the window's first picture at 25 fps.
    """
    column = MEL_RATE * start // _FPS
    window = spectrogram[:, column : column + COLUMNS]
    return torch.from_numpy(window.astype(np.float32))[None] if window.shape[1] == COLUMNS else None


def load_stable_syncnet(path: Path) -> StableSyncNet:
    """Read ``stable_syncnet.pt``.

    Raises:
        Refused: if it is anything else, see :func:`engine.models.checkpoints.load_strict`.
    """
    with torch.device("meta"):
        network = StableSyncNet()
    load_strict(network, read_state(path), path=path, wanted="StableSyncNet", dtype=torch.float32)
    return network.eval()


class _Encoder(nn.Module):
    """Convolutions down to one point."""

    def __init__(self, channels: int, widths: Sequence[int], strides: Sequence[Factor], attention: Sequence[int]):
        super().__init__()
        self.conv_in = nn.Conv2d(channels, widths[0], 3, padding=1)
        blocks: list[nn.Module] = []
        before = widths[0]
        for stage, (width, stride) in enumerate(zip(widths, strides, strict=True)):
            blocks.append(_Residual(before, width, stride))
            if stage in attention:
                blocks.append(_AttentionBlock(width))
            before = width
        self.down_blocks = nn.ModuleList(blocks)
        self.norm_out = nn.GroupNorm(_GROUPS, widths[-1], _EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        return F.relu(self.norm_out(x))


class _Residual(nn.Module):
    """Two convolutions beside a shortcut, then a third one that makes the picture smaller."""

    def __init__(self, before: int, width: int, stride: Factor) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(_GROUPS, before, _EPSILON)
        self.conv1 = nn.Conv2d(before, width, 3, padding=1)
        self.norm2 = nn.GroupNorm(_GROUPS, width, _EPSILON)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(before, width, 1) if before != width else None
        self.downsample_conv = None if stride == 1 else nn.Conv2d(width, width, 3, stride)
        rows, columns = (stride, stride) if isinstance(stride, int) else stride
        # A side that keeps its length is padded on both ends, one that is halved only at its far end.
        self._padding = (int(columns == 1), 1, int(rows == 1), 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.silu(self.norm1(x)))
        y = self.conv2(F.silu(self.norm2(y)))
        x = y + (x if self.conv_shortcut is None else self.conv_shortcut(x))
        if self.downsample_conv is None:
            return x
        smaller: Tensor = self.downsample_conv(F.pad(x, self._padding))
        return smaller


class _AttentionBlock(nn.Module):
    """Self-attention over the places of a picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(_GROUPS, width, _EPSILON)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width, activation_fn="geglu")
        self.conv_in = nn.Conv2d(width, width, 1)
        self.conv_out = nn.Conv2d(width, width, 1)
        self.attn = Attention(query_dim=width, heads=_HEADS, dim_head=width // _HEADS, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        y = self.conv_in(self.norm1(x)).flatten(2).transpose(1, 2)
        y = self.attn(self.norm2(y)) + y
        y = self.ff(self.norm3(y)) + y
        added: Tensor = x + self.conv_out(y.transpose(1, 2).unflatten(2, (height, width)))
        return added

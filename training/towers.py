"""The two towers in PyTorch: what :mod:`engine.sync.towers` computes with NumPy, with gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn

KERNELS = ((5, 1), (5, 2), (5, 4), (3, 1))
"""Kernel size and dilation of each residual block: 31 rows, 0.62 s, of context."""


class Block(nn.Module):
    """Residual block: layer norm, dilated convolution, GELU, pointwise convolution."""

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.conv = nn.Conv1d(channels, channels, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.point = nn.Linear(channels, channels)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map ``(batch, rows, channels)`` to the same shape; masked rows count as zero."""
        inner = self.norm(x) * mask
        inner = self.conv(inner.transpose(1, 2)).transpose(1, 2)
        return x + self.drop(self.point(nn.functional.gelu(inner, approximate="tanh")))


class Tower(nn.Module):
    """Rows of one side to embeddings."""

    def __init__(self, inputs: int, channels: int, outputs: int) -> None:
        super().__init__()
        self.enter = nn.Linear(inputs, channels)
        self.blocks = nn.ModuleList(Block(channels, kernel, dilation) for kernel, dilation in KERNELS)
        self.leave = nn.Linear(channels, outputs)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map ``(batch, rows, inputs)`` and mask ``(batch, rows, 1)`` to ``(batch, rows, outputs)``, mean removed."""
        x = self.enter(x) * mask
        for block in self.blocks:
            x = block(x, mask)
        x = self.leave(x)
        mean = (x * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1)
        return (x - mean) * mask


class Towers(nn.Module):
    """Mouth tower, sound tower, and the score of every lag."""

    def __init__(self, mouth_inputs: int, sound_inputs: int, channels: int = 64, outputs: int = 32) -> None:
        super().__init__()
        self.mouth = Tower(mouth_inputs, channels, outputs)
        self.sound = Tower(sound_inputs, channels, outputs)
        self.scale = nn.Parameter(torch.tensor(-1.5))
        self.null = nn.Parameter(torch.tensor(0.0))

    def forward(self, mouth: Tensor, seen: Tensor, sound: Tensor, heard: Tensor) -> Tensor:
        """Return logits over lags, then null.

        Args:
            mouth: ``(batch, rows, mouth_inputs)``.
            seen: ``(batch, rows, 1)``.
            sound: ``(batch, rows + 2 * reach, sound_inputs)``; row ``m`` is ``m - reach`` rows after mouth row 0.
            heard: ``(batch, rows + 2 * reach, 1)``.

        Returns:
            ``(batch, 2 * reach + 2)``: lag ``-reach`` first, the null score last.
        """
        v = self.mouth(mouth, seen)
        a = self.sound(sound, heard)
        lags = a.shape[1] - v.shape[1] + 1
        size = 1 << (a.shape[1] - 1).bit_length()
        spectrum = torch.fft.rfft(a, size, dim=1) * torch.fft.rfft(v, size, dim=1).conj()
        scores = torch.fft.irfft(spectrum.sum(2), size, dim=1)[:, :lags] * self.scale.exp()
        return torch.cat([scores, self.null.expand(len(scores), 1)], 1)

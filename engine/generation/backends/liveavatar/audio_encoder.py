"""Speech features to a few tokens per latent frame, each looking only at sound that has been."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.generation.backends.liveavatar.config import AUDIO_LAYERS, ModelConfig

_EPS = 1e-6


class AudioTokens(NamedTuple):
    """What a block hears.

    Attributes:
        local: ``[latent frames, num_audio_token + 1, dim]``, for cross-attention.
        summary: ``[latent frames, dim]``, one per latent frame, for the norm before it.
    """

    local: Tensor
    summary: Tensor

    def to(self, dtype: torch.dtype) -> AudioTokens:
        """Return the same tokens in another precision."""
        return AudioTokens(self.local.to(dtype), self.summary.to(dtype))


class _CausalConv(nn.Module):
    """A convolution of three frames over time that repeats the first frame instead of looking ahead."""

    def __init__(self, channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, out_channels, 3, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[n, frames, channels]`` to ``[n, frames / stride, out_channels]``."""
        weight, bias = self.conv.weight.float(), self.conv.bias
        padded = functional.pad(x.mT, (2, 0), mode="replicate")
        return functional.conv1d(padded, weight, None if bias is None else bias.float(), stride=self.conv.stride).mT


def _normed(x: Tensor) -> Tensor:
    return functional.silu(functional.layer_norm(x, x.shape[-1:], eps=_EPS))


class _Encoder(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.tokens = config.num_audio_token
        self.conv1_local = _CausalConv(config.audio_dim, dim // 4 * self.tokens, 1)
        self.conv1_global = _CausalConv(config.audio_dim, dim // 4, 1)
        self.conv2 = _CausalConv(dim // 4, dim // 2, 2)
        self.conv3 = _CausalConv(dim // 2, dim, 2)
        self.final_linear = nn.Linear(dim, dim)
        self.padding_tokens = nn.Parameter(torch.zeros(1, 1, 1, dim))

    def forward(self, x: Tensor) -> AudioTokens:
        heads = self.conv1_local(x).unflatten(-1, (self.tokens, -1))[0].transpose(0, 1)
        local = self._down(heads).transpose(0, 1)
        padding = self.padding_tokens[0].float().expand(local.shape[0], -1, -1)
        summary = self._down(self.conv1_global(x))[0]
        weight, bias = self.final_linear.weight.float(), self.final_linear.bias.float()
        return AudioTokens(torch.cat([local, padding], dim=1), functional.linear(summary, weight, bias))

    def _down(self, x: Tensor) -> Tensor:
        """Two more convolutions, each halving the frames: ``[n, frames, dim / 4]`` to ``[n, frames / 4, dim]``."""
        return _normed(self.conv3(_normed(self.conv2(_normed(x)))))


class CausalAudioEncoder(nn.Module):
    """Mixes the hidden states of wav2vec 2 and makes four tokens, one padding token and a summary per latent frame.

    All of it is computed in float32, whatever the precision of the weights.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.full((1, AUDIO_LAYERS, 1, 1), 0.01))
        self.encoder = _Encoder(config)

    def forward(self, features: Tensor) -> AudioTokens:
        """Encode the sound of one block.

        The published code repeats the first frame 73 times ahead of the block and drops the 19 latent frames that
        come of it; one repetition and one dropped latent frame give the same numbers.

        Args:
            features: ``[25, audio_dim, frames]``, hidden states per video frame.

        Returns:
            Tokens for ``frames / 4`` latent frames, float32.
        """
        share = functional.silu(self.weights[0].float())
        mixed = ((features.float() * share) / share.sum()).sum(0)
        mixed = torch.cat([mixed[:, :1], mixed], dim=1).T[None]
        tokens: AudioTokens = self.encoder(mixed)
        return AudioTokens(tokens.local[1:], tokens.summary[1:])

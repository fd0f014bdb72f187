"""The numbers of the network and of a picture size; everything else in this folder is derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from fractions import Fraction
from typing import Any

from engine.refusal import Refused

LATENT_FRAMES = 4
"""Video frames per latent frame: the stride in time of the Wan 2.1 VAE."""
BLOCK_LATENTS = 3
"""Latent frames that are denoised together."""
BLOCK_FRAMES = LATENT_FRAMES * BLOCK_LATENTS
"""Video frames per block."""
RATES = (Fraction(25), Fraction(16))
"""Pictures per second, the usual first: what the weights were published with, 16 until January 2026 and 25 since."""
LEAD_IN = 3
"""Pictures of silence ahead. The published program throws its first three pictures away but not their sound, so that
its pictures lead the sound by three frames: 120 ms at 25 per second. They are drawn to silence here."""
MOTION_LATENTS = 19
"""Latent frames of the past that the frame packer looks at: 1 at full size, 2 at half, 16 at a quarter."""
WINDOW_BLOCKS = 4
"""Blocks a block sees, itself included, at full quality: one clip of 48 frames."""
AUDIO_LAYERS = 25
"""Hidden states of wav2vec 2: the input of its first layer and the output of each of its 24."""
PIXELS_PER_LATENT = 8
PATCH = 2
"""Latent pixels per token, across and down."""
SIZE_STEP = 64
"""Width and height are multiples of this, so that the quarter-size patches of the past fit."""


class WeightFormat(StrEnum):
    """How the big matrices are stored."""

    PLAIN = "plain"
    """As they come, in the precision that is computed in."""
    FP8 = "fp8"
    """8 bits and one factor per matrix, multiplied as such (compute capability 8.9)."""
    FP8_ROWS = "fp8_rows"
    """8 bits and a factor per row, made wide for each use (any card)."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes of the transformer, named as in its ``config.json``; the defaults are the released 14B model.

    Attributes:
        dim: width of a token.
        ffn_dim: width inside the feed-forward layers.
        freq_dim: width of the sinusoidal time embedding.
        num_heads: attention heads.
        num_layers: transformer blocks.
        in_dim: channels of a latent.
        out_dim: channels of the predicted velocity.
        text_len: prompt tokens, padding included.
        text_dim: width of a prompt token as T5 makes it.
        audio_dim: width of a hidden state of wav2vec 2.
        num_audio_token: learned audio tokens per latent frame; one padding token joins them.
        audio_inject_layers: blocks after which the audio is mixed in.
        cond_dim: channels of the pose condition (always zero here, but its bias counts).
        eps: of all norms but the audio's.
    """

    dim: int = 5120
    ffn_dim: int = 13824
    freq_dim: int = 256
    num_heads: int = 40
    num_layers: int = 40
    in_dim: int = 16
    out_dim: int = 16
    text_len: int = 512
    text_dim: int = 4096
    audio_dim: int = 1024
    num_audio_token: int = 4
    audio_inject_layers: tuple[int, ...] = (0, 4, 8, 12, 16, 20, 24, 27, 30, 33, 36, 39)
    cond_dim: int = 16
    eps: float = 1e-6

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.dim // self.num_heads

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelConfig:
        """Read a ``config.json``; what it does not store (it never stores all) has the released value.

        Raises:
            Refused: if the file describes a variant of the network that this engine does not compute.
            ValueError: if a value is of another kind.
        """
        for name, needed in _ONLY_VARIANT.items():
            if values.get(name, needed) != needed:
                raise Refused.because("liveavatar.other_network", field=name, value=str(values[name]))
        known = {field.name for field in fields(cls)}
        chosen = {name: value for name, value in values.items() if name in known}
        if "audio_inject_layers" in chosen:
            chosen["audio_inject_layers"] = tuple(chosen["audio_inject_layers"])
        config = cls(**chosen)
        for field in fields(cls):
            if type(getattr(config, field.name)) is not type(field.default):
                raise ValueError(f"{field.name} is {getattr(config, field.name)!r}")
        return config


_ONLY_VARIANT = {
    "model_type": "s2v",
    "enable_adain": True,
    "adain_mode": "attn_norm",
    "zero_timestep": True,
    "enable_motioner": False,
    "add_last_motion": True,
    "enable_framepack": True,
    "framepack_drop_mode": "padd",
}


@dataclass(frozen=True, slots=True)
class LatentSize:
    """A picture size as the transformer counts it.

    Attributes:
        height: of a latent frame, an eighth of the picture's.
        width: of a latent frame.
    """

    height: int
    width: int

    @classmethod
    def of_picture(cls, width: int, height: int) -> LatentSize:
        """Return the size for a picture of ``width`` x ``height`` pixels, multiples of 64."""
        return cls(height // PIXELS_PER_LATENT, width // PIXELS_PER_LATENT)

    @property
    def rows(self) -> int:
        """Tokens down a frame."""
        return self.height // PATCH

    @property
    def columns(self) -> int:
        """Tokens across a frame."""
        return self.width // PATCH

    @property
    def frame_tokens(self) -> int:
        """Tokens of one latent frame."""
        return self.rows * self.columns

    @property
    def block_tokens(self) -> int:
        """Tokens of one block."""
        return BLOCK_LATENTS * self.frame_tokens

    @property
    def sink_tokens(self) -> int:
        """Tokens of the attention sink: reference, newest motion latent, one at half and four at quarter size."""
        half, quarter = (self.rows // 2) * (self.columns // 2), (self.rows // 4) * (self.columns // 4)
        return 2 * self.frame_tokens + half + 4 * quarter

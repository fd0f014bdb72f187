"""LatentSync's denoiser: a spatial UNet with audio cross-attention, and temporal attention after every level.

Module names are those of the published checkpoint (``latentsync_unet.pt``, identical for 1.5 and 1.6), so that it loads
strictly and without renaming. The architecture is Stable Diffusion 1.5's with AnimateDiff's motion modules; two details
are LatentSync's own and change every number:

* the group norms of the residual blocks and of the output take their statistics over *all frames of the window*;
* the group norm that opens a motion module takes them *per frame*.

So a prediction depends on which frames share the window: a window is never split or padded.

Source: github.com/bytedance/LatentSync, configs/unet/stage2.yaml.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the field's own abbreviation
from diffusers import Transformer2DModel
from diffusers.models.attention import FeedForward
from diffusers.models.attention_processor import Attention
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn

MOST_FRAMES = 24
"""Length of the table of temporal positions: the longest window the network can take."""

_HEADS = 8
_GROUPS = 32
_BLOCK_LAYERS = 2
_ATTENTION_NORM_EPS = 1e-6


@dataclass(frozen=True, slots=True)
class UNetConfig:
    """What the tensors' shapes say about a network; everything else is the same in all published ones.

    Attributes:
        channels: width of each level, finest first.
        in_channels: noise 4, mask 1, masked picture 4, reference picture 4, in this order.
        out_channels: predicted noise.
        audio_channels: width of an audio token (384: Whisper tiny).
    """

    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    in_channels: int = 13
    out_channels: int = 4
    audio_channels: int = 384

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> UNetConfig:
        """Read the configuration off a checkpoint's shapes; what a shape does not tell keeps its published value."""
        levels = 0
        while f"down_blocks.{levels}.resnets.0.conv1.weight" in shapes:
            levels += 1
        usual = cls()
        first = shapes.get("conv_in.weight", (0, usual.in_channels))
        audio = shapes.get(
            "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", (0, usual.audio_channels)
        )
        return cls(
            tuple(shapes[f"down_blocks.{level}.resnets.0.conv1.weight"][0] for level in range(levels))
            or usual.channels,
            first[1],
            shapes.get("conv_out.weight", (usual.out_channels,))[0],
            audio[1],
        )


class WindowGroupNorm(nn.GroupNorm):
    """Group norm whose statistics cover all frames of a window.

    Input and output have shape ``(b * f, c, h, w)``.
    """

    def forward(self, x: Tensor, frames: int) -> Tensor:  # type: ignore[override]  # it has to know the window
        """Normalise; ``frames`` is the window's length."""
        window = x.view(-1, frames, *x.shape[1:]).transpose(1, 2)
        normal = torch.group_norm(window, self.num_groups, self.weight, self.bias, self.eps)
        return normal.transpose(1, 2).flatten(0, 1)


class ResBlock(nn.Module):
    """Two convolutions and the time step, with window-wide norms: ``(b * f, c_in, h, w)`` to ``(b * f, c, h, w)``."""

    def __init__(self, in_channels: int, channels: int, time_channels: int) -> None:
        super().__init__()
        self.norm1 = WindowGroupNorm(_GROUPS, in_channels, eps=1e-5)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.time_emb_proj = nn.Linear(time_channels, channels)
        self.norm2 = WindowGroupNorm(_GROUPS, channels, eps=1e-5)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(in_channels, channels, 1) if in_channels != channels else None

    def forward(self, x: Tensor, time: Tensor, frames: int) -> Tensor:
        """Add the block's correction; ``time`` has shape ``(b * f, time_channels)``."""
        inner = self.conv1(F.silu(self.norm1(x, frames)))
        inner = inner + self.time_emb_proj(F.silu(time))[:, :, None, None]
        inner = self.conv2(F.silu(self.norm2(inner, frames)))
        out: Tensor = inner + (x if self.conv_shortcut is None else self.conv_shortcut(x))
        return out


class PositionEncoder(nn.Module):
    """Sinusoidal table of temporal positions, a buffer of the checkpoint, shape ``(1, 24, c)``."""

    pe: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        position = torch.arange(MOST_FRAMES)[:, None]
        turns = position * torch.exp(torch.arange(0, channels, 2) * (-math.log(10_000.0) / channels))
        self.register_buffer("pe", torch.stack([turns.sin(), turns.cos()], dim=-1).flatten(1)[None])

    def forward(self, x: Tensor) -> Tensor:
        """Add the positions of the first frames to ``x``, shape ``(n, f, c)``."""
        return x + self.pe[:, : x.shape[1]]


class TemporalAttention(Attention):
    """Self-attention over the frames of one place of the picture."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, heads=_HEADS, dim_head=channels // _HEADS)
        self.pos_encoder = PositionEncoder(channels)

    def forward(self, hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
        """Attend, ``hidden_states`` having shape ``(places, f, c)``."""
        return super().forward(self.pos_encoder(hidden_states))


class TemporalBlock(nn.Module):
    """Two temporal attentions and a feed-forward layer."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention_blocks = nn.ModuleList([TemporalAttention(channels) for _ in range(2)])
        self.norms = nn.ModuleList([nn.LayerNorm(channels) for _ in range(2)])
        self.ff = FeedForward(channels, activation_fn="geglu")
        self.ff_norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Transform ``x``, shape ``(places, f, c)``."""
        for attention, norm in zip(self.attention_blocks, self.norms, strict=True):
            x = x + attention(norm(x))
        out: Tensor = x + self.ff(self.ff_norm(x))
        return out


class TemporalTransformer(nn.Module):
    """What lets the frames of a window see each other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_GROUPS, channels, eps=_ATTENTION_NORM_EPS)
        self.proj_in = nn.Linear(channels, channels)
        self.transformer_blocks = nn.ModuleList([TemporalBlock(channels)])
        self.proj_out = nn.Linear(channels, channels)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """Add what the neighbouring frames say to ``x``, shape ``(b * f, c, h, w)``."""
        height, width = x.shape[-2:]
        places = self.norm(x).unflatten(0, (-1, frames)).permute(0, 3, 4, 1, 2).flatten(0, 2)
        places = self.proj_in(places)
        for block in self.transformer_blocks:
            places = block(places)
        places = self.proj_out(places)
        motion: Tensor = places.unflatten(0, (-1, height, width)).permute(0, 3, 4, 1, 2).flatten(0, 1)
        return x + motion


class MotionModule(nn.Module):
    """The checkpoint's wrapper around :class:`TemporalTransformer`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.temporal_transformer = TemporalTransformer(channels)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """As :meth:`TemporalTransformer.forward`."""
        motion: Tensor = self.temporal_transformer(x, frames)
        return motion


def _spatial_transformer(channels: int, audio_channels: int) -> nn.Module:
    """Attention within a frame and from the frame to its own 50 audio tokens."""
    transformer: nn.Module = Transformer2DModel(  # type: ignore[assignment]  # diffusers is half typed
        num_attention_heads=_HEADS,
        attention_head_dim=channels // _HEADS,
        in_channels=channels,
        norm_num_groups=_GROUPS,
        cross_attention_dim=audio_channels,
    )
    return transformer


class Level(nn.Module):
    """One resolution of the way down or up: residual block, audio, motion, and so on, then the change of size."""

    def __init__(self, pairs: list[tuple[int, int]], time_channels: int, audio_channels: int | None) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([ResBlock(before, after, time_channels) for before, after in pairs])
        if audio_channels is not None:
            self.attentions = nn.ModuleList([_spatial_transformer(after, audio_channels) for _, after in pairs])
        self.motion_modules = nn.ModuleList([MotionModule(after) for _, after in pairs])
        self._hears = audio_channels is not None

    def layer(self, index: int, x: Tensor, time: Tensor, audio: Tensor, frames: int) -> Tensor:
        """Run one residual block and what follows it, shapes as :meth:`LatentSyncUNet.forward` has them inside."""
        x = self.resnets[index](x, time, frames)
        if self._hears:
            x = self.attentions[index](x, encoder_hidden_states=audio, return_dict=False)[0]
        moved: Tensor = self.motion_modules[index](x, frames)
        return moved


class DownLevel(Level):
    """A level of the way down."""

    def __init__(
        self, before: int, channels: int, time_channels: int, audio_channels: int | None, *, halves: bool
    ) -> None:
        super().__init__([(before, channels), (channels, channels)], time_channels, audio_channels)
        if halves:
            self.downsamplers = nn.ModuleList([Downsample2D(channels, use_conv=True, name="op")])
        self._halves = halves

    def forward(self, x: Tensor, time: Tensor, audio: Tensor, frames: int) -> list[Tensor]:
        """Return the output of every layer, which the way up takes again."""
        outputs = []
        for index in range(len(self.resnets)):
            x = self.layer(index, x, time, audio, frames)
            outputs.append(x)
        if self._halves:
            outputs.append(self.downsamplers[0](x))
        return outputs


class MidLevel(nn.Module):
    """The coarsest resolution; it has no motion module."""

    def __init__(self, channels: int, time_channels: int, audio_channels: int) -> None:
        super().__init__()
        self.attentions = nn.ModuleList([_spatial_transformer(channels, audio_channels)])
        self.resnets = nn.ModuleList([ResBlock(channels, channels, time_channels) for _ in range(2)])

    def forward(self, x: Tensor, time: Tensor, audio: Tensor, frames: int) -> Tensor:
        """Transform ``x``, shape ``(b * f, c, h, w)``."""
        x = self.resnets[0](x, time, frames)
        x = self.attentions[0](x, encoder_hidden_states=audio, return_dict=False)[0]
        out: Tensor = self.resnets[1](x, time, frames)
        return out


class UpLevel(Level):
    """A level of the way up."""

    def __init__(
        self, pairs: list[tuple[int, int]], time_channels: int, audio_channels: int | None, *, doubles: bool
    ) -> None:
        super().__init__(pairs, time_channels, audio_channels)
        if doubles:
            channels = pairs[-1][1]
            self.upsamplers = nn.ModuleList([Upsample2D(channels, use_conv=True)])
        self._doubles = doubles

    def grow(self, x: Tensor, size: torch.Size) -> Tensor:
        """Double height and width to ``size``, which may be odd, where this is not the finest level."""
        return self.upsamplers[0](x, output_size=size) if self._doubles else x


class LatentSyncUNet(nn.Module):
    """Predicts the noise in the latents of a window of frames from the sound of each frame.

    Args:
        config: widths, as read off a checkpoint.
    """

    def __init__(self, config: UNetConfig | None = None) -> None:
        super().__init__()
        config = config or UNetConfig()
        self.config = config
        widths, finest = config.channels, config.channels[0]
        time_channels = 4 * finest
        last = len(widths) - 1
        self.conv_in = nn.Conv2d(config.in_channels, finest, 3, padding=1)
        self.time_proj = Timesteps(finest, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embedding = TimestepEmbedding(finest, time_channels)
        self.down_blocks = nn.ModuleList(
            DownLevel(
                widths[max(index - 1, 0)],
                width,
                time_channels,
                config.audio_channels if index < last else None,
                halves=index < last,
            )
            for index, width in enumerate(widths)
        )
        self.mid_block = MidLevel(widths[-1], time_channels, config.audio_channels)
        self.up_blocks = nn.ModuleList()
        below = widths[-1]
        for index, width in reversed(list(enumerate(widths))):
            # Skips come back in reverse: two of this level, then the one that entered it from the level above.
            skips = [width] * _BLOCK_LAYERS + [widths[max(index - 1, 0)]]
            pairs = [(previous + skip, width) for previous, skip in zip((below, width, width), skips, strict=True)]
            audio = config.audio_channels if index < last else None
            self.up_blocks.append(UpLevel(pairs, time_channels, audio, doubles=index > 0))
            below = width
        self.conv_norm_out = WindowGroupNorm(_GROUPS, finest, eps=1e-5)
        self.conv_out = nn.Conv2d(finest, config.out_channels, 3, padding=1)

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights."""
        return self.conv_in.weight.dtype

    def forward(
        self, sample: Tensor, timestep: Tensor | int, audio: Tensor, deep: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Predict the noise.

        Args:
            sample: noisy latent, mask, masked latent, reference latent, shape ``(b, 13, f, h, w)``.
            timestep: step of the noise schedule, one for all.
            audio: tokens of each frame, shape ``(b, f, 50, 384)``.
            deep: the second value an earlier call returned for the same window. With it only the outermost layers run
                (DeepCache, Ma et al., CVPR 2024, branch 0): what the deep ones say changes little between steps.

        Returns:
            Noise, shape ``(b, 4, f, h, w)``, and the hidden state that enters the last layer, ``(b * f, c, h, w)``.
        """
        frames = sample.shape[2]
        x = self.conv_in(sample.transpose(1, 2).flatten(0, 1))
        time = self._time(timestep, x)
        tokens = audio.flatten(0, 1)
        if deep is None:
            deep = self._deep(x, time, tokens, frames)
        outermost = self.up_blocks[-1]
        out = outermost.layer(_BLOCK_LAYERS, torch.cat([deep, x], dim=1), time, tokens, frames)  # type: ignore[operator]
        out = self.conv_out(F.silu(self.conv_norm_out(out, frames)))
        return out.unflatten(0, (-1, frames)).transpose(1, 2), deep

    def _deep(self, x: Tensor, time: Tensor, audio: Tensor, frames: int) -> Tensor:
        """Return the hidden state before the last layer of the way up."""
        skips = [x]
        for down in self.down_blocks:
            skips += down(skips[-1], time, audio, frames)
        x = self.mid_block(skips[-1], time, audio, frames)
        for up in self.up_blocks:
            layers = _BLOCK_LAYERS + (up is not self.up_blocks[-1])
            for index in range(layers):
                x = up.layer(index, torch.cat([x, skips.pop()], dim=1), time, audio, frames)  # type: ignore[operator]
            x = up.grow(x, skips[-1].shape[-2:])  # type: ignore[operator]
        return x

    def _time(self, timestep: Tensor | int, x: Tensor) -> Tensor:
        steps = torch.as_tensor(timestep, device=x.device).expand(x.shape[0])
        embedded: Tensor = self.time_embedding(self.time_proj(steps).to(x.dtype))
        return embedded

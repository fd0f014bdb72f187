"""The transformer, in the parts that every schedule is put together from: embed, layers, head.

Modules and parameters are named as in the official files, so that no key has to be translated. Everything works on one
video without a batch: tokens are ``[tokens, dim]``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.generation.backends.liveavatar.attention import Attention, attend
from engine.generation.backends.liveavatar.audio_encoder import AudioTokens, CausalAudioEncoder
from engine.generation.backends.liveavatar.config import BLOCK_LATENTS, PATCH, LatentSize, ModelConfig
from engine.generation.backends.liveavatar.memory import LayerMemory
from engine.generation.backends.liveavatar.rotary import Rotation, rotate

_NOISY, _REFERENCE, _MOTION = range(3)
"""Rows of ``trainable_cond_mask``: what kind of token it is."""
_AUDIO_NORM_EPS = 1e-5
_LONGEST_PERIOD = 10000.0


class Modulation(NamedTuple):
    """What a denoising time does to the network, float32.

    Attributes:
        blocks: ``[6, dim]``: shift, scale and gate of the attention, then of the feed-forward layers.
        head: ``[dim]``, for the last norm.
    """

    blocks: Tensor
    head: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """Everything one pass of some tokens through the layers depends on.

    Attributes:
        modulation: of the denoising time.
        rotation: angles of the tokens.
        context: the embedded prompt, ``[text_len, dim]``.
        audio: what the block hears; ``None`` for the sink, which hears nothing.
        memory: what the tokens attend to.
    """

    modulation: Modulation
    rotation: Rotation
    context: Tensor
    audio: AudioTokens | None
    memory: LayerMemory


class Block(nn.Module):
    """Self-attention, attention to the prompt, feed-forward; the stream is float32 inside, rounded at the end."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.modulation = nn.Parameter(torch.zeros(1, 6, config.dim))
        self.self_attn = Attention(config.dim, config.num_heads, config.eps)
        self.cross_attn = Attention(config.dim, config.num_heads, config.eps)
        self.norm3 = nn.LayerNorm(config.dim, eps=config.eps)
        self.ffn = nn.Sequential(
            nn.Linear(config.dim, config.ffn_dim), nn.GELU("tanh"), nn.Linear(config.ffn_dim, config.dim)
        )
        self.eps = config.eps
        # Functions, not methods: a method would hold the block that holds it.
        self._project: Callable[..., Any] = Block.project
        self._finish: Callable[..., Any] = Block.finish

    def compile_parts(self, project: Callable[..., Any], finish: Callable[..., Any]) -> None:
        """Compute with compiled versions of :meth:`project` and :meth:`finish`; all blocks share them."""
        self._project, self._finish = project, finish

    def forward(self, x: Tensor, layer: int, given: Pass, prompt: tuple[Tensor, Tensor]) -> Tensor:
        """Map tokens ``[tokens, dim]`` to tokens.

        Args:
            x: the tokens.
            layer: number of this block.
            given: what the pass depends on.
            prompt: :meth:`prompt` of ``given.context``.
        """
        queries, keys, values = self._project(self, x, given.modulation.blocks, given.rotation)
        keys, values = given.memory.exchange(layer, keys, values, given.rotation)
        after: Tensor = self._finish(self, x, attend(queries, keys, values), given.modulation.blocks, prompt)
        return after

    def prompt(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values of the embedded prompt; passes of one prompt share them."""
        return self.cross_attn.keys_values(context)

    def project(self, x: Tensor, modulation: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor, Tensor]:
        """Return rotated queries, keys and values of the self-attention, each ``[tokens, heads, head_dim]``."""
        shift, scale, *_ = (self.modulation[0].float() + modulation).unbind()
        modulated = (_normed(x, self.eps) * (1 + scale) + shift).to(x.dtype)
        keys, values = self.self_attn.keys_values(modulated)
        return rotate(self.self_attn.queries(modulated), rotation), keys, values

    def finish(self, x: Tensor, attended: Tensor, modulation: Tensor, prompt: tuple[Tensor, Tensor]) -> Tensor:
        """Return the block's output from what its self-attention found."""
        _, _, gate, shift, scale, ffn_gate = (self.modulation[0].float() + modulation).unbind()
        wide = x.float() + self.self_attn.o(attended) * gate
        norm3 = functional.layer_norm(
            wide, wide.shape[-1:], self.norm3.weight.float(), self.norm3.bias.float(), self.eps
        ).to(x.dtype)
        wide = wide + self.cross_attn(norm3, *prompt)
        fed = self.ffn((_normed(wide, self.eps) * (1 + scale) + shift).to(x.dtype))
        return (wide + fed * ffn_gate).to(x.dtype)


class _AdaLayerNorm(nn.Module):
    """A norm whose shift and scale come from the sound."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, 2 * dim)

    def forward(self, x: Tensor, summary: Tensor) -> Tensor:
        """Norm ``[latent frames, tokens, dim]`` by ``[latent frames, dim]``."""
        shift, scale = self.linear(functional.silu(summary))[:, None].chunk(2, dim=-1)
        return functional.layer_norm(x, x.shape[-1:], eps=_AUDIO_NORM_EPS) * (1 + scale) + shift


class _AudioInjector(nn.Module):
    """One cross-attention to the sound per injected layer, numbered in their order."""

    def __init__(self, config: ModelConfig, numbers: Sequence[int]) -> None:
        super().__init__()
        self.injector = nn.ModuleDict({str(n): Attention(config.dim, config.num_heads, config.eps) for n in numbers})
        self.injector_adain_layers = nn.ModuleDict({str(n): _AdaLayerNorm(config.dim) for n in numbers})

    def inject(self, number: int, x: Tensor, audio: AudioTokens) -> Tensor:
        """Let every latent frame of ``x`` ``[tokens, dim]`` attend to its own sound."""
        attention = self.injector[str(number)]
        assert isinstance(attention, Attention)
        frames = x.unflatten(0, (audio.local.shape[0], -1))
        heard = attention(
            self.injector_adain_layers[str(number)](frames, audio.summary), *attention.keys_values(audio.local)
        )
        return x + heard.flatten(0, 1)


class _FramePacker(nn.Module):
    """The past in ever coarser patches: its newest latent frame, two before it, sixteen before those."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.proj = _patches(config.in_dim, config.dim, 1, PATCH)
        self.proj_2x = _patches(config.in_dim, config.dim, 2, 2 * PATCH)
        self.proj_4x = _patches(config.in_dim, config.dim, 4, 4 * PATCH)

    def forward(self, motion: Tensor) -> Tensor:
        """Map ``[in_dim, 19, height, width]``, oldest first, to tokens ``[tokens, dim]``, newest first."""
        oldest, middle, newest = motion.split([16, 2, 1], dim=1)
        return torch.cat([_tokens(self.proj(newest)), _tokens(self.proj_2x(middle)), _tokens(self.proj_4x(oldest))])


class _Head(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.head = nn.Linear(config.dim, config.out_dim * PATCH * PATCH)
        self.modulation = nn.Parameter(torch.zeros(1, 2, config.dim))
        self.eps = config.eps

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        shift, scale = (self.modulation[0].float() + modulation).unbind()
        modulated = _normed(x, self.eps) * (1 + scale) + shift
        return functional.linear(modulated, self.head.weight.float(), self.head.bias.float())


class S2VTransformer(nn.Module):
    """Wan2.2-S2V 14B as LiveAvatar uses it.

    Args:
        config: its sizes.
        layers: the blocks (and their audio injectors) this instance has; all by default.
        ends: whether it has what comes before and after the blocks.
    """

    def __init__(self, config: ModelConfig, layers: range | None = None, *, ends: bool = True) -> None:
        super().__init__()
        self.config = config
        self.owned = layers if layers is not None else range(config.num_layers)
        self._injected = {
            layer: number for number, layer in enumerate(config.audio_inject_layers) if layer in self.owned
        }
        self.blocks = nn.ModuleDict({str(n): Block(config) for n in self.owned})
        self.audio_injector = _AudioInjector(config, list(self._injected.values()))
        if ends:
            self._add_ends(config)

    def _add_ends(self, config: ModelConfig) -> None:
        dim = config.dim
        self.patch_embedding = _patches(config.in_dim, dim, 1, PATCH)
        self.cond_encoder = _patches(config.cond_dim, dim, 1, PATCH)
        self.trainable_cond_mask = nn.Embedding(3, dim)
        self.frame_packer = _FramePacker(config)
        self.text_embedding = nn.Sequential(nn.Linear(config.text_dim, dim), nn.GELU("tanh"), nn.Linear(dim, dim))
        self.time_embedding = nn.Sequential(nn.Linear(config.freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.casual_audio_encoder = CausalAudioEncoder(config)  # spelled so in the official files
        self.head = _Head(config)

    def compile_layers(self, backend: str = "inductor") -> None:
        """Let torch compile what is before and after the self-attention of each layer.

        Attention itself is one kernel already, and what it attends to changes with every pass. The compiled code is the
        same for all layers, wherever their weights lie; there is one for blocks and one for the sink.

        Args:
            backend: a compiler of torch's; the first pass takes as long as it needs.
        """
        torch.compiler.reset()  # what was compiled for other sizes counts towards a limit
        project = torch.compile(Block.project, backend=backend, dynamic=False)
        finish = torch.compile(Block.finish, backend=backend, dynamic=False)
        for block in self.blocks.values():
            assert isinstance(block, Block)
            block.compile_parts(project, finish)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the activations between layers."""
        return self.patch_embedding.weight.dtype

    @property
    def device(self) -> torch.device:
        """Where the activations are."""
        return self.patch_embedding.weight.device

    # --- before the layers -------------------------------------------------------------------------------------------

    def embed_block(self, latents: Tensor) -> Tensor:
        """Map noisy latents ``[in_dim, 3, height, width]`` to tokens ``[tokens, dim]``."""
        tokens = _tokens(self.patch_embedding(latents.to(self.device, self.dtype)))
        # The pose is zero, so of its encoder only the bias is left.
        pose = self.cond_encoder.bias
        assert pose is not None
        return tokens + pose + self.trainable_cond_mask.weight[_NOISY]

    def embed_sink(self, reference: Tensor, motion: Tensor) -> Tensor:
        """Map the reference ``[in_dim, 1, height, width]`` and the past ``[in_dim, 19, ...]`` to the sink's tokens."""
        picture = _tokens(self.patch_embedding(reference.to(self.device, self.dtype, non_blocking=True)))
        past = self.frame_packer(motion.to(self.device, self.dtype, non_blocking=True))
        kinds = self.trainable_cond_mask.weight
        return torch.cat([picture + kinds[_REFERENCE], past + kinds[_MOTION]])

    def embed_text(self, context: Tensor) -> Tensor:
        """Map T5's output ``[prompt tokens, text_dim]`` to ``[text_len, dim]``; what is missing are zeros."""
        padded = functional.pad(context, (0, 0, 0, self.config.text_len - context.shape[0]))
        embedded: Tensor = self.text_embedding(padded.to(self.device, self.dtype, non_blocking=True))
        return embedded

    def embed_audio(self, features: Tensor) -> AudioTokens:
        """Map hidden states ``[25, audio_dim, 12]`` of a block's frames to its tokens."""
        tokens: AudioTokens = self.casual_audio_encoder(features.to(self.device, non_blocking=True))
        return tokens.to(self.dtype)

    def modulation(self, timestep: float) -> Modulation:
        """Return what a denoising time (0 to 1000) does; computed in float32."""
        half = self.config.freq_dim // 2
        rates = torch.exp(-math.log(_LONGEST_PERIOD) * torch.arange(half, dtype=torch.float64) / half)
        angles = timestep * rates
        waves = torch.cat([angles.cos(), angles.sin()]).float().to(self.device)
        embedded = _float_sequence(self.time_embedding, waves)
        return Modulation(_float_sequence(self.time_projection, embedded).unflatten(0, (6, -1)), embedded)

    # --- the layers, and after them ----------------------------------------------------------------------------------

    def layer(self, number: int, hidden: Sequence[Tensor], given: Sequence[Pass]) -> list[Tensor]:
        """Take several independent passes through one layer, so that its weights are fetched once for all of them.

        Args:
            number: of the layer.
            hidden: tokens ``[tokens, dim]`` of each pass.
            given: what each pass depends on.

        Returns:
            The tokens of each pass after the layer and its audio injector, in the order given.
        """
        block = self.blocks[str(number)]
        assert isinstance(block, Block)
        prompts: dict[int, tuple[Tensor, Tensor]] = {}
        after = []
        for tokens, one in zip(hidden, given, strict=True):
            if id(one.context) not in prompts:
                prompts[id(one.context)] = block.prompt(one.context)
            x = block(tokens, number, one, prompts[id(one.context)])
            if one.audio is not None and number in self._injected:
                x = self.audio_injector.inject(self._injected[number], x, one.audio)
            after.append(x)
        return after

    def velocity(self, hidden: Tensor, modulation: Modulation, size: LatentSize) -> Tensor:
        """Map the tokens of a block after the last layer to its velocity ``[out_dim, 3, height, width]``, float32."""
        patches = self.head(hidden, modulation.head)
        shaped = patches.view(BLOCK_LATENTS, size.rows, size.columns, PATCH, PATCH, self.config.out_dim)
        return shaped.permute(5, 0, 1, 3, 2, 4).reshape(self.config.out_dim, BLOCK_LATENTS, size.height, size.width)


def layer_parts(config: ModelConfig, number: int) -> tuple[str, ...]:
    """Return the names of the modules that hold one layer: its block and, where it has one, its audio injector."""
    block = f"blocks.{number}"
    if number not in config.audio_inject_layers:
        return (block,)
    index = config.audio_inject_layers.index(number)
    return block, f"audio_injector.injector.{index}", f"audio_injector.injector_adain_layers.{index}"


def _patches(channels: int, dim: int, frames: int, pixels: int) -> nn.Conv3d:
    kernel = (frames, pixels, pixels)
    return nn.Conv3d(channels, dim, kernel, stride=kernel)


def _tokens(x: Tensor) -> Tensor:
    """Reshape ``[dim, frames, rows, columns]`` to ``[tokens, dim]``."""
    return x.flatten(1).T


def _normed(x: Tensor, eps: float) -> Tensor:
    return functional.layer_norm(x.float(), x.shape[-1:], eps=eps)


def _float_sequence(modules: nn.Sequential, x: Tensor) -> Tensor:
    """Apply linear layers and activations in float32 whatever the weights are stored in."""
    for module in modules:
        x = (
            functional.linear(x, module.weight.float(), module.bias.float())
            if isinstance(module, nn.Linear)
            else module(x)
        )
    return x

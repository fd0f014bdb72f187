"""A network of a few thousand numbers with the shape of the big one, and a script for it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.generation.backends.liveavatar.config import BLOCK_FRAMES, LatentSize, ModelConfig
from engine.generation.backends.liveavatar.model import S2VTransformer
from engine.generation.backends.liveavatar.sampler import noise_levels
from engine.generation.backends.liveavatar.schedule import Script
from tests.golden import draw

CONFIG = ModelConfig(
    dim=48, ffn_dim=64, freq_dim=16, num_heads=2, num_layers=5, text_len=8, text_dim=16, audio_dim=8,
    audio_inject_layers=(0, 2, 4),
)  # fmt: skip
SIZE = LatentSize(8, 8)
SEED = 77


def network(config: ModelConfig = CONFIG, layers: range | None = None, *, ends: bool = True) -> S2VTransformer:
    """The tiny network or some layers of it, every number drawn: nothing is zero, so nothing hides."""
    model = S2VTransformer(config, layers, ends=ends)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    state = {name: drawn for name, shape in shapes.items() if (drawn := draw(name, shape, SEED)) is not None}
    model.load_state_dict(state)
    return model.eval().requires_grad_(requires_grad=False)


def randn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def script(
    blocks: int = 9,
    steps: int = 4,
    *,
    anchor_block: int | None = 4,
    prompt: Callable[[int], int] = lambda block: int(block >= 6),
    config: ModelConfig = CONFIG,
) -> Script:
    """A script in which everything changes on the way: the prompt at block 6, the reference at block 4."""
    size = SIZE
    return Script(
        size=size,
        levels=noise_levels(steps),
        blocks=blocks,
        reference=randn(1, config.in_dim, 1, size.height, size.width),
        motion=randn(2, config.in_dim, 19, size.height, size.width),
        noise=lambda block: randn(100 + block, config.in_dim, 3, size.height, size.width),
        features=lambda block: randn(200 + block, 25, config.audio_dim, BLOCK_FRAMES),
        prompt=prompt,
        context=lambda number: randn(300 + number, 5, config.text_dim),
        distance=lambda block, step: 4 + (7 * block + 3 * step) % 27,
        anchor_block=anchor_block,
    )

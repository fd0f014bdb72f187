"""The network at the size it is published in, on shapes alone: the fullest moment of a render, and its operations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from engine.generation.backends.liveavatar import fp8, streaming
from engine.generation.backends.liveavatar.config import (
    AUDIO_LAYERS,
    BLOCK_FRAMES,
    BLOCK_LATENTS,
    MOTION_LATENTS,
    LatentSize,
    ModelConfig,
)
from engine.generation.backends.liveavatar.model import S2VTransformer, layer_parts
from engine.generation.backends.liveavatar.planner import Choice, ScheduleName, layer_shares
from engine.generation.backends.liveavatar.sampler import noise_levels
from engine.generation.backends.liveavatar.schedule import Conductor, Script
from engine.generation.backends.liveavatar.stage import RingOptions, Stage, Work
from engine.generation.backends.liveavatar.streaming import StreamedLayers
from engine.generation.backends.liveavatar.vae import Codec
from tests.engine.generation.counting import CARD, Counter, counting, placed

_ANCHOR = 100
"""A block far from the first one: rings are full, and the reference changes there."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted.

    Attributes:
        card_bytes: the most that was alive on the card.
        kept_bytes: what is alive between two blocks.
        operations: floating point operations of one block, all its denoising steps together.
        wide: places that make single precision, see :class:`~tests.engine.generation.counting.Counter`.
    """

    card_bytes: int
    kept_bytes: int
    operations: int
    wide: dict[tuple[str, str], int]


def transformer(
    choice: Choice, size: LatentSize, config: ModelConfig, steps: int = 4, *, per_row: bool = False
) -> Counted:
    """Count the transformer on one card, or a card's share of it (the first card's, which also begins and ends passes).

    Args:
        choice: the planner's.
        size: of a latent frame.
        config: sizes of the network.
        steps: denoising steps.
        per_row: whether 8-bit weights are made wide for each use, as on cards that cannot multiply them.
    """
    script = _script(config, size, steps)
    is_split = choice.schedule is ScheduleName.LAYER_SPLIT
    layers = layer_shares(config.num_layers, choice)[0] if is_split else range(config.num_layers)
    mine = range(steps // choice.stages if choice.schedule is ScheduleName.PIPELINE else steps)
    with torch.device("meta"):
        network = S2VTransformer(config, layers)
        for number in layers if choice.fp8_weights else ():
            for part in layer_parts(config, number):
                fp8.replace_linears(network.get_submodule(part), per_row=per_row, dtype=torch.bfloat16)
    with _like_a_card(), counting() as counter:
        placed(network, torch.bfloat16)
        if choice.stream_weights:
            for number in layers:
                for part in layer_parts(config, number):
                    placed(network.get_submodule(part), torch.bfloat16, "cpu")
        streamed = StreamedLayers(network, CARD) if choice.stream_weights else None
        rings = RingOptions(choice.window, choice.fp8_rings, choice.rings_on_host)
        stage = Stage(network, size, mine, rings=rings, layers=streamed, device=CARD, dtype=torch.bfloat16)
        conductor = Conductor(network, script)
        counter.forget_peak()
        if choice.schedule is ScheduleName.WAVEFRONT:
            return _together(counter, conductor, stage, steps)
        return _one_by_one(counter, conductor, stage, mine)


def decoder(size: LatentSize, base: int = 96) -> Counted:
    """Count the video VAE and the decoding of a block, in bfloat16.

    Args:
        size: of a latent frame.
        base: its width; 96 as released.
    """
    from diffusers import AutoencoderKLWan

    with torch.device("meta"):
        vae: Any = AutoencoderKLWan(base_dim=base, z_dim=16)
    with counting() as counter:
        decoding = Codec(placed(vae, torch.bfloat16)).decoder()
        motion = torch.empty(16, MOTION_LATENTS, size.height, size.width)
        decoding.prime(motion)
        latents = torch.empty(16, BLOCK_LATENTS, size.height, size.width, device=CARD)
        counter.forget_peak()
        kept, before = counter.live_bytes, counter.operations
        for pixels in decoding.decode(latents):
            del pixels
        return Counted(counter.peak_bytes, kept, counter.operations - before, counter.wide)


def _together(counter: Counter, conductor: Conductor, stage: Stage, steps: int) -> Counted:
    """Take the passes of a tick in which the sink is made anew: the old one is still looked at."""
    works = [pair for step in reversed(range(1, steps)) for pair in conductor.begin(_ANCHOR - step, step=step)]
    works += [conductor.next_pass(_ANCHOR - step) for step in reversed(range(1, steps))]
    works += [*conductor.begin(_ANCHOR), conductor.next_pass(_ANCHOR)]
    _run(conductor, stage, works)
    del works
    # Another tick without a sink: all steps, each of another block, are the operations of one block.
    kept, before = counter.live_bytes, counter.operations
    works = [*conductor.begin(_ANCHOR + 1)]
    works += [conductor.next_pass(block) for block in (_ANCHOR + 1, *range(_ANCHOR, _ANCHOR - steps + 1, -1))]
    _run(conductor, stage, works)
    return Counted(counter.peak_bytes, kept, counter.operations - before, counter.wide)


def _one_by_one(counter: Counter, conductor: Conductor, stage: Stage, steps: range) -> Counted:
    """Take the passes of a block before the sink is made anew, then that sink, then another block."""
    kept = before = 0
    for block in (_ANCHOR - 1, _ANCHOR):
        for work in conductor.begin(block, step=steps.start):
            _run(conductor, stage, [work])
        kept, before = counter.live_bytes, counter.operations
        for _ in steps:
            _run(conductor, stage, [conductor.next_pass(block)])
    return Counted(counter.peak_bytes, kept, counter.operations - before, counter.wide)


def _run(conductor: Conductor, stage: Stage, works: list[tuple[Work, Tensor]]) -> None:
    hidden = stage.run([work for work, _ in works], [tokens for _, tokens in works])
    for (work, _), tokens in zip(works, hidden, strict=True):
        conductor.take(work, tokens)


def _script(config: ModelConfig, size: LatentSize, steps: int) -> Script:
    reference = torch.zeros(config.in_dim, 1, size.height, size.width)
    block = reference.expand(-1, BLOCK_LATENTS, -1, -1)
    features = torch.zeros(AUDIO_LAYERS, config.audio_dim, BLOCK_FRAMES)
    context = torch.zeros(config.text_len, config.text_dim)
    return Script(
        size=size,
        levels=noise_levels(steps),
        blocks=2 * _ANCHOR,
        reference=reference,
        motion=reference.expand(-1, MOTION_LATENTS, -1, -1),
        noise=lambda _: block,
        features=lambda _: features,
        prompt=lambda block: int(block >= _ANCHOR),
        context=lambda _: context,
        distance=lambda _block, _step: 4,
    )


@contextmanager
def _like_a_card() -> Iterator[None]:
    """Let what stands for the card multiply 8-bit floats as such, and layers travel to it."""

    def point_to(place: Any, tensor: Tensor) -> None:
        is_parameter = place.name in place.owner._parameters
        setattr(place.owner, place.name, nn.Parameter(tensor, requires_grad=False) if is_parameter else tensor)

    # A tensor without numbers cannot become one of another device, so another one takes its place.
    with patch.object(fp8, "can_multiply", lambda _: True), patch.object(streaming._Place, "point_to", point_to):
        yield

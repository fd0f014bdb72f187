"""What a block attends to besides itself: the sink (reference and past) and a ring of blocks at the same noise level.

Keys of the sink are kept before rotation, because the reference moves along with the video; keys of the ring after it,
because a block stays where it is. A ring holds the newest ``window`` blocks; slot ``block % window`` is the next to go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from engine.generation.backends.liveavatar.config import LatentSize, ModelConfig
from engine.generation.backends.liveavatar.rotary import Rotation, rotate

FP8 = torch.float8_e4m3fn


class LayerMemory(Protocol):
    """What the self-attention of one layer hands its keys and values to, and gets those to attend to from."""

    def exchange(self, layer: int, keys: Tensor, values: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor]:
        """Take new keys (not rotated yet) and values, return all keys (rotated) and values to attend to.

        Every tensor is ``[tokens, heads, head_dim]``.
        """


class Sink:
    """Keys and values of the reference picture and the past, per layer; they do not depend on the denoising step."""

    def __init__(self) -> None:
        self.keys: dict[int, Tensor] = {}
        self.values: dict[int, Tensor] = {}

    def exchange(self, layer: int, keys: Tensor, values: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor]:
        """Keep what the sink's own tokens are in this layer; they attend to each other only."""
        self.keys[layer], self.values[layer] = keys, values
        return rotate(keys, rotation), values


class Ring:
    """Keys and values of the last blocks at one denoising step, for the layers of one device.

    Args:
        layers: which layers.
        window: blocks it holds.
        size: of a latent frame.
        config: of the model.
        dtype: of the network's activations.
        device: where attention is computed.
        fp8: keep 8 bits per number and a factor per token and head, at half the memory of bfloat16.
        home: where the ring lies; on another device than ``device`` its layers travel when they are needed.
    """

    def __init__(
        self,
        layers: range,
        window: int,
        size: LatentSize,
        config: ModelConfig,
        dtype: torch.dtype,
        device: torch.device | str,
        *,
        fp8: bool = False,
        home: torch.device | str | None = None,
    ) -> None:
        self.layers = layers
        self.window = window
        self.tokens = size.block_tokens
        self.device = torch.device(device)
        self._dtype = dtype
        self._home = torch.device(home or device)
        pinned = self._home.type == "cpu" and self.device.type == "cuda"
        shape = (2, window * self.tokens, config.num_heads, config.head_dim)

        def room(shape: tuple[int, ...], dtype: torch.dtype) -> dict[int, Tensor]:
            return {n: torch.zeros(shape, dtype=dtype, device=self._home, pin_memory=pinned) for n in layers}

        self._pages = room(shape, FP8 if fp8 else dtype)
        self._factors = room((*shape[:-1], 1), torch.float32) if fp8 else None

    def at(self, block: int, sink: Sink, sink_rotation: Rotation) -> LayerMemory:
        """Return what ``block`` exchanges keys and values with; blocks come one after the other, from 0."""
        return _RingView(self, block, sink, sink_rotation)

    def write(self, layer: int, block: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Put rotated keys and values of a block into its slot; return all that is filled, on the computing device."""
        slot, filled = block % self.window, min(block + 1, self.window) * self.tokens
        place = slice(slot * self.tokens, (slot + 1) * self.tokens)
        page = self._pages[layer]
        if self._factors is None and self._home == self.device:
            page[0, place], page[1, place] = keys, values
            kept = page[:, :filled]
            return kept[0], kept[1]
        held = page[:, :filled].to(self.device, non_blocking=True).to(self._dtype)
        if self._factors is not None:
            factors = self._factors[layer]
            held = held * factors[:, :filled].to(self.device, non_blocking=True).to(self._dtype)
        held[0, place], held[1, place] = keys, values
        self._keep(layer, place, torch.stack([keys, values]))
        return held[0], held[1]

    def _keep(self, layer: int, place: slice, pair: Tensor) -> None:
        if self._factors is not None:
            factors = pair.abs().amax(-1, keepdim=True).float().clamp(min=1e-12) / torch.finfo(FP8).max
            self._factors[layer][:, place].copy_(factors, non_blocking=True)
            pair = (pair.float() / factors).to(FP8)
        self._pages[layer][:, place].copy_(pair, non_blocking=True)

    def state(self, layer: int) -> dict[str, Tensor]:
        """Return what one layer holds, by name."""
        state = {"page": self._pages[layer]}
        return state if self._factors is None else {**state, "factors": self._factors[layer]}

    def restore(self, layer: int, state: Mapping[str, Tensor]) -> None:
        """Take back what :meth:`state` returned."""
        self._pages[layer].copy_(state["page"])
        if self._factors is not None:
            self._factors[layer].copy_(state["factors"])


class _RingView:
    """One block's place in a ring, with the sink behind it."""

    def __init__(self, ring: Ring, block: int, sink: Sink, sink_rotation: Rotation) -> None:
        self._ring = ring
        self._block = block
        self._sink = sink
        self._sink_rotation = sink_rotation

    def exchange(self, layer: int, keys: Tensor, values: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor]:
        """Write the block's keys and values; return the filled ring and the sink."""
        ring_keys, ring_values = self._ring.write(layer, self._block, rotate(keys, rotation), values)
        sink_keys = rotate(self._sink.keys[layer], self._sink_rotation)
        return torch.cat([ring_keys, sink_keys]), torch.cat([ring_values, self._sink.values[layer]])

"""What a block attends to besides itself: the sink (reference and past) and a ring of blocks at the same noise level.

Keys of the sink are kept before rotation, because the reference moves along with the video; keys of the ring after it,
because a block stays where it is. A ring holds the newest ``window`` blocks; slot ``block % window`` is the next to go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

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


class Page(NamedTuple):
    """What a ring holds of one layer.

    Attributes:
        numbers: keys, then values, ``[2, window * block tokens, heads, head_dim]``.
        factors: in 8 bits, what makes them numbers again, ``[2, window * block tokens, heads, 1]`` float32.
    """

    numbers: Tensor
    factors: Tensor | None


class Carrier(Protocol):
    """Brings pages from main memory to where they are computed with, and additions back; see :mod:`paging`."""

    def fetched(self, ring: Ring, layer: int) -> Page:
        """Return the page of a layer on the computing device."""
        ...

    def carry_home(self, source: Tensor, target: Tensor) -> None:
        """Copy from the computing device to main memory."""
        ...


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
        carrier: if there is one, the pages lie in main memory and travel with it; else on ``device``.
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
        carrier: Carrier | None = None,
    ) -> None:
        self.layers = layers
        self.window = window
        self.tokens = size.block_tokens
        self.device = torch.device(device)
        self._dtype = dtype
        self._fp8 = fp8
        self._carrier = carrier
        self._shape = (2, window * self.tokens, config.num_heads, config.head_dim)
        home = self.device if carrier is None else torch.device("cpu")
        self._pages = {layer: self._page(home) for layer in layers}

    def _page(self, device: torch.device) -> Page:
        pinned = device.type == "cpu" and self.device.type == "cuda"
        numbers = torch.zeros(self._shape, dtype=FP8 if self._fp8 else self._dtype, device=device, pin_memory=pinned)
        if not self._fp8:
            return Page(numbers, None)
        return Page(numbers, torch.zeros((*self._shape[:-1], 1), device=device, pin_memory=pinned))

    def room(self) -> Page:
        """Return room for a page on the computing device."""
        return self._page(self.device)

    def at(self, block: int, sink: Sink, sink_rotation: Rotation) -> LayerMemory:
        """Return what ``block`` exchanges keys and values with; blocks come one after the other, from 0."""
        return _RingView(self, block, sink, sink_rotation)

    def copy_page(self, layer: int, block: int, room: Page) -> None:
        """Copy what a block looks at in a layer, all but its own slot; both ends of each copy are contiguous."""
        own = self._slot(block)
        for source, target in zip(self._pages[layer], room, strict=True):
            if source is None or target is None:
                continue
            for kept in (slice(0, own.start), slice(own.stop, self._filled(block))):
                for part in range(2):
                    target[part, kept].copy_(source[part, kept], non_blocking=True)

    def write(self, layer: int, block: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Put rotated keys and values of a block into its slot; return all that is filled, on the computing device."""
        slot, filled = self._slot(block), self._filled(block)
        page = self._pages[layer] if self._carrier is None else self._carrier.fetched(self, layer)
        held = page.numbers[:, :filled]
        if page.factors is not None:
            held = held.to(self._dtype) * page.factors[:, :filled].to(self._dtype)
        held[0, slot], held[1, slot] = keys, values
        if self._carrier is not None or self._fp8:
            self._keep(layer, slot, torch.stack([keys, values]))
        return held[0], held[1]

    def _slot(self, block: int) -> slice:
        start = block % self.window * self.tokens
        return slice(start, start + self.tokens)

    def _filled(self, block: int) -> int:
        return min(block + 1, self.window) * self.tokens

    def _keep(self, layer: int, slot: slice, pair: Tensor) -> None:
        page = self._pages[layer]
        if page.factors is not None:
            factors = pair.abs().amax(-1, keepdim=True).float().clamp(min=1e-12) / torch.finfo(FP8).max
            self._put(factors, page.factors, slot)
            pair = (pair.float() / factors).to(FP8)
        self._put(pair, page.numbers, slot)

    def _put(self, pair: Tensor, place: Tensor, slot: slice) -> None:
        for part in range(2):
            if self._carrier is None:
                place[part, slot] = pair[part]
            else:
                self._carrier.carry_home(pair[part], place[part, slot])

    def state(self, layer: int) -> dict[str, Tensor]:
        """Return what one layer holds, by name."""
        numbers, factors = self._pages[layer]
        return {"page": numbers} if factors is None else {"page": numbers, "factors": factors}

    def restore(self, layer: int, state: Mapping[str, Tensor]) -> None:
        """Take back what :meth:`state` returned."""
        numbers, factors = self._pages[layer]
        numbers.copy_(state["page"])
        if factors is not None:
            factors.copy_(state["factors"])


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

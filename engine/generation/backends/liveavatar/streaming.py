"""Layers that wait in main memory and travel to the card one ahead of the computing.

Each layer lies in one pinned piece of memory; two pieces of the card's memory take turns. While a layer is computed in
one, the next one travels into the other on a stream of its own. On a processor the same copies are made, plainly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.generation.backends.liveavatar.model import S2VTransformer, layer_parts
from engine.generation.backends.liveavatar.rooms import TwoRooms

_ALIGNMENT = 256
"""Bytes: where a tensor may begin for matrix products to be fast."""


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A tensor of a layer: whose it is, and where in the layer's piece of memory."""

    owner: nn.Module
    name: str
    start: int
    shape: torch.Size
    dtype: torch.dtype

    def within(self, piece: Tensor) -> Tensor:
        """Return the tensor as a view of a piece of memory."""
        size = self.shape.numel() * self.dtype.itemsize
        return piece[self.start : self.start + size].view(self.dtype).view(self.shape)

    def point_to(self, tensor: Tensor) -> None:
        """Let the module use another tensor."""
        held = getattr(self.owner, self.name)
        held.data = tensor


class StreamedLayers:
    """The layers of a network, fetched as they are needed; see :class:`~..stage.LayerSource`.

    Args:
        model: its layers are on the processor; their tensors are moved together.
        device: where they are computed.
    """

    def __init__(self, model: S2VTransformer, device: torch.device) -> None:
        self._on_card = device.type == "cuda"
        self._layers = list(model.owned)
        self._places = {number: _places(model, number) for number in self._layers}
        self._homes = {number: self._packed(number) for number in self._layers}
        most = max(home.numel() for home in self._homes.values())
        self._pieces = [torch.empty(most, dtype=torch.uint8, device=device) for _ in range(2)]
        self._rooms = TwoRooms(device, self._fill)

    def using(self, layer: int) -> AbstractContextManager[None]:
        """Return a context inside which a layer is on the card; the next one is on its way meanwhile."""
        return self._using(layer)

    @contextmanager
    def _using(self, layer: int) -> Iterator[None]:
        following = self._layers[(self._layers.index(layer) + 1) % len(self._layers)]
        room = self._rooms.enter(layer, following)
        for place in self._places[layer]:
            place.point_to(place.within(self._pieces[room]))
        try:
            yield
        finally:
            for place in self._places[layer]:
                place.point_to(place.within(self._homes[layer]))

    def _fill(self, layer: int, room: int) -> None:
        home = self._homes[layer]
        self._pieces[room][: home.numel()].copy_(home, non_blocking=True)

    def _packed(self, layer: int) -> Tensor:
        """Move a layer's tensors into one piece of pinned memory."""
        places = self._places[layer]
        last = places[-1]
        size = last.start + last.shape.numel() * last.dtype.itemsize
        home = torch.empty(size, dtype=torch.uint8, pin_memory=self._on_card)
        for place in places:
            moved = place.within(home)
            moved.copy_(getattr(place.owner, place.name).data)
            place.point_to(moved)
        return home


def _places(model: S2VTransformer, number: int) -> list[_Place]:
    places = []
    start = 0
    for part in layer_parts(model.config, number):
        for module in model.get_submodule(part).modules():
            for name, tensor in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)):
                places.append(_Place(module, name, start, tensor.shape, tensor.dtype))
                start += -(-tensor.numel() * tensor.element_size() // _ALIGNMENT) * _ALIGNMENT
    return places

"""Rings that wait in main memory: their pages travel to the card one layer ahead of the computing, and back behind it.

A page is what one ring holds of one layer. While a layer is computed with its pages, those of the next one travel into
a second set of rooms on a stream of their own; what a block has added travels home on another, so that both directions
of the bus are used. At most two layers' pages are on the card. On a processor the same copies are made, plainly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor

from engine.generation.backends.liveavatar.memory import Page, Ring
from engine.generation.backends.liveavatar.rooms import TwoRooms


class PageTraffic:
    """Brings pages to where attention is computed, and additions home; see :class:`~..memory.Carrier`.

    Args:
        layers: the layers, in the order in which they are computed.
        device: where they are computed.
    """

    def __init__(self, layers: range, device: torch.device) -> None:
        self._layers = layers
        self._device = device
        self._visits: Sequence[tuple[Ring, int]] = ()
        self._pages: tuple[list[Page], list[Page]] = [], []
        self._rooms = TwoRooms(device, self._fill)
        self._returning = torch.cuda.Stream(device) if device.type == "cuda" else None

    @property
    def resident(self) -> tuple[int, ...]:
        """Layers whose pages are on the card or on their way."""
        return self._rooms.held

    @property
    def room_bytes(self) -> int:
        """What the rooms take on the card."""
        tensors = [tensor for room in self._pages for page in room for tensor in page if tensor is not None]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    @contextmanager
    def trip(self, visits: Sequence[tuple[Ring, int]]) -> Iterator[None]:
        """Return a context for one run through all layers.

        Args:
            visits: the rings that are looked at in every layer, each with the block that looks.
        """
        if self._rooms.stream is not None and self._returning is not None:
            # Pages that are fetched now were added to in earlier runs.
            self._rooms.stream.wait_stream(self._returning)
        self._visits = visits
        for room in self._pages:
            room += [ring.room() for ring, _ in visits[len(room) :]]
        try:
            yield
        finally:
            self._visits = ()
            self._rooms.clear()

    def using(self, layer: int) -> AbstractContextManager[None]:
        """Return a context inside which the pages of a layer are there; those of the next one are on their way."""
        return self._using(layer)

    @contextmanager
    def _using(self, layer: int) -> Iterator[None]:
        self._rooms.enter(layer, layer + 1 if layer + 1 in self._layers else None)
        yield

    def _fill(self, layer: int, room: int) -> None:
        for (ring, block), page in zip(self._visits, self._pages[room], strict=False):
            ring.copy_page(layer, block, page)

    def fetched(self, ring: Ring, layer: int) -> Page:
        """Return a page that is here; what is in the slot of the block that looks at it is undefined."""
        number = next(number for number, (visited, _) in enumerate(self._visits) if visited is ring)
        return self._pages[self._rooms.of(layer)][number]

    def carry_home(self, source: Tensor, target: Tensor) -> None:
        """Copy what was computed into main memory, behind the computing."""
        if self._returning is None:
            target.copy_(source)
            return
        self._returning.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._returning):
            target.copy_(source, non_blocking=True)
        source.record_stream(self._returning)

    def settle(self) -> None:
        """Wait until everything is home, so that the pages may be read."""
        if self._returning is not None:
            self._returning.synchronize()

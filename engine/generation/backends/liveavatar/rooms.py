"""Two rooms on the card that take turns: one is computed with, what comes next travels into the other meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import torch

Fill = Callable[[int, int], None]
"""Copies what belongs to a layer into a room, 0 or 1, without waiting."""


class TwoRooms:
    """Which layer is in which room, and when it has arrived. On a processor the same copies are made, plainly.

    Args:
        device: where the rooms are.
        fill: does the copying; on a card in a stream of its own.

    Attributes:
        stream: that stream, ``None`` on a processor.
    """

    def __init__(self, device: torch.device, fill: Fill) -> None:
        self._device = device
        self._fill = fill
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._held: list[int | None] = [None, None]
        self._arrived: dict[int, torch.cuda.Event] = {}

    @property
    def held(self) -> tuple[int, ...]:
        """Layers that are here or on their way."""
        return tuple(layer for layer in self._held if layer is not None)

    def of(self, layer: int) -> int:
        """Return the room of a layer that is here."""
        return self._held.index(layer)

    def enter(self, layer: int, following: int | None) -> int:
        """Return the room of a layer that may be computed with from now on.

        Args:
            layer: its number.
            following: the one to bring into the other room meanwhile.
        """
        if layer not in self._held:
            self._fetch(layer, 0)
        room = self.of(layer)
        if following is not None and following not in self._held:
            self._fetch(following, 1 - room)
        if layer in self._arrived:
            torch.cuda.current_stream(self._device).wait_event(self._arrived[layer])
        return room

    def clear(self) -> None:
        """Forget what is here."""
        self._held = [None, None]
        self._arrived.clear()

    def _fetch(self, layer: int, room: int) -> None:
        self._held[room] = layer
        if self.stream is None:
            self._fill(layer, room)
            return
        # What was computed with the room was launched before this; the copies have to wait for it.
        self.stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self.stream):
            self._fill(layer, room)
            self._arrived[layer] = torch.cuda.Event()
            self._arrived[layer].record(self.stream)

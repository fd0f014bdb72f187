"""What was computed of a picture that comes again, as in a loop or a still."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from engine.generation.backends.musetalk.boxes import Box

Key = tuple[int, Box]
"""The source's picture, and the box in it."""
Thing = TypeVar("Thing")

_MOST_BYTES = 64 << 20


class Kept(Generic[Thing]):
    """Things by picture, up to 64 MB of those used last."""

    def __init__(self) -> None:
        self._things: OrderedDict[Key, tuple[Thing, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key) -> Thing | None:
        """Return what is kept of a picture, if anything."""
        if key not in self._things:
            return None
        self._things.move_to_end(key)
        return self._things[key][0]

    def put(self, key: Key, thing: Thing, size: int) -> None:
        """Keep something of so many bytes."""
        self._bytes += size - self._things.pop(key, (thing, 0))[1]
        self._things[key] = thing, size
        while self._bytes > _MOST_BYTES and len(self._things) > 1:
            self._bytes -= self._things.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Forget everything."""
        self._things.clear()
        self._bytes = 0

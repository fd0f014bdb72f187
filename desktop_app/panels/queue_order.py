"""Which clip of the queue is in which row: kept in order while clips change, without comparing all of them again."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any

Key = Any
"""What a row is sorted by; those of one order can be compared with each other."""


class RowOrder:
    """Rows in the order of their keys; equal ones in the order of their places.

    Qt's own sorting proxy asks Python for two keys per comparison: with ten thousand rows that takes a second.

    Args:
        keys: the key of each place.
        descending: the greatest first.
    """

    def __init__(self, keys: Sequence[Key], *, descending: bool = False) -> None:
        self._keys = list(keys)
        self._order = sorted((key, place) for place, key in enumerate(keys))
        self._descending = descending

    def __len__(self) -> int:
        return len(self._keys)

    def place(self, row: int) -> int:
        """Return which place is in a row."""
        return self._order[self._turned(row)][1]

    def row(self, place: int) -> int:
        """Return in which row a place is."""
        return self._turned(bisect_left(self._order, (self._keys[place], place)))

    def row_with(self, place: int, key: Key) -> int:
        """Return in which row a place would be with another key."""
        rank = bisect_left(self._order, (key, place))
        return self._turned(rank - (key > self._keys[place]))

    def change(self, place: int, key: Key) -> None:
        """Give a place another key."""
        del self._order[bisect_left(self._order, (self._keys[place], place))]
        self._keys[place] = key
        insort(self._order, (key, place))

    def _turned(self, rank: int) -> int:
        return len(self._order) - 1 - rank if self._descending else rank

"""Work in stages, each in a thread of its own, with bounded shelves between them: everything overlaps, in order.

What decodes, computes and encodes leaves Python's lock alone most of the time, so threads suffice to keep every core
and the graphics card busy. A shelf holds a few things only; whoever is ahead waits, so memory does not grow with the
clip.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


class Stopped(Exception):  # noqa: N818 - no fault: whoever waits is sent home
    """Nobody wants anything any more: raised in a stage that waits for, or offers, something when all is closed."""


class Shelf(Iterator[Item]):
    """What lies between two stages.

    A thing keeps its place until its taker comes back for the next one: so many things exist at a time, not one more
    that is in somebody's hands.

    Args:
        depth: how many things it holds.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._items: deque[Item] = deque()
        self._is_held = False
        self._changed = threading.Condition()
        self._end: BaseException | None = None

    def put(self, item: Item) -> None:
        """Add something when there is room.

        Raises:
            Stopped: if the shelf is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._end is not None or len(self._items) + self._is_held < self._depth)
            if self._end is not None:
                raise Stopped
            self._items.append(item)
            self._changed.notify_all()

    def finish(self, error: BaseException | None = None) -> None:
        """Say that nothing more comes, and why if not because everything is done."""
        with self._changed:
            self._end = self._end or error or StopIteration()
            self._changed.notify_all()

    def close(self) -> None:
        """Throw away what is there and send everybody home."""
        with self._changed:
            self._items.clear()
            self._end = Stopped()
            self._changed.notify_all()

    def take(self, seconds: float | None = None) -> Item | None:
        """Return the next thing, ``None`` if there is none after so long.

        Raises:
            StopIteration: if everything was taken.
            Stopped: if the shelf is closed.
            BaseException: what went wrong in the stage that fills it, after what it had made before.
        """
        with self._changed:
            self._is_held = False
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._items or self._end is not None, seconds):
                return None
            if not self._items:
                assert self._end is not None
                raise self._end
            self._is_held = True
            return self._items.popleft()

    def __next__(self) -> Item:
        item = self.take()
        assert item is not None  # without a limit there is something, or an exception
        return item


class Pipeline:
    """Stages that end together.

    Attributes:
        is_closed: whether nobody wants what they make any more.
    """

    def __init__(self) -> None:
        self.is_closed = False
        self._shelves: list[Shelf[object]] = []
        self._threads: list[threading.Thread] = []

    def stage(self, items: Iterable[Item], depth: int, name: str) -> Shelf[Item]:
        """Make things in a thread of their own.

        Args:
            items: makes them, in that thread; a generator is closed there, too. Things of the stage before are taken
                from its shelf.
            depth: how many may wait.
            name: of the thread.

        Returns:
            The shelf they come to lie on, in order; an exception comes at its place.
        """
        shelf = Shelf[Item](depth)
        thread = threading.Thread(target=_fill, args=(shelf, items), name=name, daemon=True)
        self._shelves.append(shelf)  # type: ignore[arg-type]  # it is only closed
        self._threads.append(thread)
        thread.start()
        return shelf

    def close(self) -> None:
        """Stop all stages and wait until they have ended."""
        self.is_closed = True
        for shelf in self._shelves:
            shelf.close()
        for thread in self._threads:
            thread.join()


def _fill(shelf: Shelf[Item], items: Iterable[Item]) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            shelf.put(item)
    except BaseException as raised:  # noqa: BLE001 - handed over to whoever takes the things
        error = raised
    if isinstance(items, Generator):
        items.close()
    shelf.finish(error)

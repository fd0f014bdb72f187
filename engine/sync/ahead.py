"""Decode ahead in a thread: FFmpeg works without Python's lock, so pictures arrive while faces are looked at."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
_END = object()


def read_ahead(items: Iterable[Item], depth: int = 6) -> Iterator[Item]:
    """Yield what ``items`` yields, up to ``depth`` of them prepared in a thread.

    An exception of ``items`` is raised here at its place. Closing this generator stops the thread.
    """
    shelf: queue.Queue[object] = queue.Queue(depth)
    stop = threading.Event()

    def offer(thing: object) -> bool:
        while not stop.is_set():
            try:
                shelf.put(thing, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        iterator = iter(items)
        try:
            for item in iterator:
                if not offer(item):
                    return
            offer(_END)
        except BaseException as error:  # noqa: BLE001 - handed over to the reader, whatever it is
            offer(_Raised(error))
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(target=work, name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            thing = shelf.get()
            if thing is _END:
                return
            if isinstance(thing, _Raised):
                raise thing.error
            yield thing  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error

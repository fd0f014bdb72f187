"""A list that survives a restart: written down a moment after it changed, beside the window's own thread."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, QThreadPool, QTimer

from desktop_app.document.files import write_json
from engine.refusal import Refused
from engine.wire import Unreadable

_LOG = logging.getLogger(__name__)
_VERSION = 1
_SAVE_MILLISECONDS = 500

Item = TypeVar("Item")


class KeptList(QObject, Generic[Item]):
    """The file of a list.

    Args:
        path: the file; one that cannot be understood is written anew, and the log says so.
        items: returns the list as it is; items never change, they are replaced.
        plain: returns an item as JSON takes it; called in a thread, because ten thousand items take a while.
        parent: owns it.
    """

    def __init__(
        self,
        path: Path,
        items: Callable[[], Iterable[Item]],
        plain: Callable[[Item], dict[str, Any]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._path = path
        self._items = items
        self._plain = plain
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._resting = QTimer(self)
        self._resting.setSingleShot(True)
        self._resting.setInterval(_SAVE_MILLISECONDS)
        self._resting.timeout.connect(self._write_behind)

    def load(self, read: Callable[[int, dict[str, Any]], Item]) -> list[Item]:
        """Return what was kept; nothing where that cannot be told.

        Args:
            read: makes an item from its place, counted from 1, and from what ``plain`` returned for it.
        """
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            if data["version"] == _VERSION:
                return [read(place, each) for place, each in enumerate(data["items"], start=1)]
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, Refused, Unreadable) as error:
            _LOG.warning("%s begins anew: %s", self._path.name, error)
        return []

    def save(self) -> None:
        """Write the list down as it will be in a moment."""
        if not self._resting.isActive():
            self._resting.start()

    def close(self) -> None:
        """Write the list down as it is."""
        self._resting.stop()
        self._pool.waitForDone()
        self._write(tuple(self._items()))

    def _write_behind(self) -> None:
        items = tuple(self._items())
        self._pool.start(lambda: self._write(items))

    def _write(self, items: tuple[Item, ...]) -> None:
        try:
            write_json(self._path, {"version": _VERSION, "items": [self._plain(item) for item in items]})
        except OSError as error:
            _LOG.warning("%s is not saved: %s", self._path.name, error)

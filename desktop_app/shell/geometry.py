"""Where the window was and how it was divided, from one start to the next."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QMainWindow, QSplitter

from desktop_app.document.settings import Settings

_SIZE = QSize(1280, 800)
"""Of the first start, where the screen is large enough."""


class Geometry:
    """Keeps it in the settings.

    Args:
        window: the window.
        splitters: what divides it, by name.
        settings: where it is kept.
    """

    def __init__(self, window: QMainWindow, splitters: dict[str, QSplitter], settings: Settings) -> None:
        self._window = window
        self._splitters = splitters
        self._settings = settings

    def restore(self) -> None:
        """Put everything where it was."""
        kept, splits = self._settings["window_geometry"], self._settings["window_splits"]
        if not kept or not self._window.restoreGeometry(_bytes(kept)):
            self._window.resize(_SIZE.boundedTo(self._window.screen().availableSize()))
        for name, splitter in self._splitters.items():
            if name in splits:
                splitter.restoreState(_bytes(splits[name]))

    def keep(self) -> None:
        """Remember where everything is."""
        self._settings["window_geometry"] = _text(self._window.saveGeometry())
        self._settings["window_splits"] = {name: _text(each.saveState()) for name, each in self._splitters.items()}


def _bytes(text: str) -> QByteArray:
    return QByteArray.fromBase64(text.encode())


def _text(state: QByteArray) -> str:
    return state.toBase64().toStdString()

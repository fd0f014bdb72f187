"""What the window and the engine wrote down, for whoever wants to know what went wrong."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from desktop_app.theme import GRID
from desktop_app.widgets.basics import button
from desktop_app.widgets.dialog import Dialog
from desktop_app.widgets.quiet_fields import Choice
from desktop_app.work.revealing import reveal

_MOST_BYTES = 200_000


class LogPage(Dialog):
    """The ends of the log files."""

    def __init__(self, folder: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self._folder = folder
        self.resize(min(110 * GRID, parent.width() - 4 * GRID), min(75 * GRID, parent.height() - 4 * GRID))
        self.choice = Choice()
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setProperty("kind", "mono")
        self._copy = button(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()), picture="copy")
        self._reveal_button = button(self._reveal, picture="folder")
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.choice, 1)
        row.addWidget(self._copy)
        row.addWidget(self._reveal_button)
        column = QVBoxLayout(self)
        column.setSpacing(GRID)
        column.addLayout(row)
        column.addWidget(self.text, 1)
        crashes = sorted(folder.glob("crash-*.txt"), reverse=True)  # the last one is what one is sent here for
        for path in [*crashes, *sorted(set(folder.glob("*.txt")).difference(crashes))]:
            if _end_of(path):
                self.choice.addItem(path.name, str(path))
        self.choice.currentIndexChanged.connect(self._show)
        self.say()
        self._show()

    def say(self) -> None:
        """Set all texts."""
        self.setWindowTitle(self.tr("Log"))
        self.choice.setAccessibleName(self.tr("Which log"))
        self.text.setAccessibleName(self.windowTitle())
        self.text.setPlaceholderText(self.tr("Nothing was written down yet."))
        self._copy.setText(self.tr("Copy all"))
        self._reveal_button.setText(self.tr("Show in folder"))

    def _show(self) -> None:
        path = self.choice.currentData()
        if path is None:
            return
        self.text.setPlainText(_end_of(Path(path)))
        self.text.moveCursor(self.text.textCursor().MoveOperation.End)

    def _reveal(self) -> None:
        path = self.choice.currentData()
        if path is not None:
            reveal(Path(path))


def _end_of(path: Path) -> str:
    """Return the last lines of a file; nothing of one that is gone, as those of other windows may be."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""

"""Every change with its reason; a click goes back or forth to it."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QUndoView, QVBoxLayout, QWidget

from desktop_app.actions import Actions
from desktop_app.document.document import Document
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Speaking, action_button, card, label


class HistoryPanel(Speaking):
    """The undo stack as a list."""

    def __init__(self, document: Document, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        frame, column = card()
        self._title = label("heading")
        self.view = QUndoView(document.undo_stack)
        row = QHBoxLayout()
        for name in ("undo", "redo", "reset"):
            row.addWidget(action_button(actions[name], has_text=name == "reset"))
        row.addStretch()
        column.addWidget(self._title)
        column.addWidget(self.view, 1)
        column.addLayout(row)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, GRID // 2, 0)
        outer.addWidget(frame)
        self.say()

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("WHAT WAS DONE, AND WHY"))
        self.view.setEmptyLabel(self.tr("As it was opened"))
        self.view.setAccessibleName(self.tr("History"))
        self._document.say()
        self.view.viewport().update()  # Qt does not notice

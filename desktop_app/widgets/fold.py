"""A part of a page that is folded away until somebody wants it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from desktop_app.icons import icon
from desktop_app.theme import GRID


class Fold(QWidget):
    """A heading that is pressed, and what it opens.

    Args:
        inside: what is shown when it is open.
    """

    def __init__(self, inside: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inside = inside
        self.head = QToolButton()
        self.head.setProperty("kind", "fold")
        self.head.setCheckable(True)
        self.head.setIconSize(QSize(12, 12))
        self.head.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.toggled.connect(self._open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.head, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(inside)
        self._open(on=False)

    def name(self, text: str) -> None:
        """Set what it is called."""
        self.head.setText(text)

    def _open(self, on: bool) -> None:
        self._inside.setVisible(on)
        self.head.setIcon(icon("fold_open" if on else "fold_closed", "muted"))

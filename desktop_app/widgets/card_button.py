"""A card that can be chosen, with whatever is laid out on it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop_app.theme import theme_of

_RADIUS = 8
_LINE, _STRONG_LINE = 1.0, 1.5


class CardButton(QAbstractButton):
    """One of several, of which one is chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the card (Qt's name); the keyboard can be told from the choice, as on the buttons of the style sheet."""
        theme = theme_of(self.palette())
        is_plain = not (self.isChecked() or self.hasFocus())
        edge = "line" if is_plain else "text" if self.isChecked() and self.hasFocus() else "accent"
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(theme.colour("raised"))
        painter.setPen(QPen(theme.colour(edge), _LINE if is_plain else _STRONG_LINE))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), _RADIUS, _RADIUS)

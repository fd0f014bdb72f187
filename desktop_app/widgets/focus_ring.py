"""Shows where the keyboard is on a widget that draws all of itself."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QWidget

from desktop_app.theme import theme_of

_WIDTH = 2
_BY_KEY = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
"""Whoever clicked knows where the keyboard is."""


class FocusRing(QWidget):
    """A line along the inside of a widget while it has the keyboard, if a key gave it that.

    Args:
        target: the widget.
    """

    def __init__(self, target: QWidget) -> None:
        super().__init__(target)
        self._target = target
        self._is_by_key = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the keyboard and the size of the widget (Qt's name)."""
        if isinstance(event, QFocusEvent):
            if event.reason() is not Qt.FocusReason.ActiveWindowFocusReason:  # then it is as it was before
                self._is_by_key = event.reason() in _BY_KEY
            self.setVisible(event.gotFocus() and self._is_by_key)
            self.raise_()
        elif event.type() is QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line (Qt's name)."""
        QPainter(self).fillRect(event.rect(), QColor(theme_of(self.palette()).accent))

    def _fit(self) -> None:
        self.setGeometry(self._target.rect())
        # Nothing of what the widget draws below is drawn again on its account.
        inside = self.rect().adjusted(_WIDTH, _WIDTH, -_WIDTH, -_WIDTH)
        self.setMask(QRegion(self.rect()).subtracted(QRegion(inside)))

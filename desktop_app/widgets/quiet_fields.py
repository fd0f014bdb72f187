"""Fields over which a page can be scrolled: the wheel does not change what only happens to lie under the pointer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox, QWidget

# Qt's own policy for all three gives them the keyboard when the wheel is turned above them.
_FOCUS = Qt.FocusPolicy.StrongFocus


class Choice(QComboBox):
    """A list of which one is chosen, by a click or by keys: it has the keyboard long after somebody chose from it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(_FOCUS)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page (Qt's name)."""
        event.ignore()


class WholeField(QSpinBox):
    """A whole number; the wheel changes it only while it has the keyboard."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(_FOCUS)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page, unless somebody is at this field (Qt's name)."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class DecimalField(QDoubleSpinBox):
    """A number; the wheel changes it only while it has the keyboard."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(_FOCUS)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page, unless somebody is at this field (Qt's name)."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

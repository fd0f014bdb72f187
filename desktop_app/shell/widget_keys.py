"""Who gets a key: the button or list that has the keyboard, or the shortcut of the whole window."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox

_OWN = {
    Qt.Key.Key_Space,
    Qt.Key.Key_Return,
    Qt.Key.Key_Enter,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
}
"""Keys that a button or a list with the keyboard needs for itself, before they play or step."""
_PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)


class WidgetKeys(QObject):
    """Lets a button or a list that has the keyboard use the keys that it needs."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        _application().installEventFilter(self)

    def stop(self) -> None:
        """Leave all keys to the shortcuts."""
        _application().removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at keys before they become shortcuts (Qt's name)."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            has_keys = isinstance(watched, QAbstractButton | QComboBox | QAbstractSlider | QAbstractItemView)
            if has_keys and event.key() in _OWN and event.modifiers() in _PLAIN:
                event.accept()
                return True
        return super().eventFilter(watched, event)


def _application() -> QCoreApplication:
    application = QCoreApplication.instance()
    assert application is not None  # a widget cannot be without one
    return application

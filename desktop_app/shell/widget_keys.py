"""Who gets a key: the button or list that has the keyboard, or the shortcut of the whole window."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSlider, QApplication, QComboBox, QWidget

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
    """Lets a button or a list that has the keyboard use the keys that it needs.

    Only those that a key can come to are watched: a filter of the whole application would run Python for every event,
    twenty thousand times while a page is built.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._watched: list[QWidget] = []
        self._following = _application().focusChanged.connect(self._follow)
        self._follow(None, _application().focusWidget())

    def stop(self) -> None:
        """Leave all keys to the shortcuts."""
        QObject.disconnect(self._following)
        self._follow(None, None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at keys before they become shortcuts (Qt's name)."""
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in _OWN
            and event.modifiers() in _PLAIN
        ):
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def _follow(self, _before: QWidget | None, now: QWidget | None) -> None:
        """Watch what has the keyboard now, and what gets the keys that it does not want."""
        for widget in filter(shiboken6.isValid, self._watched):
            widget.removeEventFilter(self)
        self._watched = []
        while now is not None:
            if isinstance(now, QAbstractButton | QComboBox | QAbstractSlider | QAbstractItemView):
                now.installEventFilter(self)
                self._watched.append(now)
            now = None if now.isWindow() else now.parentWidget()


def _application() -> QApplication:
    application = QApplication.instance()
    assert isinstance(application, QApplication)  # a widget cannot be without one
    return application

"""A message of the system, for whoever looks at another window while something is being done."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from desktop_app.icons import icon


class Notifier(QObject):
    """Tells the system that something is done, where there is a place for such messages.

    The icon in the system's tray is there only while a message is: this program does not live in the tray.

    Args:
        window: what comes to the front when the message is clicked.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._icon: QSystemTrayIcon | None = None
        self._handler: Callable[[], object] | None = None

    def tell(self, title: str, text: str, handler: Callable[[], object] | None = None) -> None:
        """Show a message unless the window is being looked at.

        Args:
            title: what is done.
            text: how it went.
            handler: what a click on the message does, besides bringing the window to the front.
        """
        if self._window.isActiveWindow():
            return
        QApplication.alert(self._window)
        if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
            return
        if self._icon is None:
            self._icon = QSystemTrayIcon(icon("mouth", "accent"), self)
            self._icon.messageClicked.connect(self._come)
            self._icon.activated.connect(self._come)
        self._handler = handler
        self._icon.show()
        self._icon.showMessage(title, text, icon("mouth", "accent"))

    def rest(self) -> None:
        """Take the icon away: the window is being looked at."""
        if self._icon is not None:
            self._icon.hide()

    def _come(self) -> None:
        self.rest()
        self._window.showNormal() if self._window.isMinimized() else self._window.show()
        self._window.raise_()
        self._window.activateWindow()
        if self._handler is not None:
            self._handler()

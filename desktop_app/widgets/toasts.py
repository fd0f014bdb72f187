"""Notices that lie on the window for a while, with a button where something can be done about them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop_app.icons import icon
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Picture, button, label

_WIDTH = 46 * GRID
_SECONDS = 6
_SECONDS_BAD = 15
_MOST = 4


class Toasts(QObject):
    """Notices at the top of a window, over nothing that is worked with; the newest at the bottom."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._shown: list[Toast] = []
        window.installEventFilter(self)

    @property
    def texts(self) -> list[str]:
        """What is being shown."""
        return [toast.text for toast in self._shown]

    def show(
        self,
        text: str,
        *,
        tone: str = "",
        action: str = "",
        handler: Callable[[], object] | None = None,
        topic: str = "",
    ) -> Toast:
        """Show a notice; the same text is not shown twice.

        Args:
            text: what is said.
            tone: ``good``, ``poor``, ``bad`` or nothing.
            action: text of its button, if any.
            handler: what the button does.
            topic: the notice before on the same topic is out of date now, and goes.
        """
        for toast in [each for each in self._shown if each.text == text or (topic and each.topic == topic)]:
            self._remove(toast)
        for toast in self._shown[: max(0, len(self._shown) - _MOST + 1)]:
            self._remove(toast)
        toast = Toast(self._window, text, tone, action, handler)
        toast.topic = topic
        toast.closed.clicked.connect(lambda _checked: self._remove(toast))
        if toast.acted is not None:
            toast.acted.clicked.connect(lambda _checked: self._remove(toast))
        self._shown.append(toast)
        QTimer.singleShot(1000 * (_SECONDS_BAD if tone == "bad" else _SECONDS), toast, lambda: self._remove(toast))
        self._place()
        toast.show()
        toast.raise_()
        return toast

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the notices in their corner."""
        if event.type() is QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _remove(self, toast: Toast) -> None:
        if toast in self._shown:
            self._shown.remove(toast)
            toast.hide()
            toast.deleteLater()
            self._place()

    def _place(self) -> None:
        top = 10 * GRID
        for toast in self._shown:
            toast.setFixedWidth(min(_WIDTH, self._window.width() - 4 * GRID))
            height = toast.heightForWidth(toast.width())
            toast.resize(toast.width(), height)
            toast.move((self._window.width() - toast.width()) // 2, top)
            top += height + GRID


class Toast(QFrame):
    """One notice.

    Attributes:
        text: what it says.
        topic: what it is about, if there may be newer notices on that.
        closed: its button to close it.
        acted: its other button, or ``None``.
    """

    def __init__(
        self, parent: QWidget, text: str, tone: str, action: str, handler: Callable[[], object] | None
    ) -> None:
        super().__init__(parent)
        self.text = text
        self.topic = ""
        self.setProperty("kind", "card")
        self.setAccessibleName(text)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID + 4, GRID, GRID, GRID)
        row.setSpacing(GRID)
        if tone:
            picture = Picture("check" if tone == "good" else "warning", tone)
            row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        said = label(wraps=True)
        said.setText(text)
        column = QVBoxLayout()
        column.addWidget(said)
        self.acted = None
        if handler is not None:
            self.acted = button(handler, kind="link")
            self.acted.setText(action)
            column.addWidget(self.acted, 0, Qt.AlignmentFlag.AlignLeft)
        row.addLayout(column, 1)
        self.closed = button(lambda: None, kind="link")
        self.closed.setIcon(icon("close", "muted"))
        self.closed.setAccessibleName(self.tr("Close"))
        row.addWidget(self.closed, 0, Qt.AlignmentFlag.AlignTop)

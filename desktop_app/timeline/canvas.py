"""Where the lanes are painted, and what the mouse does there: positions become seconds before anybody acts on them."""

from __future__ import annotations

import pyqtgraph
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

_NOTCH = 120.0
"""Eighths of a degree that a wheel turns from notch to notch (Qt's unit)."""


class Canvas(pyqtgraph.GraphicsView):  # type: ignore[misc] # pyqtgraph has no types
    """A graphics view that leaves pan and zoom to its owner.

    Attributes:
        pressed: signal ``(position, button, modifiers)``.
        moved: signal ``(position, modifiers)``, pressed or not.
        released: signal ``(position)``.
        double_clicked: signal ``(position)``.
        turned: signal ``(position, notches across, notches down, modifiers)``.
        left: signal, the pointer has gone.
        menu_wanted: signal ``(position, global position)``.
        resized: signal.
    """

    pressed = Signal(QPointF, Qt.MouseButton, Qt.KeyboardModifier)
    moved = Signal(QPointF, Qt.KeyboardModifier)
    released = Signal(QPointF)
    double_clicked = Signal(QPointF)
    turned = Signal(QPointF, float, float, Qt.KeyboardModifier)
    left = Signal()
    menu_wanted = Signal(QPointF, QPointF)
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, useOpenGL=False, background=None)
        self.setAntialiasing(aa=False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Report a press (Qt's name)."""
        self.pressed.emit(event.position(), event.button(), event.modifiers())
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Report a move (Qt's name)."""
        self.moved.emit(event.position(), event.modifiers())
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Report a release (Qt's name)."""
        self.released.emit(event.position())
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Report a double click (Qt's name)."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.double_clicked.emit(event.position())
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Report that a menu is wanted (Qt's name)."""
        self.menu_wanted.emit(QPointF(event.pos()), QPointF(event.globalPos()))
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Report a turn of the wheel (Qt's name)."""
        angle = event.angleDelta()
        self.turned.emit(event.position(), angle.x() / _NOTCH, angle.y() / _NOTCH, event.modifiers())
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._keep_the_keyboard(event)
        event.accept()

    def _keep_the_keyboard(self, event: QWheelEvent) -> None:
        """Tell the menu bar that Alt was not pressed for it: it goes by the mouse, and does not look at the wheel."""
        move = QMouseEvent(
            QEvent.Type.MouseMove,
            event.position(),
            event.globalPosition(),
            Qt.MouseButton.NoButton,
            event.buttons(),
            event.modifiers(),
        )
        QCoreApplication.sendEvent(self.viewport(), move)

    def leaveEvent(self, event: QEvent) -> None:
        """Report that the pointer has gone (Qt's name)."""
        self.left.emit()
        super().leaveEvent(event)

    def resizeEvent(self, event: object) -> None:
        """Report another size (Qt's name); pyqtgraph calls it with ``None`` while it is being made."""
        super().resizeEvent(event)
        if event is not None:
            self.resized.emit()

"""The base of pages that open above the window."""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QDialog, QWidget

from desktop_app.theme import GRID


class Dialog(QDialog):
    """A page whose texts follow the language while it is open: they are all set in :meth:`say`."""

    def __init__(self, parent: QWidget, flags: Qt.WindowType = Qt.WindowType.Dialog) -> None:
        super().__init__(parent, flags)

    @abstractmethod
    def say(self) -> None:
        """Set all texts, in the language of now."""

    def fit_height(self) -> None:
        """Be as high as the texts need at this width: Qt takes wrapped ones for as high as they are when narrowest."""
        layout = self.layout()
        if layout is not None and layout.hasHeightForWidth():
            layout.invalidate()  # what was just hidden is still counted otherwise
            self.setFixedHeight(layout.totalHeightForWidth(max(self.width(), self.minimumWidth())))

    def lie_over(self, widget: QWidget) -> None:
        """Open over a widget, at its top, and leave in sight what is beside it."""
        self.adjustSize()
        middle, ground = widget.mapToGlobal(QPoint(widget.width() // 2, GRID)), widget.screen().availableGeometry()
        lowest = max(ground.top(), ground.bottom() - self.height())
        self.move(middle.x() - self.width() // 2, min(middle.y(), lowest))

    def changeEvent(self, event: QEvent) -> None:
        """Speak again when the language was changed (Qt's name)."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self.say()

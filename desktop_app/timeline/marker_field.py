"""The field in which a marker is named, right where it stands."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop_app.document.document import Document, Marker


class MarkerField(QLineEdit):
    """Return and leaving the field take the name over, Escape does not."""

    WIDTH = 180
    """Pixels."""

    def __init__(self, document: Document, parent: QWidget) -> None:
        super().__init__(parent)
        self._document = document
        self._home = parent
        self._marker: Marker | None = None
        self.setMaxLength(200)
        self.setAccessibleName(self.tr("Name of the marker"))
        self.hide()
        self.editingFinished.connect(self._take)
        document.markers_changed.connect(self._look)

    def edit(self, marker: Marker, corner: QPoint) -> None:
        """Let the user name a marker.

        Args:
            marker: which one.
            corner: upper left corner of the field, in the parent's pixels.
        """
        self._marker = marker
        self.setAccessibleName(self.tr("Name of the marker"))
        self.setPlaceholderText(self.tr("Name of the marker"))
        self.setText(marker.text)
        self.selectAll()
        self.setGeometry(corner.x(), corner.y(), self.WIDTH, self.sizeHint().height())
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give up on Escape (Qt's name)."""
        if event.key() == Qt.Key.Key_Escape:
            self._close()
        else:
            super().keyPressEvent(event)

    def _take(self) -> None:
        marker = self._marker
        self._close()
        if marker is not None and marker in self._document.markers and self.text() != marker.text:
            self._document.change_marker(marker, Marker(marker.t, self.text().strip()))

    def _look(self) -> None:
        """Give up when the marker has gone."""
        if self._marker is not None and self._marker not in self._document.markers:
            self._close()

    def _close(self) -> None:
        self._marker = None
        if self.isVisible():
            self.hide()
            self._home.setFocus(Qt.FocusReason.OtherFocusReason)

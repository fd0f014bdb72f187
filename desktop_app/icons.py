"""The window's pictures: line drawings of our own that take the colours of the theme."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from desktop_app.theme import theme_of


@cache
def _drawing(name: str) -> str:
    return files("resources").joinpath("icons", f"{name}.svg").read_text(encoding="utf-8")


class _ThemedEngine(QIconEngine):
    """Draws a line drawing in the colour that the palette has when it is painted, at any size."""

    def __init__(self, name: str, colour: str) -> None:
        super().__init__()
        self._name = name
        self._colour = colour

    def paint(self, painter: QPainter, rect, mode: QIcon.Mode, state: QIcon.State) -> None:  # type: ignore[no-untyped-def]  # noqa: ARG002
        theme = theme_of(QApplication.palette())
        by_mode = {QIcon.Mode.Disabled: theme.faded, QIcon.Mode.Selected: theme.on_accent}
        colour = by_mode.get(mode, getattr(theme, self._colour))
        drawing = _drawing(self._name).replace("currentColor", colour)
        # Square, at the left: what a wider place has more is the distance to a text.
        square = QRectF(rect.x(), rect.y(), rect.height(), rect.height())
        QSvgRenderer(QByteArray(drawing.encode())).render(painter, square)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _ThemedEngine(self._name, self._colour)


def icon(name: str, colour: str = "text") -> QIcon:
    """Return an icon of ``resources/icons`` in a colour of the theme.

    Raises:
        FileNotFoundError: if there is no such drawing, which is a bug.
    """
    _drawing(name)
    return QIcon(_ThemedEngine(name, colour))

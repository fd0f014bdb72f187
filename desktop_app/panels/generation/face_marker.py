"""Marks a face by hand where none is found: four dots over the picture, dragged to the eyes and the mouth's corners."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop_app.panels.generation.stage import RenderStage
from desktop_app.theme import GRID, theme_of

Points = tuple[tuple[float, float], ...]

GUESS: Points = ((0.42, 0.4), (0.58, 0.4), (0.45, 0.62), (0.55, 0.62))
"""Where a face in the middle of a portrait has its eyes and the corners of its mouth."""
_RADIUS = 7.0
_REACH = 20.0
_FINE, _COARSE = 0.001, 0.01


class FaceMarker(QWidget):
    """Lies over the stage. Tab goes from dot to dot, arrow keys move one, with Shift farther."""

    moved = Signal(object)
    """The dots, as shares of the picture's width and height: right eye, left eye, right and left mouth corner."""

    def __init__(self, stage: RenderStage) -> None:
        super().__init__(stage)
        self._stage = stage
        self._points: list[QPointF] = []
        self._held: int | None = None
        self._current = 0
        self._names: tuple[str, ...] = ("", "", "", "")
        self._hint = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.hide()

    @property
    def points(self) -> Points:
        """Where the dots are."""
        return tuple((point.x(), point.y()) for point in self._points)

    def name(self, names: tuple[str, str, str, str], hint: str) -> None:
        """Set what the dots are called, and what is said below them."""
        self._names, self._hint = names, hint
        self.setAccessibleName(hint)
        self.update()

    def begin(self, points: Points) -> None:
        """Show the dots here."""
        self._points = [QPointF(x, y) for x, y in points]
        self.setGeometry(self._stage.rect())
        self.show()
        self.raise_()
        self.setFocus()

    def place(self, index: int) -> QPointF:
        """Return where a dot is in this widget."""
        area = self._stage.image_area()
        point = self._points[index]
        return QPointF(area.left() + point.x() * area.width(), area.top() + point.y() * area.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the nearest dot (Qt's name)."""
        distances = [(self.place(index) - event.position()).manhattanLength() for index in range(len(self._points))]
        nearest = min(range(len(distances)), key=distances.__getitem__)
        if distances[nearest] <= _REACH:
            self._held = self._current = nearest
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the dot that is held (Qt's name)."""
        area = self._stage.image_area()
        if self._held is not None and not area.isEmpty():
            position = event.position()
            self._set(
                self._held, (position.x() - area.left()) / area.width(), (position.y() - area.top()) / area.height()
            )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: ARG002
        """Let go (Qt's name)."""
        self._held = None

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Go to the next dot before leaving (Qt's name)."""
        following = self._current + (1 if forward else -1)
        if 0 <= following < len(self._points):
            self._current = following
            self.update()
            return True
        return super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the current dot (Qt's name)."""
        step = _COARSE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _FINE
        moves = {
            Qt.Key.Key_Left: (-step, 0.0),
            Qt.Key.Key_Right: (step, 0.0),
            Qt.Key.Key_Up: (0.0, -step),
            Qt.Key.Key_Down: (0.0, step),
        }
        by = moves.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
            return
        point = self._points[self._current]
        self._set(self._current, point.x() + by[0], point.y() + by[1])

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the dots (Qt's name)."""
        if not self._points:
            return
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        places = [self.place(index) for index in range(len(self._points))]
        painter.setPen(QPen(theme.colour("accent", 0.8), 1.5, Qt.PenStyle.DashLine))
        for one, other in ((0, 1), (2, 3)):
            painter.drawLine(places[one], places[other])
        for index, place in enumerate(places):
            is_current = index == self._current
            painter.setPen(QPen(theme.colour("ground"), 2))
            painter.setBrush(theme.colour("accent" if is_current else "mouth"))
            radius = _RADIUS + 2 * is_current
            painter.drawEllipse(place, radius, radius)
        self._paint_words(painter, f"{self._names[self._current]}  ·  {self._hint}")

    def _paint_words(self, painter: QPainter, words: str) -> None:
        theme = theme_of(self.palette())
        width = min(self.width() - 4 * GRID, painter.fontMetrics().horizontalAdvance(words) + 3 * GRID)
        lines = 1 + painter.fontMetrics().horizontalAdvance(words) // max(1, self.width() - 7 * GRID)
        height = GRID + lines * (painter.fontMetrics().height() + 2)
        box = QRectF((self.width() - width) / 2, self.height() - height - 2 * GRID, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("ground", 0.88))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(theme.colour("text"))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), words)

    def _set(self, index: int, x: float, y: float) -> None:
        self._points[index] = QPointF(min(1.0, max(0.0, x)), min(1.0, max(0.0, y)))
        self.update()
        self.moved.emit(self.points)

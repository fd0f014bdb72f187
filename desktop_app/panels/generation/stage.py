"""The big picture: the face that was chosen, then what has been rendered of it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_app.icons import icon
from desktop_app.theme import GRID, theme_of

_RADIUS = 8


class RenderStage(QWidget):
    """Shows one picture as large as fits, with a badge; or an invitation."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self._badge = ""
        self._title, self._sentence = "", ""
        self.setMinimumSize(30 * GRID, 20 * GRID)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def image(self) -> QImage:
        """The picture that is shown; null while there is none."""
        return self._image

    @property
    def badge(self) -> str:
        """What is said in the corner."""
        return self._badge

    def image_area(self) -> QRectF:
        """Return where the picture is drawn."""
        area = QRectF(self.rect())
        size = self._image.size().scaled(area.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRectF(QPointF(0, 0), size)
        target.moveCenter(area.center())
        return target

    def sizeHint(self) -> QSize:
        """Return a comfortable size (Qt's name)."""
        return QSize(72 * GRID, 42 * GRID)

    def invite(self, title: str, sentence: str) -> None:
        """Set what is said while there is no picture."""
        self._title, self._sentence = title, sentence
        self.setAccessibleName(self._badge or title)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what lies over it as large as it is (Qt's name)."""
        super().resizeEvent(event)
        for over in self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            over.setGeometry(self.rect())

    def show_image(self, image: QImage, badge: str) -> None:
        """Show a picture; a null one for the invitation."""
        self._image, self._badge = image, badge
        self.setAccessibleName(badge or self._title)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw it (Qt's name)."""
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect())
        shape = QPainterPath()
        shape.addRoundedRect(area, _RADIUS, _RADIUS)
        painter.fillPath(shape, theme.colour("panel"))
        if self._image.isNull():
            self._paint_invitation(painter, area)
            return
        painter.setClipPath(shape)
        target = self.image_area()
        painter.drawImage(target, self._image)
        if self._badge:
            self._paint_badge(painter, target)

    def _paint_badge(self, painter: QPainter, target: QRectF) -> None:
        theme = theme_of(self.palette())
        width = painter.fontMetrics().horizontalAdvance(self._badge) + 2 * GRID
        box = QRectF(target.left() + GRID + 4, target.top() + GRID + 4, width, 3 * GRID)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("ground", 0.85))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.colour("text"))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), self._badge)

    def _paint_invitation(self, painter: QPainter, area: QRectF) -> None:
        theme = theme_of(self.palette())
        painter.setPen(QPen(theme.colour("line"), 1, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area.adjusted(12, 12, -12, -12), _RADIUS, _RADIUS)
        middle = area.center()
        painter.drawPixmap(
            QPointF(middle.x() - 32, middle.y() - 88),
            icon("generate", "accent").pixmap(QSize(64, 64), self.devicePixelRatioF()),
        )
        flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
        font = QFont(self.font())
        font.setPixelSize(20)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(theme.colour("text"))
        painter.drawText(QRectF(area.left() + 32, middle.y() - 8, area.width() - 64, 30), flags, self._title)
        painter.setFont(self.font())
        painter.setPen(theme.colour("muted"))
        painter.drawText(QRectF(area.left() + 48, middle.y() + 28, area.width() - 96, 72), flags, self._sentence)

"""Where the face and the voice are put: big buttons that show what is in them."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QImage,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from desktop_app.icons import icon
from desktop_app.theme import GRID, Theme, theme_of
from desktop_app.timeline.file_sound import FileSound
from engine.media.peaks import PeakBlock, Peaks

_RADIUS = 8
_HEIGHT = 16 * GRID
_STRIP = 5 * GRID
_BAR = 3
"""Pixels from one bar of the waveform to the next."""


class Well(QAbstractButton):
    """A button with a place for something; a click lets the user choose it.

    Args:
        picture: icon while it is empty.
    """

    emptied = Signal()
    """The user takes away what is in it."""

    def __init__(self, picture: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = picture
        self._name, self._facts = "", ""
        self._title, self._invitation = "", ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        self.setMouseTracking(True)
        self.clear_button = QToolButton()
        self.clear_button.setFixedSize(3 * GRID, 3 * GRID)
        self.clear_button.setProperty("kind", "over")
        self.clear_button.setIcon(icon("close"))
        self.clear_button.setIconSize(QSize(12, 12))
        self.clear_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clear_button.setCursor(Qt.CursorShape.ArrowCursor)
        self.clear_button.clicked.connect(self.emptied)
        self.clear_button.hide()
        corner = QVBoxLayout(self)
        corner.setContentsMargins(GRID // 2, GRID // 2, GRID // 2, GRID // 2)
        corner.addWidget(self.clear_button, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)

    @property
    def facts(self) -> str:
        """What is said about the file."""
        return self._facts

    def sizeHint(self) -> QSize:
        """Return a comfortable size (Qt's name)."""
        return QSize(22 * GRID, _HEIGHT)

    def name(self, title: str, invitation: str, clear: str) -> None:
        """Set what it is called, what it says while it is empty, and what its small button does."""
        self._title, self._invitation = title, invitation
        self.clear_button.setToolTip(clear)
        self.clear_button.setAccessibleName(f"{title}: {clear}")
        self._describe()

    def fill(self, path: Path | None, facts: str = "") -> None:
        """Show which file is in it."""
        self._name, self._facts = ("", "") if path is None else (path.name, facts)
        self.setToolTip("" if path is None else str(path))
        self.clear_button.setVisible(path is not None)
        self._describe()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the place and what is in it (Qt's name)."""
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        shape = QPainterPath()
        shape.addRoundedRect(area, _RADIUS, _RADIUS)
        painter.setClipPath(shape)
        painter.fillPath(shape, theme.colour("ground"))
        if self._name:
            self._paint_content(painter, area, theme)
            self._paint_strip(painter, area, theme)
        else:
            self._paint_invitation(painter, area, theme)
        painter.setClipping(False)
        lit = self.hasFocus() or self.underMouse()
        style = Qt.PenStyle.SolidLine if self._name else Qt.PenStyle.DashLine
        painter.setPen(QPen(theme.colour("accent" if lit else "line"), 1.5 if lit else 1, style))
        painter.drawPath(shape)

    @abstractmethod
    def _paint_content(self, painter: QPainter, area: QRectF, theme: Theme) -> None:
        """Draw what the file holds."""

    def _paint_strip(self, painter: QPainter, area: QRectF, theme: Theme) -> None:
        strip = QRectF(area.left(), area.bottom() - _STRIP, area.width(), _STRIP)
        shade = QLinearGradient(strip.topLeft(), strip.bottomLeft())
        shade.setColorAt(0, QColor(0, 0, 0, 0))
        shade.setColorAt(0.45, theme.colour("ground", 0.82))
        shade.setColorAt(1, theme.colour("ground", 0.94))
        painter.fillRect(strip, shade)
        text = strip.adjusted(GRID, 8, -GRID, -3)
        _draw_line(
            painter, QRectF(text.left(), text.top(), text.width(), 15), self._name, theme.colour("text"), self.font()
        )
        small = QFont(self.font())
        small.setPixelSize(10)
        _draw_line(
            painter, QRectF(text.left(), text.top() + 15, text.width(), 13), self._facts, theme.colour("muted"), small
        )

    def _paint_invitation(self, painter: QPainter, area: QRectF, theme: Theme) -> None:
        middle = area.center()
        lit = self.hasFocus() or self.underMouse()
        image = icon(self._picture, "accent" if lit else "muted").pixmap(QSize(32, 32), self.devicePixelRatioF())
        painter.drawPixmap(QPointF(middle.x() - 16, middle.y() - 42), image)
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
        painter.setFont(bold)
        painter.setPen(theme.colour("text"))
        painter.drawText(QRectF(area.left() + 4, middle.y() - 4, area.width() - 8, 20), flags, self._title)
        painter.setFont(self.font())
        painter.setPen(theme.colour("muted"))
        painter.drawText(
            QRectF(area.left() + GRID, middle.y() + 17, area.width() - 2 * GRID, 36), flags, self._invitation
        )

    def _describe(self) -> None:
        said = f"{self._name}, {self._facts}" if self._name else self._invitation
        self.setAccessibleName(f"{self._title}: {said}")


class FaceWell(Well):
    """Shows the first picture of the face's file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("face", parent)
        self._image = QImage()

    def show_image(self, image: QImage) -> None:
        """Show a picture."""
        self._image = image
        self.update()

    def _paint_content(self, painter: QPainter, area: QRectF, theme: Theme) -> None:  # noqa: ARG002
        if self._image.isNull():
            return
        size = self._image.size().scaled(area.size().toSize(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
        # Faces are in the upper part of pictures: what does not fit is cut below rather than above.
        top = area.top() - (size.height() - area.height()) * 0.3
        target = QRectF(area.center().x() - size.width() / 2, top, size.width(), size.height())
        painter.drawImage(target, self._image)


class VoiceWell(Well):
    """Shows the waveform of the voice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("voice", parent)
        self._sound: FileSound | None = None
        self._seconds = 0.0

    def expect(self, seconds: float | None) -> None:
        """Begin a new waveform of about this length; ``None`` for none."""
        self._seconds = seconds or 0.0
        self._sound = None if seconds is None else FileSound(seconds)
        self.update()

    def add(self, block: PeakBlock) -> None:
        """Show more of it."""
        if self._sound is not None:
            self._sound.add(block)
            self.update()

    def finish(self, peaks: Peaks) -> None:
        """Show all of it."""
        if self._sound is not None:
            self._sound.finish(peaks)
            self._seconds = float(peaks.stop - peaks.start)
            self.update()

    def _paint_content(self, painter: QPainter, area: QRectF, theme: Theme) -> None:
        sound = self._sound
        columns = int(area.width() - 2 * GRID) // _BAR
        if sound is None or self._seconds <= 0 or columns < 1:
            return
        low, high = sound.window(sound.start, sound.start + self._seconds, columns)
        middle = (area.height() - _STRIP) / 2 + area.top() + 4
        reach = (area.height() - _STRIP) / 2 - GRID
        painter.setPen(QPen(theme.colour("sound"), 2, c=Qt.PenCapStyle.RoundCap))
        for column in range(columns):
            peak = max(abs(low[column]), abs(high[column]))
            height = 0.0 if np.isnan(peak) else reach * min(1.0, peak)  # it was not read yet, or it is that loud
            x = area.left() + GRID + column * _BAR + 1
            painter.drawLine(QPointF(x, middle - max(0.5, height)), QPointF(x, middle + max(0.5, height)))


def _draw_line(painter: QPainter, area: QRectF, text: str, colour: QColor, font: QFont) -> None:
    painter.setFont(font)
    painter.setPen(colour)
    shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideMiddle, int(area.width()))
    painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)

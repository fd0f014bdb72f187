"""An offset among the published tolerances, as a picture."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_app.theme import GRID, theme_of
from engine.sync.verdict import EBU_R37, ITU_ACCEPTABLE, ITU_DETECTABLE

_LEAST_REACH = 210.0
_BAR = 10


class BandsBar(QWidget):
    """A scale from early to late: the tolerances shaded, the offset and what will be left of it marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._offset: float | None = None
        self._uncertainty = 0.0
        self._left: float | None = None

    def sizeHint(self) -> QSize:
        """Return room for the bar, its marks and a line of words."""
        return QSize(30 * GRID, 3 * GRID + _BAR + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """Return the same height, and little width."""
        return QSize(12 * GRID, self.sizeHint().height())

    def show_offset(self, offset_ms: float | None, uncertainty_ms: float, left_ms: float | None) -> None:
        """Show an offset.

        Args:
            offset_ms: as measured, positive: late; ``None`` for nothing.
            uncertainty_ms: half-width of its interval.
            left_ms: what will be left after the correction, ``None`` without one.
        """
        self._offset, self._uncertainty, self._left = offset_ms, uncertainty_ms, left_ms
        self.setToolTip(self._description())
        self.setAccessibleDescription(self._description())
        self.update()

    def _description(self) -> str:
        lines = [
            self.tr("{name}: up to {early} ms early, {late} ms late").format(
                name=name, early=round(band.early_ms), late=round(band.late_ms)
            )
            for name, band in (
                (EBU_R37.name, EBU_R37),
                (self.tr("Threshold of detection ({name})").format(name=ITU_DETECTABLE.name), ITU_DETECTABLE),
                (self.tr("Threshold of acceptance ({name})").format(name=ITU_ACCEPTABLE.name), ITU_ACCEPTABLE),
            )
        ]
        return "\n".join(lines)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the scale."""
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        largest = max(abs(each) for each in (self._offset or 0.0, self._left or 0.0))
        reach = max(_LEAST_REACH, largest * 1.15)
        top = 2.0 * GRID
        width = self.width()

        def x(ms: float) -> float:
            return width / 2 + ms / reach * (width / 2 - 4)

        painter.setPen(Qt.PenStyle.NoPen)
        bar = QRectF(0, top, width, _BAR)
        painter.setBrush(theme.colour("bad", 0.45))
        painter.drawRoundedRect(bar, 3, 3)
        for band, name, alpha in (
            (ITU_ACCEPTABLE, "poor", 0.65),
            (ITU_DETECTABLE, "poor", 0.40),
            (EBU_R37, "good", 0.55),
        ):
            ground = QRectF(x(-band.early_ms), top, x(band.late_ms) - x(-band.early_ms), _BAR)
            painter.fillRect(ground, theme.colour("panel"))
            painter.fillRect(ground, theme.colour(name, alpha))
        painter.setPen(QPen(theme.colour("text", 0.6), 1))
        painter.drawLine(QPointF(x(0), top - 2), QPointF(x(0), top + _BAR + 2))
        if self._offset is not None:
            self._mark(painter, x, self._offset, top)
            if self._left is not None and abs(self._left - self._offset) > 0.05:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(theme.colour("accent"), 2))
                painter.drawEllipse(QPointF(x(self._left), top + _BAR / 2), 6, 6)
        painter.setPen(theme.colour("muted"))
        words = QRectF(0, top + _BAR + 2, width, self.height() - top - _BAR - 2)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignLeft), self.tr("early"))
        painter.drawText(words, int(Qt.AlignmentFlag.AlignRight), self.tr("late"))
        painter.drawText(QRectF(x(0) - 60, words.top(), 120, words.height()), int(Qt.AlignmentFlag.AlignHCenter), "0")

    def _mark(self, painter: QPainter, x, offset: float, top: float) -> None:  # type: ignore[no-untyped-def]
        theme = theme_of(self.palette())
        left, right = x(offset - self._uncertainty), x(offset + self._uncertainty)
        painter.fillRect(QRectF(left, top, right - left, _BAR), theme.colour("text", 0.35))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("text"))
        at = x(offset)
        painter.drawPolygon(QPolygonF([QPointF(at, top + 3), QPointF(at - 6, top - 9), QPointF(at + 6, top - 9)]))
        painter.drawRect(QRectF(at - 1, top, 2, _BAR))

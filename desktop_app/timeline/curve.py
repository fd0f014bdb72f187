"""The inset of the offset lane: how well each lag fits the chosen segment."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from desktop_app.letters import small_pixels
from desktop_app.theme import DARK, GRID, Theme
from engine.sync.result import LagCurve
from engine.sync.verdict import EBU_R37

_TITLE = 20.0
_AXIS = 16.0
_BESIDE_MS = 250.0
"""Lags shown on either side of zero and of the best one: farther ones are all alike."""


def nearest_curve(curves: tuple[LagCurve, ...], seconds: float) -> LagCurve | None:
    """Return the curve of the window nearest to a time."""
    return min(curves, key=lambda curve: abs(curve.t - seconds), default=None)


class LagInset(QGraphicsObject):
    """Score against lag, drawn over the right end of the offset lane."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(50)
        self.setVisible(False)
        self._theme = DARK
        self._curve: LagCurve | None = None
        self._title, self._early, self._late = "", "", ""
        self._area = QRectF(0, 0, 0, 0)

    @property
    def curve(self) -> LagCurve | None:
        """What is shown."""
        return self._curve

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.update()

    def place(self, lane: QRectF) -> None:
        """Lie at the right end of a lane."""
        width = min(280.0, lane.width() / 2)
        area = QRectF(lane.right() - width - GRID, lane.top() + GRID / 2, width, lane.height() - GRID)
        if area != self._area:
            self.prepareGeometryChange()
            self._area = area

    def show_curve(self, curve: LagCurve | None, title: str = "", early: str = "", late: str = "") -> None:
        """Show a curve, or nothing."""
        self._curve = curve
        self._title, self._early, self._late = title, early, late
        self.setVisible(curve is not None)
        self.update()

    def boundingRect(self) -> QRectF:
        """Return where it paints (Qt's name)."""
        return self._area

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002
        """Paint it (Qt's name)."""
        curve, area = self._curve, self._area
        if curve is None or len(curve.lags_ms) < 2 or area.height() < _TITLE + _AXIS + GRID:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("line"), 1))
        painter.setBrush(self._theme.colour("raised", 0.95))
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        inner = area.adjusted(GRID, _TITLE + 2, -GRID, -_AXIS)
        peak = float(curve.lags_ms[int(np.argmax(curve.scores))])
        shown = (curve.lags_ms >= min(0.0, peak) - _BESIDE_MS) & (curve.lags_ms <= max(0.0, peak) + _BESIDE_MS)
        lags, scores = curve.lags_ms[shown].astype(np.float64), curve.scores[shown].astype(np.float64)
        low, high = float(lags[0]), float(lags[-1])

        def x(lag: float) -> float:
            return inner.left() + (lag - low) / (high - low) * inner.width()

        left, right = max(x(-EBU_R37.early_ms), inner.left()), min(x(EBU_R37.late_ms), inner.right())
        painter.fillRect(QRectF(left, inner.top(), right - left, inner.height()), self._theme.colour("good", 0.14))
        painter.fillRect(QRectF(x(0), inner.top(), 1, inner.height()), self._theme.colour("muted", 0.6))
        lowest, highest = float(scores.min()), float(scores.max())
        height = inner.bottom() - (scores - lowest) / max(highest - lowest, 1e-6) * inner.height()
        points = [QPointF(x(lag), y) for lag, y in zip(lags.tolist(), height.tolist(), strict=True)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("mouth", 0.2))
        painter.drawPolygon(
            QPolygonF([QPointF(points[0].x(), inner.bottom()), *points, QPointF(points[-1].x(), inner.bottom())])
        )
        painter.setPen(QPen(self._theme.colour("mouth"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))
        best = points[int(np.argmax(scores))]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("text"))
        painter.drawEllipse(best, 3.5, 3.5)
        self._paint_words(painter, area, inner)

    def _paint_words(self, painter: QPainter, area: QRectF, inner: QRectF) -> None:
        font = QFont()
        font.setPixelSize(small_pixels())
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        painter.setPen(self._theme.colour("text"))
        title = metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(QPointF(inner.left(), area.top() + 14), title)
        painter.setPen(self._theme.colour("muted"))
        baseline = area.bottom() - 5
        painter.drawText(QPointF(inner.left(), baseline), self._early)
        painter.drawText(QPointF(inner.right() - metrics.horizontalAdvance(self._late), baseline), self._late)

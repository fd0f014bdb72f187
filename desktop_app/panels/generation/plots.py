"""Telemetry of a render as small plots, with the thresholds that the advice goes by."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import pyqtgraph
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from desktop_app.theme import GRID, theme_of
from desktop_app.widgets.basics import Speaking, card, label
from engine.generation.advice import rules
from engine.generation.events import Reading

_GIB = 2**30
_HEIGHT = 9 * GRID
_COLOURS = ("sound", "mouth", "plosive", "marker")
_HEADROOM = 1.3
"""How far the axis goes beyond the highest value: less would cut its highest number off."""
_FIRST = 10
"""Readings that say how fast a picture was in the beginning."""

Curve = tuple[str, Sequence[float], Sequence[float]]
"""Name, seconds, values."""


class Plot(QFrame):
    """One quantity over time: a title, the newest value, curves, and a dashed line where it becomes too much."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        frame, column = card(kind="panel")
        self._title, self._value = label("small"), label()
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch()
        head.addWidget(self._value)
        self._view = pyqtgraph.PlotWidget(background=None)
        self._view.setFixedHeight(_HEIGHT)
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.setMouseEnabled(x=False, y=False)
        self._view.setMenuEnabled(False)
        self._view.hideButtons()
        self._view.setStyleSheet("background: transparent")
        self._view.getAxis("left").setWidth(4 * GRID)
        self._view.getAxis("bottom").setHeight(2 * GRID)
        self._line = pyqtgraph.InfiniteLine(angle=0)
        self._view.addItem(self._line)
        self._lines: list[pyqtgraph.PlotDataItem] = []
        column.setContentsMargins(GRID, GRID - 2, GRID, 4)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._view)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.threshold: float | None = None
        self._dress()

    @property
    def value(self) -> str:
        """The newest value, as it is shown."""
        return self._value.text()

    def name(self, title: str) -> None:
        """Set what is drawn."""
        self._title.setText(title)
        self.setAccessibleName(title)

    def draw(self, curves: Sequence[Curve], threshold: float | None, value: str) -> None:
        """Draw curves.

        Args:
            curves: one for each device, say.
            threshold: where the dashed line is, if there is one.
            value: the newest value in words.
        """
        while len(self._lines) < len(curves):
            self._lines.append(self._view.plot([], []))
            self._dress()
        for number, line in enumerate(self._lines):
            _, times, values = curves[number] if number < len(curves) else ("", (), ())
            line.setData(list(times), list(values))
        self.threshold = threshold
        self._line.setVisible(threshold is not None)
        # Beginnings are slow by themselves: the first value may lie above the plot.
        highest = max((max(values[1:] or values) for _, _, values in curves if values), default=1.0)
        if threshold is not None:
            self._line.setValue(threshold)
            # A threshold far above everything would flatten the curve; it comes into view as the curve comes near.
            highest = max(highest, threshold) if threshold < 3 * highest else highest
        self._view.setYRange(0, highest * _HEADROOM or 1.0, padding=0)
        end = max((times[-1] for _, times, _ in curves if times), default=1.0)
        self._view.setXRange(0, max(end, 1.0), padding=0.01)
        self._value.setText(value)

    def changeEvent(self, event: QEvent) -> None:
        """Use the colours of now (Qt's name)."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._dress()

    def _dress(self) -> None:
        theme = theme_of(self.palette())
        ratio = self.devicePixelRatioF()  # pyqtgraph counts the width of lines in pixels of the screen
        for side in ("left", "bottom"):
            axis = self._view.getAxis(side)
            axis.setPen(theme.colour("line"))
            axis.setTextPen(theme.colour("muted"))
            axis.setStyle(tickLength=-3, tickTextOffset=2, maxTickLevel=0)
            font = self.font()
            font.setPixelSize(9)
            axis.setTickFont(font)
        self._line.setPen(pyqtgraph.mkPen(theme.colour("bad", 0.9), width=ratio, style=Qt.PenStyle.DashLine))
        for number, line in enumerate(self._lines):
            colour = theme.colour(_COLOURS[number % len(_COLOURS)])
            line.setPen(pyqtgraph.mkPen(colour, width=1.5 * ratio))


class TelemetryPlots(Speaking):
    """Time per picture, memory, and how busy the graphics cards are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.frame_time, self.memory, self.utilisation = Plot(), Plot(), Plot()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        for plot in (self.frame_time, self.memory, self.utilisation):
            row.addWidget(plot, 1)
        self._has_cards = False
        self.say()

    def say(self) -> None:
        """Set all texts."""
        self.frame_time.name(self.tr("Time per picture"))
        self.memory.name(self.tr("Graphics memory") if self._has_cards else self.tr("Main memory"))
        self.utilisation.name(self.tr("Graphics cards busy"))

    def draw(self, readings: Sequence[Reading]) -> None:
        """Draw what a render told."""
        timed = [each for each in readings if each.frame_gen_ms is not None]
        spent = [each.frame_gen_ms for each in timed if each.frame_gen_ms is not None]
        growth = rules().get("slower_tail", {}).get("growth_ms", {}).get("above", math.inf)
        threshold = statistics.median(spent[:_FIRST]) + growth if spent and growth < math.inf else None
        value = self.tr("{ms} ms").format(ms=f"{spent[-1]:.1f}") if spent else ""
        self.frame_time.draw([("", [each.seconds for each in timed], spent)] if spent else [], threshold, value)
        devices = sorted({gpu.device for each in readings for gpu in each.gpus})
        if bool(devices) != self._has_cards:
            self._has_cards = bool(devices)
            self.say()
        self.utilisation.setVisible(self._has_cards)
        if devices:
            self._draw_cards(readings, devices)
        else:
            ram = [each.ram_bytes / _GIB for each in readings]
            value = self.tr("{size} GB").format(size=f"{ram[-1]:.1f}") if ram else ""
            self.memory.draw([("", [each.seconds for each in readings], ram)] if ram else [], None, value)

    def _draw_cards(self, readings: Sequence[Reading], devices: Sequence[str]) -> None:
        memory: list[Curve] = []
        busy: list[Curve] = []
        for device in devices:
            found = [(each.seconds, gpu) for each in readings for gpu in each.gpus if gpu.device == device]
            times = [seconds for seconds, _ in found]
            memory.append((device, times, [gpu.used_bytes / _GIB for _, gpu in found]))
            busy.append((device, times, [100 * gpu.utilisation for _, gpu in found]))
        last = readings[-1].gpus
        share = rules().get("nearly_full", {}).get("peak_vram_share", {}).get("above")
        smallest = min((gpu.total_bytes for gpu in last), default=0) / _GIB
        said = self.tr("{size} GB").format(size=f"{max((gpu.used_bytes for gpu in last), default=0) / _GIB:.1f}")
        self.memory.draw(memory, None if share is None else share * smallest, said)
        idle = rules().get("imbalance", {}).get("least_utilisation", {}).get("below")
        threshold = None if idle is None or len(devices) < 2 else 100 * idle
        said = ", ".join(f"{100 * gpu.utilisation:.0f} %" for gpu in last)
        self.utilisation.draw(busy, threshold, said)

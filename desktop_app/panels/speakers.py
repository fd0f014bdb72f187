"""How late this computer's speakers are: kept for each device, never written into a clip."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from desktop_app.document.settings import Settings
from desktop_app.player.output import find_device
from desktop_app.theme import GRID
from desktop_app.widgets.basics import button, label
from desktop_app.widgets.dialog import Dialog
from desktop_app.widgets.quiet_fields import DecimalField

_LATEST_MS = 600


def _device_name() -> str:
    device = find_device()
    return device[0].description() if device is not None else ""


def speakers_late_ms(settings: Settings) -> float:
    """Return how late the present device is, as the user said; 0 if nothing was said."""
    known = settings["speakers_late_ms"]
    return float(known.get(_device_name(), 0.0)) if known else 0.0


class SpeakersPage(Dialog):
    """A slider that is moved, while the clip plays, until lips and sound of a clip that is right are together."""

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self._settings = settings
        self.setFixedWidth(56 * GRID)
        self._sentence, self._device = label(wraps=True), label("muted", wraps=True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _LATEST_MS)
        self.box = DecimalField()
        self.box.setRange(0, _LATEST_MS)
        self.box.setDecimals(0)
        self.box.lineEdit().setTextMargins(GRID, 0, GRID, 0)
        self.slider.valueChanged.connect(self.box.setValue)
        self.box.valueChanged.connect(lambda value: self.slider.setValue(round(value)))
        self.box.setValue(speakers_late_ms(settings))
        self.box.valueChanged.connect(self._set)
        self._close = button(self.accept)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.slider, 1)
        row.addWidget(self.box)
        column = QVBoxLayout(self)
        column.setSpacing(2 * GRID)
        column.addWidget(self._sentence)
        column.addWidget(self._device)
        column.addLayout(row)
        column.addWidget(self._close, 0, Qt.AlignmentFlag.AlignRight)
        self.say()

    def say(self) -> None:
        """Set all texts."""
        self.setWindowTitle(self.tr("My speakers are late"))
        self._sentence.setText(
            self.tr(
                "Bluetooth headphones play up to 300 ms late. Play a clip that is known to be right and move the "
                "slider until it looks right here. This changes what you see and hear on this computer, never the clip."
            )
        )
        self._device.setText(_device_name() or self.tr("No sound device was found."))
        self.box.setSuffix(self.tr(" ms late"))
        for each in (self.slider, self.box):
            each.setAccessibleName(self.windowTitle())
        self._close.setText(self.tr("Close"))
        self.fit_height()

    def _set(self, ms: float) -> None:
        others = {name: late for name, late in self._settings["speakers_late_ms"].items() if name != _device_name()}
        self._settings["speakers_late_ms"] = {**others, _device_name(): ms} if ms else others

"""What the log of a render says, ours or that of a streaming avatar model: times, memory, and what to do about them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal
from PySide6.QtWidgets import QDialog, QFormLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_app.icons import icon
from desktop_app.panels.generation.plots import Plot
from desktop_app.theme import GRID
from desktop_app.widgets.basics import ElidedLabel, button, card, label, scrolling
from desktop_app.work.revealing import reveal
from engine.generation.advice import advice, measures
from engine.generation.telemetry_log import Log, read_log
from engine.refusal import Refusal, Refused

_GIB = 2**30
_MOST_POINTS = 2000


class _Reader(QObject):
    """Reads a log in a thread: one of hours has a million lines."""

    read = Signal(object)

    def start(self, path: Path) -> None:
        pool = QThreadPool.globalInstance()
        pool.start(_Read(path, self))


class _Read(QRunnable):
    def __init__(self, path: Path, reader: _Reader) -> None:
        super().__init__()
        self._path = path
        self._reader = reader

    def run(self) -> None:
        answer: Log | Refusal
        try:
            answer = read_log(self._path)
        except Refused as refused:
            answer = refused.refusal
        self._reader.read.emit(answer)


class RenderLogPage(QDialog):
    """The log in short."""

    def __init__(self, path: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self._path = path
        self.setWindowTitle(self.tr("Log of a render"))
        self.resize(min(72 * GRID, parent.width() - 4 * GRID), min(76 * GRID, parent.height() - 4 * GRID))
        self._name = ElidedLabel()
        self._name.setProperty("kind", "title")
        self._name.setText(path.name)
        self._state = label(wraps=True)
        self._state.setText(self.tr("Reading…"))
        self.plot = Plot()
        self.plot.name(self.tr("Time per picture, in ms"))
        self._numbers = QFormLayout()
        self._numbers.setHorizontalSpacing(3 * GRID)
        self._advice_title = label("heading")
        self._advice_title.setText(self.tr("ADVICE"))
        self._advice = QVBoxLayout()
        self._advice.setSpacing(GRID)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, GRID, 0)
        column.setSpacing(GRID)
        frame, facts = card()
        facts.addLayout(self._numbers)
        column.addWidget(self._advice_title)
        column.addLayout(self._advice)
        column.addWidget(self.plot)
        column.addWidget(frame)
        column.addStretch()
        self._body = scrolling(inside)
        show = button(lambda: reveal(path), picture="folder")
        show.setText(self.tr("Show in folder"))
        close = button(self.accept)
        close.setText(self.tr("Close"))
        row = QHBoxLayout()
        row.addWidget(show)
        row.addStretch()
        row.addWidget(close)
        outer = QVBoxLayout(self)
        outer.setSpacing(GRID)
        outer.addWidget(self._name)
        outer.addWidget(self._state)
        outer.addWidget(self._body, 1)
        outer.addLayout(row)
        self._body.hide()
        self.advice: list[str] = []
        self._reader = _Reader(self)
        self._reader.read.connect(self._show)
        self._reader.start(path)

    @property
    def state(self) -> str:
        """What is said below the name."""
        return self._state.text()

    def _show(self, answer: Log | Refusal) -> None:
        if isinstance(answer, Refusal):
            self._state.setText(str(answer))
            return
        self.advice = [message.text() for message in advice(measures(answer))]
        self._state.setText(
            self.tr("Pictures timed: {count}").format(count=len(answer.frame_ms))
            if answer.frame_ms
            else self.tr("No picture was timed in this log.")
        )
        for text in self.advice or [self.tr("Nothing in this log gives reason for advice.")]:
            self._advice.addLayout(_line(text, is_warning=bool(self.advice)))
        self._show_numbers(answer)
        self.plot.setVisible(len(answer.frame_ms) > 1)
        step = max(1, len(answer.frame_ms) // _MOST_POINTS)
        times = answer.frame_ms[::step]
        self.plot.draw([("", [float(number * step) for number in range(len(times))], times)], None, "")
        self._body.show()

    def _show_numbers(self, log: Log) -> None:
        found = log.statistics()
        features = found.feature_extract_ms
        rows = (
            (self.tr("First picture"), found.first_ms, bool(log.frame_ms)),
            (self.tr("Median"), found.median_ms, bool(log.frame_ms)),
            (self.tr("95 of 100 pictures below"), found.p95_ms, bool(log.frame_ms)),
            (self.tr("Last tenth"), found.last_ms, bool(log.frame_ms)),
            (self.tr("Encoding"), found.encode_ms, bool(log.encode_ms)),
            (self.tr("Loading the voice, per second"), found.audio_load_ms, bool(log.audio_load_ms)),
            (self.tr("Features, per second"), features or 0.0, features is not None),
        )
        for name, value, is_known in rows:
            if is_known:
                self._add(name, self.tr("{ms} ms").format(ms=f"{value:.1f}"))
        for name, count in (
            (self.tr("Most main memory"), found.peak_ram_bytes),
            (self.tr("Most graphics memory"), found.peak_vram_bytes),
        ):
            if count:
                self._add(name, self.tr("{size} GB").format(size=f"{count / _GIB:.1f}"))

    def _add(self, name: str, value: str) -> None:
        title, number = label("muted"), label()
        title.setText(name)
        number.setText(value)
        self._numbers.addRow(title, number)


def _line(text: str, *, is_warning: bool) -> QHBoxLayout:
    image = QLabel()
    image.setPixmap(icon(*(("warning", "poor") if is_warning else ("check", "good"))).pixmap(16, 16))
    sentence = label(wraps=True)
    sentence.setText(text)
    row = QHBoxLayout()
    row.setSpacing(GRID)
    row.addWidget(image, 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(sentence, 1)
    return row

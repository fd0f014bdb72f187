"""What the log of a render says, ours or that of a streaming avatar model: times, memory, and what to do about them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop_app.panels.generation.plots import Plot
from desktop_app.theme import GRID
from desktop_app.widgets.basics import ElidedLabel, Picture, button, card, label, scrolling
from desktop_app.widgets.dialog import Dialog
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


class RenderLogPage(Dialog):
    """The log in short."""

    def __init__(self, path: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self._answer: Log | Refusal | None = None
        self.resize(min(72 * GRID, parent.width() - 4 * GRID), min(76 * GRID, parent.height() - 4 * GRID))
        self._name = ElidedLabel()
        self._name.setProperty("kind", "title")
        self._name.setText(path.name)
        self._state = label(wraps=True)
        self.plot = Plot()
        self._numbers = QFormLayout()
        self._numbers.setHorizontalSpacing(3 * GRID)
        self._advice_title = label("heading")
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
        self._reveal = button(lambda: reveal(path), picture="folder")
        self._close = button(self.accept)
        row = QHBoxLayout()
        row.addWidget(self._reveal)
        row.addStretch()
        row.addWidget(self._close)
        outer = QVBoxLayout(self)
        outer.setSpacing(GRID)
        outer.addWidget(self._name)
        outer.addWidget(self._state)
        outer.addWidget(self._body, 1)
        outer.addLayout(row)
        self._body.hide()
        self.advice: list[str] = []
        self._lines: list[QWidget] = []
        self.say()
        self._reader = _Reader(self)
        self._reader.read.connect(self._take)
        self._reader.start(path)

    @property
    def state(self) -> str:
        """What is said below the name."""
        return self._state.text()

    def say(self) -> None:
        """Set all texts."""
        self.setWindowTitle(self.tr("Log of a render"))
        self.plot.name(self.tr("Time per picture, in ms"))
        self._advice_title.setText(self.tr("ADVICE"))
        self._reveal.setText(self.tr("Show in folder"))
        self._close.setText(self.tr("Close"))
        self._show()

    def _take(self, answer: Log | Refusal) -> None:
        self._answer = answer
        if isinstance(answer, Log):
            self._draw(answer)
            self._body.show()
        self._show()

    def _draw(self, log: Log) -> None:
        self.plot.setVisible(len(log.frame_ms) > 1)
        step = max(1, len(log.frame_ms) // _MOST_POINTS)
        times = log.frame_ms[::step]
        self.plot.draw([("", [float(number * step) for number in range(len(times))], times)], None, "")

    def _show(self) -> None:
        answer = self._answer
        if answer is None:
            self._state.setText(self.tr("Reading…"))
            return
        if isinstance(answer, Refusal):
            self._state.setText(str(answer))
            return
        self.advice = [message.text() for message in advice(measures(answer))]
        self._state.setText(
            self.tr("Pictures timed: {count}").format(count=len(answer.frame_ms))
            if answer.frame_ms
            else self.tr("No picture was timed in this log.")
        )
        for old in self._lines:
            self._advice.removeWidget(old)
            old.hide()
            old.deleteLater()
        said = self.advice or [self.tr("Nothing in this log gives reason for advice.")]
        self._lines = [_line(text, is_warning=bool(self.advice)) for text in said]
        for line in self._lines:
            self._advice.addWidget(line)
        while self._numbers.rowCount():
            self._numbers.removeRow(0)
        self._show_numbers(answer)

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


def _line(text: str, *, is_warning: bool) -> QWidget:
    sentence = label(wraps=True)
    sentence.setText(text)
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID)
    row.addWidget(Picture(*(("warning", "poor") if is_warning else ("check", "good"))), 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(sentence, 1)
    return made

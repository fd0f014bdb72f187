"""The chosen render: how far it is, what it said, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop_app.marking import QT_TRANSLATE_NOOP
from desktop_app.panels.generation.plots import TelemetryPlots
from desktop_app.theme import GRID
from desktop_app.widgets.basics import ElidedLabel, Picture, Speaking, button, card, label, set_tone
from desktop_app.work.rendering import Rendering, RenderItem, Stage
from desktop_app.work.revealing import reveal
from engine.generation.report import RenderReport, SyncCheck
from engine.timing import Correction, Offset, clock_words

_MOST_NOTICES = 4
_WIDE, _LOWEST = 62 * GRID, 78 * GRID
"""Pixels of width for all words, and of the window's height for plots."""
_STEPS = {
    "starting": QT_TRANSLATE_NOOP("RunCard", "Starting"),
    "planning": QT_TRANSLATE_NOOP("RunCard", "Planning"),
    "listening": QT_TRANSLATE_NOOP("RunCard", "Listening to the voice"),
    "drawing": QT_TRANSLATE_NOOP("RunCard", "Drawing the test face"),
    "loading": QT_TRANSLATE_NOOP("RunCard", "Loading the engine"),
    "rendering": QT_TRANSLATE_NOOP("RunCard", "Rendering"),
    "joining": QT_TRANSLATE_NOOP("RunCard", "Putting the clip together"),
    "encoding": QT_TRANSLATE_NOOP("RunCard", "Putting the clip together"),
    "opening": QT_TRANSLATE_NOOP("RunCard", "Measuring the clip"),
    "looking": QT_TRANSLATE_NOOP("RunCard", "Measuring the clip"),
    "widening": QT_TRANSLATE_NOOP("RunCard", "Measuring the clip"),
}
_TONES = {SyncCheck.PASSED: "good", SyncCheck.CORRECTED: "good", SyncCheck.OFF: "poor", SyncCheck.UNMEASURABLE: "poor"}


class RunCard(Speaking):
    """Progress, telemetry, advice and result of one render."""

    opened = Signal(object)
    """A clip is to be opened on the timeline; its path."""
    points_wanted = Signal(object)
    """The face is to be marked by hand; the render's item."""
    again_wanted = Signal(object)
    """The choices of a render are to be the next ones; its item."""
    log_wanted = Signal(object)
    """The log of a render is to be shown; its path."""

    def __init__(self, rendering: Rendering, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rendering = rendering
        self._number: int | None = None
        self._name = ElidedLabel()
        font = self._name.font()
        font.setWeight(font.Weight.DemiBold)
        self._name.setFont(font)
        self._state = label("muted")
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self._verdict = label("outcome", wraps=True)
        self._details = label("muted", wraps=True)
        self.plots = TelemetryPlots()
        self._notes = QVBoxLayout()
        self._notes.setSpacing(4)
        self._note_rows: list[QWidget] = []
        self.buttons = {
            "open": button(self._open, kind="primary", picture="film"),
            "source": button(self._open_source, picture="face"),
            "go_on": button(self._go_on_with, kind="primary", picture="retry"),
            "points": button(self._mark, picture="face"),
            "cancel": button(self._cancel, picture="close"),
        }
        small = {"reveal": (self._reveal, "folder"), "log": (self._show_log, "log"), "again": (self._again, "copy")}
        for name, (handler, picture) in small.items():
            self.buttons[name] = button(handler, picture=picture)
        frame, column = card(kind="panel")
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self._name, 1)
        head.addWidget(self._state)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        for name, each in self.buttons.items():
            if name == "reveal":  # what has only a picture stands apart
                row.addStretch()
            row.addWidget(each)
        column.addLayout(head)
        column.addWidget(self._progress)
        column.addWidget(self._verdict)
        column.addWidget(self._details)
        column.addLayout(self._notes)
        column.addLayout(row)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(GRID)
        outer.addWidget(self.plots)
        outer.addWidget(frame)
        self.say()

    @property
    def verdict(self) -> str:
        """What is said about the result."""
        return self._verdict.text()

    @property
    def state(self) -> str:
        """How far it is, in words."""
        return self._state.text()

    @property
    def notes(self) -> list[str]:
        """Advice and notices, as they are shown."""
        return [row.accessibleName() for row in self._note_rows]

    def show_item(self, number: int | None) -> None:
        """Show a render."""
        self._number = number
        self._show()
        self.draw()

    def draw(self) -> None:
        """Draw the telemetry of now."""
        readings = self._rendering.track(self._number).readings if self._number is not None else []
        # One point is no curve.
        self.plots.setVisible(len(readings) > 1 and self.window().height() >= _LOWEST)
        if len(readings) > 1:
            self.plots.draw(readings)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out words where there is no room for them (Qt's name)."""
        super().resizeEvent(event)
        self._name_source()
        self.draw()

    def refresh(self) -> None:
        """Show the render as it is now."""
        self._show()

    def say(self) -> None:
        """Set all texts."""
        for name, text in (
            ("open", self.tr("Open on the timeline")),
            ("go_on", self.tr("Go on")),
            ("points", self.tr("Mark the face by hand")),
            ("cancel", self.tr("Cancel")),
        ):
            self.buttons[name].setText(text)
        for name, text in (
            ("reveal", self.tr("Show in folder")),
            ("log", self.tr("Log and advice")),
            ("again", self.tr("Use these choices again")),
        ):
            self.buttons[name].setToolTip(text)
            self.buttons[name].setAccessibleName(text)
        self._name_source()
        self._show()

    def _name_source(self) -> None:
        text = self.tr("Open the source")
        self.buttons["source"].setText(text if self.width() >= _WIDE else "")
        self.buttons["source"].setToolTip(text)
        self.buttons["source"].setAccessibleName(text)

    def _item(self) -> RenderItem | None:
        return self._rendering.item(self._number)

    def _show(self) -> None:
        item = self._item()
        self.setVisible(item is not None)
        if item is None:
            return
        self._name.setText(name_words(item))
        self._state.setText(state_words(item))
        set_tone(self._state, {Stage.FAILED: "bad", Stage.DONE: "good"}.get(item.stage, ""))
        self._progress.setVisible(item.stage in {Stage.RUNNING, Stage.CANCELLED} or (item.is_open and item.done > 0))
        self._progress.setValue(round(1000 * item.done))
        report = item.report
        if report is not None:
            self._verdict.setText(report.verdict.text())
            set_tone(self._verdict, _TONES.get(report.check, ""))
        else:
            self._verdict.setText(str(item.refusal or self._offset_of(item)))
            set_tone(self._verdict, "bad" if item.refusal else "")
        self._verdict.setVisible(bool(self._verdict.text()))
        self._details.setText(self._facts(report) if report else "")
        self._details.setVisible(report is not None)
        self._show_notes(item)
        self._show_buttons(item)

    def _show_buttons(self, item: RenderItem) -> None:
        is_done, can_go_on = item.report is not None, item.can_go_on
        no_face = item.refusal is not None and "no_face" in item.refusal.code
        self.buttons["go_on"].setText(self.tr("Go on") if item.done > 0 else self.tr("Try again"))
        for name, shown in (
            ("open", is_done),
            ("source", is_done),
            ("reveal", is_done),
            ("log", is_done),
            ("go_on", can_go_on),
            ("points", can_go_on and no_face),
            ("again", not item.is_open and not item.is_calibration),
            ("cancel", item.is_open),
        ):
            self.buttons[name].setVisible(shown)

    def _offset_of(self, item: RenderItem) -> str:
        if item.profile is None:
            return ""
        offset = Offset(item.profile.offset_ms, item.profile.uncertainty_ms).words().text()
        return self.tr("On this machine the sound of this engine comes out like this: {offset}.").format(offset=offset)

    def _facts(self, report: RenderReport) -> str:
        times = report.statistics
        parts = [
            f"{report.size[0]}×{report.size[1]}",
            self.tr("{rate} fps").format(rate=f"{float(report.fps):.3f}".rstrip("0").rstrip(".")),
            clock_words(report.seconds).partition(".")[0],
            self.tr("{ms} ms per picture").format(ms=f"{times.median_ms:.0f}"),
            self.tr("rendered in {time}").format(time=clock_words(report.render_seconds).partition(".")[0]),
        ]
        if report.shift_ms:
            parts.append(
                self.tr("the engine's own offset was taken out: {moved}").format(
                    moved=Correction(report.shift_ms).words().text()
                )
            )
        return " · ".join(parts)

    def _show_notes(self, item: RenderItem) -> None:
        if item.report is not None:
            said = [(message.text(), False) for message in item.report.notes]
            said += [(message.text(), True) for message in item.report.advice]
        else:
            said = [(notice.message.text(), notice.is_warning) for notice in item.notices]
        said = said[-_MOST_NOTICES:]
        if [text for text, _ in said] == self.notes:
            return
        for row in self._note_rows:
            self._notes.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._note_rows = [_note(text, is_warning=is_warning) for text, is_warning in said]
        for row in self._note_rows:
            self._notes.addWidget(row)

    def _open(self) -> None:
        item = self._item()
        if item is not None and item.report is not None:
            self.opened.emit(item.report.path)

    def _open_source(self) -> None:
        item = self._item()
        if item is not None:
            self.opened.emit(item.spec.source)

    def _reveal(self) -> None:
        item = self._item()
        if item is not None and item.report is not None:
            reveal(item.report.path)

    def _show_log(self) -> None:
        item = self._item()
        if item is not None and item.report is not None:
            self.log_wanted.emit(item.report.log_file)

    def _go_on_with(self) -> None:
        if self._number is not None:
            self._rendering.go_on_with(self._number)

    def _mark(self) -> None:
        self.points_wanted.emit(self._item())

    def _again(self) -> None:
        self.again_wanted.emit(self._item())

    def _cancel(self) -> None:
        if self._number is not None:
            self._rendering.cancel(self._number)


def name_words(item: RenderItem) -> str:
    """Return what a render is called: by the file that it writes."""
    if item.is_calibration:
        return _say(QT_TRANSLATE_NOOP("RunCard", "Calibration of {engine}")).format(engine=item.spec.engine)
    return item.spec.target.name


def state_words(item: RenderItem) -> str:
    """Return where a render is, in a few words."""
    percent = round(100 * item.done)
    match item.stage:
        case Stage.WAITING:
            waiting = _say(QT_TRANSLATE_NOOP("RunCard", "waiting"))
            return waiting if not percent else f"{waiting}, {percent} %"
        case Stage.DONE:
            return _say(QT_TRANSLATE_NOOP("RunCard", "done"))
        case Stage.FAILED:
            return _say(QT_TRANSLATE_NOOP("RunCard", "failed"))
        case Stage.CANCELLED:
            return _say(QT_TRANSLATE_NOOP("RunCard", "stopped at {percent} %")).format(percent=percent)
    step = _say(_STEPS[item.step]) if item.step in _STEPS else _say(_STEPS["rendering"])
    if item.eta_seconds is None:
        return f"{step}  {percent} %"
    left = _say(QT_TRANSLATE_NOOP("RunCard", "{time} left")).format(
        time=clock_words(item.eta_seconds).partition(".")[0]
    )
    return f"{step}  {percent} %  ·  {left}"


def _say(text: str) -> str:
    return QCoreApplication.translate("RunCard", text)


def _note(text: str, *, is_warning: bool) -> QWidget:
    row = QWidget()
    row.setAccessibleName(text)
    image = Picture(*(("warning", "poor") if is_warning else ("check", "muted")), size=14)
    sentence = label(wraps=True)
    sentence.setText(text)
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(GRID)
    line.addWidget(image, 0, Qt.AlignmentFlag.AlignTop)
    line.addWidget(sentence, 1)
    return row

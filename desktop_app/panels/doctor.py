"""What is unusual about the sound of the open clip, what that does to sync, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop_app.theme import GRID
from desktop_app.widgets.basics import Picture, Speaking, button, card, label, scrolling
from desktop_app.work.examining import Examining
from engine.media.export.treatment import Treatment
from engine.sound.cures import Copy, Move, Relabel, cure_for, treatment_for
from engine.sound.finding import Finding, Severity
from engine.timing import clock_words

_PICTURES = {
    Severity.PROBLEM: ("warning", "bad"),
    Severity.WARNING: ("warning", "poor"),
    Severity.NOTE: ("check", "muted"),
}
_MOST_PLACES = 3
_CURED_BY_PREPARING = {
    "too_quiet",
    "too_loud",
    "leading_silence",
    "trailing_silence",
    "dead_channel",
    "out_of_phase",
    "dc_offset",
}


class DoctorPanel(Speaking):
    """The findings, worst first. The doctor is called when the panel is first seen for a clip."""

    place_wanted = Signal(float)
    """A moment that the user wants to see, in seconds."""
    copy_wanted = Signal(Treatment)
    """The user wants a copy with its sound encoded again, and treated."""
    move_wanted = Signal(float)
    """The user wants the sound moved by some milliseconds more; positive, later."""

    def __init__(self, examining: Examining, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._examining = examining
        head, column = card()
        self._title = label("heading")
        self._summary = label(wraps=True)
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self.examine_button = button(examining.start, picture="retry")
        self.prepare_button = button(examining.prepare, picture="voice")
        self._cancel = button(examining.cancel)
        self.fix_button = button(self._fix_all, kind="primary", picture="check")
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        for each in (self.prepare_button, self.examine_button, self._cancel):
            buttons.addWidget(each)
        buttons.addStretch()
        for part in (self._title, self._summary, self._progress, self.fix_button):
            column.addWidget(part)
        column.addLayout(buttons)

        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, GRID // 2, 0)
        self._list.setSpacing(GRID)
        self._list.addWidget(head)
        self._list.addStretch()
        self.findings: list[QFrame] = []
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inside))
        examining.changed.connect(self._show)
        examining.patient_changed.connect(self._call)
        self.say()

    @property
    def summary(self) -> str:
        """What is said above the findings."""
        return self._summary.text()

    def showEvent(self, event: QShowEvent) -> None:
        """Call the doctor if nobody did."""
        super().showEvent(event)
        self._call()

    def _call(self) -> None:
        """Let the doctor look at what nobody has looked at, if anybody wants to know."""
        examining = self._examining
        if self.isVisible() and examining.diagnosis is None and examining.refusal is None:
            examining.start()

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("SOUND DOCTOR"))
        self.examine_button.setText(self.tr("Examine again"))
        self.prepare_button.setText(self.tr("Write a voice file"))
        self.prepare_button.setToolTip(self.tr("16 kHz, mono, one level: what speech models expect. The clip stays."))
        self._cancel.setText(self.tr("Cancel"))
        self.fix_button.setText(self.tr("Fix everything possible in a copy"))
        self.fix_button.setToolTip(self.tr("The picture is copied, the sound encoded again. The clip stays as it is."))
        self._show()

    def _show(self) -> None:
        examining = self._examining
        running, diagnosis = examining.is_running, examining.diagnosis
        self._progress.setVisible(running)
        self._progress.setValue(round(1000 * examining.done))
        self._cancel.setVisible(running)
        self.examine_button.setVisible(not running and examining.patient is not None)
        self.prepare_button.setVisible(not running and diagnosis is not None)
        cures = [cure_for(finding, diagnosis) for finding in diagnosis.findings] if diagnosis is not None else []
        self.fix_button.setVisible(not running and sum(isinstance(cure, Copy) for cure in cures) > 1)
        if running:
            self._summary.setText(self.tr("Listening to the whole sound…"))
        elif examining.refusal is not None:
            self._summary.setText(str(examining.refusal))
        elif diagnosis is None:
            self._summary.setText(
                self.tr("Open a clip and the doctor looks at its sound.")
                if examining.patient is None
                else self.tr("Not examined yet.")
            )
        elif not diagnosis.findings:
            self._summary.setText(self.tr("Nothing unusual: clean sound."))
        else:
            self._summary.setText(self.tr("%n finding(s), the worst first.", "", len(diagnosis.findings)))
        for old in self.findings:
            self._list.removeWidget(old)
            old.hide()
            old.deleteLater()
        shown = diagnosis.findings if diagnosis is not None and not running else ()
        self.findings = [self._finding(finding) for finding in shown]
        for number, frame in enumerate(self.findings, start=1):
            self._list.insertWidget(number, frame)

    def _fix_all(self) -> None:
        diagnosis = self._examining.diagnosis
        treatment = treatment_for(diagnosis) if diagnosis is not None else None
        if treatment is not None:
            self.copy_wanted.emit(treatment)

    def _cures(self, finding: Finding) -> Iterator[tuple[str, Callable[[], object]]]:
        """Yield what can be done about a finding by pressing a button: its text, and what it does."""
        diagnosis = self._examining.diagnosis
        match cure_for(finding, diagnosis) if diagnosis is not None else None:
            case Copy(treatment) if treatment.gain_db:
                louder, quieter = (
                    self.tr("Make it {db} dB louder in a copy"),
                    self.tr("Make it {db} dB quieter in a copy"),
                )
                text = louder if treatment.gain_db > 0 else quieter
                yield text.format(db=f"{abs(treatment.gain_db):.1f}"), partial(self.copy_wanted.emit, treatment)
            case Copy(treatment):
                yield self.tr("Fix in a copy"), partial(self.copy_wanted.emit, treatment)
            case Move(ms):
                yield (
                    self.tr("Move the sound {ms} ms earlier").format(ms=f"{-ms:.1f}"),
                    partial(self.move_wanted.emit, ms),
                )
            case Relabel(rate):
                yield self.tr("Write it at {rate} Hz").format(rate=rate), partial(self._examining.relabel, rate)
        if finding.code in _CURED_BY_PREPARING:
            yield self.tr("Fix in a voice file"), self._examining.prepare

    def _finding(self, finding: Finding) -> QFrame:
        frame, column = card()
        sentence = label(wraps=True)
        sentence.setText(finding.sentence.text())
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(Picture(*_PICTURES[finding.severity], 18), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(sentence, 1)
        consequence, remedy = label("muted", wraps=True), label(wraps=True)
        consequence.setText(finding.consequence.text())
        remedy.setText(finding.remedy.text())
        column.addLayout(row)
        column.addWidget(consequence)
        column.addWidget(remedy)
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * GRID)
        for span in finding.spans[:_MOST_PLACES]:
            at = float(span.start)
            place = button(lambda at=at: self.place_wanted.emit(at), kind="link")  # type: ignore[misc]
            place.setText(clock_words(span.start))
            place.setToolTip(self.tr("Show this place"))
            buttons.addWidget(place)
        for text, handler in self._cures(finding):
            cure = button(handler, kind="link")
            cure.setText(text)
            buttons.addWidget(cure)
        if buttons.count():
            buttons.addStretch()
            column.addLayout(buttons)
        frame.setAccessibleName(finding.sentence.text())
        return frame

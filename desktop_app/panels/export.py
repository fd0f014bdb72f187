"""How the corrected copy is written, and what came of it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.actions import Actions
from desktop_app.document.corrections import NOTHING
from desktop_app.document.document import Document
from desktop_app.document.settings import Settings
from desktop_app.panels.handing_on import HandingOnCard
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Speaking, action_button, button, card, label, scrolling, set_tone
from desktop_app.widgets.question import Question
from desktop_app.work.engine_process import cli_program
from desktop_app.work.exporting import Exporting
from desktop_app.work.handing_on import HandingOn
from desktop_app.work.revealing import open_outside, reveal
from engine.media.export.containers import default_target
from engine.media.export.report import AnyCorrection, ExportReport, Mode
from engine.sync.correction import asked_words
from engine.sync.result import Kind
from engine.timing import Correction, DriftCorrection, StepCorrection

_FITTING = {
    Correction: (Mode.LOSSLESS, Mode.COMPATIBLE),
    DriftCorrection: (Mode.STRETCH,),
    StepCorrection: (Mode.PIECEWISE,),
}


def _options(correction: AnyCorrection) -> list[str]:
    """Return how the command line is told of a correction."""
    if isinstance(correction, StepCorrection):
        return ["--steps", ",".join(f"{start}:{_number(ms)}" for start, ms in correction.steps)]
    if isinstance(correction, DriftCorrection):
        return ["--correction-ms", _number(correction.at_zero_ms), "--drift-ppm", _number(correction.rate_ppm)]
    return ["--correction-ms", _number(correction.ms)]


def _number(value: float) -> str:
    """Write a number so finely that the command line rounds to the same sample as the window."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


class ExportPanel(Speaking):
    """Choose, write, and see what the new file has."""

    def __init__(
        self,
        document: Document,
        exporting: Exporting,
        handing_on: HandingOn,
        settings: Settings,
        actions: Actions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._exporting = exporting
        self._settings = settings
        self._chosen_target: Path | None = None
        self._build_choice(actions)
        self._build_result()
        self.hand_on = HandingOnCard(document, handing_on, exporting)
        self.export_button.clicked.connect(actions["write"].trigger)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, GRID // 2, 0)
        column.setSpacing(GRID)
        column.addWidget(self._choice_card)
        column.addWidget(self._result_card)
        column.addWidget(self.hand_on)
        column.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._area = scrolling(inside)
        outer.addWidget(self._area)
        document.media_changed.connect(self._media_changed)
        document.correction_changed.connect(self._show_choice)
        document.measurement_changed.connect(self._show_warning)
        exporting.written.connect(self._show_choice)
        exporting.changed.connect(self._show_result)
        self.say()

    @property
    def mode(self) -> Mode:
        """How the file will be written."""
        fitting = _FITTING[type(self._document.correction)]
        wanted = Mode(self._settings["export_mode"])
        return wanted if wanted in fitting else fitting[0]

    @property
    def target(self) -> Path | None:
        """The file that will be written."""
        if self._document.path is None:
            return None
        return self._chosen_target or default_target(self._document.path, self.mode)

    @property
    def command(self) -> str:
        """The command line that does the same; empty while nothing is open."""
        path, target = self._document.path, self.target
        if path is None or target is None:
            return ""
        words = [cli_program(), "fix", str(path), *_options(self._document.correction), "--mode", str(self.mode)]
        if self._document.sound_path is not None:
            words += ["--audio", str(self._document.sound_path)]
        words += ["-o", str(target)]
        return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)

    def export(self) -> None:
        """Write the file; asks before another one is replaced."""
        target = self.target
        if target is None or self._exporting.is_running:
            return
        overwrite = target.exists()
        if overwrite and not self._may_replace(target):
            return
        self._exporting.start(target, self.mode, overwrite=overwrite)

    def show_hand_on(self) -> None:
        """Bring the other outputs into sight, and the keyboard to them."""
        self._area.ensureWidgetVisible(self.hand_on)
        self.hand_on.choice.setFocus()

    def choose_target(self, target: Path) -> None:
        """Write to this file instead of the proposed one."""
        self._chosen_target = target
        self._show_choice()

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("EXPORT A CORRECTED COPY"))
        for mode, name, sentence in (
            (
                Mode.LOSSLESS,
                self.tr("Lossless"),
                self.tr(
                    "Copies picture and sound as they are and only changes when the sound is played. Takes seconds."
                ),
            ),
            (
                Mode.COMPATIBLE,
                self.tr("Compatible"),
                self.tr("Copies the picture and encodes the sound again, so that every player and editor agrees."),
            ),
            (
                Mode.STRETCH,
                self.tr("Stretched"),
                self.tr("For a drift: copies the picture and re-times the sound along a line, at the same pitch."),
            ),
            (
                Mode.PIECEWISE,
                self.tr("In pieces"),
                self.tr("For jumps: copies the picture and moves each stretch of the sound by its own amount."),
            ),
        ):
            self.mode_buttons[mode].setText(name)
            self._mode_sentences[mode].setText(sentence)
        self.warning.setText(
            self.tr("The clip is out of sync and nothing is corrected yet: the copy will be no better.")
        )
        self._target_title.setText(self.tr("FILE"))
        self.target_field.setAccessibleName(self.tr("The file that will be written"))
        self._browse.setText(self.tr("Change…"))
        self._command_title.setText(self.tr("THE SAME FOR A TERMINAL"))
        self._copy.setText(self.tr("Copy"))
        self.command_field.setAccessibleName(self.tr("The same for a terminal"))
        self._copy.setAccessibleName(self.tr("Copy the command line"))
        self.export_button.setText(self.tr("Export"))
        self.cancel_button.setText(self.tr("Cancel"))
        self.reveal_button.setText(self.tr("Show in folder"))
        self._play.setText(self.tr("Play it"))
        self._show_choice()
        self._show_result()

    def _build_choice(self, actions: Actions) -> None:
        self._choice_card, column = card()
        self._title = label("heading")
        self._moved = label(wraps=True)
        self.warning = label(wraps=True)
        set_tone(self.warning, "poor")
        self._apply = action_button(actions["apply_measured"], kind="", has_text=True)
        column.addWidget(self._title)
        column.addWidget(self._moved)
        column.addWidget(self.warning)
        column.addWidget(self._apply, 0, Qt.AlignmentFlag.AlignLeft)
        self._group = QButtonGroup(self)
        self.mode_buttons: dict[Mode, QRadioButton] = {}
        self._mode_sentences = {}
        for mode in Mode:
            radio, sentence = QRadioButton(), label("muted", wraps=True)
            sentence.setIndent(3 * GRID)
            self._group.addButton(radio)
            radio.toggled.connect(lambda on, mode=mode: self._choose_mode(mode) if on else None)
            self.mode_buttons[mode], self._mode_sentences[mode] = radio, sentence
            column.addWidget(radio)
            column.addWidget(sentence)
        self._target_title = label("heading")
        self.target_field = QLineEdit()
        self.target_field.setReadOnly(True)
        self._browse = button(self._ask_target)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.target_field, 1)
        row.addWidget(self._browse)
        self._command_title = label("heading")
        self.command_field = QLineEdit()
        self.command_field.setReadOnly(True)
        self._copy = button(lambda: QGuiApplication.clipboard().setText(self.command))
        command_row = QHBoxLayout()
        command_row.setSpacing(GRID)
        command_row.addWidget(self.command_field, 1)
        command_row.addWidget(self._copy)
        self.export_button = button(lambda: None, kind="primary", picture="export")
        column.addWidget(self._target_title)
        column.addLayout(row)
        column.addWidget(self.export_button)
        column.addWidget(self._command_title)
        column.addLayout(command_row)

    def _build_result(self) -> None:
        self._result_card, column = card()
        self._state = label("heading")
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self._result = label(wraps=True)
        self._after = label(wraps=True)
        self._details = label("muted", wraps=True)
        self.cancel_button = button(self._exporting.cancel)
        self.reveal_button = button(self._reveal, picture="folder")
        self._play = button(self._open_result, picture="play")
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        for each in (self.reveal_button, self._play, self.cancel_button):
            buttons.addWidget(each)
        buttons.addStretch()
        for part in (self._state, self._progress, self._result, self._after, self._details):
            column.addWidget(part)
        column.addLayout(buttons)

    @property
    def result_text(self) -> str:
        """What is said about the last export."""
        return f"{self._result.text()}\n{self._after.text()}".strip()

    def _choose_mode(self, mode: Mode) -> None:
        if mode in (Mode.LOSSLESS, Mode.COMPATIBLE):
            self._settings["export_mode"] = str(mode)
        self._show_choice()

    def _media_changed(self) -> None:
        self._chosen_target = None
        self._show_choice()

    def _show_choice(self) -> None:
        fitting = _FITTING[type(self._document.correction)]
        for mode, radio in self.mode_buttons.items():
            radio.setVisible(mode in fitting)
            self._mode_sentences[mode].setVisible(mode in fitting)
            radio.blockSignals(True)
            radio.setChecked(mode is self.mode)
            radio.blockSignals(False)
        moved = str(asked_words(self._document.correction))
        self._moved.setText(moved[:1].upper() + moved[1:])
        self._show_warning()
        target = self.target
        self.target_field.setText("" if target is None else str(target))
        self.target_field.setToolTip(self.target_field.text())
        self.command_field.setText(self.command)
        self.command_field.setCursorPosition(0)
        has_command = bool(self.command)
        for part in (self._command_title, self.command_field, self._copy):
            part.setVisible(has_command)

    def _show_warning(self) -> None:
        document = self._document
        found = None if document.is_partial else document.measurement
        is_off = found is not None and found.kind in {Kind.CONSTANT, Kind.DRIFT, Kind.STEPS}
        for part in (self.warning, self._apply):
            part.setVisible(is_off and document.correction == NOTHING)

    def _show_result(self) -> None:
        running, refusal, report = self._exporting.is_running, self._exporting.refusal, self._exporting.report
        self._result_card.setVisible(running or refusal is not None or report is not None)
        self.export_button.setEnabled(not running)
        self._progress.setVisible(running)
        self._progress.setValue(round(1000 * self._exporting.done))
        self.cancel_button.setVisible(running)
        for part in (self.reveal_button, self._play):
            part.setVisible(report is not None)
        if self._exporting.is_writing:
            self._state.setText(self.tr("WRITING"))
        elif running:
            self._state.setText(self.tr("MEASURING THE NEW FILE"))
        else:
            self._state.setText(self.tr("NOT EXPORTED") if report is None else self.tr("DONE"))
        self._result.setText(self._said(report) if report else str(refusal or ""))
        set_tone(self._result, "bad" if refusal is not None and report is None else "")
        after = self._exporting.after
        self._after.setText(self.tr("Measured again: {verdict}").format(verdict=after.verdict.text()) if after else "")
        if after is not None:
            set_tone(self._after, "good" if after.kind is Kind.IN_SYNC else "")
        elif report is not None and refusal is not None:
            self._after.setText(str(refusal))
        self._after.setVisible(bool(self._after.text()))
        notes = [note.text() for note in report.notes] if report else []
        self._details.setText("\n".join(notes))
        self._details.setVisible(bool(notes))

    def _said(self, report: ExportReport) -> str:
        asked = asked_words(report.asked).text()
        found = report.found
        if found is None:
            return self.tr("{file} is written: {asked}.").format(file=report.target.name, asked=asked)
        return self.tr("{file} is written. Asked: {asked}. The file has: {got}.").format(
            file=report.target.name, asked=asked, got=found.text()
        )

    def _ask_target(self) -> None:
        target = self.target
        if target is None:
            return
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Export to"), str(target), f"*{target.suffix};;*.mkv;;*.mp4;;*.mov"
        )
        if chosen:
            self.choose_target(Path(chosen))

    def _may_replace(self, target: Path) -> bool:
        title, text = (
            self.tr("Replace the file?"),
            self.tr("{file} exists already. Replace it?").format(file=target.name),
        )
        return bool(Question.ask(self, title, text, self.tr("Replace"), self.tr("Keep it"), is_harmless=False))

    def _reveal(self) -> None:
        if self._exporting.report is not None:
            reveal(self._exporting.report.target)

    def _open_result(self) -> None:
        if self._exporting.report is not None:
            open_outside(self._exporting.report.target)

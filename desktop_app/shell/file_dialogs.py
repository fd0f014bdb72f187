"""Which file: the questions that the system's file dialog asks for the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_app.document.project import SUFFIX
from desktop_app.shell.dialogs import Dialogs
from desktop_app.shell.intake import Intake
from desktop_app.studio import Studio
from desktop_app.widgets.question import Question
from desktop_app.widgets.save_dialog import ask_target


class FileDialogs(QObject):
    """Asks, and does what the answer is for; nothing where there is none.

    Args:
        window: what the dialogs open above.
        studio: does the work.
        intake: opens what was chosen.
        dialogs: shows the advice for logs.
    """

    def __init__(self, window: QWidget, studio: Studio, intake: Intake, dialogs: Dialogs) -> None:
        super().__init__(window)
        self._window = window
        self._studio = studio
        self._intake = intake
        self._dialogs = dialogs

    def ask_clip(self) -> None:
        """Let the user choose a clip or a project."""
        if chosen := self._ask(self.tr("Open a clip or a project")):
            self._intake.open([chosen])

    def ask_folder(self) -> None:
        """Let the user choose a folder whose clips are measured."""
        title = self.tr("Measure all clips of a folder")
        if chosen := QFileDialog.getExistingDirectory(self._window, title, self._folder()):
            self._intake.open([Path(chosen)])

    def ask_sound(self) -> None:
        """Let the user choose another sound."""
        if chosen := self._ask(self.tr("Sound for this clip")):
            self._studio.open_sound(chosen)

    def ask_render_log(self) -> None:
        """Let the user choose a log of a render."""
        if chosen := self._ask(self.tr("Log of a render"), "*.jsonl *.log *.txt;;*"):
            self._dialogs.open_render_log(chosen)

    def ask_missing(self, missing: Path) -> None:
        """Let the user say where a file of the project is now."""
        title = self.tr("Where is {file} now?").format(file=missing.name)
        if chosen := self._ask(title, f"*{missing.suffix};;*"):
            self._studio.relink(missing, chosen)

    def save(self) -> None:
        """Save the project, asking where if that is not known."""
        path = self._studio.autosave.project_path
        if path is None:
            self.save_as()
        elif not self._studio.autosave.is_changed_elsewhere or self._may_replace(path):
            self._studio.save_as(path)

    def save_as(self) -> None:
        """Let the user choose where the project is saved."""
        path = self._studio.document.path
        if path is None:
            return
        if target := ask_target(self._window, self.tr("Save project"), path.with_suffix(SUFFIX)):
            self._studio.save_as(target)

    def _may_replace(self, path: Path) -> bool:
        title, yes, no = self.tr("Replace the project?"), self.tr("Replace"), self.tr("Keep it")
        text = self.tr(
            "{file} was saved by another window or computer after it was opened here. Replace it by what is open here?"
        ).format(file=path.name)
        return bool(Question.ask(self._window, title, text, yes, no, is_harmless=False))

    def _ask(self, title: str, names: str = "") -> Path | None:
        chosen, _ = QFileDialog.getOpenFileName(self._window, title, self._folder(), names)
        return Path(chosen) if chosen else None

    def _folder(self) -> str:
        recent = self._studio.settings["recent"]
        return str(Path(recent[0]).parent) if recent else ""

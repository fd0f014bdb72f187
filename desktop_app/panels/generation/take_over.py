"""Take over settings of the published LiveAvatar program: a command line, or what its web page shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from desktop_app.theme import GRID
from desktop_app.widgets.basics import button, card, label, scrolling, set_tone
from desktop_app.widgets.dialog import Dialog
from engine.generation.backends.liveavatar.importing import Imported, Setting, import_settings
from engine.generation.spec import RenderSpec
from engine.refusal import Refused

_CALM_MILLISECONDS = 200
_TEXT_HEIGHT = 14 * GRID
_MOST_BEFORE, _MOST_AFTER = 24, 80
"""Letters of a value that are shown, as it was written and as it becomes."""
_FILES = {"source", "voice", "target"}


class TakeOverPage(Dialog):
    """A field for the text, and what becomes of each setting in it.

    Args:
        base: what holds where the text says nothing.
        name_of: what a field of a spec is called here; ``parameters.<name>`` for one of the engine's own.
        parent: the window.
    """

    taken = Signal(object)
    """The user wants these choices; the spec. Its files are there, or those of ``base``."""

    def __init__(self, base: RenderSpec, name_of: Callable[[str], str], parent: QWidget) -> None:
        super().__init__(parent)
        self._base, self._name_of = base, name_of
        self._imported: Imported | None = None
        self.resize(min(84 * GRID, parent.width() - 4 * GRID), min(76 * GRID, parent.height() - 4 * GRID))
        self._sentence = label("muted", wraps=True)
        self.text = QPlainTextEdit()
        self.text.setProperty("kind", "mono")
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(_TEXT_HEIGHT)
        self._problem = label(wraps=True)
        set_tone(self._problem, "bad")
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, GRID, 0)
        self._answer, _ = card()
        self._column.addWidget(self._answer)
        self._column.addStretch()
        self.use_button = button(self._use, kind="primary", picture="check")
        self._close = button(self.reject)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addStretch()
        row.addWidget(self._close)
        row.addWidget(self.use_button)
        column = QVBoxLayout(self)
        column.setSpacing(GRID)
        column.addWidget(self._sentence)
        column.addWidget(self.text)
        column.addWidget(self._problem)
        column.addWidget(scrolling(inside), 1)
        column.addLayout(row)
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(_CALM_MILLISECONDS)
        self._calm.timeout.connect(self._read)
        self.text.textChanged.connect(self._calm.start)
        self.said: list[str] = []
        self.say()

    @property
    def problem(self) -> str:
        """What is said if the text cannot be read."""
        return self._problem.text()

    def say(self) -> None:
        """Set all texts."""
        self.setWindowTitle(self.tr("Take over settings of LiveAvatar"))
        self._sentence.setText(
            self.tr(
                "Paste a command line of the published LiveAvatar program, or the settings of its web page. "
                "What each of them becomes here is shown below before anything is changed."
            )
        )
        self.text.setAccessibleName(self.tr("Command line, or settings of the web page"))
        self.text.setPlaceholderText('--size "704*384" --infer_frames 48 --sample_steps 4 --prompt "…"')
        self.use_button.setText(self.tr("Use these settings"))
        self._close.setText(self.tr("Cancel"))
        self._read()

    def _read(self) -> None:
        self._imported = None
        self._problem.setText("")
        if self.text.toPlainText().strip():
            try:
                self._imported = import_settings(self.text.toPlainText(), self._base)
            except Refused as refused:
                self._problem.setText(str(refused.refusal))
        self._problem.setVisible(bool(self._problem.text()))
        self.use_button.setEnabled(self._imported is not None)
        self._show()

    def _show(self) -> None:
        self._answer.hide()
        self._answer.deleteLater()
        self._answer, column = card()
        self._column.insertWidget(0, self._answer)
        self._answer.setVisible(self._imported is not None)
        self.said = []
        if self._imported is not None:
            taken = [(each, said) for each in self._imported.settings if (said := self._becomes(each))]
            if taken:
                column.addWidget(_heading(self.tr("BECOMES")))
            rows = QFormLayout()
            rows.setHorizontalSpacing(3 * GRID)
            for each, said in taken:
                before, after = label("muted"), label(wraps=True)
                before.setText(f"{each.name} = {_short(each.value, _MOST_BEFORE)}")
                before.setToolTip(each.value)
                after.setText(said)
                rows.addRow(before, after)
                self.said.append(f"{each.name}: {said}")
            column.addLayout(rows)
            notes = [*(note.text() for note in self._imported.notes), *self._missing()]
            if notes:
                column.addWidget(_heading(self.tr("DIFFERENT HERE, OR LEFT OUT")))
            for note in notes:
                line = label(wraps=True)
                line.setText(note)
                column.addWidget(line)
            self.said += notes

    def _becomes(self, setting: Setting) -> str:
        """Return what a setting becomes, in words; empty if it is left out."""
        if not setting.here or (setting.here in _FILES and not _is_there(setting)):
            return ""
        return f"{self._name_of(setting.here)}: {self._value(setting.becomes)}"

    def _value(self, value: object) -> str:
        if isinstance(value, bool):
            return self.tr("yes") if value else self.tr("no")
        if value is None or value == "auto":
            return self.tr("Automatic")
        return _short(" × ".join(map(str, value)) if isinstance(value, list) else str(value), _MOST_AFTER)

    def _missing(self) -> list[str]:
        """Say which files of the text are not on this computer."""
        settings = self._imported.settings if self._imported else ()
        return [
            self.tr("{name}: “{path}” is not on this computer; what you have chosen here stays.").format(
                name=each.name, path=each.value
            )
            for each in settings
            if each.here in _FILES and not _is_there(each)
        ]

    def _use(self) -> None:
        if self._imported is not None:
            missing = [each.here for each in self._imported.settings if each.here in _FILES and not _is_there(each)]
            kept = {name: getattr(self._base, name) for name in missing}
            self.taken.emit(replace(self._imported.spec, **kept))
            self.accept()


def _heading(text: str) -> QLabel:
    made = label("heading")
    made.setText(text)
    return made


def _is_there(setting: Setting) -> bool:
    path = Path(setting.value)
    return path.is_absolute() and (path.parent.is_dir() if setting.here == "target" else path.is_file())


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"

"""The settings as a page, made from their declarations."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_app.document.settings import DECLARED, Setting, Settings
from desktop_app.theme import GRID
from desktop_app.widgets.basics import button, card, label
from desktop_app.widgets.dialog import Dialog
from desktop_app.widgets.quiet_fields import Choice


def _said(text: str) -> str:
    return QCoreApplication.translate("Settings", text)


class SettingsPage(Dialog):
    """Every choice with its sentence; each takes effect at once, that of the language on this page, too."""

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self.editors: dict[str, QCheckBox | Choice] = {}
        self._titles: dict[str, QLabel] = {}
        self._sentences: dict[str, QLabel] = {}
        frame, inside = card()
        frame.setMinimumWidth(60 * GRID)
        inside.setSpacing(2 * GRID)
        for setting in DECLARED:
            if setting.label:
                inside.addLayout(self._row(setting))
        self._close = button(self.accept)
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(self._close)
        column = QVBoxLayout(self)
        column.addWidget(frame)
        column.addLayout(row)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        self.say()

    def say(self) -> None:
        """Set all texts."""
        self.setWindowTitle(self.tr("Settings"))
        self._close.setText(self.tr("Close"))
        for setting in DECLARED:
            editor = self.editors.get(setting.key)
            if isinstance(editor, Choice):
                self._titles[setting.key].setText(_said(setting.label))
                editor.setAccessibleName(_said(setting.label))
                for place, (_, name) in enumerate(setting.choices):
                    editor.setItemText(place, _said(name))
            elif editor is not None:
                editor.setText(_said(setting.label))
            if editor is not None:
                editor.setAccessibleDescription(_said(setting.sentence))
                self._sentences[setting.key].setText(_said(setting.sentence))

    def _row(self, setting: Setting) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(2)
        self._sentences[setting.key] = sentence = label("muted", wraps=True)
        if setting.choices:
            choice = Choice()
            for value, _ in setting.choices:
                choice.addItem("", value)
            choice.setCurrentIndex(choice.findData(self._settings[setting.key]))
            choice.currentIndexChanged.connect(lambda _index: self._set(setting, choice.currentData()))
            self.editors[setting.key] = choice
            self._titles[setting.key] = title = label()
            title.setBuddy(choice)
            row = QHBoxLayout()
            row.addWidget(title, 1)
            row.addWidget(choice)
            column.addLayout(row)
        else:
            check = QCheckBox()
            check.setChecked(self._settings[setting.key])
            check.toggled.connect(lambda on: self._set(setting, on))
            self.editors[setting.key] = check
            column.addWidget(check)
        column.addWidget(sentence)
        return column

    def _set(self, setting: Setting, value: object) -> None:
        self._settings[setting.key] = value

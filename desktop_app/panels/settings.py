"""The settings as a page, made from their declarations."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop_app.document.settings import DECLARED, Setting, Settings
from desktop_app.theme import GRID
from desktop_app.widgets.basics import button, card, label


def _said(text: str) -> str:
    return QCoreApplication.translate("Settings", text)


class SettingsPage(QDialog):
    """Every choice with its sentence; each takes effect at once."""

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle(self.tr("Settings"))
        self.editors: dict[str, QCheckBox | QComboBox] = {}
        frame, inside = card()
        frame.setMinimumWidth(60 * GRID)
        inside.setSpacing(2 * GRID)
        for setting in DECLARED:
            if setting.label:
                inside.addLayout(self._row(setting))
        close = button(self.accept)
        close.setText(self.tr("Close"))
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.addWidget(frame)
        column.addLayout(row)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)

    def _row(self, setting: Setting) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(2)
        sentence = label("muted", wraps=True)
        sentence.setText(_said(setting.sentence))
        if setting.choices:
            choice = QComboBox()
            for value, name in setting.choices:
                choice.addItem(_said(name), value)
            choice.setCurrentIndex(choice.findData(self._settings[setting.key]))
            choice.currentIndexChanged.connect(lambda _index: self._set(setting, choice.currentData()))
            choice.setAccessibleName(_said(setting.label))
            self.editors[setting.key] = choice
            row = QHBoxLayout()
            title = label()
            title.setText(_said(setting.label))
            row.addWidget(title, 1)
            row.addWidget(choice)
            column.addLayout(row)
        else:
            check = QCheckBox(_said(setting.label))
            check.setChecked(self._settings[setting.key])
            check.toggled.connect(lambda on: self._set(setting, on))
            self.editors[setting.key] = check
            column.addWidget(check)
        column.addWidget(sentence)
        return column

    def _set(self, setting: Setting, value: object) -> None:
        self._settings[setting.key] = value

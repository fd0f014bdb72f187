"""A question whose buttons say what they do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop_app.theme import GRID
from desktop_app.widgets.basics import button, label

_WIDTH = 56 * GRID


class Question(QDialog):
    """Waits for an answer.

    Args:
        parent: the window.
        title: what it is about.
        text: the question.
        yes: what its main button says.
        no: what the other one says.
        is_harmless: whether Enter may stand for yes.

    Attributes:
        answer: what was chosen; ``None`` while nothing was, and if the question was put away with Escape.
    """

    def __init__(self, parent: QWidget, title: str, text: str, yes: str, no: str, *, is_harmless: bool) -> None:
        super().__init__(parent)
        self.answer: bool | None = None
        self.setWindowTitle(title)
        self.setFixedWidth(_WIDTH)
        said, sentence = label("verdict", wraps=True), label(wraps=True)
        said.setText(title)
        sentence.setText(text)
        self.yes_button = button(lambda: self._take(is_yes=True), kind="primary")
        self.no_button = button(lambda: self._take(is_yes=False))
        self.yes_button.setText(yes)
        self.no_button.setText(no)
        self.default_button = self.yes_button if is_harmless else self.no_button
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addStretch()
        row.addWidget(self.no_button)
        row.addWidget(self.yes_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(said)
        column.addWidget(sentence)
        column.addSpacing(GRID)
        column.addLayout(row)
        self.setFixedHeight(column.totalHeightForWidth(_WIDTH))
        self.setAccessibleDescription(text)
        for each in (self.yes_button, self.no_button):
            each.setAutoDefault(True)  # Enter presses the one that has the keyboard
        self.default_button.setDefault(True)
        self.default_button.setFocus(Qt.FocusReason.OtherFocusReason)

    @staticmethod
    def ask(parent: QWidget, title: str, text: str, yes: str, no: str, *, is_harmless: bool = True) -> bool | None:
        """Ask and return the answer; see the class for what is asked with."""
        question = Question(parent, title, text, yes, no, is_harmless=is_harmless)
        question.exec()
        answer = question.answer
        question.deleteLater()
        return answer

    def _take(self, *, is_yes: bool) -> None:
        self.answer = is_yes
        self.accept()

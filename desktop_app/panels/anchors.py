"""Anchors in the sync panel: where to begin with drift and jumps, and what the anchors make of the sound."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from desktop_app.actions import Actions
from desktop_app.document.anchors import Between
from desktop_app.document.document import Document
from desktop_app.widgets.basics import Speaking, action_button, card, label
from engine.timing import clock_words
from engine.words import one_after_another


class AnchorsBox(Speaking):
    """Drop, choose between line and steps, and read what it comes to."""

    def __init__(self, document: Document, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.drop_button = action_button(actions["anchor"], kind="", has_text=True)
        self._none = action_button(actions["anchors_none"], kind="flat", has_text=True)
        self._words = label("muted", wraps=True)
        self._group = QButtonGroup(self)
        self.choices: dict[Between, QToolButton] = {}
        row = QHBoxLayout()
        row.setSpacing(4)
        for between in Between:
            choice = QToolButton()
            choice.setProperty("kind", "small")
            choice.setCheckable(True)
            choice.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            choice.clicked.connect(actions[f"anchors_{between}"].trigger)
            self._group.addButton(choice)
            self.choices[between] = choice
            row.addWidget(choice)
        row.addStretch()
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.drop_button)
        buttons.addWidget(self._none)
        buttons.addStretch()
        frame, column = card()
        self._title = label("heading")
        column.addWidget(self._title)
        column.addLayout(buttons)
        column.addLayout(row)
        column.addWidget(self._words)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        document.anchors_changed.connect(self._show)
        document.correction_changed.connect(self._show)
        self.say()

    @property
    def words(self) -> str:
        """What is said about the anchors."""
        return self._words.text()

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("DRIFT AND JUMPS"))
        self.choices[Between.LINE].setText(self.tr("Drift: a line"))
        self.choices[Between.LINE].setToolTip(self.tr("Two anchors; the sound between them is stretched evenly."))
        self.choices[Between.STEPS].setText(self.tr("Jumps: steps"))
        self.choices[Between.STEPS].setToolTip(self.tr("Any number of anchors; each moves the sound from there on."))
        self._show()

    def _show(self) -> None:
        anchors, selected = self._document.anchors, self._document.selected_anchor
        self.choices[anchors.between].setChecked(True)
        self._none.setVisible(bool(anchors.points))
        for choice in self.choices.values():
            choice.setVisible(bool(anchors.points))
        if not anchors.points:
            words = self.tr(
                "For drift or jumps: drop an anchor where it is wrong and drag the sound there until it fits."
            )
        elif anchors.between is Between.STEPS:
            words = self.tr(
                "%n anchor(s): from each one on, the sound is moved by its own amount.", "", len(anchors.points)
            )
        elif len(anchors.points) == 1:
            words = self.tr("One anchor moves everything. Drop a second one far away to correct a drift.")
        else:
            words = self.tr("The sound is stretched along the line through both anchors.")
        if selected is not None:
            at = clock_words(round(anchors.points[selected].shown, 1))[:-2]
            there = self.tr("The one at {time} is selected: nudges move the sound there.").format(time=at)
            words = one_after_another(words, there)
        self._words.setText(words)

"""One choice in a form: its name, its editor, what it does, and the way back to the recommended value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.icons import icon
from desktop_app.panels.generation.offset_steps import StepsEdit
from desktop_app.theme import GRID
from desktop_app.widgets.basics import label
from desktop_app.widgets.move_box import MoveBox
from desktop_app.widgets.quiet_fields import Choice, DecimalField, WholeField
from engine.generation.backend import Parameter, ParameterKind
from engine.generation.spec import ParameterValue

_EDITOR_WIDTH = 21 * GRID
_WIDEST = 2_000_000_000
_DECIMALS = 3


class Field(QWidget):
    """A row of a form.

    Args:
        editor: changes the value.
        recommended: what the way back leads to.
        read: the editor's value.
        write: sets it.
        is_wide: whether the editor has a line of its own.
    """

    edited = Signal(object)
    """The user chose a value."""

    def __init__(
        self,
        editor: QWidget,
        recommended: object,
        read: Callable[[], object],
        write: Callable[[Any], object],
        *,
        is_wide: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.editor = editor
        self._recommended = recommended
        self._read, self._write = read, write
        self._title, self._help = label(wraps=True), label("small", wraps=True)
        self._title.setBuddy(editor)
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._title.setMinimumWidth(8 * GRID)
        self.back_button = QToolButton()
        self.back_button.setProperty("kind", "tiny")
        self.back_button.setIcon(icon("undo", "accent"))
        self.back_button.setIconSize(QSize(12, 12))
        self.back_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.back_button.clicked.connect(lambda _checked: self._choose(self._recommended))
        keep = self.back_button.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.back_button.setSizePolicy(keep)
        row = QHBoxLayout()
        row.setSpacing(GRID // 2)
        row.addWidget(self._title, 1)
        row.addWidget(self.back_button)
        if not is_wide:
            editor.setFixedWidth(_EDITOR_WIDTH) if not isinstance(editor, QCheckBox) else None
            row.addWidget(editor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        if is_wide:
            column.addWidget(editor)
        column.addWidget(self._help)
        self._look()

    def name(self, title: str, sentence: str, back: str) -> None:
        """Set what it is called, what it does, and what its way back is called."""
        self._title.setText(title)
        self._help.setText(sentence)
        self._help.setVisible(bool(sentence))
        self.editor.setAccessibleName(title)
        self.editor.setAccessibleDescription(sentence)
        self.back_button.setToolTip(back)
        self.back_button.setAccessibleName(f"{title}: {back}")

    def show_value(self, value: object) -> None:
        """Show a value that was chosen elsewhere."""
        if self._read() != value:
            self.editor.blockSignals(True)
            self._write(value)
            self.editor.blockSignals(False)
        self._look()

    def take(self) -> None:
        """Tell what the editor has now; connected to its own signal."""
        self._look()
        self.edited.emit(self._read())

    def _choose(self, value: object) -> None:
        self.show_value(value)
        self.take()

    def _look(self) -> None:
        self.back_button.setVisible(self._read() != self._recommended)


def parameter_field(parameter: Parameter) -> Field:
    """Return the field for an engine's parameter."""
    match parameter.kind:
        case ParameterKind.FLAG:
            return flag_field(bool(parameter.default))
        case ParameterKind.CHOICE:
            return choice_field([(value, value) for value in parameter.choices], parameter.default)
        case ParameterKind.TEXT:
            return text_field(str(parameter.default))
    return number_field(
        parameter.default,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        step=parameter.step,
        unit=parameter.unit,
        is_whole=parameter.kind is ParameterKind.WHOLE,
    )


def flag_field(recommended: bool) -> Field:
    """Return a field for yes or no."""
    check = QCheckBox()
    field = Field(check, recommended, check.isChecked, lambda value: check.setChecked(bool(value)))
    field.show_value(recommended)
    check.toggled.connect(lambda _on: field.take())
    return field


def choice_field(choices: list[tuple[object, str]], recommended: object) -> Field:
    """Return a field for one of several values, each with what it is called."""
    box = Choice()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    set_choices(box, choices)
    field = Field(box, recommended, box.currentData, lambda value: box.setCurrentIndex(_place(box, value)))
    field.show_value(recommended)
    box.currentIndexChanged.connect(lambda _index: field.take())
    return field


def set_choices(box: QComboBox, choices: list[tuple[object, str]]) -> None:
    """Let a list offer these values; the one that it has stays if it is one of them."""
    before = box.currentData()
    box.blockSignals(True)
    box.clear()
    for value, name in choices:
        box.addItem(name, value)
    place = _place(box, before)
    box.setCurrentIndex(max(0, place))
    box.blockSignals(False)


def text_field(recommended: str) -> Field:
    """Return a field for a line of text."""
    line = QLineEdit()
    field = Field(line, recommended, line.text, lambda value: line.setText(str(value)), is_wide=True)
    field.show_value(recommended)
    line.editingFinished.connect(field.take)
    return field


def number_field(
    recommended: ParameterValue,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    step: float | None = None,
    unit: str = "",
    is_whole: bool = False,
) -> Field:
    """Return a field for a number."""
    box: WholeField | DecimalField
    low, high = (-_WIDEST if minimum is None else minimum), (_WIDEST if maximum is None else maximum)
    if is_whole:
        box = WholeField()
        box.setRange(round(low), round(high))
        box.setSingleStep(max(1, round(step or 1)))
    else:
        box = DecimalField()
        box.setDecimals(_DECIMALS if step is None else max(0, len(f"{step:g}".partition(".")[2])))
        box.setRange(low, high)
        box.setSingleStep(step or 0.1)
    box.setSuffix(f" {unit}" if unit else "")
    box.setKeyboardTracking(False)
    box.lineEdit().setTextMargins(GRID, 0, GRID, 0)
    field = Field(box, recommended, box.value, box.setValue)
    field.show_value(recommended)
    box.valueChanged.connect(lambda _value: field.take())
    return field


def count_field(most: int, least: int) -> Field:
    """Return a field for a whole number that may be left to the engine, as ``None``; see :func:`name_left_alone`.

    Args:
        most: greatest number.
        least: smallest number; one below it stands for ``None``.
    """
    box = WholeField()
    box.setRange(least - 1, most)
    box.setKeyboardTracking(False)
    box.lineEdit().setTextMargins(GRID, 0, GRID, 0)
    field = Field(
        box,
        None,
        lambda: None if box.value() < least else box.value(),
        lambda value: box.setValue(least - 1 if value is None else value),
    )
    field.show_value(None)
    box.valueChanged.connect(lambda _value: field.take())
    return field


def name_left_alone(field: Field, text: str) -> None:
    """Set what a :func:`count_field` shows while it is left to the engine."""
    if isinstance(field.editor, WholeField):
        field.editor.setSpecialValueText(text)


def steps_field() -> Field:
    """Return a field for moves from certain times on."""
    line = StepsEdit()
    field = Field(line, (), line.steps, line.show_steps, is_wide=True)
    field.show_value(())
    line.chosen.connect(field.take)
    return field


def move_field(most_ms: float) -> Field:
    """Return a field for how far something is moved, which says "earlier" and "later"."""
    box = MoveBox()
    box.setRange(-most_ms, most_ms)
    field = Field(box, 0.0, box.value, box.setValue)
    box.valueChanged.connect(lambda _value: field.take())
    return field


def _place(box: QComboBox, value: object) -> int:
    """Return where a list has a value; Qt's own search cannot compare every kind of them."""
    return next((place for place in range(box.count()) if box.itemData(place) == value), -1)

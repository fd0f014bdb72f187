"""Small widgets on their own."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop_app.style import apply_theme
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Button, scrolling
from desktop_app.widgets.focus_ring import FocusRing
from desktop_app.widgets.move_box import MoveBox, understood
from desktop_app.widgets.question import Question
from desktop_app.widgets.quiet_fields import Choice, DecimalField, WholeField
from desktop_app.widgets.tab_order import tab_as_laid_out
from desktop_app.widgets.toasts import Toasts


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("83", 83.0),
        ("-83", -83.0),
        ("\u221283", -83.0),
        ("83 earlier", -83.0),
        ("83 ms earlier", -83.0),
        ("83.5ms e", -83.5),
        ("20 later", 20.0),
        ("0.1 s later", 100.0),
        ("0,25s", 250.0),
        ("提前 83.0 毫秒", -83.0),
        ("推后 0.5 秒", 500.0),
        ("9e9", 9.0),
        ("99999999", 600_000.0),
        ("", None),
        ("nonsense", None),
        ("not moved", None),
    ],
)
def test_a_typed_move_is_understood(text: str, ms: float | None) -> None:
    assert understood(text, "提前", "推后") == ms


@pytest.mark.parametrize(
    ("is_harmless", "keys", "answer"),
    [
        (True, (Qt.Key.Key_Return,), True),
        (False, (Qt.Key.Key_Return,), False),
        (False, (Qt.Key.Key_Tab, Qt.Key.Key_Return), True),
        (True, (Qt.Key.Key_Escape,), None),
    ],
)
def test_enter_never_destroys_by_itself(
    qtbot: QtBot, is_harmless: bool, keys: tuple[Qt.Key, ...], answer: bool | None
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    question = Question(window, "Replace the file?", "It exists.", "Replace", "Keep it", is_harmless=is_harmless)
    question.show()
    qtbot.waitUntil(lambda: question.focusWidget() is question.default_button)
    for key in keys:
        qtbot.keyClick(question.focusWidget(), key)
    assert question.answer is answer
    assert not question.isVisible()


def test_the_ring_is_there_only_for_those_who_come_by_key(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    field, target = QLineEdit(), QWidget()
    target.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    target.setMinimumSize(100, 100)
    ring = FocusRing(target)
    for each in (field, target):
        row.addWidget(each)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert target.hasFocus()
    assert ring.isVisible()
    assert ring.size() == target.size()
    assert not ring.mask().contains(target.rect().center())
    field.setFocus()
    assert not ring.isVisible()
    target.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not ring.isVisible()


def test_tab_goes_to_new_parts_where_they_are_laid_out(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column, inside = QVBoxLayout(window), QWidget()
    first, last = QLineEdit(), QLineEdit()
    for each in (first, inside, last):
        column.addWidget(each)
    row = QHBoxLayout(inside)
    right, left = QPushButton(), QPushButton()
    row.addWidget(right)
    row.insertWidget(0, left)
    tab_as_laid_out(inside)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    for before, after in ((first, left), (left, right), (right, last), (last, first)):
        qtbot.keyClick(before, Qt.Key.Key_Tab)
        assert window.focusWidget() is after


def test_a_notice_that_is_out_of_date_makes_room_for_the_newer_one(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    toasts = Toasts(window)
    toasts.show("2 clips are done", topic="queue")
    toasts.show("Written", tone="good")
    toasts.show("3 clips are done", topic="queue")
    assert toasts.texts == ["Written", "3 clips are done"]
    toasts.show("Also written")
    assert len(toasts.texts) == 3


def test_what_stands_in_a_row_is_equally_high(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    row = QWidget()
    qtbot.addWidget(row)
    line = QHBoxLayout(row)
    tool = QToolButton()
    tool.setText("1 frame")
    tool.setProperty("kind", "small")
    parts = (Button(), tool, QLineEdit(), QComboBox(), QSpinBox(), MoveBox())
    for part in parts:
        line.addWidget(part)
    row.show()
    assert {type(part).__name__: part.height() for part in parts} == {type(part).__name__: 4 * GRID for part in parts}


@pytest.mark.parametrize("make", [Choice, WholeField, DecimalField, MoveBox])
def test_a_page_scrolls_past_a_field_and_leaves_it_as_it_is(
    qtbot: QtBot, make: type[Choice | WholeField | DecimalField | MoveBox]
) -> None:
    inside, field, other = QWidget(), make(), QLineEdit()
    column = QVBoxLayout(inside)
    column.addWidget(other)
    column.addWidget(field)
    column.addSpacing(2000)
    if isinstance(field, Choice):
        field.addItems(["one", "two", "three"])
        field.setCurrentIndex(1)
    else:
        field.setValue(5)

    def value() -> float:
        return field.currentIndex() if isinstance(field, Choice) else field.value()

    area = scrolling(inside)
    qtbot.addWidget(area)
    area.resize(200, 200)
    area.show()
    qtbot.waitExposed(area)
    area.activateWindow()
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)
    before = value()
    turn(area.windowHandle(), field.mapTo(area, field.rect().center()))
    assert value() == before
    assert other.hasFocus()
    assert area.verticalScrollBar().value() > 0
    area.verticalScrollBar().setValue(0)
    field.setFocus()
    turn(area.windowHandle(), field.mapTo(area, field.rect().center()))
    assert (value() == before) is isinstance(field, Choice)


def turn(window: QWindow, place: QPoint) -> None:
    """Turn the wheel down by one notch where the pointer is, and let Qt find whose it is."""
    QTest.wheelEvent(window, QPointF(place), QPoint(0, -120))

"""Small widgets on their own."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop_app.widgets.move_box import understood
from desktop_app.widgets.question import Question


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

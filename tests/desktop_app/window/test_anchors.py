"""Drift and jumps by hand, through the window: keys, buttons and what the panel says."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from desktop_app.document.anchors import Between
from engine.timing import Correction, DriftCorrection, StepCorrection
from tests.desktop_app.window.conftest import Desk

ALT = Qt.KeyboardModifier.AltModifier


def drop(desk: Desk, seconds: float) -> None:
    desk.window.player.seek(seconds)
    desk.bot.keyClick(desk.window, Qt.Key.Key_A)


def test_two_anchors_and_nudges_make_a_drift(desk: Desk) -> None:
    desk.open()
    drop(desk, 1.0)
    drop(desk, 5.0)
    assert "stretched" in desk.window.sync.anchors.words
    desk.bot.keyClick(desk.window, Qt.Key.Key_Right, ALT | Qt.KeyboardModifier.ShiftModifier)
    correction = desk.document.correction
    assert isinstance(correction, DriftCorrection)
    assert (correction.at(1.0), correction.at(5.0)) == pytest.approx((0.0, 10.0))
    assert desk.document.undo_stack.undoText() == "Nudged at the anchor: sound moved 10.0 ms later"
    desk.bot.keyClick(desk.window, Qt.Key.Key_BracketLeft)
    assert desk.window.player.position == pytest.approx(1.0)
    assert desk.document.selected_anchor == 0


def test_steps_are_chosen_in_the_panel(desk: Desk) -> None:
    desk.open()
    drop(desk, 1.0)
    desk.window.sync.anchors.choices[Between.STEPS].click()
    drop(desk, 3.0)
    desk.bot.keyClick(desk.window, Qt.Key.Key_Left, ALT)
    assert isinstance(desk.document.correction, StepCorrection)
    assert [desk.document.correction_ms_at(t) for t in (2.0, 4.0)] == [0.0, -40.0]
    assert "from each one on" in desk.window.sync.anchors.words
    desk.bot.keyClick(desk.window, Qt.Key.Key_Delete)
    assert desk.document.correction == Correction(0.0)
    desk.bot.keyClick(desk.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    desk.bot.keyClick(desk.window, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    assert desk.document.anchors.points == ()
    assert desk.document.correction_ms_at(4.0) == -40.0


def test_an_anchor_dropped_on_moved_sound_stands_on_what_is_heard_there(desk: Desk) -> None:
    desk.open()
    desk.document.correct(Correction(-500.0), "moved")
    drop(desk, 2.0)
    assert desk.document.anchors.points[0].heard == pytest.approx(2.5)
    assert desk.document.anchors.points[0].shown == pytest.approx(2.0)


def test_markers_are_visited_by_keys(desk: Desk) -> None:
    desk.open()
    for seconds in (1.0, 3.0):
        desk.window.player.seek(seconds)
        desk.bot.keyClick(desk.window, Qt.Key.Key_M)
    desk.bot.keyClick(desk.window, Qt.Key.Key_Less)
    assert desk.window.player.position == pytest.approx(1.0)
    desk.bot.keyClick(desk.window, Qt.Key.Key_Greater)
    assert desk.window.player.position == pytest.approx(3.0)

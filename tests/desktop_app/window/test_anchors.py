"""Drift and jumps by hand, through the window: keys, buttons and what the panel says."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QMenu

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


def middle_of(desk: Desk, seconds: float) -> QPointF:
    """Return where a pin's head is."""
    timeline = desk.window.timeline
    lane = timeline._sound_lane.area()
    return QPointF(timeline._places.pixel(seconds), lane.top() + 5)


def test_a_double_click_on_an_anchor_repeats_two_seconds_around_it(desk: Desk) -> None:
    desk.open()
    drop(desk, 3.0)
    desk.window.player.seek(0.5)
    place = middle_of(desk, 3.0).toPoint()
    desk.bot.mouseDClick(desk.window.timeline._canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    player = desk.window.player
    assert player.loop == pytest.approx((2.0, 4.0))
    assert player.is_playing
    assert player.position == pytest.approx(3.0)
    assert desk.window.timeline.span == pytest.approx((2.0, 4.0))
    assert desk.window.actions_["loop"].isChecked()
    desk.window.actions_["loop"].trigger()
    assert player.loop is None


def test_a_key_repeats_two_seconds_around_the_selected_anchor_whatever_the_range_is(desk: Desk) -> None:
    desk.open()
    assert not desk.window.actions_["anchor_loop"].isEnabled()
    drop(desk, 1.5)
    desk.document.set_range(4.0, 5.5)
    desk.window.player.seek(5.0)
    desk.bot.keyClick(desk.window, Qt.Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert desk.window.player.loop == pytest.approx((0.5, 2.5))
    assert desk.window.player.is_playing
    desk.window.actions_["loop"].trigger()
    desk.window.player.pause()
    drop(desk, 5.8)
    desk.document.select_anchor(None)
    desk.bot.keyClick(desk.window, Qt.Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    # The clip ends after six seconds.
    assert desk.window.player.loop == pytest.approx((4.8, 6.0), abs=0.05)


def test_measuring_here_adds_points_and_an_anchor_and_leaves_the_verdict(desk: Desk) -> None:
    desk.measure()
    verdict = desk.window.sync.verdict_text
    before = desk.document.measurement
    assert before is not None
    desk.document.set_range(1.0, 4.0)
    desk.window.player.seek(2.0)
    desk.bot.keyClick(desk.window, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    assert desk.studio.measuring.is_running
    assert not desk.window.actions_["measure_here"].isEnabled()
    desk.until(lambda: not desk.studio.measuring.is_running)
    found = desk.document.measurement
    assert found is not None
    assert desk.window.sync.verdict_text == verdict
    assert [point.offset_ms for point in found.points if 1 <= point.t <= 4] == [120.0]
    assert [point for point in found.points if not 1 <= point.t <= 4] == [
        point for point in before.points if not 1 <= point.t <= 4
    ]
    (anchor,) = desk.document.anchors.points
    assert anchor.heard == pytest.approx(2.5 + 0.12)
    assert anchor.shown == pytest.approx(2.5)
    assert desk.document.correction == Correction(-120.0)
    assert desk.document.undo_stack.undoText() == "Anchor as measured here: sound 120 ms late (±6)"
    desk.document.undo_stack.undo()
    assert desk.document.anchors.points == ()
    assert desk.document.correction == Correction(0.0)


def test_without_a_range_ten_seconds_around_the_place_are_measured(desk: Desk) -> None:
    desk.measure()
    asked: list[tuple[float, float]] = []
    desk.studio.measuring.part_measured.connect(lambda _, start, stop: asked.append((start, stop)))
    desk.studio.measure_here(1.0)
    desk.until(lambda: bool(asked))
    # Five seconds on either side, as far as there is a clip.
    assert asked == [(0.0, 6.0)]
    assert desk.document.anchors.points[0].shown == pytest.approx(3.0)


def test_a_part_without_a_face_says_so_and_changes_nothing(desk: Desk) -> None:
    desk.measure()
    before = desk.document.measurement
    desk.clip.with_suffix(".faceless").touch()
    said: list[str] = []
    desk.studio.informed.connect(said.append)
    desk.window.actions_["measure_here"].trigger()
    desk.until(lambda: bool(said))
    assert said == ["0:00.0 to 0:05.0: Cannot be measured: no face is visible."]
    assert desk.document.measurement is before
    assert desk.document.anchors.points == ()


def test_the_first_measurement_may_be_of_a_part(desk: Desk) -> None:
    desk.studio.settings["measure_on_open"] = False
    desk.open()
    desk.studio.measure_here(3.0)
    desk.until(lambda: desk.document.measurement is not None and not desk.studio.measuring.is_running)
    assert desk.document.correction == Correction(-120.0)


def test_the_menu_of_a_place_offers_to_measure_it(desk: Desk) -> None:
    desk.measure()
    desk.window.timeline.context_requested.emit(2.0, desk.window.mapToGlobal(desk.window.rect().center()))
    (menu,) = [menu for menu in desk.window.findChildren(QMenu) if menu.isVisible()]
    (entry,) = [action for action in menu.actions() if action.text() == "Measure here"]
    assert entry.isEnabled()
    entry.trigger()
    menu.close()
    desk.until(lambda: bool(desk.document.anchors.points))

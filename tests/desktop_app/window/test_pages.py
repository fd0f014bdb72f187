"""What fills the window: what is done to the clip is done where one sees it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from desktop_app.document.corrections import NOTHING
from engine.timing import Correction
from tests.desktop_app.window.conftest import Desk

OTHERS = ["page_generate", "page_queue", "page_models"]


@pytest.mark.parametrize("other", OTHERS)
def test_no_key_changes_a_clip_that_is_not_shown(desk: Desk, other: str) -> None:
    desk.measure()
    desk.studio.nudge(-10)
    kept = desk.document.correction
    window = desk.window
    window.actions_[other].trigger()
    window.pages.setFocus()
    desk.until(window.isActiveWindow)
    alt, shift, ctrl = (
        Qt.KeyboardModifier.AltModifier,
        Qt.KeyboardModifier.ShiftModifier,
        Qt.KeyboardModifier.ControlModifier,
    )
    for key, held in (
        (Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_M, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Right, alt),
        (Qt.Key.Key_A, shift),
        (Qt.Key.Key_Backspace, ctrl),
        (Qt.Key.Key_Return, ctrl),
        (Qt.Key.Key_Z, ctrl),
        (Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier),
    ):
        desk.bot.keyClick(window.pages, key, held)
    assert desk.document.correction == kept
    assert not desk.document.anchors.points
    assert not desk.document.markers
    assert not window.player.is_playing
    window.actions_["page_clip"].trigger()
    desk.bot.keyClick(window.pages, Qt.Key.Key_Z, ctrl)
    assert desk.document.correction == NOTHING


@pytest.mark.parametrize("other", OTHERS)
def test_a_clip_stops_when_another_page_covers_it(desk: Desk, other: str) -> None:
    desk.open()
    desk.window.player.play()
    desk.until(lambda: desk.window.player.is_playing)
    desk.window.actions_[other].trigger()
    assert not desk.window.player.is_playing


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(("name", "page"), [("page_doctor", "doctor"), ("export", "export"), ("hand_on", "export")])
def test_what_is_beside_the_clip_is_shown_with_it(desk: Desk, other: str, name: str, page: str) -> None:
    desk.open()
    desk.window.actions_[other].trigger()
    assert not desk.window.pages.shows_clip
    desk.window.actions_[name].trigger()
    assert desk.window.pages.shows_clip
    assert desk.window.sidebar.page == page


def test_a_copy_is_written_where_one_sees_how(desk: Desk) -> None:
    desk.measure()
    desk.document.correct(Correction(-20), lambda: "moved")
    desk.window.actions_["page_queue"].trigger()
    desk.window.actions_["write"].trigger()
    assert desk.window.pages.shows_clip
    assert desk.window.sidebar.page == "export"
    desk.until(lambda: desk.studio.exporting.report is not None and not desk.studio.exporting.is_running)


def test_a_folder_is_measured_from_the_start_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(desk.clip.parent))
    desk.bot.mouseClick(desk.window.start_page.folder_button, Qt.MouseButton.LeftButton)
    desk.until(lambda: [item.path for item in desk.studio.queue.items] == [desk.clip])
    assert desk.window.pages.currentWidget() is desk.window.queue_page

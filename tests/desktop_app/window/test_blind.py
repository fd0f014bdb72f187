"""What surrounds the blind test: nothing tells which version plays, and leaving it leaves nothing behind."""

from __future__ import annotations

from fractions import Fraction

import pytest
from PySide6.QtCore import Qt

from desktop_app.document.corrections import NOTHING
from desktop_app.panels.blind_test import BlindTestPage
from desktop_app.panels.speakers import SpeakersPage
from desktop_app.player.blind_test import Answer
from desktop_app.widgets.dialog import Dialog
from engine.timing import Correction, StepCorrection
from tests.desktop_app.window.conftest import Desk


def opened(desk: Desk) -> BlindTestPage:
    """Begin a blind test by its key."""
    desk.bot.keyClick(desk.window, Qt.Key.Key_B)
    page = desk.window.findChild(BlindTestPage)
    assert page is not None
    desk.bot.waitExposed(page)
    return page


@pytest.mark.parametrize("way", ["Escape", "close"])
def test_leaving_in_the_middle_leaves_the_player_as_it_was(desk: Desk, way: str) -> None:
    desk.open()
    desk.document.correct(Correction(-83.0), "moved")
    page, player = opened(desk), desk.window.player
    desk.bot.mouseClick(page.play_first, Qt.MouseButton.LeftButton)
    desk.bot.mouseClick(page.first, Qt.MouseButton.LeftButton)
    place = page.play_second if page.test.plays_new(Answer.FIRST) else page.play_first
    desk.bot.mouseClick(place, Qt.MouseButton.LeftButton)
    assert player.is_playing
    assert player.correction == NOTHING
    if way == "Escape":
        desk.bot.keyClick(page, Qt.Key.Key_Escape)
    else:
        page.close()
    assert not page.isVisible()
    assert not player.is_playing
    assert player.correction == Correction(-83.0)
    assert player.loop is None


def test_the_picture_is_seen_and_nothing_says_which_one_plays(desk: Desk) -> None:
    desk.open()
    desk.document.correct(Correction(-83.0), "moved")
    actions = desk.window.actions_
    actions["split"].trigger()
    actions["compare"].trigger()
    page = opened(desk)
    assert not actions["split"].isChecked()
    assert not actions["compare"].isChecked()
    assert is_beside_the_picture(desk, page)


def test_the_picture_is_seen_while_speakers_are_set(desk: Desk) -> None:
    desk.open()
    desk.window.sync.calibration_wanted.emit()
    page = desk.window.findChild(SpeakersPage)
    assert page is not None
    assert is_beside_the_picture(desk, page)


def is_beside_the_picture(desk: Desk, page: Dialog) -> bool:
    """Return whether a page leaves the picture in sight, and the keys that play it in reach."""
    desk.bot.waitExposed(page)
    preview = desk.window.preview
    seen = preview.rect().translated(preview.mapToGlobal(preview.rect().topLeft()))
    return not page.frameGeometry().intersects(seen) and not page.isModal()


def test_steps_that_begin_later_can_be_judged(desk: Desk) -> None:
    desk.open()
    action = desk.window.actions_["blind_test"]
    assert not action.isEnabled()
    desk.document.correct(StepCorrection(((Fraction(0), 0.0), (Fraction(3), 60.0))), "jumps")
    desk.until(action.isEnabled)

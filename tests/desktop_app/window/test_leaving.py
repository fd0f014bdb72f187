"""What opens above the window is left with Escape, does no harm then, and gives the keyboard back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QTreeWidget

from desktop_app.document.autosave import Leftover
from desktop_app.document.project import Project
from desktop_app.widgets.palette import CommandPalette
from desktop_app.widgets.question import Question
from engine.refusal import Refusal
from engine.timing import Correction
from tests.desktop_app.window.conftest import Desk
from tests.desktop_app.window.walking import walk


def opened(desk: Desk) -> QDialog:
    """Return what is open above the window, once it has the keyboard."""
    (page,) = [page for page in desk.window.findChildren(QDialog) if page.isVisible()]
    page.activateWindow()
    desk.until(page.isActiveWindow)
    return page


def leave(desk: Desk, page: QDialog) -> None:
    """Press Escape wherever the keyboard is, and come back to the window as a window manager lets one."""
    desk.bot.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Escape)
    assert not page.isVisible()
    desk.window.activateWindow()


@pytest.mark.parametrize("name", ["settings", "shortcuts", "log", "blind_test", "take_over", "palette"])
def test_escape_leaves_a_page_and_the_keyboard_is_where_it_was(desk: Desk, name: str) -> None:
    desk.measure()
    desk.window.actions_["apply_measured"].trigger()
    if name == "take_over":
        desk.window.show_generation()
    before = desk.window.generation.form.presets["balanced"] if name == "take_over" else desk.window.timeline
    before.setFocus()
    desk.window.actions_[name].trigger()
    leave(desk, opened(desk))
    desk.until(lambda: QApplication.focusWidget() is before)


def test_escape_leaves_the_logs_and_the_page_for_speakers(desk: Desk, tmp_path: Path) -> None:
    notes = tmp_path / "run.log"
    notes.write_text("step 1 frame_gen_time: 40 ms\n" * 3)
    desk.studio.queue.add([desk.clip])
    desk.window.show_queue()
    desk.until(lambda: bool(desk.studio.queue.items) and not desk.studio.queue.is_running)
    page = desk.window.queue_page
    page.table.selectRow(0)
    page.table.setFocus()
    for ask in (
        lambda: desk.window.open_render_log(notes),
        page.button("log").click,
        desk.window.dialogs.open_speakers,
    ):
        ask()
        leave(desk, opened(desk))
        desk.until(lambda: QApplication.focusWidget() is page.table)


def test_the_keyboard_comes_back_with_the_page(desk: Desk) -> None:
    desk.open()
    before = desk.window.exports.export_button
    desk.window.show_page("export")
    before.setFocus()
    for name in ("page_queue", "page_generate", "page_models"):
        desk.window.actions_[name].trigger()
        focus = QApplication.focusWidget()
        assert focus is not None
        assert desk.window.pages.currentWidget().isAncestorOf(focus)
        desk.window.actions_["page_clip"].trigger()
        assert QApplication.focusWidget() is before


def test_a_command_is_found_and_given_by_keys_alone(desk: Desk) -> None:
    desk.open()
    desk.bot.keyClick(desk.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    page = opened(desk)
    assert isinstance(page, CommandPalette)
    assert page.field.hasFocus()
    assert page.field.accessibleName()
    results = page.findChild(QTreeWidget)
    assert results is not None
    assert results.accessibleName()
    desk.bot.keyClicks(page.field, "page")
    assert len(page.found) > 2
    desk.bot.keyClick(page.field, Qt.Key.Key_Down)
    assert page.found[1] == results.currentItem().data(0, Qt.ItemDataRole.UserRole)
    page.field.clear()
    desk.bot.keyClicks(page.field, "page history")
    desk.bot.keyClick(page.field, Qt.Key.Key_Return)
    assert not page.isVisible()
    assert desk.window.sidebar.page == "history"


def test_a_key_opens_the_menu_of_the_playhead(desk: Desk) -> None:
    desk.open()
    desk.window.player.seek(2.0)
    timeline = desk.window.timeline
    timeline.setFocus()
    desk.until(lambda: desk.window.player.position == pytest.approx(2.0))
    QApplication.sendEvent(timeline, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(), QPoint()))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    desk.bot.keyClick(menu, Qt.Key.Key_Down)
    desk.bot.keyClick(menu, Qt.Key.Key_Down)
    desk.bot.keyClick(menu, Qt.Key.Key_Return)
    assert [marker.t for marker in desk.document.markers] == [2.0]
    desk.until(lambda: QApplication.focusWidget() is timeline)


def asked(ask: Callable[[], object], look: Callable[[Question], None]) -> None:
    """Do something that asks a question, and look at the question while it waits."""
    seen: list[Question] = []

    def find() -> None:
        question = QApplication.activeModalWidget()
        if isinstance(question, Question) and question.isActiveWindow() and not seen:
            seen.append(question)
            try:
                look(question)
            finally:
                question.reject()

    timer = QTimer()
    timer.timeout.connect(find)
    timer.start(10)
    ask()
    timer.stop()
    assert len(seen) == 1


def inspect(desk: Desk) -> Callable[[Question], None]:
    """Return what asserts that a question is answered by keys, and leaves it with Escape."""

    def look(question: Question) -> None:
        assert question.focusWidget() is question.default_button
        assert question.default_button.isDefault()
        walk(desk, question)
        desk.bot.keyClick(question, Qt.Key.Key_Escape)
        assert question.answer is None
        assert not question.isVisible()

    return look


def test_what_a_crash_left_stays_until_somebody_decides(desk: Desk, tmp_path: Path) -> None:
    left = tmp_path / "session.plosive"
    left.write_text("{}")
    asked(lambda: desk.window.offer_recovery(Leftover(left, Project(desk.clip))), inspect(desk))
    assert left.exists()
    assert desk.document.path is None


def test_a_window_whose_project_cannot_be_saved_stays_open(desk: Desk) -> None:
    answers: list[bool] = []
    refusal = Refusal.of("window.not_saved", path=desk.clip, reason="disk full")
    asked(lambda: answers.append(desk.window.dialogs.may_lose(refusal)), inspect(desk))
    asked(
        lambda: answers.append(desk.window.dialogs.may_lose(refusal)),
        lambda question: desk.bot.keyClick(question.focusWidget(), Qt.Key.Key_Return),
    )
    assert answers == [False, False]


def test_a_file_that_is_there_is_kept(desk: Desk, tmp_path: Path) -> None:
    desk.open()
    desk.document.correct(Correction(40), "moved")
    target = shutil.copy(desk.clip, tmp_path / "there.mp4")
    target.write_bytes(b"mine")
    desk.window.exports.choose_target(target)
    asked(desk.window.export, inspect(desk))
    assert not desk.studio.exporting.is_running
    assert target.read_bytes() == b"mine"


def test_nothing_is_downloaded_by_escape(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    desk.window.show_models()
    shelf, row = desk.studio.shelf, desk.window.models_page.rows["latentsync", "latentsync-1.6-unet"]
    desk.until(lambda: shelf.library is not None and not shelf.is_busy)
    asked(row.download_button.click, inspect(desk))
    assert not shelf.is_busy

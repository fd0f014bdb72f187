"""Everything can be reached with Tab alone, and says what it is to those who cannot see it, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QMainWindow, QMenu, QWidget

from desktop_app.panels.generation.page import GenerationPage
from desktop_app.panels.generation.render_log import RenderLogPage
from desktop_app.panels.queue import HappeningsPage
from desktop_app.panels.speakers import SpeakersPage
from desktop_app.translation import speak
from tests.desktop_app.made import measurement
from tests.desktop_app.window.conftest import Desk
from tests.desktop_app.window.walking import walk


class Flashes(QObject):
    """Notices what is shown as a window of its own although it is none: it flashes up and takes the keyboard away.

    Attributes:
        seen: what it was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_shown = event.type() is QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow()
        if is_shown and not isinstance(watched, QMainWindow | QDialog | QMenu):
            self.seen.append(f"{type(watched).__name__} {watched}")
        return False


@pytest.fixture(autouse=True)
def _nothing_flashes(qapp: QApplication) -> Iterator[None]:
    flashes = Flashes()
    qapp.installEventFilter(flashes)
    yield
    qapp.removeEventFilter(flashes)
    assert flashes.seen == []


@pytest.mark.parametrize("page", ["sync", "doctor", "export", "history"])
def test_all_of_a_clips_page_is_reached_and_named(desk: Desk, page: str) -> None:
    desk.open()
    desk.until(lambda: not desk.studio.measuring.is_running)
    desk.document.set_measurement(measurement(6.0))
    desk.window.actions_["apply_measured"].trigger()
    desk.window.show_page(page)
    desk.until(lambda: not desk.studio.examining.is_running)
    walk(desk, desk.window)


def test_all_of_the_start_page_is_reached_and_named(desk: Desk) -> None:
    desk.studio.settings["recent"] = [str(desk.clip)]
    walk(desk, desk.window)


def test_all_of_the_queue_is_reached_and_named(desk: Desk) -> None:
    desk.window.show_queue()
    walk(desk, desk.window)
    desk.studio.queue.add([desk.clip])
    desk.until(lambda: bool(desk.studio.queue.items) and not desk.studio.queue.is_running)
    desk.window.queue_page.table.selectRow(0)
    walk(desk, desk.window)


@pytest.fixture
def generation(desk: Desk, tmp_path: Path) -> GenerationPage:
    """The page that renders, with a face and a voice."""
    face = tmp_path / "face.png"
    Image.fromarray(np.full((90, 160, 3), 120, np.uint8)).save(face)
    desk.window.show_generation()
    page = desk.window.generation
    desk.until(lambda: "draft" in page.picker.cards)
    page.set_source(face)
    page.set_voice(desk.clip)
    desk.until(lambda: page.can_render and bool(page.inputs.voice_well.facts) and not desk.studio.planning.is_asking)
    page.form._more.head.click()
    return page


@pytest.mark.parametrize("width", [1280, 900])
def test_all_of_the_generation_page_is_reached_and_named(desk: Desk, generation: GenerationPage, width: int) -> None:
    desk.window.resize(width, 720)
    walk(desk, desk.window)
    for _ in range(2):
        generation.render_now()
        desk.until(lambda: not desk.studio.rendering.is_running)
    generation.columns.show_page(1)
    walk(desk, desk.window)


@pytest.mark.parametrize("engine", ["musetalk", "latentsync", "liveavatar"])
def test_all_that_is_chosen_for_an_engine_is_reached_and_named(
    desk: Desk, generation: GenerationPage, engine: str
) -> None:
    generation.picker.choose(engine)
    walk(desk, desk.window)


def test_all_of_the_models_page_is_reached_and_named(desk: Desk) -> None:
    desk.window.show_models()
    desk.until(lambda: desk.studio.shelf.library is not None and not desk.studio.shelf.is_busy)
    walk(desk, desk.window)


@pytest.mark.parametrize("name", ["settings", "shortcuts", "log", "blind_test", "take_over"])
def test_all_of_a_dialog_is_reached_and_named(desk: Desk, name: str) -> None:
    desk.measure()
    desk.window.actions_["apply_measured"].trigger()
    desk.window.actions_[name].trigger()
    (page,) = [page for page in desk.window.findChildren(QDialog) if page.isVisible()]
    page.activateWindow()
    desk.until(page.isActiveWindow)
    walk(desk, page)


def test_all_of_the_page_for_speakers_is_reached_and_named(desk: Desk) -> None:
    desk.window.sync.calibration_wanted.emit()
    page = desk.window.findChild(SpeakersPage)
    assert page is not None
    page.activateWindow()
    desk.until(page.isActiveWindow)
    walk(desk, page)


def test_all_of_the_log_of_a_render_is_reached_and_named(desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("\n".join(f"step {number} frame_gen_time: {40 + number // 50} ms" for number in range(100)))
    desk.window.open_render_log(log)
    page = desk.window.findChild(RenderLogPage)
    assert page is not None
    desk.until(lambda: "run.log" not in page.state and bool(page.state))
    page.activateWindow()
    desk.until(page.isActiveWindow)
    walk(desk, page)


def test_all_of_the_log_of_a_clip_is_reached_and_named(desk: Desk) -> None:
    desk.studio.queue.add([desk.clip])
    desk.window.show_queue()
    desk.until(lambda: bool(desk.studio.queue.items) and not desk.studio.queue.is_running)
    desk.window.queue_page.table.selectRow(0)
    desk.window.queue_page.button("log").click()
    page = desk.window.findChild(HappeningsPage)
    assert page is not None
    page.activateWindow()
    desk.until(page.isActiveWindow)
    walk(desk, page)


def test_arrow_keys_go_from_page_to_page(desk: Desk) -> None:
    desk.open()
    tab = desk.window.sidebar._tabs["sync"]
    tab.setFocus()
    desk.bot.keyClick(tab, Qt.Key.Key_Right)
    assert desk.window.sidebar.page == "doctor"


@pytest.mark.parametrize("name", ["settings", "shortcuts", "log", "blind_test", "take_over"])
def test_an_open_dialog_changes_its_language(desk: Desk, name: str) -> None:
    desk.measure()
    desk.window.actions_["apply_measured"].trigger()
    desk.window.actions_[name].trigger()
    (page,) = [page for page in desk.window.findChildren(QDialog) if page.isVisible()]

    def said() -> set[str]:
        buttons = {each.text() for each in page.findChildren(QAbstractButton) if each.text()}
        return {page.windowTitle(), *buttons}

    before = said()
    speak("zh_CN")
    try:
        desk.until(lambda: not before & said())
    finally:
        speak("en")
    desk.until(lambda: said() == before)


def test_alt_held_for_the_wheel_does_not_open_the_menu_bar(desk: Desk) -> None:
    desk.open()
    desk.window.activateWindow()
    desk.until(desk.window.isActiveWindow)
    bar, port, alt = desk.window.menuBar(), desk.window.timeline._canvas.viewport(), Qt.KeyboardModifier.AltModifier
    # Alt alone does: whoever works without a mouse needs it.
    desk.bot.keyPress(port, Qt.Key.Key_Alt, alt)
    desk.bot.keyRelease(port, Qt.Key.Key_Alt)
    assert bar.activeAction() is not None
    desk.bot.keyClick(bar, Qt.Key.Key_Escape)
    assert bar.activeAction() is None
    desk.bot.keyPress(port, Qt.Key.Key_Alt, alt)
    where = QPointF(port.rect().center())
    down, button, phase = QPoint(0, -120), Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    turn = QWheelEvent(where, port.mapToGlobal(where), QPoint(), down, button, alt, phase, False)
    QApplication.sendEvent(port, turn)
    desk.bot.keyRelease(port, Qt.Key.Key_Alt)
    assert bar.activeAction() is None
    desk.until(lambda: desk.window.player.position > 0)

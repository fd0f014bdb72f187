"""Everything can be reached with Tab alone, and says what it is to those who cannot see it, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QMainWindow,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QScrollBar,
    QWidget,
)

from desktop_app.panels.speakers import SpeakersPage
from desktop_app.translation import speak
from tests.desktop_app.made import measurement
from tests.desktop_app.window.conftest import Desk

_MOST_TABS = 200
_SEEN = 24
"""A pixel looks different from this much on, of 255."""
_RING = 40
"""So many pixels have to look different for somebody to see where the keyboard is: a line under a short word."""

_CONTROLS = (
    QAbstractButton
    | QAbstractItemView
    | QAbstractSlider
    | QAbstractSpinBox
    | QComboBox
    | QKeySequenceEdit
    | QLineEdit
    | QPlainTextEdit
)


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


def is_part(widget: QWidget) -> bool:
    """Whether it is a piece of another control, which has the keyboard for it."""
    within = widget.parentWidget()
    while within is not None and not within.isWindow():
        if isinstance(within, QAbstractSpinBox | QComboBox | QKeySequenceEdit | QMenuBar | QAbstractItemView):
            return True
        if isinstance(within, QLineEdit):
            return True
        within = within.parentWidget()
    return isinstance(widget, QScrollBar | QHeaderView) or widget.objectName().startswith("qt_")


def controls(page: QWidget) -> list[QWidget]:
    """Return everything on a page that can be used now."""
    return [
        each
        for each in page.findChildren(QWidget)
        if isinstance(each, _CONTROLS) and each.isVisible() and each.isEnabled() and not is_part(each)
    ]


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the keyboard comes by.

    Attributes:
        widget: what has it.
        changed: how many of its pixels look different because of it.
    """

    widget: QWidget
    changed: int


def reached(desk: Desk, window: QWidget) -> list[Stop]:
    """Return what has the keyboard, one after the other, when Tab is pressed again and again."""
    stops: list[Stop] = []
    for _ in range(_MOST_TABS):
        focus = QApplication.focusWidget() or window
        if any(focus is stop.widget for stop in stops):
            break
        with_keyboard = pixels(focus)
        focus.clearFocus()
        stops.append(Stop(focus, differing(with_keyboard, pixels(focus))))
        focus.setFocus(Qt.FocusReason.TabFocusReason)
        desk.bot.keyClick(focus, Qt.Key.Key_Tab)
    return stops


def pixels(widget: QWidget) -> npt.NDArray[np.int16]:
    """Return what a widget looks like: ``(height, width, 4)``."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4).astype(np.int16)


def differing(one: npt.NDArray[np.int16], other: npt.NDArray[np.int16]) -> int:
    """Return how many pixels differ clearly; all of them where the widget has another size now."""
    if one.shape != other.shape:
        return one.shape[0] * one.shape[1]
    return int(np.count_nonzero(np.abs(one - other).max(axis=2) > _SEEN))


def out_of_order(stops: list[Stop]) -> list[str]:
    """Return where Tab goes up or to the left instead of on.

    Two neighbours are compared as the parts of the page in which they are: what is right of the other, below it, or in
    a column further right comes after it. What lies on the other is a part of it and comes after it, too.
    """
    found = []
    for before, after in pairwise(stop.widget for stop in stops):
        one, other = family(before), family(after)
        common = next(each for each in one if each in other)
        if common is before:
            continue
        first, second = (parts[parts.index(common) - 1].geometry() for parts in (one, other))
        is_in_one_row = first.top() < second.bottom() and second.top() < first.bottom()
        is_before = second.left() < first.left() if is_in_one_row else second.top() < first.top()
        if common is after or (is_before and second.left() < first.right()):
            found.append(f"{described(before)} -> {described(after)}")
    return found


def family(widget: QWidget) -> list[QWidget]:
    """Return a widget and all that it is in."""
    found = [widget]
    while (within := found[-1].parentWidget()) is not None and not found[-1].isWindow():
        found.append(within)
    return found


def name_of(widget: QWidget) -> str:
    said = widget.accessibleName() or widget.toolTip()
    return said or (widget.text() if isinstance(widget, QAbstractButton) else "")


def described(widget: QWidget) -> str:
    return f"{type(widget).__name__} “{name_of(widget)}” in {type(widget.parentWidget()).__name__}"


def check(desk: Desk, page: QWidget) -> None:
    window = page.window()
    QApplication.processEvents()
    for language in ("zh_CN", "en"):
        speak(language)
        QApplication.processEvents()
        all_of_them = controls(page)  # some are made anew in the other language
        assert all_of_them
        assert [described(each) for each in all_of_them if not name_of(each)] == []
    stops = reached(desk, window)
    seen = [stop.widget for stop in stops]
    stations = [stop for stop in stops if stop.widget.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert [described(stop.widget) for stop in stations if stop.changed < _RING] == []
    assert out_of_order(stops) == []
    # Of buttons of which only one can be pressed, Tab finds one and the arrow keys the others.
    groups = {each.group() for each in seen if isinstance(each, QAbstractButton)} - {None}
    missing = [
        described(each)
        for each in all_of_them
        if each not in seen and not (isinstance(each, QAbstractButton) and each.group() in groups)
    ]
    assert missing == []


@pytest.mark.parametrize("page", ["sync", "doctor", "export", "history"])
def test_all_of_a_clips_page_is_reached_and_named(desk: Desk, page: str) -> None:
    desk.open()
    desk.until(lambda: not desk.studio.measuring.is_running)
    desk.document.set_measurement(measurement(6.0))
    desk.window.actions_["apply_measured"].trigger()
    desk.window.show_page(page)
    desk.until(lambda: not desk.studio.examining.is_running)
    check(desk, desk.window)


def test_all_of_the_start_page_is_reached_and_named(desk: Desk) -> None:
    desk.studio.settings["recent"] = [str(desk.clip)]
    check(desk, desk.window)


def test_all_of_the_queue_is_reached_and_named(desk: Desk) -> None:
    desk.window.show_queue()
    check(desk, desk.window)
    desk.studio.queue.add([desk.clip])
    desk.until(lambda: bool(desk.studio.queue.items) and not desk.studio.queue.is_running)
    desk.window.queue_page.table.selectRow(0)
    check(desk, desk.window)


@pytest.mark.parametrize("width", [1280, 900])
def test_all_of_the_generation_page_is_reached_and_named(desk: Desk, tmp_path: Path, width: int) -> None:
    face = tmp_path / "face.png"
    Image.fromarray(np.full((90, 160, 3), 120, np.uint8)).save(face)
    desk.window.resize(width, 720)
    desk.window.show_generation()
    page = desk.window.generation
    desk.until(lambda: "draft" in page.picker.cards)
    page.set_source(face)
    page.set_voice(desk.clip)
    desk.until(lambda: page.can_render and bool(page.voice_well.facts) and not desk.studio.planning.is_asking)
    page.form._more.head.click()
    check(desk, desk.window)
    page.render_now()
    desk.until(lambda: not desk.studio.rendering.is_running)
    page.columns.show_page(1)
    check(desk, desk.window)


def test_all_of_the_models_page_is_reached_and_named(desk: Desk) -> None:
    desk.window.show_models()
    desk.until(lambda: desk.studio.shelf.library is not None and not desk.studio.shelf.is_busy)
    check(desk, desk.window)


@pytest.mark.parametrize("name", ["settings", "shortcuts", "log", "blind_test", "take_over"])
def test_all_of_a_dialog_is_reached_and_named(desk: Desk, name: str) -> None:
    desk.measure()
    desk.window.actions_["apply_measured"].trigger()
    desk.window.actions_[name].trigger()
    (page,) = [page for page in desk.window.findChildren(QDialog) if page.isVisible()]
    page.activateWindow()
    desk.until(page.isActiveWindow)
    check(desk, page)


def test_all_of_the_page_for_speakers_is_reached_and_named(desk: Desk) -> None:
    desk.window.sync.calibration_wanted.emit()
    page = desk.window.findChild(SpeakersPage)
    assert page is not None
    page.activateWindow()
    desk.until(page.isActiveWindow)
    check(desk, page)


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

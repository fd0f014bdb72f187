"""The language changes at run time: everything that is open speaks the new one at once, and nothing stays behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QWidget,
)

from desktop_app.panels.queue import HappeningsPage
from desktop_app.translation import speak
from desktop_app.widgets.toasts import Toast
from engine.models.catalog import catalog
from tests.desktop_app.made import measurement
from tests.desktop_app.window.conftest import Desk
from tests.media import make_clip

ROOT = Path(__file__).resolve().parents[3]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
WORDS = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b")
"""Two small words in a row are English; names, units and keys are not."""


def english_sources() -> frozenset[str]:
    """Return everything the window says, in English, where Chinese says something else."""
    messages = ET.parse(ROOT / "resources" / "translations" / "plosive_zh_CN.ts").iter("message")
    pairs = {(each.findtext("source") or "", "".join(each.find("translation").itertext()).strip()) for each in messages}
    return frozenset(source for source, translation in pairs if source != translation)


def texts_of(widget: QWidget) -> Iterator[str]:
    """Yield everything that a widget shows or tells those who cannot see it."""
    yield from (widget.windowTitle(), widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
    if isinstance(widget, QAbstractButton | QLabel | QAbstractSpinBox):
        yield widget.text()
    if isinstance(widget, QLineEdit | QPlainTextEdit):
        yield widget.placeholderText()
    if isinstance(widget, QComboBox):
        yield from (widget.itemText(place) for place in range(widget.count()))
    if isinstance(widget, QMenu):
        yield from (action.text() for action in widget.actions())
    if (
        isinstance(widget, QAbstractItemView)
        and widget.model() is not None
        and not isinstance(widget.parent(), QComboBox)
    ):
        yield from texts_of_model(widget)


def texts_of_model(view: QAbstractItemView) -> Iterator[str]:
    model = view.model()
    parents = [view.rootIndex()]
    while parents:
        parent = parents.pop()
        for column in range(model.columnCount(parent)):
            yield str(model.headerData(column, Qt.Orientation.Horizontal) or "")
            for row in range(model.rowCount(parent)):
                index = model.index(row, column, parent)
                yield str(model.data(index) or "")
                if column == 0:
                    parents.append(index)


def all_texts(window: QWidget) -> dict[str, str]:
    """Return every text of what can be seen, with where it is. Notices tell what was, as it was said then."""
    tops = [window, *(page for page in window.findChildren(QDialog) if page.isVisible())]
    found = {}
    for top in tops:
        for widget in (top, *top.findChildren(QWidget)):
            is_seen = widget.isVisibleTo(top) or (isinstance(widget, QMenu) and bool(widget.title()))
            if is_seen and not isinstance(widget, Toast) and not isinstance(widget.parent(), Toast):
                place = f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
                found |= dict.fromkeys((text for text in texts_of(widget) if text.strip()), place)
    return found


def left_in_english(texts: dict[str, str]) -> list[tuple[str, str]]:
    sources, names = english_sources(), {entry.title for entry in catalog()}
    return [
        (text, place)
        for text, place in texts.items()
        if text.replace("&", "") in sources or (not CHINESE.search(text) and WORDS.search(text) and text not in names)
    ]


def left_in_chinese(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(text, place) for text, place in texts.items() if CHINESE.search(text) and text != "简体中文"]


def settle(desk: Desk) -> None:
    """Let what was made anew be laid out and shown, and what was asked anew be answered."""
    desk.until(lambda: not desk.studio.planning.is_asking)
    for _ in range(3):
        QApplication.processEvents()


def check(desk: Desk) -> None:
    """Let the language change to Chinese and back, and look at every text in between."""
    settle(desk)
    assert left_in_chinese(before := all_texts(desk.window)) == []
    try:
        speak("zh_CN")
        settle(desk)
        during = all_texts(desk.window)
        assert left_in_english(during) == []
        assert sum(bool(CHINESE.search(text)) for text in during) > len(during) / 3
    finally:
        speak("en")
        settle(desk)
    after = all_texts(desk.window)
    assert {text: place for text, place in after.items() if text not in before} == {}
    assert {text: place for text, place in before.items() if text not in after} == {}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A face, a voice and the log of a render."""
    face, log = tmp_path / "face.png", tmp_path / "run.log"
    Image.fromarray(np.full((90, 160, 3), 120, np.uint8)).save(face)
    times = [40.0] * 50 + [90.0] * 50
    log.write_text("\n".join(f"step {number} frame_gen_time: {ms} ms" for number, ms in enumerate(times)))
    return face, make_clip(tmp_path / "voice.wav", seconds=3, codec=None, audio_codec="pcm_s16le").path, log


def test_the_search_finds_what_was_left_in_the_other_language(desk: Desk) -> None:
    label = QLabel("how far lips and sound are apart", desk.window)
    label.show()
    assert ("how far lips and sound are apart", "QLabel in MainWindow") in left_in_english(all_texts(desk.window))


def test_the_start_page_changes_its_language(desk: Desk) -> None:
    desk.studio.settings["recent"] = [str(desk.clip)]
    check(desk)


@pytest.mark.parametrize("page", ["sync", "doctor", "export", "history"])
def test_the_pages_of_a_clip_change_their_language(desk: Desk, page: str) -> None:
    desk.measure()
    desk.document.set_measurement(measurement(6.0))
    desk.window.show_page(page)
    desk.until(lambda: not desk.studio.examining.is_running)
    check(desk)
    desk.window.actions_["anchor"].trigger()
    desk.window.actions_["apply_measured"].trigger()
    check(desk)


def test_the_queue_and_the_record_of_a_clip_change_their_language(desk: Desk) -> None:
    desk.window.show_queue()
    check(desk)
    desk.studio.queue.add([desk.clip])
    desk.until(lambda: bool(desk.studio.queue.items) and not desk.studio.queue.is_running)
    desk.window.queue_page.table.selectRow(0)
    HappeningsPage(desk.clip, (), desk.window).show()
    check(desk)


def test_the_generation_page_and_the_model_files_change_their_language(desk: Desk, files: tuple[Path, ...]) -> None:
    face, voice, _ = files
    page = desk.window.generation
    desk.window.show_generation()
    desk.until(lambda: "draft" in page.picker.cards and not desk.studio.engines.is_asking)
    check(desk)
    desk.window.open_paths([face, voice])
    desk.until(lambda: page.can_render and bool(page.inputs.face_well.facts) and "GB" in page.estimate.text)
    page.form._more.head.click()
    page.picker.choose("liveavatar")
    check(desk)
    page.picker.choose("draft")
    desk.until(page.render_button.isEnabled)
    page.render_now()
    desk.until(lambda: not desk.studio.rendering.is_running)
    check(desk)
    desk.window.show_models()
    desk.until(lambda: desk.studio.shelf.library is not None)
    check(desk)


def test_all_pages_that_open_above_the_window_change_their_language(desk: Desk, files: tuple[Path, ...]) -> None:
    desk.measure()
    desk.window.actions_["apply_measured"].trigger()
    opened: list[Callable[[], object]] = [
        *(desk.window.actions_[name].trigger for name in ("settings", "shortcuts", "log", "blind_test")),
        desk.window.dialogs.open_speakers,
        lambda: desk.window.open_paths([files[2]]),
        desk.window.generation.take_over,
    ]
    for open_page in opened:
        open_page()
    pages = [page for page in desk.window.findChildren(QDialog) if page.isVisible()]
    assert len(pages) == len(opened)
    desk.until(lambda: any(text.startswith("Pictures timed") for text in all_texts(desk.window)))
    check(desk)

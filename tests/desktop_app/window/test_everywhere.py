"""What holds for the window as a whole: languages, colours, keys, responsiveness, and what is never loaded."""

from __future__ import annotations

import gc
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest
from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QSlider,
    QWidget,
)

from desktop_app.action_list import GROUPS
from desktop_app.panels.shortcuts import ShortcutsPage
from desktop_app.style import apply_theme
from desktop_app.theme import DARK, LIGHT, theme_of
from desktop_app.translation import speak
from desktop_app.widgets.palette import CommandPalette
from tests.desktop_app.window.conftest import Desk

ROOT = Path(__file__).resolve().parents[3]
TRANSLATIONS = ROOT / "resources" / "translations"


def environment() -> ModuleType:
    """Return the script that brings the environment up to date; it is no module of the project."""
    spec = importlib.util.spec_from_file_location("environment", ROOT / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["environment"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session", autouse=True)
def _compiled_translations() -> None:
    environment().compile_translations()


def test_translations_are_compiled_anew_beside_those_that_an_open_window_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = environment()
    monkeypatch.setattr(script, "ROOT", tmp_path)
    folder = tmp_path / "resources" / "translations"
    folder.mkdir(parents=True)
    source = Path(shutil.copy(TRANSLATIONS / "plosive_en.ts", folder))
    script.compile_translations()
    compiled = source.with_suffix(".qm")
    with compiled.open("rb") as opened:
        size = len(opened.read())
        os.utime(compiled, (0, 0))
        script.compile_translations()
        assert compiled.stat().st_mtime > 0
        assert os.fstat(opened.fileno()).st_size == size > 0
        assert not os.path.samestat(os.fstat(opened.fileno()), compiled.stat())
    assert sorted(folder.iterdir()) == [compiled, source]


@pytest.fixture
def chinese(qapp: QApplication) -> Iterator[None]:  # noqa: ARG001 - translators need an application
    speak("zh_CN")
    yield
    speak("en")


def test_every_text_of_the_window_is_translated() -> None:
    tree = ET.parse(TRANSLATIONS / "plosive_zh_CN.ts")
    messages = list(tree.getroot().iter("message"))
    assert len(messages) > 250
    for message in messages:
        source, translation = message.findtext("source") or "", message.find("translation")
        assert translation is not None
        text = "".join(translation.itertext()).strip()
        assert translation.get("type") is None, source
        assert text, source
        for place in ("{ms}", "{file}", "{moved}", "{percent}", "{side}", "{shift}", "%n"):
            assert (place in source) == (place in text), source


def test_chinese_texts_have_chinese_punctuation() -> None:
    texts = ["".join(each.itertext()) for each in ET.parse(TRANSLATIONS / "plosive_zh_CN.ts").iter("translation")]
    assert [text for text in texts if re.search(r"[\u4e00-\u9fff][,;:?!]", text)] == []


@pytest.mark.usefixtures("chinese")
def test_what_qt_says_itself_is_chinese_too(qapp: QApplication) -> None:  # noqa: ARG001 - dialogs need one
    box = QMessageBox()
    box.setStandardButtons(QMessageBox.StandardButton.Cancel | QMessageBox.StandardButton.Yes)
    assert box.button(QMessageBox.StandardButton.Cancel).text() == "取消"
    dialog = QFileDialog()
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    named = [label.text() for label in dialog.findChildren(QLabel)]
    assert any("文件" in text for text in named), named


def test_no_text_of_the_window_is_missing_from_the_translations(tmp_path: Path) -> None:
    copy = tmp_path / "plosive_zh_CN.ts"
    shutil.copy(TRANSLATIONS / copy.name, copy)
    sources = [str(path) for path in (ROOT / "desktop_app").rglob("*.py")]
    tool = Path(sys.executable).with_name("pyside6-lupdate")
    subprocess.run([tool, *sources, "-locations", "none", "-ts", copy], check=True, capture_output=True, cwd=ROOT)
    unfinished = [
        message.findtext("source")
        for message in ET.parse(copy).getroot().iter("message")
        if (translation := message.find("translation")) is not None and translation.get("type") == "unfinished"
    ]
    assert unfinished == []


def test_the_language_changes_while_the_window_is_open(desk: Desk) -> None:
    desk.measure()
    speak("zh_CN")
    try:
        desk.until(lambda: desk.window.sync.number_text == "晚 83 毫秒")
        assert desk.window.sync.verdict_text.startswith("声音")
        assert [menu.title() for menu in desk.window.menus.by_group.values()] == [
            "文件",
            "编辑",
            "同步",
            "生成",
            "播放",
            "视图",
            "帮助",
        ]
        assert desk.window.actions_["open"].text() == "打开…"
    finally:
        speak("en")
    desk.until(lambda: desk.window.sync.number_text == "83 ms late")


@pytest.mark.usefixtures("chinese")
def test_a_chinese_number_is_shown_and_typed_in_chinese(desk: Desk) -> None:
    desk.open()
    box = desk.window.sync.box
    box.setValue(-83)
    assert box.text() == "提前 83.0 毫秒"
    assert box.valueFromText("推后 12") == 12


def test_dark_and_light_reach_every_part(desk: Desk, qapp: QApplication) -> None:
    desk.open()
    assert theme_of(desk.window.timeline.palette()) is DARK
    apply_theme(qapp, "light")
    assert theme_of(desk.window.timeline.palette()) is LIGHT
    assert desk.window.grab().toImage().pixelColor(4, 400).lightnessF() > 0.5
    apply_theme(qapp, "dark")
    assert desk.window.grab().toImage().pixelColor(4, 400).lightnessF() < 0.5


def test_every_action_has_a_text_a_group_and_keys_of_its_own(desk: Desk) -> None:
    seen: set[str] = set()
    for entry in desk.window.actions_:
        assert entry.text
        assert entry.group in GROUPS
        keys = {key.toString() for key in desk.window.actions_.keys_of(entry)}
        assert not keys & seen, entry.name
        seen |= keys


def test_everything_that_takes_the_keyboard_has_a_name(desk: Desk) -> None:
    desk.open()
    nameless = [
        f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        for widget in desk.window.findChildren(QWidget)
        if isinstance(widget, QAbstractButton | QLineEdit | QComboBox | QSlider)
        and widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
        and not isinstance(widget.parentWidget(), QComboBox)
        and not widget.objectName().startswith("qt_")
        and not (widget.accessibleName() or getattr(widget, "text", str)() or widget.toolTip())
    ]
    assert nameless == []


def test_no_text_is_cut_off_at_the_smallest_size(desk: Desk) -> None:
    desk.measure()
    desk.window.resize(desk.window.minimumSize())
    for page in ("sync", "export", "doctor", "history"):
        desk.window.show_page(page)
        QApplication.processEvents()
        for shown in desk.window.sidebar.findChildren(QLabel):
            if shown.isVisible() and shown.text() and not shown.wordWrap():
                needed = shown.fontMetrics().boundingRect(shown.text().split("\n")[0]).width()
                assert shown.width() >= needed - 2, shown.text()
            elif shown.isVisible() and shown.text():
                assert shown.height() >= shown.heightForWidth(shown.width()) - 2, shown.text()


def test_the_palette_finds_and_does(desk: Desk) -> None:
    desk.measure()
    desk.bot.keyClick(desk.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = desk.window.findChild(CommandPalette)
    assert palette is not None
    desk.bot.keyClicks(palette.field, "apply meas")
    assert palette.found == ["apply_measured"]
    desk.bot.keyClick(palette.field, Qt.Key.Key_Return)
    assert desk.document.correction_ms_at(0) == pytest.approx(-83)


def test_keys_can_be_changed_and_are_taken_from_another_action_only_knowingly(desk: Desk) -> None:
    desk.bot.keyClick(desk.window, Qt.Key.Key_F1)
    page = desk.window.findChild(ShortcutsPage)
    assert page is not None
    page.choose("measure")
    page.field.setKeySequence(QKeySequence("Ctrl+O"))
    desk.bot.mouseClick(page.confirm, Qt.MouseButton.LeftButton)
    assert page.hint == "These keys belong to “Open…”. Press other keys, or use them here instead."
    assert page.confirm.text() == "Use them here instead"
    page.field.setKeySequence(QKeySequence("F7"))
    assert page.confirm.text() == "Use these keys"
    desk.bot.mouseClick(page.confirm, Qt.MouseButton.LeftButton)
    assert desk.window.actions_["measure"].shortcut().toString() == "F7"
    assert desk.studio.settings["shortcuts"] == {"measure": "F7"}
    page.field.setKeySequence(QKeySequence("Ctrl+Y"))
    for _ in range(2):
        desk.bot.mouseClick(page.confirm, Qt.MouseButton.LeftButton)
    assert desk.window.actions_["measure"].shortcut().toString() == "Ctrl+Y"
    assert [each.toString() for each in desk.window.actions_["redo"].shortcuts()] == ["Ctrl+Shift+Z"]
    desk.window.actions_.forget_keys()
    assert desk.window.actions_["measure"].shortcut().toString() == "Ctrl+M"


@pytest.mark.parametrize("name", ["settings", "shortcuts", "log"])
def test_pages_open_and_close(desk: Desk, name: str) -> None:
    desk.window.actions_[name].trigger()
    (page,) = [page for page in desk.window.findChildren(QDialog) if page.isVisible()]
    desk.bot.keyClick(page, Qt.Key.Key_Escape)
    desk.until(lambda: not [page for page in desk.window.findChildren(QDialog) if page.isVisible()])


class Watchdog(QObject):
    """Notices how long the event loop was away.

    Attributes:
        longest: seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        # What earlier tests left in memory is not the window's: looking through it costs a quarter of a second.
        gc.collect()
        gc.freeze()
        self.longest = 0.0
        self._since = QElapsedTimer()
        self._since.start()
        self._busy = time.thread_time()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(5)

    def _look(self) -> None:
        # Time on this thread, not on the wall: a machine with other work to do must not fail the test.
        busy, self._busy = time.thread_time() - self._busy, time.thread_time()
        self.longest = max(self.longest, min(busy, self._since.restart() / 1000))


def test_the_event_loop_never_stalls_while_measuring_nudging_and_exporting(desk: Desk) -> None:
    desk.open()
    desk.until(lambda: desk.document.measurement is not None and not desk.document.is_partial)
    watchdog = Watchdog()
    desk.window.actions_["measure"].trigger()
    for _ in range(5):
        desk.window.actions_["nudge_one_later"].trigger()
        QApplication.processEvents()
    desk.until(lambda: desk.document.measurement is not None and not desk.document.is_partial)
    desk.window.export()
    desk.until(lambda: desk.studio.exporting.after is not None)
    assert watchdog.longest < 0.1


def test_ten_thousand_clips_at_once_do_not_stall_the_window(desk: Desk, tmp_path: Path) -> None:
    queue = desk.studio.queue
    queue.pause()
    watchdog = Watchdog()
    desk.window.open_paths([tmp_path / f"{number}.mp4" for number in range(10_000)])
    desk.until(lambda: desk.window.queue_page.model.rowCount() == 10_000)
    desk.until(lambda: desk.window.queue_page.summary.startswith("10000 clips"))
    assert watchdog.longest < 0.1
    page = desk.window.queue_page
    for column in range(page.model.columnCount()):
        page.table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
        QApplication.processEvents()
    page.table.selectAll()
    desk.until(page.button("remove").isEnabled)
    desk.bot.mouseClick(page.button("remove"), Qt.MouseButton.LeftButton)
    desk.until(lambda: not page.table.isVisible())
    assert queue.items == []
    assert watchdog.longest < 0.1


HEAVY = ("torch", "cv2", "mediapipe", "librosa", "diffusers", "transformers", "matplotlib", "scipy", "engine.face")
LATER = ("desktop_app.panels.generation.page", "desktop_app.panels.models")
"""Pages that are built when they are first wanted."""


def test_a_running_window_has_loaded_nothing_heavy(clip: Path, tmp_path: Path) -> None:
    script = f"""
import os, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from desktop_app.application import Program
app = QApplication(["test"])
program = Program(app)
program.open([Path({str(clip)!r})])
def look():
    if program.studio.document.path is None:
        return
    program.window.show_page("doctor")
    program.window.show_page("export")
    print(sorted(name for name in {HEAVY + LATER!r} if name in sys.modules), program.window.isVisible())
    timer.stop()
    program.window.close()
timer = QTimer()
timer.timeout.connect(look)
timer.start(20)
app.exec()
program.close()
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PLOSIVE_HOME": str(tmp_path / "home"), "QT_QPA_PLATFORM": "offscreen"},
    )
    assert done.stderr == ""
    assert done.stdout == "[] True\n"


def test_calls_into_qt_leave_the_count_of_references_to_none_alone() -> None:
    timer = QTimer()
    before = sys.getrefcount(None)
    for _ in range(10_000):
        timer.setInterval(5)
    # PySide6 6.12.0 drops one reference for every such call on Python 3.11 and aborts after some thousands.
    assert abs(sys.getrefcount(None) - before) < 100


@contextmanager
def display(folder: Path) -> Iterator[str]:
    """Run an X server without a screen and give its name."""
    number, write = os.pipe()
    with (folder / "xvfb.txt").open("w") as log:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
            pass_fds=(write,),
            stderr=log,
        )
    os.close(write)
    try:
        with os.fdopen(number) as said:
            yield f":{said.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb for a real display")
def test_the_program_runs_in_a_real_window(clip: Path, tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from desktop_app.application import Program
app = QApplication(["test"])
program = Program(app)
program.open([Path({str(clip)!r})])
def look():
    if program.studio.document.path is None or not program.window.windowHandle().isExposed():
        return
    timer.stop()
    image = program.window.screen().grabWindow(program.window.winId()).toImage()
    print(app.platformName(), image.width() > 700, image.pixelColor(image.width() // 2, 3) != image.pixelColor(0, 0))
    program.window.close()
timer = QTimer()
timer.timeout.connect(look)
timer.start(50)
app.exec()
program.close()
"""
    with display(tmp_path) as name:
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=ROOT,
            env={
                **os.environ,
                "PLOSIVE_HOME": str(tmp_path / "home"),
                "QT_QPA_PLATFORM": "xcb",
                "DISPLAY": name,
            },
        )
    assert "Traceback" not in done.stderr
    assert done.stdout.startswith("xcb True")

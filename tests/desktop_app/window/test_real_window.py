"""The main jobs in a window of an X server, with a mouse and a keyboard that the program cannot tell from real ones."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engine.generation.calibrate import draw_face, write_voice
from engine.media.probe import probe
from engine.sample.text import sample_text
from engine.sample.voice import speak
from tests.desktop_app.window.conftest import COMMAND

ROOT = Path(__file__).resolve().parents[3]
_PATIENCE = 60.0
_RENDER_PATIENCE = 240.0
_SCREEN = (1400, 800)
_FILES = (1340, 400)
"""Where the files lie that are dragged, to the right of the window."""

pytestmark = pytest.mark.skipif(
    shutil.which("Xvfb") is None or shutil.which("xdotool") is None, reason="needs Xvfb and xdotool"
)

# The program itself, with the engine that the test names, and a report of where things are on the screen.
_PROGRAM = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QPoint, QTimer
import desktop_app.player.loudspeaker
import desktop_app.work.engine_process as process
from desktop_app.application import Program, make_application
desktop_app.player.loudspeaker.find_device = lambda: None
if command := json.loads(sys.argv[2]):
    process.worker_command = lambda: tuple(command)
app = make_application()
program = Program(app)
program.open([])
window, document, report = program.window, program.studio.document, Path(sys.argv[1])
window.setGeometry(0, 0, 1280, 800)
def place(widget, at):
    point = widget.mapToGlobal(at)
    return [point.x(), point.y()]
def middle(widget):
    return place(widget, widget.rect().center())
def seen(widget):
    return widget.isVisible() and widget.visibleRegion().contains(widget.rect().center())
def tell_renders():
    page, items = window.pages._generation, program.studio.rendering.items
    if page is None:
        return {}
    named = {f"engine {name}": card for name, card in page.picker.cards.items()}
    named |= {f"preset {name}": chip for name, chip in page.form.presets.items()}
    named |= {name: field.editor for name, field in page.form.parameters.items()}
    named |= {f"run {name}": button for name, button in page.run_card.buttons.items()}
    named |= {"render": page.render_button}
    return {
        "shown": page.isVisible(),
        "chosen": [str(page.order.source), str(page.order.voice), page.order.choices.engine],
        "preset": page.order.preset.name if page.order.preset else None,
        "parameters": dict(page.order.choices.parameters),
        "estimate": page.estimate.text,
        "stages": [item.stage.value for item in items],
        "check": [item.report.check.value for item in items if item.report],
        "outcome": page.run_card.verdict,
        "preview": page.stage.badge,
        "scrolled": page.form.mapToGlobal(QPoint()).y(),
        "places": {name: middle(widget) for name, widget in named.items() if seen(widget)},
    }
def tell():
    port, lane = window.timeline._canvas.viewport(), window.timeline._sound_lane.area()
    overlay = window.drop_target.overlay
    state = {
        "path": str(document.path),
        "dialog": app.activeModalWidget() is not None and app.activeWindow() is app.activeModalWidget(),
        "active": app.activeWindow() is not None,
        "measured": document.measurement is not None and not document.is_partial,
        "has_sound": window.timeline._sound is not None,
        "ms": document.correction_ms_at(0),
        "reason": document.undo_stack.undoText(),
        "page": window.sidebar.page,
        "written": program.studio.exporting.after is not None,
        "export": place(window.exports.export_button, window.exports.export_button.rect().center()),
        "bar": place(port, QPoint(round(lane.left() + 0.6 * lane.width()), round(lane.top()) + 8)),
        "pixel_ms": 1000 * window.timeline._places.seconds_per_pixel(),
        "zones": [zone.value for zone in overlay.zones] if overlay.isVisible() else [],
        "models": type(window.pages.currentWidget()).__name__ == "ModelsPage",
        "verdict": window.sync.verdict_text,
        "queue": [item.stage.value for item in program.studio.queue.items],
        "fix": middle(fix) if (fix := window.queue_page.button("fix")).isEnabled() else None,
        **tell_renders(),
    }
    temporary = report.with_suffix(".new")
    temporary.write_text(json.dumps(state))
    temporary.replace(report)
timer = QTimer()
timer.timeout.connect(tell)
timer.start(50)
app.exec()
program.close()
"""

# What holds the files in another window, as a file manager does.
_DESK = """
import sys
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QApplication, QLabel
class Desk(QLabel):
    def mousePressEvent(self, event):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(path) for path in sys.argv[1:]])
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.CopyAction)
app = QApplication([])
desk = Desk("files")
desk.setGeometry(1290, 350, 100, 100)
desk.setWindowTitle("files")
desk.show()
app.exec()
"""


@dataclass(slots=True)
class Hands:
    """Somebody at the screen.

    Attributes:
        display: name of the X display.
        report: what the program says about itself.
        program: its process.
    """

    display: str
    report: Path
    program: subprocess.Popen[bytes]

    def do(self, *words: object) -> None:
        """Use mouse and keyboard as xdotool says."""
        own = {**os.environ, "DISPLAY": self.display}
        subprocess.run(["xdotool", *map(str, words)], check=True, env=own, capture_output=True, timeout=_PATIENCE)

    def come_to_the_window(self) -> None:
        """Give the keyboard to the window, as a window manager does; this screen has none."""
        self.do("search", "--sync", "--onlyvisible", "--name", "Plosive", "windowfocus", "--sync")
        self.wait(lambda state: bool(state["active"]))

    def sees(self) -> dict[str, Any]:
        """Return what is on the screen now."""
        try:
            state: dict[str, Any] = json.loads(self.report.read_text())
        except FileNotFoundError:
            return {}
        return state

    def click(self, name: str) -> None:
        """Press a button or a field of the page for rendering."""
        state = self.wait(lambda state: name in state["places"])
        self.do("mousemove", *state["places"][name], "click", 1)

    def scroll_to(self, name: str) -> None:
        """Turn the wheel over the form until a field is seen."""
        self.do("mousemove", *self.wait(lambda state: "engine draft" in state["places"])["places"]["engine draft"])
        begin = time.monotonic()
        while name not in self.sees()["places"]:
            assert time.monotonic() - begin < _PATIENCE, self.sees()["places"]
            before = self.sees()["scrolled"]
            self.do("click", 5)
            self.wait(lambda state, before=before: state["scrolled"] != before)

    def drop(self, *paths: Path, zone: str) -> None:
        """Drag files from another program into the middle of the window, and let them go where it offers this."""
        own = {**os.environ, "DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb"}
        desk = subprocess.Popen([sys.executable, "-c", _DESK, *map(str, paths)], env=own)
        try:
            self.do("search", "--sync", "--onlyvisible", "--name", "^files$")
            self.do("mousemove", *_FILES, "mousedown", 1)
            for x in (1330, 1320, 1200, 900, 640):
                self.do("mousemove", "--sync", x, 400)
            self.wait(lambda state: state.get("zones") == [zone])
            self.do("mouseup", 1)
            self.wait(lambda state: state["zones"] == [])
        finally:
            desk.kill()
            desk.wait()

    def wait(self, condition: Callable[[dict[str, Any]], bool], seconds: float = _PATIENCE) -> dict[str, Any]:
        """Look until something is so."""
        begin = time.monotonic()
        while True:
            state = self.sees()
            if state and condition(state):
                return state
            assert time.monotonic() - begin < seconds, state
            select.select([], [], [], 0.05)


@contextmanager
def at_work(folder: Path, engine: Sequence[str]) -> Iterator[Hands]:
    """Run the program on a screen of its own.

    Args:
        folder: for its settings and reports.
        engine: command of the engine's process; empty for the real one.
    """
    number, write = os.pipe()
    screen = ["-screen", "0", "{}x{}x24".format(*_SCREEN), "-nolisten", "tcp"]
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), *screen], pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(number) as said:
        display = f":{said.readline().strip()}"
    report, log = folder / "report.json", folder / "log.txt"
    own = {"PLOSIVE_HOME": str(folder / "home"), "QT_QPA_PLATFORM": "xcb", "DISPLAY": display, "PLOSIVE_LANG": "en"}
    with log.open("w") as errors:
        program = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(report), json.dumps(engine)],
            cwd=ROOT,
            env={**os.environ, **own},
            stderr=errors,
        )
    try:
        yield Hands(display, report, program)
    finally:
        program.kill()
        program.wait()
        server.terminate()
        server.wait()
    assert "Traceback" not in log.read_text()


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    """The program with an engine that looks at names, and hands before it."""
    with at_work(tmp_path, COMMAND) as hands:
        yield hands


@pytest.fixture
def hands_at_the_real_engine(tmp_path: Path) -> Iterator[Hands]:
    """The program as it is, and hands before it."""
    with at_work(tmp_path, ()) as hands:
        yield hands


def test_a_clip_is_opened_dragged_right_and_exported_by_hand(hands: Hands, clip: Path) -> None:
    hands.come_to_the_window()
    hands.do("key", "ctrl+o")
    hands.wait(lambda state: state["dialog"])
    hands.do("type", "--delay", "5", str(clip))
    hands.do("key", "Return")
    hands.wait(lambda state: state["path"] == str(clip) and state["measured"] and state["has_sound"])
    hands.come_to_the_window()
    state = hands.sees()
    x, y = state["bar"]
    by = -round(83 / state["pixel_ms"])
    hands.do("mousemove", x, y, "mousedown", 1)
    for share in (0.3, 0.7, 1.0):
        hands.do("mousemove", x + round(share * by), y)
    hands.do("mouseup", 1)
    # Near the measured offset the sound snaps to it.
    state = hands.wait(lambda state: state["ms"] != 0 and state["reason"] != "")
    assert (state["ms"], state["reason"]) == (-83.0, "Sound dragged to the measured offset")
    hands.do("key", "ctrl+z")
    hands.wait(lambda state: state["ms"] == 0)
    hands.do("key", "ctrl+y")
    hands.wait(lambda state: state["ms"] == -83.0)
    hands.do("key", "ctrl+e")
    state = hands.wait(lambda state: state["page"] == "export")
    hands.do("mousemove", *state["export"], "click", 1)
    hands.wait(lambda state: state["written"])
    assert probe(clip.with_name("talk-insync.mp4")).video is not None
    hands.do("key", "ctrl+q")
    assert hands.program.wait(_PATIENCE) == 0


@pytest.mark.slow
def test_a_portrait_is_rendered_stopped_taken_up_and_opened_by_hand(
    hands_at_the_real_engine: Hands, tmp_path: Path
) -> None:
    hands, face, voice = hands_at_the_real_engine, tmp_path / "portrait.png", tmp_path / "greeting.wav"
    draw_face(face)
    write_voice(speak(sample_text("sentences"), at_least=Fraction(12)), voice)
    hands.come_to_the_window()
    hands.drop(face, voice, zone="render")
    hands.wait(lambda state: state["shown"] and state["chosen"][:2] == [str(face), str(voice)])
    hands.click("engine draft")
    hands.click("preset calibrate_quickly")
    hands.wait(lambda state: state["preset"] == "calibrate_quickly" and "GB memory" in state["estimate"])
    hands.scroll_to("sway")
    hands.click("sway")
    hands.do("key", "ctrl+a")
    hands.do("type", "0.5")
    hands.do("key", "Tab")
    hands.wait(lambda state: state["parameters"].get("sway") == 0.5)
    hands.click("render")
    hands.wait(lambda state: state["preview"] != "", _RENDER_PATIENCE)
    hands.click("run cancel")
    hands.wait(lambda state: state["stages"] == ["cancelled"])
    hands.click("run go_on")
    state = hands.wait(lambda state: state["stages"][0] in {"done", "failed"}, _RENDER_PATIENCE)
    assert state["stages"] == ["done"], state
    assert state["check"][0] in {"passed", "corrected"}, state["outcome"]
    written = voice.with_name("portrait-greeting-draft.mp4")
    hands.click("run open")
    state = hands.wait(lambda state: state["path"] == str(written) and state["measured"], _RENDER_PATIENCE)
    assert not state["shown"]
    assert state["verdict"].startswith("Sound and lips are together")
    hands.do("key", "ctrl+k")
    hands.do("type", "--delay", "20", "model files")
    hands.do("key", "Return")
    hands.wait(lambda state: state["models"])
    hands.do("key", "ctrl+q")
    assert hands.program.wait(_PATIENCE) == 0


@pytest.mark.slow
def test_what_a_killed_program_had_open_is_offered_and_comes_back(tmp_path: Path, clip: Path) -> None:
    with at_work(tmp_path, COMMAND) as hands:
        hands.come_to_the_window()
        hands.drop(clip, zone="picture")
        hands.wait(lambda state: state["path"] == str(clip) and state["measured"])
        hands.come_to_the_window()
        hands.do("key", "alt+shift+Left")
        hands.wait(lambda state: state["ms"] == -10.0)
        hands.wait(lambda _: any((tmp_path / "home" / "state" / "autosave").glob("*.plosive")))
        hands.program.kill()
        hands.program.wait()
    with at_work(tmp_path, COMMAND) as hands:
        hands.do("search", "--sync", "--onlyvisible", "--name", "Recover", "windowfocus", "--sync")
        hands.wait(lambda state: state["dialog"])
        hands.do("key", "Return")
        hands.wait(lambda state: state["path"] == str(clip) and state["ms"] == -10.0)


def test_a_folder_is_dropped_measured_and_put_right_by_hand(hands: Hands, clip: Path) -> None:
    folder = clip.parent / "shoot"
    folder.mkdir()
    for name in ("one", "two"):
        shutil.copy(clip, folder / f"{name}.mp4")
    hands.come_to_the_window()
    hands.drop(folder, zone="batch")
    state = hands.wait(lambda state: state["queue"] == ["measured", "measured"] and state["fix"] is not None)
    hands.do("mousemove", *state["fix"], "click", 1)
    hands.wait(lambda state: state["queue"] == ["written", "written"])
    assert sorted(path.name for path in folder.glob("*-insync.mp4")) == ["one-insync.mp4", "two-insync.mp4"]

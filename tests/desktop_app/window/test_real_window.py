"""The main job in a window of an X server, with a mouse and a keyboard that the program cannot tell from real ones."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.media.probe import probe
from tests.desktop_app.window.conftest import COMMAND

ROOT = Path(__file__).resolve().parents[3]
_PATIENCE = 60.0

pytestmark = pytest.mark.skipif(
    shutil.which("Xvfb") is None or shutil.which("xdotool") is None, reason="needs Xvfb and xdotool"
)

# The program itself, but for what measures (it looks at names), and a report of where things are on the screen.
_PROGRAM = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QPoint, QTimer
import desktop_app.player.player
import desktop_app.work.engine_process as process
from desktop_app.application import Program, make_application
desktop_app.player.player.find_device = lambda: None
process.worker_command = lambda: tuple(json.loads(sys.argv[2]))
app = make_application()
program = Program(app)
program.open([])
window, document, report = program.window, program.studio.document, Path(sys.argv[1])
window.setGeometry(0, 0, 1280, 800)
def place(widget, at):
    point = widget.mapToGlobal(at)
    return [point.x(), point.y()]
def tell():
    port, lane = window.timeline._canvas.viewport(), window.timeline._sound_lane.area()
    state = {
        "path": str(document.path),
        "dialog": app.activeModalWidget() is not None,
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

    def wait(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look until something is so."""
        begin = time.monotonic()
        while True:
            state = self.sees()
            if state and condition(state):
                return state
            assert time.monotonic() - begin < _PATIENCE, state
            select.select([], [], [], 0.05)


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    """The program on a screen, and hands before it."""
    number, write = os.pipe()
    screen = ["-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), *screen], pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(number) as said:
        display = f":{said.readline().strip()}"
    report, log = tmp_path / "report.json", tmp_path / "log.txt"
    own = {"PLOSIVE_HOME": str(tmp_path / "home"), "QT_QPA_PLATFORM": "xcb", "DISPLAY": display, "PLOSIVE_LANG": "en"}
    with log.open("w") as errors:
        program = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(report), json.dumps(COMMAND)],
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

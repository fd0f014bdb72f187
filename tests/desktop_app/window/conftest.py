"""A whole window per test, with one engine's process for all of them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_app import places
from desktop_app.document.document import Document
from desktop_app.document.settings import Settings
from desktop_app.studio import Studio
from desktop_app.style import apply_theme
from desktop_app.translation import speak
from desktop_app.window import MainWindow
from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import Ending, Outcome
from tests.media import make_clip

COMMAND = (sys.executable, "-m", "tests.desktop_app.canned_worker")
RENDERER = (sys.executable, "-m", "tests.desktop_app.canned_renderer")


class KeptEngine(EngineProcess):
    """Serves one window after the other: its process stays when a window is closed."""

    def stop(self) -> None:
        for job in self.jobs:
            self.cancel(job)
            job.end(Outcome(Ending.CANCELLED))

    def end(self) -> None:
        super().stop()


@dataclass(slots=True)
class Desk:
    """A window and what one does with it.

    Attributes:
        window: the window.
        bot: presses keys and waits.
        clip: a clip of six seconds, the test's own.
    """

    window: MainWindow
    bot: QtBot
    clip: Path

    @property
    def studio(self) -> Studio:
        return self.window.studio

    @property
    def document(self) -> Document:
        return self.window.studio.document

    def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        self.bot.waitUntil(condition, timeout=round(1000 * seconds))

    def open(self, *paths: Path) -> None:
        """Open files as if dropped, and wait until the clip is there."""
        self.window.open_paths(paths or [self.clip])
        self.until(lambda: self.document.path in (paths or [self.clip]))

    def measure(self) -> None:
        """Open the clip and wait until it is measured."""
        self.open()
        self.until(lambda: not self.studio.measuring.is_running and self.document.measurement is not None)


@pytest.fixture(scope="session", autouse=True)
def _english(qapp: QApplication) -> None:  # noqa: ARG001 - translators need an application
    speak("en")  # English has translations too: its plurals


@pytest.fixture(scope="session")
def engine_of_all(tmp_path_factory: pytest.TempPathFactory, qapp: QApplication) -> Iterator[KeptEngine]:  # noqa: ARG001
    engine = KeptEngine(tmp_path_factory.mktemp("engine") / "log.txt", COMMAND, parent=None)
    yield engine
    engine.end()


@pytest.fixture(scope="session")
def renderer_of_all(tmp_path_factory: pytest.TempPathFactory, qapp: QApplication) -> Iterator[KeptEngine]:  # noqa: ARG001
    engine = KeptEngine(tmp_path_factory.mktemp("renderer") / "log.txt", RENDERER, cancel_seconds=0.5, parent=None)
    yield engine
    engine.end()


@pytest.fixture(scope="session")
def clip_of_all(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "talk.mp4", seconds=6).path


@pytest.fixture
def clip(clip_of_all: Path, tmp_path: Path) -> Path:
    return shutil.copy(clip_of_all, tmp_path / "talk.mp4")


@pytest.fixture
def make_window(
    qtbot: QtBot,
    qapp: QApplication,
    engine_of_all: KeptEngine,
    renderer_of_all: KeptEngine,
    own_folders: Path,  # noqa: ARG001 - settings are read from there
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], MainWindow]]:
    """Return a function that opens a window; all are closed at the end."""
    windows: list[MainWindow] = []
    for module in ("player.loudspeaker", "panels.speakers"):  # no test depends on this computer's sound
        monkeypatch.setattr(f"desktop_app.{module}.find_device", lambda: None)

    def make() -> MainWindow:
        settings = Settings(places.config_folder() / "settings.json")
        apply_theme(qapp, "dark")
        window = MainWindow(Studio(settings, engine_of_all, engine_of_all, renderer_of_all, spare_engine=engine_of_all))
        windows.append(window)
        window.resize(1280, 800)
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        return window

    yield make
    for window in filter(shiboken6.isValid, windows):
        window.close()
        window.deleteLater()
    qapp.sendPostedEvents(None, 52)  # DeferredDelete


@pytest.fixture
def desk(make_window: Callable[[], MainWindow], qtbot: QtBot, clip: Path) -> Desk:
    return Desk(make_window(), qtbot, clip)

"""Start the program: log, language, colours, window, and what a crash left behind."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import time
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TextIO

from PySide6.QtCore import QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop_app import places
from desktop_app.allocator import return_large_blocks
from desktop_app.collector import Collector
from desktop_app.document.autosave import leftovers
from desktop_app.document.settings import Settings
from desktop_app.icons import icon
from desktop_app.studio import Studio
from desktop_app.style import apply_theme
from desktop_app.translation import speak
from desktop_app.window import MainWindow

_LOG = logging.getLogger("desktop_app")
_LOG_BYTES = 500_000
_OLD_SECONDS = 7 * 86_400
"""Empty crash files this old belong to nobody any more."""


class Program:
    """Everything that lives as long as the window does.

    Args:
        app: Qt's application.
    """

    def __init__(self, app: QApplication) -> None:
        self.app = app
        self._crash_file, self.crashed_before = _watch_for_crashes()
        _write_log()
        self._hook_before = sys.excepthook
        sys.excepthook = self._excepthook
        qInstallMessageHandler(_log_qt)
        self.settings = Settings(places.config_folder() / "settings.json")
        speak(self.settings["language"])
        apply_theme(app, self.settings["theme"])
        app.styleHints().colorSchemeChanged.connect(self._dress)
        self.settings.changed.connect(self._setting_changed)
        self.studio = Studio(self.settings)
        self.window = MainWindow(self.studio)
        self.window.setWindowIcon(icon("mouth", "accent"))
        self._collector = Collector(app)

    def open(self, paths: Sequence[Path]) -> None:
        """Show the window, open what was named, and get the engine ready once the window is there."""
        self.window.show()
        QTimer.singleShot(0, self.window, lambda: self._begin(paths))

    def close(self) -> None:
        """Put back what was changed in the process."""
        self._collector.stop()
        sys.excepthook = self._hook_before
        qInstallMessageHandler(None)
        faulthandler.disable()
        if self._crash_file is not None:
            self._crash_file.close()
            Path(self._crash_file.name).unlink(missing_ok=True)

    def _begin(self, paths: Sequence[Path]) -> None:
        if paths:
            self.window.open_paths(paths)
        if self.crashed_before:
            self.window.notify_crash()
        self.window.notify_waiting()
        for leftover in leftovers(places.state_folder() / "autosave")[:1]:
            self.window.offer_recovery(leftover)
        self.studio.warm_up()

    def _setting_changed(self, key: str) -> None:
        if key == "theme":
            self._dress()
        elif key == "language":
            speak(self.settings["language"])
            self._dress()  # small letters are larger in Chinese
            self.studio.engine.say_language()

    def _dress(self) -> None:
        apply_theme(self.app, self.settings["theme"])

    def _excepthook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self.window.close()
            return
        _LOG.critical("a bug", exc_info=(kind, error, trace))
        self.window.notify_fault()


def make_application() -> QApplication:
    """Return Qt's application, with the program's name."""
    return_large_blocks()
    QGuiApplication.setDesktopFileName("plosive")
    QApplication.setApplicationName("Plosive")
    QApplication.setApplicationDisplayName("Plosive")
    return QApplication([sys.argv[0]])


def run(arguments: Sequence[str]) -> int:
    """Run the program until its window is closed.

    Args:
        arguments: files to open.
    """
    app = make_application()
    program = Program(app)
    program.open([Path(argument).absolute() for argument in arguments])
    code = app.exec()
    program.close()
    return code


def _watch_for_crashes() -> tuple[TextIO | None, bool]:
    """Let a crash of native code leave its stack in a file; return the file, and whether the last run left one."""
    folder = places.log_folder()
    crashed = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("running-*.txt"):
            if left.stat().st_size > 0:
                left.replace(folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}.txt")
                crashed = True
            elif time.time() - left.stat().st_mtime > _OLD_SECONDS:
                left.unlink()
        file = (folder / f"running-{os.getpid()}.txt").open("w", encoding="utf-8")
    except OSError:
        return None, crashed
    faulthandler.enable(file)
    return file, crashed


def _write_log() -> None:
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    try:
        handler = RotatingFileHandler(
            places.log_folder() / "window.txt", maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8", delay=True
        )
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)


def _log_qt(kind: QtMsgType, _context: object, message: str) -> None:
    level = logging.INFO if kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) else logging.WARNING
    logging.getLogger("qt").log(level, message)

"""Show a file in the system's file manager, or let the system's program for it open it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from engine.refusal import Refusal


class _News(QObject):
    refused = Signal(object)
    """The system has no program for that, or the file is gone; the refusal."""


news = _News()
"""One for all: which button it was does not matter to whoever says it."""


def reveal(path: Path) -> None:
    """Open the folder of a file, with the file selected where the system can do that."""
    if not path.exists():
        news.refused.emit(Refusal.of("window.nothing_there", path=path))
    elif sys.platform == "win32":
        subprocess.Popen(["explorer", f"/select,{path}"])  # noqa: S607 - part of Windows
    elif sys.platform == "darwin":
        subprocess.Popen(["/usr/bin/open", "-R", str(path)])
    elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent))):
        news.refused.emit(Refusal.of("window.no_program", path=path))


def open_outside(path: Path) -> None:
    """Open a file in the program that the system has for its kind."""
    if not path.exists():
        news.refused.emit(Refusal.of("window.nothing_there", path=path))
    elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
        news.refused.emit(Refusal.of("window.no_program", path=path))

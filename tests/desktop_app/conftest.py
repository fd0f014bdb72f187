"""Tests of the window run without a display, with settings of their own."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything makes an application. OpenCV's wheel, imported by tests of the engine in the same process, points Qt
# to plugins of its own.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(scope="session", autouse=True)
def _qt_without_opencv() -> None:
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def _garbage_of_this_thread() -> Iterator[None]:
    """Collect between tests, as the program does it in its event loop: never in a decoder's thread."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep settings, caches and logs of a test in a folder of its own."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PLOSIVE_HOME", str(folder))
    return folder

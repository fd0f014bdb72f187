"""Garbage with Qt's objects in it dies in the window's thread."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from desktop_app.collector import Collector


class Knot(QObject):
    """Something that only the collector can free."""

    def __init__(self, ends: list[threading.Thread]) -> None:
        super().__init__()
        self.me = self
        weakref.finalize(self, lambda: ends.append(threading.current_thread()))


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.stop()
    gc.unfreeze()


@pytest.mark.usefixtures("collector")
def test_a_thread_that_makes_much_garbage_collects_none(qtbot: QtBot) -> None:
    ends: list[threading.Thread] = []
    Knot(ends)
    thread = threading.Thread(target=lambda: [[[]] for _ in range(20 * gc.get_threshold()[0])])
    thread.start()
    thread.join()
    assert not ends
    kept = [[] for _ in range(2 * gc.get_threshold()[0])]
    qtbot.waitUntil(lambda: bool(ends), timeout=10_000)
    assert ends == [threading.main_thread()]
    del kept


def test_python_collects_by_itself_again_afterwards(collector: Collector) -> None:
    assert not gc.isenabled()
    collector.stop()
    assert gc.isenabled()

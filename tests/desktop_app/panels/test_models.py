"""The page of model files: what is missing, and what is not although its file is not there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop_app.panels.models import ModelRow
from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.shelf import Shelf
from engine.models.catalog import entry
from engine.models.finder import Found, Library


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    engine = EngineProcess(tmp_path / "log.txt", (sys.executable, "-m", "tests.desktop_app.canned_worker"))
    yield Shelf(engine)
    engine.stop()


def test_a_needed_file_is_not_missing_where_another_takes_its_place(qtbot: QtBot, shelf: Shelf) -> None:
    row = ModelRow(entry("latentsync-1.6-unet"), shelf, is_needed=True)
    qtbot.addWidget(row)
    shelf.library = Library()
    row.refresh()
    assert row.text.startswith("missing")
    shelf.library = Library((Found(Path("unet.pt"), ("latentsync-1.5-unet",), is_official_size=True),))
    row.refresh()
    assert row.text.startswith("not needed")
    assert shelf.serves(row.entry)
    assert not shelf.serves(entry("sd-vae"))

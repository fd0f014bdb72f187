"""The file of a list: written soon after a change, read at the next start, begun anew where it makes no sense."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from desktop_app.work.kept_list import KeptList


@pytest.fixture
def owner(qtbot: QtBot) -> QObject:  # noqa: ARG001 - a thread's result comes through the loop
    return QObject()


def keep(path: Path, items: list[str], owner: QObject) -> KeptList[str]:
    return KeptList(path, lambda: items, lambda item: {"text": item}, owner)


def read(place: int, data: dict[str, Any]) -> str:
    return f"{place} {data['text']}"


def test_many_changes_are_written_once_and_by_themselves(qtbot: QtBot, owner: QObject, tmp_path: Path) -> None:
    path, items = tmp_path / "list.json", ["one"]
    kept = keep(path, items, owner)
    kept.save()
    items.append("two")
    kept.save()
    assert not path.exists()
    qtbot.waitUntil(path.exists)
    assert keep(path, [], owner).load(read) == ["1 one", "2 two"]


def test_closing_writes_what_was_not_written_yet(owner: QObject, tmp_path: Path) -> None:
    path = tmp_path / "state" / "list.json"
    kept = keep(path, ["one"], owner)
    kept.save()
    kept.close()
    assert json.loads(path.read_text()) == {"version": 1, "items": [{"text": "one"}]}


@pytest.mark.parametrize("text", ["{", "[]", '{"items": []}', '{"version": 1, "items": [{}]}', '{"version": 1}'])
def test_what_makes_no_sense_begins_anew_and_is_logged(
    owner: QObject, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    path = tmp_path / "list.json"
    path.write_text(text)
    assert keep(path, [], owner).load(read) == []
    assert "list.json begins anew" in caplog.text


def test_a_list_of_another_version_is_left_alone(owner: QObject, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text('{"version": 2, "items": [{"text": "one"}]}')
    assert keep(path, [], owner).load(read) == []


def test_a_list_that_cannot_be_written_is_only_logged(
    owner: QObject, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        keep(tmp_path / "file" / "list.json", ["one"], owner).close()
    assert "list.json is not saved" in caplog.text

"""What is kept without being asked for: autosaves, recovery after a crash, corrections by clip, settings."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from desktop_app.document.autosave import Autosave, leftovers
from desktop_app.document.document import Document
from desktop_app.document.memory import Memory
from desktop_app.document.project import Project, read, save
from desktop_app.document.settings import DECLARED, Settings
from engine.refusal import Refusal
from engine.timing import Correction
from tests.desktop_app.made import measurement, media_info

QUIET = 0.02


@pytest.fixture
def document() -> Document:
    document = Document()
    document.set_media(media_info(10))
    return document


def test_a_change_is_saved_a_moment_later_and_one_save_serves_many(
    qtbot: QtBot, document: Document, tmp_path: Path
) -> None:
    autosave = Autosave(document, tmp_path, QUIET)
    saves: list[int] = []
    autosave.saved.connect(lambda: saves.append(1))
    with qtbot.waitSignal(autosave.saved):
        for ms in range(1, 6):
            document.correct(Correction(ms), "moved")
    (session,) = tmp_path.glob("session-*.plosive")
    assert read(session).state.correction == Correction(5)
    assert len(saves) == 1
    autosave.save_now()
    assert len(saves) == 1
    autosave.leave()
    assert not list(tmp_path.iterdir())


def test_what_somebody_else_saved_is_not_overwritten_unasked(qtbot: QtBot, document: Document, tmp_path: Path) -> None:
    project = tmp_path / "some.plosive"
    autosave, refusals = Autosave(document, tmp_path / "sessions", QUIET), list[Refusal]()
    autosave.failed.connect(refusals.append)
    autosave.save_as(project)
    with qtbot.waitSignal(autosave.saved):
        document.correct(Correction(1), "moved")  # what was written here is known
    other = Document()
    other.set_media(media_info(10))
    other.correct(Correction(-45), "moved in another window")
    save(Project.of(other), project)
    assert autosave.is_changed_elsewhere
    with qtbot.waitSignal(autosave.failed):
        document.correct(Correction(2), "moved")
    assert refusals[0].code == "window.project_changed_elsewhere"
    assert autosave.save_project() == refusals[0]
    assert read(project).state.correction == Correction(-45)
    # Who asks for it gets it, and what was there is beside it.
    autosave.save_as(project)
    assert read(project).state.correction == Correction(2)
    assert read(project.with_name("some.plosive.bak")).state.correction == Correction(-45)
    assert not autosave.is_changed_elsewhere
    with qtbot.waitSignal(autosave.saved):
        document.correct(Correction(3), "moved")
    assert autosave.save_project() is None
    autosave.leave()


def test_a_project_file_that_was_touched_or_taken_away_is_saved_again(document: Document, tmp_path: Path) -> None:
    project = tmp_path / "some.plosive"
    autosave = Autosave(document, tmp_path / "sessions")
    autosave.save_as(project)
    project.touch()
    document.correct(Correction(1), "moved")
    assert autosave.save_project() is None
    project.unlink()
    document.correct(Correction(2), "moved")
    assert autosave.save_project() is None
    assert read(project).state.correction == Correction(2)
    autosave.leave()


def test_work_that_never_rests_is_saved_all_the_same(qtbot: QtBot, document: Document, tmp_path: Path) -> None:
    autosave = Autosave(document, tmp_path, 0.5)
    hand, moves = QTimer(), count()
    hand.timeout.connect(lambda: document.correct(Correction(next(moves)), "moved"))
    with qtbot.waitSignal(autosave.saved, timeout=30_000):
        hand.start(20)
    hand.stop()
    autosave.leave()


def test_the_window_does_not_wait_for_what_time_brings(
    qtbot: QtBot, document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autosave, where = Autosave(document, tmp_path, QUIET), list[int]()

    def slow(project: Project, path: Path) -> None:
        where.append(threading.get_ident())
        save(project, path)

    monkeypatch.setattr("desktop_app.document.autosave.save", slow)
    with qtbot.waitSignal(autosave.saved):
        document.correct(Correction(1), "moved")
    document.correct(Correction(2), "moved")
    autosave.save_now()
    assert [each == threading.get_ident() for each in where] == [False, True]
    autosave.leave()


def test_a_clip_that_is_closed_while_it_is_written_leaves_no_session(
    qtbot: QtBot, document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autosave, began, may_end = Autosave(document, tmp_path, QUIET), threading.Event(), threading.Event()

    def slow(project: Project, path: Path) -> None:
        began.set()
        may_end.wait()
        save(project, path)

    monkeypatch.setattr("desktop_app.document.autosave.save", slow)
    document.correct(Correction(1), "moved")
    qtbot.waitUntil(began.is_set)
    threading.Timer(0.05, may_end.set).start()
    document.close()
    assert not list(tmp_path.iterdir())
    autosave.leave()


def test_a_project_that_was_only_looked_at_is_not_written(document: Document, tmp_path: Path) -> None:
    project = tmp_path / "some.plosive"
    Autosave(document, tmp_path).save_as(project)
    before = project.stat()
    autosave = Autosave(document, tmp_path)
    autosave.belongs_to(project, Project.of(document))
    autosave.save_now()
    autosave.leave()
    assert project.stat() == before
    autosave.belongs_to(project, Project.of(document))
    document.correct(Correction(1), "moved")
    autosave.leave()
    assert read(project).state.correction == Correction(1)


def test_a_folder_for_sessions_that_cannot_be_made_is_said(document: Document, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    autosave, said = Autosave(document, blocked / "autosave"), list[object]()
    autosave.failed.connect(said.append)
    document.correct(Correction(1), "moved")
    autosave.save_now()
    assert len(said) == 1


def test_once_saved_as_a_project_it_is_saved_there(qtbot: QtBot, document: Document, tmp_path: Path) -> None:
    autosave = Autosave(document, tmp_path / "autosave", QUIET)
    project = tmp_path / "some.plosive"
    autosave.save_as(project)
    with qtbot.waitSignal(autosave.saved):
        document.correct(Correction(-7), "moved")
    assert read(project).state.correction == Correction(-7)
    document.correct(Correction(-8), "moved")
    autosave.leave()
    assert read(project).state.correction == Correction(-8)


def test_a_measurement_that_still_grows_is_not_saved(document: Document, tmp_path: Path) -> None:
    autosave = Autosave(document, tmp_path, QUIET)
    document.set_measurement(measurement(10), is_partial=True)
    autosave.save_now()
    (session,) = tmp_path.glob("session-*.plosive")
    assert read(session).measurement is None
    document.set_measurement(measurement(10))
    autosave.save_now()
    assert read(session).measurement is not None


def test_a_disk_that_takes_nothing_is_said_once_and_nothing_is_lost(document: Document, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    autosave = Autosave(document, tmp_path / "autosave", QUIET)
    autosave.belongs_to(blocked / "some.plosive")
    said: list[object] = []
    autosave.failed.connect(said.append)
    for ms in (1, 2):
        document.correct(Correction(ms), "moved")
        autosave.save_now()
    assert len(said) == 1
    assert document.correction == Correction(2)


def test_what_a_crashed_session_left_is_found_and_a_running_one_is_left_alone(
    document: Document, tmp_path: Path
) -> None:
    running = Autosave(document, tmp_path, QUIET)
    document.correct(Correction(1), "moved")
    running.save_now()
    script = f"""
import os
from pathlib import Path
from desktop_app.document.autosave import Autosave
from desktop_app.document.document import Document
from engine.timing import Correction
from tests.desktop_app.made import media_info
document = Document()
document.set_media(media_info(10))
document.correct(Correction(-83), "moved")
Autosave(document, Path({str(tmp_path)!r})).save_now()
os._exit(1)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert done.returncode == 1
    (left,) = leftovers(tmp_path)
    assert left.project.state.correction == Correction(-83)
    left.discard()
    assert leftovers(tmp_path) == []
    running.leave()


def test_a_correction_is_remembered_for_the_same_clip_only(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    Memory(tmp_path / "memory.json").remember(clip, Correction(-40))
    memory = Memory(tmp_path / "memory.json")
    assert memory.recall(clip) == Correction(-40)
    clip.write_bytes(b"another clip")
    assert memory.recall(clip) == Correction(0)
    assert memory.recall(tmp_path / "none.mp4") == Correction(0)


def test_a_damaged_memory_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "memory.json").write_text("{")
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    memory = Memory(tmp_path / "memory.json")
    memory.remember(clip, Correction(5))
    assert Memory(tmp_path / "memory.json").recall(clip) == Correction(5)


def test_settings_come_back_and_say_what_changed(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json")
    changed: list[str] = []
    settings.changed.connect(changed.append)
    settings["theme"] = "light"
    settings["theme"] = "light"
    assert changed == ["theme"]
    assert Settings(tmp_path / "settings.json")["theme"] == "light"
    for key, wrong in (("theme", "pink"), ("measure_on_open", 1), ("volume", "loud")):
        with pytest.raises(ValueError, match=key):
            settings[key] = wrong


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 99, "values": {"theme": "light"}}', '{"version": 1}'])
def test_settings_that_cannot_be_understood_are_set_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    settings = Settings(path)
    assert settings["theme"] == "system"
    settings["theme"] = "dark"
    assert path.with_name("settings.json.bak").read_text() == text
    assert json.loads(path.read_text())["values"] == {"theme": "dark"}


def test_a_single_setting_of_the_wrong_type_falls_back_to_its_default(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    text = json.dumps({"version": 1, "values": {"theme": 5, "volume": 0.7, "unknown": 1}})
    path.write_text(text)
    settings = Settings(path)
    assert settings["theme"] == "system"
    assert settings["volume"] == 0.7
    settings["volume"] = 0.8
    assert path.with_name("settings.json.bak").read_text() == text
    path.with_name("settings.json.bak").unlink()
    assert Settings(path)["volume"] == 0.8
    assert not path.with_name("settings.json.bak").exists()


def test_every_default_is_accepted_by_its_own_declaration() -> None:
    assert all(setting.accepts(setting.default) for setting in DECLARED)

"""What goes wrong outside of the program: each time a sentence with the next step, and what is open stays."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop_app import places
from desktop_app.document.project import read
from desktop_app.panels.log import LogPage
from desktop_app.widgets.drop_overlay import Zone
from desktop_app.widgets.question import Question
from desktop_app.window import MainWindow
from desktop_app.work import queue as queue_module
from desktop_app.work.queue import Stage
from desktop_app.work.unfinished import Unfinished
from engine.media.probe import probe
from engine.timing import Correction
from engine.words import Message
from tests.desktop_app.window.conftest import Desk
from tests.media import make_clip


def said(desk: Desk, code: str) -> bool:
    """Whether a notice says why, and what to do next."""
    remedy = Message(f"{code}.remedy").text()
    return any(remedy in text for text in desk.window.toasts.texts)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("nothing", "media.missing"),
        ("text", "media.not_media"),
        ("empty", "media.empty"),
        ("sound", "window.sound_only"),
        ("picture", "window.still_picture"),
        ("truncated", "media.truncated"),
        ("playlist", "media.playlist"),
    ],
)
def test_every_file_that_cannot_be_opened_has_a_reason_and_a_next_step(
    desk: Desk, tmp_path: Path, kind: str, code: str
) -> None:
    desk.open()
    desk.document.correct(Correction(12), "moved")
    bad = tmp_path / "bad.mp4"
    if kind == "text":
        bad.write_text("not a clip")
    elif kind == "empty":
        bad.touch()
    elif kind == "sound":
        made = make_clip(tmp_path / "bad.wav", seconds=1, codec=None, audio_codec="pcm_s16le").path
        shutil.move(made, bad)
    elif kind == "picture":
        desk.window.grab().save(str(bad), "PNG")
    elif kind == "truncated":
        bad.write_bytes(desk.clip.read_bytes()[:2000])
    elif kind == "playlist":
        bad.write_text("#EXTM3U\nhttp://example.org/a.ts\n")
    desk.window.open_paths([bad], Zone.PICTURE)
    desk.until(lambda: said(desk, code))
    assert all("bad.mp4" in text for text in desk.window.toasts.texts)
    assert desk.document.path == desk.clip
    assert desk.document.correction == Correction(12)


def test_an_engine_killed_while_measuring_is_said_and_starts_again(desk: Desk) -> None:
    hold = desk.clip.with_suffix(".wait")
    hold.touch()
    desk.open()
    desk.document.correct(Correction(12), "moved")
    desk.until(lambda: desk.document.is_partial)
    pid = desk.studio.engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    desk.until(lambda: desk.studio.measuring.refusal is not None)
    assert Message("window.engine_lost.remedy").text() in desk.window.sync.verdict_text
    assert desk.document.correction == Correction(12)
    hold.unlink()
    desk.window.actions_["measure"].trigger()
    desk.until(lambda: desk.document.measurement is not None and not desk.document.is_partial)
    assert desk.studio.engine.pid != pid


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_an_engine_killed_while_exporting_leaves_no_file(desk: Desk) -> None:
    hold = desk.clip.with_suffix(".hold")
    hold.touch()
    desk.open()
    desk.document.correct(Correction(40), "moved")
    desk.window.export()
    desk.until(lambda: bool(hidden(desk.clip.parent)))
    assert desk.studio.engine.pid is not None
    os.kill(desk.studio.engine.pid, signal.SIGKILL)
    desk.until(lambda: desk.studio.exporting.refusal is not None)
    assert Message("window.engine_lost.remedy").text() in desk.window.exports.result_text
    desk.until(lambda: not hidden(desk.clip.parent))
    target = desk.clip.with_name("talk-insync.mp4")
    assert not target.exists()
    assert desk.document.correction == Correction(40)
    hold.unlink()
    desk.window.export()
    desk.until(lambda: desk.studio.exporting.after is not None)
    assert probe(target).video is not None


def test_an_engine_killed_while_the_queue_writes_leaves_no_file(desk: Desk) -> None:
    folder = desk.clip.parent / "shoot"
    folder.mkdir()
    shutil.move(desk.clip, folder / "a.mp4")
    (folder / "a.hold").touch()
    queue = desk.studio.queue
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        desk.window.open_paths([folder])
    desk.window.queue_page.fix()
    desk.until(lambda: bool(hidden(folder)))
    assert desk.studio.engine.pid is not None
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        os.kill(desk.studio.engine.pid, signal.SIGKILL)
    assert queue.items[0].stage is Stage.FAILED
    desk.until(lambda: not hidden(folder))
    (folder / "a.hold").unlink()
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        queue.retry([0])
    assert queue.items[0].stage is Stage.WRITTEN
    assert probe(folder / "a-insync.mp4").video is not None


def test_what_a_crash_of_everything_left_half_written_goes_at_the_next_start(desk: Desk, tmp_path: Path) -> None:
    folder, notes = tmp_path / "films", tmp_path / "notes"
    folder.mkdir()
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead, alive = int(done.stdout), os.getpid()
    target = folder / "talk-insync.mp4"
    target.write_bytes(b"an older copy")
    (folder / f".talk-insync.mp4.{dead:x}-0123abcd.part").write_bytes(b"half")
    (folder / f".talk-insync.mp4.{dead:x}-0123abcd.aac").write_bytes(b"half")
    running = folder / f".talk-insync.mp4.{alive:x}-0123abcd.part"
    running.write_bytes(b"half")
    other = folder / ".other.mp4.1-0123abcd.part"
    other.write_bytes(b"not ours")
    notes.mkdir()
    (notes / "one.txt").write_text(str(target))
    unfinished = Unfinished(notes)
    unfinished.clean_up()
    unfinished.wait()
    assert sorted(path.name for path in folder.iterdir()) == sorted([other.name, running.name, target.name])
    assert list(notes.iterdir())  # it is looked at again at the next start
    running.unlink()
    unfinished.clean_up()
    unfinished.wait()
    assert list(notes.iterdir()) == []
    assert desk.document.path is None


def test_a_full_disk_is_said_at_export_and_nothing_is_left(desk: Desk) -> None:
    wish = desk.clip.with_suffix(".full")
    wish.touch()
    desk.open()
    desk.document.correct(Correction(40), "moved")
    try:
        desk.window.export()
        desk.until(lambda: desk.studio.exporting.refusal is not None)
        assert Message("export.disk_full.remedy").text() in desk.window.exports.result_text
        assert hidden(desk.clip.parent) == []
        assert not desk.clip.with_name("talk-insync.mp4").exists()
        assert desk.document.correction == Correction(40)
    finally:
        pid = desk.studio.engine.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)  # the next test wants a disk with room
        desk.until(lambda: desk.studio.engine.pid not in {None, pid})


def test_a_full_disk_is_said_at_autosave_and_the_project_before_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.measure()
    project = desk.clip.with_suffix(".plosive")
    desk.document.correct(Correction(40), "moved")
    desk.studio.save_as(project)
    real = os.fsync

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("desktop_app.document.files.os.fsync", full)
    for ms in (41, 42):
        desk.document.correct(Correction(ms), "moved")
        desk.studio.autosave.save_now()
    (text,) = [text for text in desk.window.toasts.texts if "No space left" in text]  # said once
    assert text.startswith(f"{project} could not be saved")
    assert said(desk, "window.not_saved")
    assert read(project).state.correction == Correction(40)
    assert hidden(desk.clip.parent) == []
    assert desk.document.correction == Correction(42)
    monkeypatch.setattr("desktop_app.document.files.os.fsync", real)
    desk.document.correct(Correction(43), "moved")
    desk.studio.autosave.save_now()
    assert read(project).state.correction == Correction(43)


def test_a_project_that_cannot_be_saved_is_not_closed_without_a_yes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open()
    project = desk.clip.with_suffix(".plosive")
    desk.studio.save_as(project)
    desk.document.correct(Correction(41), "moved")
    asked: list[str] = []

    def answer(_parent: object, _title: str, text: str, *_: str, **__: bool) -> bool:
        asked.append(text)
        return False

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Question, "ask", answer)
    real = os.fsync
    monkeypatch.setattr("desktop_app.document.files.os.fsync", full)
    desk.window.close()
    assert desk.window.isVisible()
    assert "No space left" in asked[0]
    assert desk.document.correction == Correction(41)
    monkeypatch.setattr("desktop_app.document.files.os.fsync", real)
    desk.window.close()
    assert not desk.window.isVisible()
    assert len(asked) == 1
    assert read(project).state.correction == Correction(41)


@pytest.mark.parametrize("how", ["deleted", "replaced", "written over"])
def test_a_clip_that_changes_while_it_is_open_is_said(desk: Desk, how: str) -> None:
    desk.measure()
    desk.document.correct(Correction(12), "moved")
    other = make_clip(desk.clip.with_name("other.mp4"), seconds=4).path
    content = other.read_bytes()
    if how == "deleted":
        desk.clip.unlink()
    elif how == "replaced":
        other.replace(desk.clip)
    else:
        desk.clip.write_bytes(content)
    desk.until(lambda: said(desk, "window.clip_gone" if how == "deleted" else "window.clip_changed"))
    assert desk.document.path == desk.clip
    assert desk.document.correction == Correction(12)
    if how == "deleted":
        desk.clip.write_bytes(content)
        desk.studio.watching.look()
        assert said(desk, "window.clip_changed")
    (again,) = [each for each in desk.window.findChildren(QPushButton) if each.text() == "Open it again"][-1:]
    desk.bot.mouseClick(again, Qt.MouseButton.LeftButton)
    desk.until(lambda: desk.document.duration == pytest.approx(4, abs=0.1))
    assert desk.document.correction == Correction(12)
    desk.until(lambda: not desk.studio.measuring.is_running and desk.document.measurement is not None)


def test_a_folder_that_cannot_be_read_is_said(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    make_clip(folder / "a.mp4", seconds=1)
    real: Callable[..., object] = os.scandir

    def locked(path: object) -> object:
        if str(path) == str(folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path)

    monkeypatch.setattr(queue_module.os, "scandir", locked)
    desk.window.open_paths([folder])
    desk.until(lambda: said(desk, "window.folder_unreadable"))
    assert any("locked cannot be read: Permission denied" in text for text in desk.window.toasts.texts)


def test_news_for_a_window_that_is_gone_is_not_delivered(
    make_window: Callable[[], MainWindow], clip: Path, qtbot: QtBot
) -> None:
    window = make_window()
    studio = window.studio
    studio.queue.add([clip])
    qtbot.waitUntil(lambda: bool(studio.queue.items))
    window.close()
    with qtbot.waitSignal(window.destroyed):
        window.deleteLater()
    assert not shiboken6.isValid(window)
    studio.queue.changed.emit(0)  # an exception here fails the test
    studio.document.media_changed.emit()
    studio.settings.changed.emit("recent")


def test_the_version_before_of_a_damaged_project_is_opened_and_becomes_the_project(desk: Desk) -> None:
    desk.measure()
    project = desk.clip.with_suffix(".plosive")
    desk.document.correct(Correction(40), "moved")
    desk.studio.save_as(project)
    desk.document.correct(Correction(41), "moved")
    desk.studio.close_clip()
    project.write_text("{")
    desk.window.open_paths([project])
    desk.until(lambda: said(desk, "window.project_broken"))
    desk.window.open_paths([project.with_name(f"{project.name}.bak")])
    desk.until(lambda: desk.document.path == desk.clip)
    assert desk.document.correction == Correction(40)
    assert desk.studio.autosave.project_path == project
    desk.studio.close_clip()
    assert read(project).state.correction == Correction(40)


def test_a_clip_whose_end_is_missing_opens_and_is_said(desk: Desk, tmp_path: Path) -> None:
    cut = make_clip(tmp_path / "cut.mkv", seconds=4).path
    cut.write_bytes(cut.read_bytes()[:-5000])
    desk.open(cut)
    desk.until(lambda: said(desk, "media.cut_off"))
    assert desk.document.path == cut


def test_a_clip_that_comes_back_as_it_was_has_not_changed(desk: Desk) -> None:
    desk.measure()
    away = desk.clip.rename(desk.clip.with_name("away.mp4"))
    desk.until(lambda: said(desk, "window.clip_gone"))
    away.rename(desk.clip)
    desk.studio.watching.look()
    assert not said(desk, "window.clip_changed")
    desk.clip.write_bytes(b"another one")
    desk.until(lambda: said(desk, "window.clip_changed"))


def test_a_clip_that_comes_back_as_another_one_is_noticed(desk: Desk) -> None:
    desk.measure()
    desk.clip.unlink()
    desk.until(lambda: said(desk, "window.clip_gone"))
    desk.clip.write_bytes(b"another one")
    desk.until(lambda: said(desk, "window.clip_changed"))


def test_logs_of_windows_that_are_closed_meanwhile_are_no_fault(desk: Desk) -> None:
    folder = places.log_folder()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("crash-1.txt", "crash-2.txt", "other.txt"):
        (folder / name).write_text(f"words of {name}")
    (folder / "running-1.txt").touch()
    desk.window.actions_["log"].trigger()
    page = desk.window.findChild(LogPage)
    assert page is not None
    assert page.choice.currentText() == "crash-2.txt"
    assert page.choice.findText("running-1.txt") == -1
    (folder / "other.txt").unlink()
    page.choice.setCurrentText("other.txt")
    assert page.text.toPlainText() == ""
    page.choice.setCurrentText("crash-1.txt")
    assert page.text.toPlainText() == "words of crash-1.txt"


def test_a_project_that_another_window_saved_is_replaced_only_if_that_is_wanted(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open()
    path, answers = tmp_path / "some.plosive", [False, True]
    desk.studio.save_as(path)
    desk.studio.nudge(-10)
    desk.window.actions_["save"].trigger()
    own = path.read_bytes()
    desk.studio.autosave.save_now()
    path.write_bytes(own.replace(b"-10.0", b"-45.0"))
    desk.studio.nudge(-1)
    desk.studio.autosave.save_now()
    assert said(desk, "window.project_changed_elsewhere")
    monkeypatch.setattr(Question, "ask", lambda *_, **__: answers.pop(0))
    desk.window.actions_["save"].trigger()
    assert read(path).state.correction == Correction(-45)
    desk.window.actions_["save"].trigger()
    assert read(path).state.correction == Correction(-11)
    assert answers == []
    desk.window.actions_["save"].trigger()  # it is what is known here again: nothing is asked

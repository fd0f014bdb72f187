"""What an export promises before it is begun, and what is shown of it afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from desktop_app.widgets.question import Question
from desktop_app.widgets.save_dialog import ask_target
from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.exporting import Exporting
from desktop_app.work.revealing import open_outside, reveal
from engine.media.export.report import Mode
from engine.timing import Correction
from tests.desktop_app.window.conftest import COMMAND, Desk


def test_the_command_that_is_shown_writes_the_same_file_in_a_shell(desk: Desk) -> None:
    desk.clip = desk.clip.rename(desk.clip.with_name("it's -o $HOME 中文.mp4"))
    desk.open()
    desk.document.correct(Correction(-100 / 3), "moved")
    command, target = desk.window.exports.command, desk.window.exports.target
    assert target is not None
    desk.window.export()
    desk.until(lambda: desk.studio.exporting.report is not None)
    written = target.read_bytes()
    target.unlink()
    own = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["/bin/sh", "-c", command], env=own, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == written


def test_after_an_export_the_next_file_is_the_one_that_is_shown(desk: Desk) -> None:
    desk.open()
    desk.document.correct(Correction(40), "moved")
    exports = desk.window.exports
    for name in ("talk-insync.mp4", "talk-insync-2.mp4"):
        assert exports.target_field.text() == str(desk.clip.with_name(name))
        assert exports.command_field.text().endswith(name)
        desk.window.export()
        desk.until(lambda: not desk.studio.exporting.is_running)
        assert desk.clip.with_name(name).exists()


def test_a_copy_that_would_be_as_far_off_as_the_clip_is_warned_of(desk: Desk) -> None:
    exports = desk.window.exports
    desk.window.show_page("export")
    desk.measure()
    assert exports.warning.isVisible()
    apply = desk.window.actions_["apply_measured"]
    (button,) = [each for each in exports.findChildren(QToolButton) if each.defaultAction() is apply]
    desk.bot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desk.document.correction == Correction(-83.0)
    assert not exports.warning.isVisible()
    desk.document.undo_stack.undo()
    assert exports.warning.isVisible()


@pytest.mark.parametrize("show", [reveal, open_outside])
def test_what_the_system_cannot_show_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, show: Callable[[Path], None]
) -> None:
    monkeypatch.setattr("desktop_app.work.revealing.sys.platform", "linux")
    monkeypatch.setattr("desktop_app.work.revealing.QDesktopServices.openUrl", lambda _: False)
    show(desk.clip)
    assert any("has no program" in text and "talk.mp4" in text for text in desk.window.toasts.texts)
    show(desk.clip.with_name("gone.mp4"))
    assert any("gone.mp4 is not there any more" in text for text in desk.window.toasts.texts)


def test_an_export_does_not_wait_until_the_clip_is_measured(desk: Desk, tmp_path: Path) -> None:
    hold = desk.clip.with_suffix(".wait")
    hold.touch()
    desk.open()
    desk.until(lambda: desk.document.is_partial)
    desk.document.correct(Correction(40), "moved")
    studio = desk.studio
    spare = EngineProcess(tmp_path / "spare.txt", COMMAND)
    exporting = Exporting(studio.document, studio.engine, studio.settings, studio.unfinished, spare)
    try:
        exporting.start(desk.clip.with_name("moved.mp4"), Mode.LOSSLESS)
        desk.until(lambda: exporting.after is not None)
        assert exporting.report is not None
        assert studio.measuring.is_running
    finally:
        hold.unlink()
        spare.stop()
    desk.until(lambda: not studio.measuring.is_running)


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_file_that_was_not_named_is_not_replaced_without_a_yes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, is_wanted: bool
) -> None:
    desk.open()
    other, named = desk.clip.with_name("other.plosive"), str(desk.clip.with_name("other"))
    other.write_text("somebody else's")
    asked: list[str] = []

    def answer(_parent: object, _title: str, text: str, *_: str, **__: bool) -> bool:
        asked.append(text)
        return is_wanted

    monkeypatch.setattr(Question, "ask", answer)
    monkeypatch.setattr("desktop_app.widgets.save_dialog.QFileDialog.getSaveFileName", lambda *_: (named, ""))
    desk.window.actions_["save_as"].trigger()
    assert asked == ["other.plosive exists already. Replace it?"]
    assert (other.read_text() == "somebody else's") is not is_wanted
    assert desk.studio.autosave.project_path == (other if is_wanted else None)


def test_a_report_is_a_page_when_its_name_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, expected in (("report", "report.png"), ("report.PDF", "report.PDF"), ("v1.2", "v1.2.png")):
        chosen = (str(desk.clip.with_name(name)), "")
        monkeypatch.setattr("desktop_app.widgets.save_dialog.QFileDialog.getSaveFileName", lambda *_, it=chosen: it)
        target = ask_target(desk.window, "", desk.clip.with_name("proposed.png"), (".png", ".pdf"))
        assert target == desk.clip.with_name(expected)

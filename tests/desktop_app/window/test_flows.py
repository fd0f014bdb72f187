"""What a user does, through the window: open, see the verdict, move the sound, export, and what goes wrong."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop_app.document.autosave import Leftover
from desktop_app.document.corrections import NOTHING
from desktop_app.document.document import State
from desktop_app.document.project import Project, read, save
from desktop_app.panels.blind_test import BlindTestPage
from desktop_app.panels.handing_on import Kind
from desktop_app.panels.speakers import SpeakersPage
from desktop_app.player.blind_test import Answer
from desktop_app.widgets.drop_overlay import Zone
from desktop_app.widgets.question import Question
from desktop_app.window import MainWindow
from desktop_app.work.engine_process import cli_program
from engine.media.export.report import Mode
from engine.media.probe import probe
from engine.timing import Correction, DriftCorrection, StepCorrection
from tests.desktop_app.window.conftest import Desk
from tests.media import make_clip


def drag(desk: Desk, paths: list[Path], at: QPoint, *, drop: bool) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QGuiApplication.sendEvent(desk.window, QDragEnterEvent(at, Qt.DropAction.CopyAction, data, buttons, modifiers))
    if drop:
        QGuiApplication.sendEvent(
            desk.window, QDropEvent(QPointF(at), Qt.DropAction.CopyAction, data, buttons, modifiers)
        )


def test_a_dropped_clip_opens_is_measured_and_the_verdict_is_said(desk: Desk) -> None:
    drag(desk, [desk.clip], QPoint(300, 300), drop=True)
    desk.until(lambda: desk.document.path == desk.clip)
    assert desk.window.header.name.text() == "talk.mp4"
    assert "320×180" in desk.window.header.facts
    desk.until(lambda: not desk.studio.measuring.is_running and desk.document.measurement is not None)
    assert desk.window.sync.number_text == "83 ms late"
    assert desk.window.sync.verdict_text == "The sound is 83 ms late (±6). Most viewers will notice."


def test_points_appear_one_after_the_other_while_measuring(desk: Desk) -> None:
    counts: list[int] = []
    traces: list[int] = []

    def look() -> None:
        found = desk.document.measurement
        counts.append(len(found.points) if found else 0)
        if found and desk.document.is_partial and found.mouth:
            assert len(found.curves) == len(found.points)
            assert np.all(np.diff(found.mouth.times) > 0)
            traces.append(len(found.mouth.times))

    desk.document.measurement_changed.connect(look)
    desk.measure()
    assert counts[-1] == 9
    assert set(range(1, 9)) <= set(counts)
    assert traces == sorted(set(traces))
    assert len(traces) >= 8


def test_zones_are_offered_while_files_are_held_above_the_window(desk: Desk) -> None:
    overlay = desk.window.drop_target.overlay
    drag(desk, [desk.clip], QPoint(300, 300), drop=False)
    assert overlay.zones == (Zone.PICTURE,)
    desk.open()
    voice = desk.clip.with_suffix(".wav")
    drag(desk, [voice], QPoint(300, 300), drop=False)
    assert overlay.zones == (Zone.VOICE,)
    drag(desk, [desk.clip], QPoint(300, 300), drop=False)
    assert overlay.isVisible()
    assert overlay.zones == (Zone.PICTURE, Zone.VOICE)
    assert overlay.zone_at(QPoint(10, 10)) is Zone.PICTURE
    assert overlay.zone_at(QPoint(1270, 10)) is Zone.VOICE


def test_a_recording_dropped_on_an_open_clip_becomes_its_sound(desk: Desk, tmp_path: Path) -> None:
    desk.measure()
    voice = make_clip(tmp_path / "voice.wav", seconds=6, codec=None, audio_codec="pcm_s16le").path
    drag(desk, [voice], QPoint(300, 300), drop=True)
    desk.until(lambda: desk.document.sound_path == voice)
    assert "sound: voice.wav" in desk.window.header.facts
    desk.window.actions_["own_sound"].trigger()
    assert desk.document.sound_path is None


def test_a_clip_and_a_recording_dropped_together_open_together(desk: Desk, tmp_path: Path) -> None:
    voice = make_clip(tmp_path / "voice.wav", seconds=6, codec=None, audio_codec="pcm_s16le").path
    drag(desk, [voice, desk.clip], QPoint(300, 300), drop=True)
    desk.until(lambda: desk.document.path == desk.clip)
    assert desk.document.sound_path == voice


def test_a_copied_path_is_opened(desk: Desk) -> None:
    QGuiApplication.clipboard().setText(f'"{desk.clip}"')
    desk.bot.keyClick(desk.window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: desk.document.path == desk.clip)


def test_the_last_clips_are_offered_on_the_start_page(desk: Desk) -> None:
    desk.open()
    desk.bot.keyClick(desk.window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert desk.document.path is None
    assert desk.studio.settings["recent"] == [str(desk.clip)]
    desk.window.start_page.opened.emit(Path(desk.studio.settings["recent"][0]))
    desk.until(lambda: desk.document.path == desk.clip)


def test_what_was_measured_is_applied_undone_and_redone_by_keys(desk: Desk) -> None:
    desk.measure()
    control = Qt.KeyboardModifier.ControlModifier
    desk.bot.keyClick(desk.window, Qt.Key.Key_Return, control)
    assert desk.document.correction == Correction(-83.0)
    assert desk.document.undo_stack.undoText() == "As measured: sound moved 83.0 ms earlier"
    assert not desk.studio.can_apply
    desk.bot.keyClick(desk.window, Qt.Key.Key_Z, control)
    assert desk.document.correction == NOTHING
    desk.bot.keyClick(desk.window, Qt.Key.Key_Y, control)
    assert desk.document.correction == Correction(-83.0)
    desk.bot.keyClick(desk.window, Qt.Key.Key_Z, control)
    desk.bot.keyClick(desk.window, Qt.Key.Key_Z, control | Qt.KeyboardModifier.ShiftModifier)
    assert desk.document.correction == Correction(-83.0)


@pytest.mark.parametrize(
    ("key", "modifiers", "moved"),
    [
        (Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier, -40.0),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier, 40.0),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier, -10.0),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier, 1.0),
    ],
)
def test_keys_nudge_by_a_frame_ten_and_one_milliseconds(
    desk: Desk, key: Qt.Key, modifiers: Qt.KeyboardModifier, moved: float
) -> None:
    desk.open()
    desk.bot.keyClick(desk.window, key, modifiers)
    assert desk.document.correction == Correction(moved)
    assert desk.document.undo_stack.count() == 1


def test_a_nudge_moves_a_drift_as_a_whole(desk: Desk) -> None:
    desk.open()
    desk.document.correct(DriftCorrection(5.0, 100.0), "drift")
    desk.window.actions_["nudge_ten_later"].trigger()
    assert desk.document.correction == DriftCorrection(15.0, 100.0)


def test_a_number_is_typed_with_words(desk: Desk) -> None:
    desk.open()
    box = desk.window.sync.box
    box.selectAll()
    desk.bot.keyClicks(box, "62,5 later")
    desk.bot.keyClick(box, Qt.Key.Key_Return)
    assert desk.document.correction == Correction(62.5)
    assert box.text() == "62.5 ms later"
    assert box.lineEdit().width() > 100
    box.selectAll()
    desk.bot.keyClicks(box, "nonsense")
    desk.bot.keyClick(box, Qt.Key.Key_Return)
    assert desk.document.correction == Correction(62.5)
    assert box.text() == "62.5 ms later"


def test_the_history_shows_reasons_and_goes_back_by_a_click(desk: Desk) -> None:
    desk.measure()
    desk.studio.apply_measured()
    desk.window.actions_["nudge_one_later"].trigger()
    view = desk.window.history.view
    texts = [view.model().index(row, 0).data() for row in range(view.model().rowCount())]
    assert texts == [
        "As it was opened",
        "As measured: sound moved 83.0 ms earlier",
        "Nudged: sound moved 1.0 ms later",
    ]
    view.setCurrentIndex(view.model().index(1, 0))
    assert desk.document.correction == Correction(-83.0)


def test_export_writes_a_copy_checks_it_and_measures_it(desk: Desk) -> None:
    desk.measure()
    desk.studio.apply_measured()
    desk.bot.keyClick(desk.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert desk.window.sidebar.page == "export"
    exports = desk.window.exports
    target = desk.clip.with_name("talk-insync.mp4")
    assert exports.command == f"{cli_program()} fix {desk.clip} --correction-ms -83 --mode lossless -o {target}"
    desk.bot.mouseClick(exports.export_button, Qt.MouseButton.LeftButton)
    desk.until(lambda: desk.studio.exporting.after is not None)
    assert exports.result_text == (
        "talk-insync.mp4 is written. Asked: sound moved 83.0 ms earlier. The file has: sound moved 83.0 ms earlier.\n"
        "Measured again: Sound and lips are together: in step (±6 ms). Nothing to correct."
    )
    before, after = probe(desk.clip), probe(desk.clip.with_name("talk-insync.mp4"))
    assert after.size > 0.9 * before.size


def test_a_drift_is_exported_stretched_and_no_other_way(desk: Desk) -> None:
    desk.open()
    desk.document.correct(DriftCorrection(5.0, 100.0), "drift")
    assert desk.window.exports.mode is Mode.STRETCH
    assert not desk.window.exports.mode_buttons[Mode.LOSSLESS].isVisibleTo(desk.window.exports)
    assert " --correction-ms 5 --drift-ppm 100 --mode stretch " in desk.window.exports.command


def test_the_command_of_jumps_is_one_that_the_terminal_understands(desk: Desk) -> None:
    desk.open()
    steps = StepCorrection(((Fraction(0), -83.0), (Fraction(10, 3), 40.5)))
    desk.document.correct(steps, "jumps")
    assert desk.window.exports.command == (
        f"{cli_program()} fix {desk.clip} --steps 0:-83,10/3:40.5 --mode piecewise"
        f" -o {desk.clip.with_name('talk-insync.mp4')}"
    )
    desk.bot.mouseClick(desk.window.exports.export_button, Qt.MouseButton.LeftButton)
    desk.until(lambda: desk.studio.exporting.report is not None)
    assert desk.studio.exporting.report is not None
    assert desk.studio.exporting.report.mode is Mode.PIECEWISE
    # The correction is not one number, and what is said of the copy is not, either.
    found = desk.studio.exporting.report.found
    assert found is not None
    assert found.key == "export.found"
    assert found.text() in desk.window.exports.result_text


@pytest.mark.parametrize("kind", Kind)
def test_the_correction_is_written_for_others(desk: Desk, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.measure()
    desk.studio.apply_measured()
    proposed: list[str] = []

    def accept(_parent: object, _title: str, name: str, _filter: str) -> tuple[str, str]:
        proposed.append(name)
        return name, ""

    monkeypatch.setattr("desktop_app.widgets.save_dialog.QFileDialog.getSaveFileName", accept)
    card = desk.window.exports.hand_on
    card.choose(kind)
    desk.bot.mouseClick(card.write_button, Qt.MouseButton.LeftButton)
    desk.until(lambda: not desk.studio.handing_on.is_running)
    (name,) = proposed
    assert Path(name).stat().st_size > 0
    assert card.result_text.startswith(f"{Path(name).name} is written.")
    assert ("whole frames" in card.result_text) == (kind is Kind.EDL)


def test_a_key_leads_to_what_is_written_for_others(desk: Desk) -> None:
    desk.open()
    control, alt = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
    desk.bot.keyClick(desk.window, Qt.Key.Key_E, control | alt)
    card = desk.window.exports.hand_on
    assert desk.window.sidebar.page == "export"
    desk.until(lambda: card.choice.hasFocus())
    desk.bot.keyClick(card.choice, Qt.Key.Key_Down)
    assert card.kind is Kind.FCPXML


def test_a_report_needs_a_measurement_and_a_file_a_place(desk: Desk, tmp_path: Path) -> None:
    desk.studio.settings["measure_on_open"] = False
    desk.open()
    card = desk.window.exports.hand_on
    card.choose(Kind.PAGE)
    assert not card.write_button.isEnabled()
    card.choose(Kind.EDL)
    assert card.write_button.isEnabled()
    card.write(tmp_path / "no such folder" / "a.edl")
    desk.until(lambda: not desk.studio.handing_on.is_running)
    assert "no such folder" in card.result_text


def test_the_file_beside_the_clip_is_read_with_it(desk: Desk) -> None:
    desk.open()
    desk.document.correct(Correction(-33), "moved")
    desk.window.exports.hand_on.choose(Kind.SIDECAR)
    desk.window.exports.hand_on.write(Kind.SIDECAR.target_for(desk.clip))
    desk.until(lambda: desk.studio.handing_on.written is not None)
    desk.document.correct(NOTHING, "forgotten")
    desk.window.close_clip()
    desk.open()
    assert desk.document.correction == Correction(-33)
    assert any("As the file beside the clip says" in text for text in desk.window.toasts.texts)


def test_another_file_is_only_replaced_after_a_yes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.open()
    target = desk.clip.with_name("other.mp4")
    target.write_bytes(b"precious")
    desk.window.exports.choose_target(target)
    desk.document.correct(Correction(40), "moved")
    monkeypatch.setattr(Question, "ask", lambda *_, **__: False)
    desk.window.export()
    assert not desk.studio.exporting.is_running
    assert target.read_bytes() == b"precious"
    monkeypatch.setattr(Question, "ask", lambda *_, **__: True)
    desk.window.export()
    desk.until(lambda: desk.studio.exporting.report is not None)
    assert probe(target).video is not None


def test_a_cancelled_export_leaves_no_file(desk: Desk) -> None:
    desk.open()
    desk.document.correct(Correction(40), "moved")
    before = set(desk.clip.parent.iterdir())
    desk.window.export()
    assert desk.studio.exporting.is_running
    desk.bot.mouseClick(desk.window.exports.cancel_button, Qt.MouseButton.LeftButton)
    assert not desk.studio.exporting.is_running
    desk.until(lambda: not desk.studio.engine.jobs)
    desk.until(lambda: set(desk.clip.parent.iterdir()) == before)  # the other process stops at its next step


def test_an_export_that_is_cancelled_too_late_is_taken_back(desk: Desk) -> None:
    desk.open()
    desk.document.correct(Correction(40), "moved")
    target = desk.window.exports.target
    assert target is not None
    desk.window.export()
    end = time.monotonic() + 20
    while not target.exists():  # the window hears of nothing meanwhile
        assert time.monotonic() < end
    desk.bot.mouseClick(desk.window.exports.cancel_button, Qt.MouseButton.LeftButton)
    desk.until(lambda: not desk.studio.engine.jobs)
    desk.until(lambda: not target.exists())
    assert desk.window.toasts.texts == []


def test_an_export_that_cannot_be_written_is_said_and_the_document_stays(desk: Desk, tmp_path: Path) -> None:
    desk.open()
    desk.document.correct(Correction(40), "moved")
    desk.window.exports.choose_target(tmp_path / "no such folder" / "out.mp4")
    desk.window.export()
    desk.until(lambda: desk.studio.exporting.refusal is not None)
    assert "no such folder" in desk.window.exports.result_text
    assert desk.document.correction == Correction(40)


def test_the_doctor_looks_when_his_page_is_opened_and_shows_places(desk: Desk) -> None:
    desk.open()
    desk.window.show_page("doctor")
    desk.until(lambda: desk.studio.examining.diagnosis is not None)
    doctor = desk.window.doctor
    diagnosis = desk.studio.examining.diagnosis
    assert diagnosis is not None
    assert len(doctor.findings) == len(diagnosis.findings) > 0
    assert doctor.findings[0].accessibleName() == diagnosis.findings[0].sentence.text()
    desk.bot.mouseClick(doctor.prepare_button, Qt.MouseButton.LeftButton)
    desk.until(lambda: desk.clip.with_name("talk.16k.wav").exists())
    desk.until(lambda: "The voice is in talk.16k.wav." in desk.window.toasts.texts)


def test_measuring_can_be_stopped_and_begun_again(desk: Desk) -> None:
    hold = desk.clip.with_suffix(".wait")
    hold.touch()
    desk.open()
    desk.until(lambda: desk.document.is_partial)
    desk.bot.mouseClick(desk.window.sync.cancel_button, Qt.MouseButton.LeftButton)
    assert not desk.studio.measuring.is_running
    assert desk.document.measurement is None
    hold.unlink()
    desk.bot.mouseClick(desk.window.sync.begin_button, Qt.MouseButton.LeftButton)
    desk.until(lambda: desk.document.measurement is not None and not desk.document.is_partial)


def test_an_engine_that_dies_while_measuring_is_said_and_the_document_stays(desk: Desk) -> None:
    desk.clip.with_suffix(".die").touch()
    desk.open()
    desk.document.correct(Correction(12), "moved")
    desk.until(lambda: desk.studio.measuring.refusal is not None)
    assert "stopped unexpectedly" in desk.window.sync.verdict_text
    assert desk.document.correction == Correction(12)
    desk.window.actions_["measure"].trigger()
    desk.until(lambda: desk.document.measurement is not None and not desk.document.is_partial)
    assert desk.window.sync.number_text == "83 ms late"


def test_a_clip_without_a_face_says_so(desk: Desk) -> None:
    desk.clip.with_suffix(".faceless").touch()
    desk.open()
    desk.until(lambda: desk.document.measurement is not None and not desk.document.is_partial)
    assert desk.window.sync.verdict_text == "Cannot be measured: no face is visible."
    assert not desk.studio.can_apply


def test_choosing_a_face_measures_again(desk: Desk) -> None:
    desk.measure()
    desk.window.preview.face_picked.emit(1)
    desk.until(lambda: not desk.studio.measuring.is_running and desk.document.measurement is not None)
    assert desk.document.measurement is not None
    assert desk.document.measurement.faces == 1
    desk.window.actions_.look_again()
    desk.window.actions_["any_face"].trigger()
    assert desk.document.face is None


@pytest.mark.parametrize("kind", ["nothing", "text", "empty", "sound", "picture", "truncated", "folder"])
def test_what_cannot_be_opened_is_said_and_what_is_open_stays(desk: Desk, tmp_path: Path, kind: str) -> None:
    desk.open()
    desk.document.correct(Correction(12), "moved")
    bad = tmp_path / {"sound": "bad.wav", "picture": "bad.png"}.get(kind, "bad.mp4")
    if kind == "text":
        bad.write_text("not a clip")
    elif kind == "empty":
        bad.touch()
    elif kind == "sound":
        make_clip(bad, seconds=1, codec=None, audio_codec="pcm_s16le")
        bad = bad.rename(bad.with_suffix(".mp4"))
    elif kind == "picture":
        bad.write_bytes(b"png")
    elif kind == "truncated":
        bad.write_bytes(desk.clip.read_bytes()[:2000])
    elif kind == "folder":
        bad.mkdir()
    desk.window.open_paths([bad], Zone.PICTURE)
    desk.until(lambda: bool(desk.window.toasts.texts))
    assert desk.document.path == desk.clip
    assert desk.document.correction == Correction(12)


def test_ten_thousand_files_that_are_no_clips_are_refused_together(desk: Desk, tmp_path: Path) -> None:
    desk.window.open_paths([tmp_path / f"{number}.txt" for number in range(10_000)])
    desk.until(lambda: len(desk.window.toasts.texts) == 1)
    assert "Nothing was added" in desk.window.toasts.texts[0]
    assert desk.window.start_page.isVisible()


def test_a_file_that_goes_away_while_open_is_said_at_the_next_measurement(desk: Desk) -> None:
    desk.measure()
    desk.clip.unlink()
    desk.window.actions_["write"].trigger()
    desk.until(lambda: desk.studio.exporting.refusal is not None)
    assert "talk.mp4" in desk.window.exports.result_text
    assert desk.document.path == desk.clip


def test_a_project_is_saved_opened_and_keeps_itself(desk: Desk, make_window: Callable[[], MainWindow]) -> None:
    desk.measure()
    desk.studio.apply_measured()
    desk.document.add_marker(1.5, "p")
    project = desk.clip.with_suffix(".plosive")
    desk.studio.save_as(project)
    assert desk.window.windowTitle() == "talk.plosive — Plosive"
    desk.window.actions_["nudge_one_later"].trigger()
    desk.window.close()
    assert read(project).state.correction == Correction(-82.0)
    other = Desk(make_window(), desk.bot, desk.clip)
    other.window.open_paths([project])
    other.until(lambda: other.document.path == desk.clip)
    assert other.document.correction == Correction(-82.0)
    assert other.document.markers[0].text == "p"
    assert other.document.measurement is not None
    assert not other.studio.measuring.is_running


def test_a_project_whose_media_moved_asks_once_and_relinks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    project = desk.clip.with_suffix(".plosive")
    save(Project(desk.clip, state=State(Correction(-5))), project)
    moved = desk.clip.parent / "elsewhere" / "renamed.mp4"
    moved.parent.mkdir()
    shutil.move(desk.clip, moved)
    asked: list[str] = []

    def answer(_parent: object, title: str, *_: object) -> tuple[str, str]:
        asked.append(title)
        return str(moved), ""

    monkeypatch.setattr("desktop_app.shell.file_dialogs.QFileDialog.getOpenFileName", answer)
    desk.window.open_paths([project])
    desk.until(lambda: desk.document.path == moved)
    assert asked == ["Where is talk.mp4 now?"]
    assert desk.document.correction == Correction(-5)


def test_a_broken_or_newer_project_is_said(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "newer.plosive").write_text('{"plosive": 99}')
    desk.window.open_paths([tmp_path / "newer.plosive"])
    assert "newer version" in desk.window.toasts.texts[0]


def test_a_clip_that_is_opened_again_is_as_it_was_left(desk: Desk) -> None:
    desk.open()
    desk.document.correct(Correction(-33), "moved")
    desk.window.close_clip()
    desk.open()
    assert desk.document.correction == Correction(-33)
    assert any("As you left it" in text for text in desk.window.toasts.texts)
    desk.studio.settings["remember_corrections"] = False
    desk.open()
    desk.until(lambda: desk.document.correction == NOTHING)


def test_closing_ends_every_process_and_leaves_nothing_behind(desk: Desk, own_folders: Path) -> None:
    desk.measure()
    desk.document.correct(Correction(1), "moved")
    desk.studio.autosave.save_now()
    desk.window.close()
    autosaves = own_folders / "state" / "autosave"
    assert not autosaves.exists() or not os.listdir(autosaves)  # noqa: PTH208


def test_what_a_crash_left_is_offered_and_opened_as_it_was(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Leftover(tmp_path / "session-1.plosive", Project(desk.clip, state=State(Correction(-61)), face=2))
    save(left.project, left.path)
    monkeypatch.setattr(Question, "ask", lambda *_, **__: True)
    desk.window.offer_recovery(left)
    desk.until(lambda: desk.document.path == desk.clip)
    assert desk.document.correction == Correction(-61)
    assert desk.document.face == 2
    assert not left.path.exists()


def test_what_a_crash_left_goes_away_when_it_is_not_wanted(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Leftover(tmp_path / "session-1.plosive", Project(desk.clip))
    save(left.project, left.path)
    monkeypatch.setattr(Question, "ask", lambda *_, **__: False)
    desk.window.offer_recovery(left)
    assert desk.document.path is None
    assert not left.path.exists()


def test_what_a_crash_left_stays_when_nobody_says_what_to_do_with_it(desk: Desk, tmp_path: Path) -> None:
    left = Leftover(tmp_path / "session-1.plosive", Project(desk.clip))
    save(left.project, left.path)

    def put_away() -> None:
        question = QApplication.activeModalWidget()
        assert isinstance(question, Question)
        assert question.yes_button.text() == "Open it as it was"
        desk.bot.keyClick(question, Qt.Key.Key_Escape)

    QTimer.singleShot(0, put_away)
    desk.window.offer_recovery(left)
    assert desk.document.path is None
    assert left.path.exists()


def test_the_blind_test_plays_both_in_an_unknown_order_and_leaves_the_player_as_it_was(desk: Desk) -> None:
    desk.measure()
    desk.studio.apply_measured()
    desk.bot.keyClick(desk.window, Qt.Key.Key_B)
    page = desk.window.findChild(BlindTestPage)
    assert page is not None
    for _ in range(page.test.rounds):
        plays_new = page.test.plays_new(Answer.FIRST)
        desk.bot.mouseClick(page.play_first, Qt.MouseButton.LeftButton)
        assert desk.window.player.correction == (Correction(-83.0) if plays_new else NOTHING)
        desk.bot.mouseClick(page.first if plays_new else page.second, Qt.MouseButton.LeftButton)
    assert page.sentence.startswith("Corrected: 8, as it was: 0")
    page.close()
    assert desk.window.player.correction == Correction(-83.0)
    assert desk.window.player.loop is None


def test_late_speakers_change_the_player_and_never_the_clip(desk: Desk) -> None:
    desk.open()
    desk.window.sync.calibration_wanted.emit()
    page = desk.window.findChild(SpeakersPage)
    assert page is not None
    page.box.setValue(180)
    assert list(desk.studio.settings["speakers_late_ms"].values()) == [180.0]
    assert desk.window.sync._clocks["computer"][1].text() == "speakers 180 ms late"
    assert desk.document.correction == NOTHING
    assert desk.document.undo_stack.count() == 0


def test_a_step_shows_where_it_leads_from_wherever_the_timeline_is(desk: Desk) -> None:
    desk.open()
    desk.window.player.seek(1.0)
    desk.until(lambda: desk.window.player.position == pytest.approx(1.0, abs=0.05))
    desk.window.timeline.set_span(4.0, 5.0)
    desk.window.actions_["step_forward"].trigger()
    desk.until(lambda: desk.window.timeline.span[0] <= desk.window.player.position <= desk.window.timeline.span[1])

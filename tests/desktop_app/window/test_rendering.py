"""A face and a voice become a clip: chosen, rendered, watched, stopped, taken up again, opened; and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QSpinBox, QWidget

from desktop_app.panels.generation.face_marker import GUESS
from desktop_app.panels.generation.page import GenerationPage
from desktop_app.panels.generation.render_log import RenderLogPage
from desktop_app.widgets.drop_overlay import Zone
from desktop_app.widgets.question import Question
from desktop_app.window import MainWindow
from desktop_app.work.rendering import Rendering, RenderItem, Stage
from tests.desktop_app.canned_renderer import FRAMES
from tests.desktop_app.window.conftest import Desk
from tests.desktop_app.window.test_everywhere import Watchdog
from tests.desktop_app.window.test_flows import drag
from tests.media import make_clip

LEFT, RIGHT = QPoint(200, 300), QPoint(1100, 300)


@pytest.fixture
def face(tmp_path: Path) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(np.full((90, 160, 3), 120, np.uint8)).save(path)
    return path


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "voice.wav", seconds=3, codec=None, audio_codec="pcm_s16le").path


@pytest.fixture
def page(desk: Desk) -> GenerationPage:
    """The generation page of the desk's window, its engines known."""
    desk.window.actions_["page_generate"].trigger()
    desk.until(lambda: "draft" in desk.window.generation.picker.cards)
    return desk.window.generation


def stages(rendering: Rendering) -> list[Stage]:
    return [item.stage for item in rendering.items]


def press(desk: Desk, button: QWidget) -> None:
    desk.until(button.isVisible)
    desk.bot.mouseClick(button, Qt.MouseButton.LeftButton)


def start(desk: Desk, page: GenerationPage, face: Path, voice: Path) -> int:
    """Choose face and voice, press Render, and return the render's number."""
    page.set_source(face)
    page.set_voice(voice)
    desk.until(page.render_button.isEnabled)
    press(desk, page.render_button)
    return desk.studio.rendering.items[-1].number


def item_of(desk: Desk, number: int) -> RenderItem:
    item = desk.studio.rendering.item(number)
    assert item is not None
    return item


def test_a_picture_and_a_voice_dropped_together_are_taken_to_the_renderer(desk: Desk, face: Path, voice: Path) -> None:
    drag(desk, [voice, face], LEFT, drop=False)
    assert desk.window.drop_target.overlay.zones == (Zone.RENDER,)
    drag(desk, [voice, face], LEFT, drop=True)
    page = desk.window.generation
    assert page.isVisible()
    assert (page.order.source, page.order.voice) == (face, voice)
    desk.until(lambda: page.inputs.face_well.facts == "160×90")
    desk.until(lambda: page.inputs.voice_well.facts == "0:03 · 48 kHz")
    assert page.order.target == voice.with_name("face-voice-draft.mp4")


def test_a_clip_and_a_voice_can_become_one_clip_or_a_render(desk: Desk, voice: Path) -> None:
    drag(desk, [desk.clip, voice], RIGHT, drop=False)
    assert desk.window.drop_target.overlay.zones == (Zone.PICTURE, Zone.RENDER)
    drag(desk, [desk.clip, voice], RIGHT, drop=True)
    page = desk.window.generation
    assert (page.order.source, page.order.voice) == (desk.clip, voice)
    assert desk.document.path is None


def test_on_the_page_zones_are_called_face_and_voice(desk: Desk, page: GenerationPage) -> None:
    drag(desk, [desk.clip], RIGHT, drop=False)
    assert desk.window.drop_target.overlay.zones == (Zone.FACE, Zone.SPEECH)
    drag(desk, [desk.clip], RIGHT, drop=True)
    assert (page.order.source, page.order.voice) == (None, desk.clip)
    drag(desk, [desk.clip], LEFT, drop=True)
    assert page.order.source == desk.clip


def test_a_video_offers_its_own_voice(desk: Desk, page: GenerationPage) -> None:
    page.set_source(desk.clip)
    press(desk, page.inputs.own_voice_button)
    assert page.order.voice == desk.clip
    assert page.order.target == desk.clip.with_name("talk-draft.mp4")


def test_what_has_no_face_or_no_sound_is_refused_and_taken_out(desk: Desk, page: GenerationPage, face: Path) -> None:
    page.set_voice(face)
    desk.until(lambda: any("no sound" in text for text in desk.window.toasts.texts))
    assert page.order.voice is None
    missing = face.with_name("gone.png")
    page.set_source(missing)
    desk.until(lambda: any("gone.png" in text for text in desk.window.toasts.texts))
    assert page.order.source is None
    assert not page.render_button.isEnabled()


def test_parameters_are_made_from_what_the_engine_declares(desk: Desk, page: GenerationPage) -> None:
    capabilities = desk.studio.engines.find("draft")
    assert capabilities is not None
    assert set(page.form.parameters) == {each.name for each in capabilities.parameters}
    parameter = capabilities.parameters[0]
    field = page.form.parameters[parameter.name]
    assert field.editor.accessibleName() == parameter.title.text()
    assert field.editor.accessibleDescription() == parameter.help.text()
    field.editor.setValue(parameter.maximum)  # type: ignore[attr-defined] # a number, as the next line shows
    assert page.order.choices.parameters[parameter.name] == parameter.maximum
    assert page.order.preset is None
    press(desk, field.back_button)
    assert page.order.choices.parameters[parameter.name] == parameter.default


def test_a_preset_sets_its_fields_and_makes_a_large_source_smaller(
    desk: Desk, page: GenerationPage, tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    Image.fromarray(np.zeros((1200, 1600, 3), np.uint8)).save(large)
    page.set_source(large)
    desk.until(lambda: page.inputs.face_well.facts == "1600×1200")
    width, height = page.order.choices.size or (0, 0)
    assert width * height <= 921_600
    assert width / height == pytest.approx(4 / 3, rel=0.01)
    press(desk, page.form.presets["best"])
    assert page.order.choices.size is None
    assert page.order.choices.crf == 14
    crf = page.form.fields["crf"].editor
    assert isinstance(crf, QSpinBox)
    crf.setValue(20)
    assert page.order.preset is None
    assert not page.form.presets["best"].isChecked()


def test_time_and_memory_are_told_before_anything_starts(
    desk: Desk, page: GenerationPage, face: Path, voice: Path
) -> None:
    page.set_source(face)
    page.set_voice(voice)
    desk.until(lambda: "GB memory" in page.estimate.text)
    assert page.estimate.text.startswith("takes about 0:")
    page.order.choose(fps=0)
    desk.until(lambda: "0 is not a frame rate" in page.estimate.text)


def test_a_render_is_watched_and_its_result_opened_beside_its_source(
    desk: Desk, page: GenerationPage, voice: Path
) -> None:
    (voice.with_suffix(".wait")).touch()
    number = start(desk, page, desk.clip, voice)
    track = desk.studio.rendering.track(number)
    desk.until(lambda: track.preview is not None and track.preview.frame == FRAMES // 2)
    plots = page.run_card.plots
    desk.until(lambda: page.stage.badge == "0:00.800" and plots.memory.value == "15.0 GB")
    assert page.stage.image.width() == 64
    assert page.run_card.state.startswith("Rendering  50 %")
    assert page.run_card.state.endswith(" left")
    assert plots.frame_time.value == "10.0 ms"
    assert plots.frame_time.threshold == pytest.approx(25.0)
    assert plots.memory.threshold == pytest.approx(21.0)
    assert plots.utilisation.isVisible()
    voice.with_suffix(".wait").unlink()
    desk.until(lambda: item_of(desk, number).stage is Stage.DONE)
    assert page.run_card.verdict.startswith("The clip came out of the engine with the sound 12 ms late (±6);")
    assert any("took 30 ms longer" in note for note in page.run_card.notes)
    press(desk, page.run_card.buttons["open"])
    desk.until(lambda: desk.document.path == voice.with_name("talk-voice-draft.mp4"))
    assert not page.isVisible()
    desk.window.actions_["page_generate"].trigger()
    press(desk, page.run_card.buttons["source"])
    desk.until(lambda: desk.document.path == desk.clip)


def test_whoever_looks_elsewhere_is_told_when_it_is_done(desk: Desk, page: GenerationPage, voice: Path) -> None:
    voice.with_suffix(".wait").touch()
    start(desk, page, desk.clip, voice)
    desk.window.actions_["page_clip"].trigger()
    voice.with_suffix(".wait").unlink()
    desk.until(lambda: any("talk-voice-draft.mp4 is rendered" in text for text in desk.window.toasts.texts))


def test_a_render_whose_process_dies_goes_on_where_it_was(desk: Desk, page: GenerationPage, voice: Path) -> None:
    voice.with_suffix(".die").touch()
    number = start(desk, page, desk.clip, voice)
    desk.until(lambda: item_of(desk, number).stage is Stage.FAILED)
    assert page.run_card.verdict.startswith("The engine stopped unexpectedly while it was rendering.")
    go_on = page.run_card.buttons["go_on"]
    assert go_on.isVisible()
    press(desk, go_on)
    desk.until(lambda: item_of(desk, number).stage is Stage.DONE)
    report = item_of(desk, number).report
    assert report is not None
    assert report.resumed_segments == 1


def test_a_render_that_dies_over_measuring_replaces_its_own_clip_but_nobody_elses(
    desk: Desk, page: GenerationPage, voice: Path
) -> None:
    voice.with_suffix(".late").touch()
    number = start(desk, page, desk.clip, voice)
    desk.until(lambda: item_of(desk, number).stage is Stage.FAILED)
    assert item_of(desk, number).spec.target.exists()
    press(desk, page.run_card.buttons["go_on"])
    desk.until(lambda: item_of(desk, number).stage is Stage.DONE)
    desk.studio.rendering.pause()
    number = start(desk, page, desk.clip, voice)
    stranger = item_of(desk, number).spec.target
    stranger.write_text("somebody's")
    desk.studio.rendering.resume()
    desk.until(lambda: item_of(desk, number).stage is Stage.FAILED)
    assert stranger.read_text() == "somebody's"


def test_the_event_loop_never_stalls_while_rendering_and_cancelling(
    desk: Desk, page: GenerationPage, voice: Path
) -> None:
    voice.with_suffix(".stuck").touch()
    page.set_source(desk.clip)
    page.set_voice(voice)
    desk.until(lambda: page.render_button.isEnabled() and page.inputs.face_well.facts != "")
    watchdog = Watchdog()
    page.render_now()
    number = desk.studio.rendering.items[-1].number
    desk.until(lambda: item_of(desk, number).done >= 0.5)
    ended: list[object] = []
    desk.studio.rendering._engine.jobs[0].ended.connect(ended.append)
    desk.studio.rendering.cancel(number)
    desk.until(lambda: bool(ended))
    assert item_of(desk, number).stage is Stage.CANCELLED
    assert watchdog.longest < 0.1


def test_a_cancelled_render_leaves_the_line_to_the_next_even_when_it_is_stuck(
    desk: Desk, page: GenerationPage, voice: Path, tmp_path: Path
) -> None:
    voice.with_suffix(".stuck").touch()
    other = make_clip(tmp_path / "other.wav", seconds=1, codec=None, audio_codec="pcm_s16le").path
    first = start(desk, page, desk.clip, voice)
    desk.until(lambda: desk.studio.rendering.track(first).preview is not None)
    second = start(desk, page, desk.clip, other)
    desk.until(lambda: item_of(desk, first).done >= 0.5)
    press(desk, page.renders.rows[first])
    press(desk, page.run_card.buttons["cancel"])
    assert item_of(desk, first).stage is Stage.CANCELLED
    desk.until(lambda: item_of(desk, second).stage is Stage.DONE)
    voice.with_suffix(".stuck").unlink()
    press(desk, page.run_card.buttons["go_on"])
    desk.until(lambda: item_of(desk, first).stage is Stage.DONE)


def test_waiting_renders_are_rearranged_and_removed_by_keys(desk: Desk, page: GenerationPage, voice: Path) -> None:
    rendering = desk.studio.rendering
    rendering.pause()
    numbers = [start(desk, page, desk.clip, voice) for _ in range(3)]
    targets = [item.spec.target.name for item in rendering.items]
    assert targets == ["talk-voice-draft.mp4", "talk-voice-draft-2.mp4", "talk-voice-draft-3.mp4"]
    desk.bot.keyClick(page.renders.rows[numbers[2]], Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert [item.number for item in rendering.items] == [numbers[0], numbers[2], numbers[1]]
    desk.bot.keyClick(page.renders.rows[numbers[0]], Qt.Key.Key_Delete)
    assert [item.number for item in rendering.items] == [numbers[2], numbers[1]]
    press(desk, page.renders.pause_button)
    desk.until(lambda: stages(rendering) == [Stage.DONE, Stage.DONE])


def test_renders_survive_a_restart_and_begin_nothing_by_themselves(
    desk: Desk, page: GenerationPage, voice: Path, make_window: Callable[[], MainWindow]
) -> None:
    voice.with_suffix(".wait").touch()
    start(desk, page, desk.clip, voice)
    desk.until(lambda: bool(desk.studio.rendering.items[0].done >= 0.5))
    start(desk, page, desk.clip, voice)
    desk.window.close()
    voice.with_suffix(".wait").unlink()
    after = Desk(make_window(), desk.bot, desk.clip)
    rendering = after.studio.rendering
    assert stages(rendering) == [Stage.WAITING, Stage.WAITING]
    assert rendering.is_paused
    after.window.notify_waiting()
    assert after.window.toasts.texts == ["Renders are waiting since last time."]
    after.window.actions_["page_generate"].trigger()
    after.window.actions_["pause_renders"].trigger()
    after.until(lambda: stages(rendering) == [Stage.DONE, Stage.DONE])
    first = rendering.items[0].report
    assert first is not None
    assert first.resumed_segments == 1


def test_the_engine_that_was_chosen_last_is_chosen_again(
    desk: Desk, page: GenerationPage, make_window: Callable[[], MainWindow]
) -> None:
    assert page.picker.cards["draft"].isChecked()
    press(desk, page.picker.cards["latentsync"])
    assert page.order.choices.engine == "latentsync"
    assert page.picker.cards["latentsync"].needs
    assert not page.render_button.isEnabled()
    desk.window.close()
    again = make_window()
    again.show_generation()
    desk.until(lambda: "latentsync" in again.generation.picker.cards)
    assert again.generation.picker.cards["latentsync"].isChecked()
    assert again.generation.order.choices.engine == "latentsync"


def test_a_damaged_list_of_renders_begins_anew(own_folders: Path, make_window: Callable[[], MainWindow]) -> None:
    (own_folders / "state").mkdir()
    (own_folders / "state" / "renders.json").write_text('{"version": 1, "items": [{"spec": {}}]}')
    assert make_window().studio.rendering.items == []


@pytest.mark.parametrize(("wish", "sentence"), [(".full", "Make room and render again"), (".gone", "There is no file")])
def test_what_goes_wrong_is_said_with_the_next_step(
    desk: Desk, page: GenerationPage, voice: Path, wish: str, sentence: str
) -> None:
    voice.with_suffix(".full").touch()
    number = start(desk, page, desk.clip, voice)
    if wish == ".gone":
        desk.until(lambda: item_of(desk, number).stage is Stage.FAILED)
        voice.unlink()
        desk.studio.rendering.go_on_with(number)
        desk.until(lambda: item_of(desk, number).stage is not Stage.FAILED)
    desk.until(lambda: item_of(desk, number).stage is Stage.FAILED)
    assert sentence in page.run_card.verdict
    assert page.run_card.buttons["go_on"].isVisible()


def test_a_face_that_is_not_found_is_marked_by_hand(desk: Desk, page: GenerationPage, voice: Path) -> None:
    voice.with_suffix(".faceless").touch()
    number = start(desk, page, desk.clip, voice)
    desk.until(lambda: item_of(desk, number).stage is Stage.FAILED)
    assert "Mark both eyes" in page.run_card.verdict
    press(desk, page.run_card.buttons["points"])
    marker = page.marker
    desk.until(marker.isVisible)
    assert page.order.choices.face_points == GUESS
    begin = marker.place(0).toPoint()
    desk.bot.mousePress(marker, Qt.MouseButton.LeftButton, pos=begin)
    desk.bot.mouseMove(marker, begin + QPoint(20, 10))
    desk.bot.mouseRelease(marker, Qt.MouseButton.LeftButton, pos=begin + QPoint(20, 10))
    assert marker.place(0).toPoint() == begin + QPoint(20, 10)
    desk.bot.keyClick(marker, Qt.Key.Key_Tab)
    before = marker.points[1]
    desk.bot.keyClick(marker, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert marker.points[1] == pytest.approx((before[0] - 0.01, before[1]))
    assert page.order.choices.face_points == marker.points
    press(desk, page.render_button)
    desk.until(lambda: desk.studio.rendering.items[-1].stage is Stage.DONE)
    assert desk.studio.rendering.items[-1].spec.face_points == marker.points
    press(desk, page.inputs.mark_button)
    assert page.order.choices.face_points == ()
    assert not marker.isVisible()


def test_the_offset_of_an_engine_is_measured_in_line(
    desk: Desk, page: GenerationPage, make_window: Callable[[], MainWindow]
) -> None:
    press(desk, page.picker.cards["draft"].calibrate_button)
    number = desk.studio.rendering.items[-1].number
    desk.until(lambda: item_of(desk, number).stage is Stage.DONE)
    assert page.run_card.verdict.endswith("12 ms late (±3).")
    assert not page.run_card.buttons["open"].isVisible()
    desk.window.close()
    (item,) = make_window().studio.rendering.items
    assert item.is_calibration
    assert item.profile is not None


def test_the_log_of_a_run_is_dropped_and_gives_advice(desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    times = [40.0] * 50 + [90.0] * 50
    log.write_text("\n".join(f"step {n} frame_gen_time: {ms} ms" for n, ms in enumerate(times)))
    drag(desk, [log], LEFT, drop=True)
    page = desk.window.findChild(RenderLogPage)
    assert page is not None
    desk.until(lambda: page.state == "Pictures timed: 100")
    assert any("took 50 ms longer" in text for text in page.advice)


def test_a_file_that_is_no_log_is_refused_in_words(desk: Desk, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("buy bread")
    desk.window.open_paths([notes])
    page = desk.window.findChild(RenderLogPage)
    assert page is not None
    desk.until(lambda: "notes.txt" in page.state)
    assert page.advice == []


def test_model_files_are_found_where_the_user_points_to(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    desk.window.actions_["page_models"].trigger()
    page, shelf = desk.window.models_page, desk.studio.shelf
    desk.until(lambda: shelf.library is not None and not shelf.is_busy)
    assert page.summary.startswith("0 of ")
    row = page.rows["liveavatar", "umt5-xxl-tokenizer"]
    assert row.text.startswith("missing")
    assert row.download_button.isEnabled()
    stick = tmp_path / "stick" / row.entry.place
    stick.parent.mkdir(parents=True)
    stick.write_text("{}")
    shelf.point_to(tmp_path / "stick")
    desk.until(lambda: not shelf.is_busy)
    assert row.text.startswith(str(stick))
    press(desk, row.check_button)
    desk.until(lambda: bool(shelf.checked))
    assert shelf.checked[stick].verdict.text() in row.text


def test_nothing_is_downloaded_before_the_user_has_agreed(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "models"))
    asked: list[str] = []

    def refuse(_parent: QWidget, _title: str, text: str, *_: str) -> bool:
        asked.append(text)
        return False

    monkeypatch.setattr(Question, "ask", refuse)
    desk.window.actions_["page_models"].trigger()
    page, shelf = desk.window.models_page, desk.studio.shelf
    desk.until(lambda: shelf.library is not None and not shelf.is_busy)
    press(desk, page.rows["latentsync", "latentsync-1.6-unet"].download_button)
    assert "5.1 GB" in asked[0]
    assert "OpenRAIL++" in asked[0]
    assert not shelf.is_busy


def test_a_prompt_is_checked_against_the_voice(desk: Desk, page: GenerationPage, voice: Path) -> None:
    page.set_voice(voice)
    prompt = page.form.prompt
    assert not prompt.isVisible()
    page.picker.choose("liveavatar")
    desk.until(prompt.isVisible)
    prompt.field.setPlainText("A man is shouting")
    assert page.order.choices.prompt == "A man is shouting"
    press(desk, prompt.check_button)
    desk.until(lambda: "follows the voice" in prompt.findings, 60)
    press(desk, prompt.take_button)
    proposal = page.order.choices.prompt
    assert "synchronized to speech" in proposal
    assert prompt.field.toPlainText() == proposal
    assert prompt.findings == ""

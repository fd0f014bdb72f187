"""The choices of a render that not every engine heeds, those brought over from elsewhere, and where the list is."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QSpinBox

from desktop_app.panels.generation.fields import Field
from desktop_app.panels.generation.page import GenerationPage
from desktop_app.panels.generation.take_over import TakeOverPage
from tests.desktop_app.window.conftest import Desk
from tests.desktop_app.window.test_everywhere import HEAVY, ROOT


@pytest.fixture
def page(desk: Desk) -> GenerationPage:
    """The generation page of the desk's window, its engines known and all of its form unfolded."""
    desk.window.show_generation()
    page = desk.window.generation
    desk.until(lambda: "liveavatar" in page.picker.cards)
    page.form._more.head.click()
    return page


def spin_box(field: Field) -> QSpinBox:
    assert isinstance(field.editor, QSpinBox)
    return field.editor


def test_only_what_the_engine_heeds_is_offered(page: GenerationPage) -> None:
    offered = {}
    for name in ("draft", "musetalk", "latentsync", "liveavatar"):
        page.picker.choose(name)
        some = ("lead_in", "online_decode", "online_decode_chunk")
        offered[name] = [each for each in some if page.form.fields[each].isVisible()]
    assert offered == {
        "draft": [],
        "musetalk": ["online_decode_chunk"],
        "latentsync": ["online_decode_chunk"],
        "liveavatar": ["lead_in", "online_decode"],
    }


def test_a_number_that_is_left_to_the_engine_is_none(desk: Desk, page: GenerationPage) -> None:
    page.picker.choose("liveavatar")
    field = page.form.fields["lead_in"]
    box = spin_box(field)
    assert (box.text(), page.order.choices.lead_in) == ("Automatic", None)
    box.setValue(0)
    assert page.order.choices.lead_in == 0
    desk.bot.mouseClick(field.back_button, Qt.MouseButton.LeftButton)
    assert (box.text(), page.order.choices.lead_in) == ("Automatic", None)
    limit = spin_box(page.form.fields["most_frames"])
    assert limit.text() == "No limit"
    limit.setValue(250)
    assert page.order.choices.most_frames == 250


def test_the_mouth_is_moved_from_certain_times_on(desk: Desk, page: GenerationPage) -> None:
    line = page.form.fields["audio_offset_steps"].editor
    assert isinstance(line, QLineEdit)
    desk.bot.keyClicks(line, "1:05 10 later; 30 20 e")
    desk.bot.keyClick(line, Qt.Key.Key_Return)
    assert page.order.choices.audio_offset_steps == ((Fraction(30), -20.0), (Fraction(65), 10.0))
    assert line.text() == "0:30 20 ms earlier; 1:05 10 ms later"
    desk.bot.keyClicks(line, "; nonsense")
    assert line.property("tone") == "bad"
    desk.bot.keyClick(line, Qt.Key.Key_Return)
    assert page.order.choices.audio_offset_steps == ((Fraction(30), -20.0), (Fraction(65), 10.0))
    assert line.text().endswith("nonsense")
    line.clear()
    desk.bot.keyClick(line, Qt.Key.Key_Return)
    assert page.order.choices.audio_offset_steps == ()


def test_nothing_is_corrected_that_is_not_measured(page: GenerationPage) -> None:
    page.order.choose(verify=False)
    assert not page.form.fields["correct_bias"].isEnabled()
    page.order.choose(verify=True)
    assert page.form.fields["correct_bias"].isEnabled()


def test_in_a_narrow_window_two_tabs_lead_to_choices_and_renders(desk: Desk, page: GenerationPage) -> None:
    new, renders = page.columns.tabs
    assert page.renders.isVisible()
    assert not new.isVisible()
    desk.window.resize(900, 600)
    desk.until(new.isVisible)
    assert page.inputs.face_well.isVisible()
    assert not page.renders.isVisible()
    desk.bot.mouseClick(renders, Qt.MouseButton.LeftButton)
    assert page.renders.isVisible()
    assert not page.inputs.face_well.isVisible()
    page.set_source(desk.clip)
    assert page.inputs.face_well.isVisible()
    desk.bot.mouseClick(renders, Qt.MouseButton.LeftButton)
    desk.window.resize(1280, 720)
    desk.until(lambda: not new.isVisible())
    assert page.renders.isVisible()
    assert page.inputs.face_well.isVisible()


def pasted(desk: Desk, page: GenerationPage, text: str) -> TakeOverPage:
    """Open the page for settings from elsewhere, paste a text, and wait until it was read."""
    page.picker.choose("liveavatar")
    desk.bot.mouseClick(page.picker.cards["liveavatar"].settings_button, Qt.MouseButton.LeftButton)
    dialog = desk.window.findChild(TakeOverPage)
    assert dialog is not None
    dialog.text.setPlainText(text)
    desk.until(lambda: bool(dialog.said or dialog.problem))
    return dialog


def test_a_command_line_is_explained_and_taken_over(desk: Desk, page: GenerationPage, tmp_path: Path) -> None:
    face = tmp_path / "my face.png"
    Image.fromarray(np.full((384, 704, 3), 120, np.uint8)).save(face)
    page.set_voice(desk.clip)
    dialog = pasted(
        desk,
        page,
        f'--size "704*384" --infer_frames 50 --base_seed 420 --image "{face}" --audio /nowhere/voice.wav'
        ' --prompt "A woman speaks" --enable_online_decode --ulysses_size 1 --sparkle 3',
    )
    assert "size: Size: 704 × 384" in dialog.said
    assert "infer_frames: Pictures per clip: 48" in dialog.said
    assert "audio: “/nowhere/voice.wav” is not on this computer; what you have chosen here stays." in dialog.said
    assert any("sparkle" in said for said in dialog.said)
    desk.bot.mouseClick(dialog.use_button, Qt.MouseButton.LeftButton)
    chosen = page.order.choices
    assert (chosen.engine, chosen.size, chosen.seed, chosen.prompt) == ("liveavatar", (704, 384), 420, "A woman speaks")
    assert (chosen.parameters["infer_frames"], chosen.online_decode) == (48, True)
    assert (page.order.source, page.order.voice) == (face, desk.clip)
    assert page.order.preset is None
    assert page.form.prompt.field.toPlainText() == "A woman speaks"


@pytest.mark.parametrize(
    ("text", "problem"), [("buy bread", "There are no settings"), ("--sample_steps many", "cannot be many")]
)
def test_what_is_no_setting_is_said_and_changes_nothing(
    desk: Desk, page: GenerationPage, text: str, problem: str
) -> None:
    dialog = pasted(desk, page, text)
    assert problem in dialog.problem
    assert not dialog.use_button.isEnabled()
    before = page.order.choices
    desk.bot.keyClick(dialog, Qt.Key.Key_Escape)
    assert page.order.choices == before


def test_taking_over_is_found_in_the_menu(desk: Desk) -> None:
    desk.window.actions_["take_over"].trigger()
    dialog = desk.window.findChild(TakeOverPage)
    assert dialog is not None
    assert dialog.isVisible()
    assert desk.window.generation.isVisible()


def test_the_page_that_takes_over_brings_nothing_heavy_with_it() -> None:
    script = (
        "import sys, desktop_app.panels.generation.take_over\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_a_page_that_is_open_is_not_opened_again(desk: Desk) -> None:
    for _ in range(2):
        desk.window.actions_["settings"].trigger()
    assert len([each for each in desk.window.findChildren(QDialog) if each.isVisible()]) == 1

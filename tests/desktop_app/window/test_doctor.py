"""The doctor's page: each finding with what can be done about it, by a button, on a copy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFrame, QPushButton

from desktop_app.document.corrections import NOTHING
from engine.media.probe import probe
from engine.media.samples import read_samples
from engine.timing import Correction
from tests.desktop_app.made import RATE, write_sound
from tests.desktop_app.window.conftest import Desk


def links(desk: Desk, code: str) -> dict[str, QPushButton]:
    """Return the buttons of a finding by their texts."""
    diagnosis = desk.studio.examining.diagnosis
    assert diagnosis is not None
    frames: list[QFrame] = desk.window.doctor.findings
    frame = frames[[finding.code for finding in diagnosis.findings].index(code)]
    return {found.text(): found for found in frame.findChildren(QPushButton)}


def examine(desk: Desk, *paths: Path) -> None:
    desk.window.open_paths(paths)
    desk.until(lambda: desk.document.path is not None and not desk.studio.measuring.is_running)
    desk.window.show_page("doctor")
    desk.until(lambda: desk.studio.examining.diagnosis is not None)


def quiet(seconds: float = 6.0) -> np.ndarray:
    noise = np.random.default_rng(4).normal(0, 0.003, round(seconds * RATE))
    return np.stack([noise + 0.03, np.zeros_like(noise)], axis=1)


def test_everything_that_can_be_put_right_is_put_right_in_one_copy(desk: Desk, tmp_path: Path) -> None:
    examine(desk, desk.clip, write_sound(tmp_path / "voice.wav", quiet()))
    assert any("louder in a copy" in text for text in links(desk, "too_quiet"))
    assert "Fix in a copy" in links(desk, "dead_channel")
    desk.window.doctor.fix_button.click()
    assert desk.window.sidebar.page == "export"
    fixed = desk.clip.with_name("talk-fixed.mp4")
    desk.until(lambda: fixed.exists() and not desk.studio.exporting.is_running)
    samples = np.concatenate([block.data for block in read_samples(fixed, sample_rate=None, channels=None)])
    assert samples.shape[1] == 2
    assert np.std(samples[:, 1]) == pytest.approx(np.std(samples[:, 0]), rel=0.05)
    assert np.std(samples) > 5 * 0.003
    assert abs(samples[RATE:].mean()) < 1e-3
    assert probe(fixed).video is not None
    assert desk.document.correction == NOTHING


def test_exporting_does_not_come_next_where_there_is_something_to_cure(desk: Desk, tmp_path: Path) -> None:
    def is_export_next() -> bool:
        return bool(desk.window.header._export.property("kind") == "primary")

    desk.studio.settings["measure_on_open"] = False
    examine(desk, desk.clip, write_sound(tmp_path / "voice.wav", quiet()))
    desk.studio.nudge(-10)
    assert desk.window.doctor.fix_button.isVisible()
    assert not is_export_next()
    desk.window.show_page("history")
    assert is_export_next()


def test_another_clip_is_examined_while_the_page_is_open(desk: Desk, tmp_path: Path) -> None:
    examine(desk, desk.clip)
    first = desk.studio.examining.diagnosis
    voice = write_sound(tmp_path / "voice.wav", quiet())
    desk.window.open_paths([desk.clip, voice])
    desk.until(lambda: desk.studio.examining.diagnosis not in (None, first))
    diagnosis = desk.studio.examining.diagnosis
    assert diagnosis is not None
    assert diagnosis.file == voice


def test_a_copy_is_moved_as_the_clip_is(desk: Desk, tmp_path: Path) -> None:
    examine(desk, desk.clip, write_sound(tmp_path / "voice.wav", quiet()))
    desk.document.correct(Correction(-40.0), "moved")
    links(desk, "dead_channel")["Fix in a copy"].click()
    desk.until(lambda: desk.studio.exporting.report is not None)
    report = desk.studio.exporting.report
    assert report is not None
    assert report.asked_ms == pytest.approx(-40.0)
    desk.until(lambda: not desk.studio.exporting.is_running)


def test_an_encoders_delay_is_taken_off_by_moving_the_sound(desk: Desk, tmp_path: Path) -> None:
    noise = np.random.default_rng(4).normal(0, 0.1, (5 * RATE, 2))
    noise[:1024] = 0
    examine(desk, desk.clip, write_sound(tmp_path / "voice.wav", noise))
    links(desk, "encoder_padding")["Move the sound 21.3 ms earlier"].click()
    assert desk.document.correction == Correction(-21.3)
    assert desk.document.undo_stack.undoText() == "Encoder's delay taken off"


def test_sound_at_its_true_rate_is_written_beside_the_recording_and_can_be_used(desk: Desk, tmp_path: Path) -> None:
    voice = write_sound(tmp_path / "voice.wav", quiet())
    examine(desk, desk.clip, voice)
    desk.studio.examining.relabel(44_100)
    made = tmp_path / "voice-44100.wav"
    desk.until(made.exists)
    desk.until(lambda: not desk.studio.examining.is_running)
    desk.studio.open_sound(made)
    desk.until(lambda: desk.document.sound_path == made)

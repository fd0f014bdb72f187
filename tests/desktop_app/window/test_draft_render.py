"""With the real engine's process and the real Draft engine: a drawn face is rendered, measured and opened."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_app import places
from desktop_app.document.settings import Settings
from desktop_app.studio import Studio
from desktop_app.window import MainWindow
from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.rendering import Stage
from engine.generation.report import SyncCheck
from engine.media.probe import probe
from engine.refusal import Refusal
from engine.verbs import sample
from tests.desktop_app.window.conftest import Desk


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """The project's own drawn person, who speaks for some seconds."""
    made = sample(tmp_path / "talk.mp4", offset_ms=0.0)
    assert not isinstance(made, Refusal)
    short = tmp_path / "short.mp4"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(tmp_path / "talk.mp4"), "-t", "6", "-c", "copy"]
    subprocess.run([*ffmpeg, str(short)], check=True)
    return short


@pytest.mark.slow
@pytest.mark.usefixtures("own_folders")
def test_a_drawn_face_is_rendered_measured_and_opened(qtbot: QtBot, qapp: QApplication, talk: Path) -> None:  # noqa: ARG001
    renderer = EngineProcess(places.log_folder() / "render-engine.txt")
    window = MainWindow(Studio(Settings(places.config_folder() / "settings.json"), render_engine=renderer))
    qtbot.addWidget(window)
    window.show()
    desk = Desk(window, qtbot, talk)
    window.actions_["page_generate"].trigger()
    page, rendering = window.generation, desk.studio.rendering
    desk.until(lambda: "draft" in page.picker.cards, 60)
    page.set_source(talk)
    page.set_voice(talk)
    desk.until(lambda: "GB memory" in page.estimate.text, 60)
    seen: list[int] = []
    rendering.watched.connect(lambda number: seen.append(number))
    window.actions_["render"].trigger()
    desk.until(lambda: rendering.items[0].stage in {Stage.DONE, Stage.FAILED}, 240)
    report = rendering.items[0].report
    assert report is not None, rendering.items[0].refusal
    assert report.check in {SyncCheck.PASSED, SyncCheck.CORRECTED}
    assert seen
    assert rendering.track(1).preview is not None
    assert page.stage.image.height() > 0
    assert page.run_card.verdict == report.verdict.text()
    info = probe(report.path)
    assert info.video is not None
    assert info.audio is not None
    window.generation.opened.emit(report.path)
    desk.until(lambda: desk.document.path == report.path)
    desk.until(lambda: renderer.pid is None)  # it is gone, and the memory that it had on a graphics card with it
    window.close()

"""Short questions to the engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop_app.work.asking import Planning
from desktop_app.work.engine_process import EngineProcess
from engine.generation.spec import RenderSpec

COMMAND = (sys.executable, "-m", "tests.desktop_app.canned_renderer")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineProcess]:
    engine = EngineProcess(tmp_path / "log.txt", COMMAND, cancel_seconds=0.5)
    yield engine
    engine.stop()


def test_a_plan_is_asked_for_when_choices_rest_and_never_after_the_end(
    qtbot: QtBot, engine: EngineProcess, tmp_path: Path
) -> None:
    for name in ("face.png", "voice.wav"):
        (tmp_path / name).touch()
    spec = RenderSpec(source=tmp_path / "face.png", voice=tmp_path / "voice.wav", target=tmp_path / "out.mp4")
    planning = Planning(engine)
    planning.want(spec)
    assert planning.is_asking
    qtbot.waitUntil(lambda: planning.estimate is not None or planning.refusal is not None, timeout=20_000)
    planning.close()
    planning.want(spec, again=True)
    assert not planning.is_asking

"""Trying an engine leaves a clip of the sample person, measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.generation.report import RenderReport, SyncCheck
from engine.generation.trial import try_engine
from engine.jobs import run
from engine.media.probe import probe
from engine.refusal import Refusal


@pytest.mark.slow
def test_the_sample_person_speaks_and_is_measured(tmp_path: Path) -> None:
    target = tmp_path / "trial.mp4"
    report = run(try_engine("draft", target))
    assert isinstance(report, RenderReport), report
    assert report.check is not SyncCheck.SKIPPED
    info = probe(target)
    assert info.video is not None
    assert info.audio is not None
    assert float(info.video.duration or 0) >= 5
    again = run(try_engine("draft", target))
    assert isinstance(again, Refusal)


def test_an_engine_that_is_not_there_is_refused(tmp_path: Path) -> None:
    answer = run(try_engine("nobody", tmp_path / "trial.mp4"))
    assert isinstance(answer, Refusal)
    assert answer.code == "generation.no_engine"
    assert list(tmp_path.iterdir()) == []

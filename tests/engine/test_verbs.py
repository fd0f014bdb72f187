"""The verbs as a Python program calls them."""

from __future__ import annotations

import inspect
from fractions import Fraction
from pathlib import Path

import pytest

from engine import verbs
from engine.fix_report import FixReport
from engine.jobs import Progress
from engine.refusal import Refusal
from engine.sound.finding import Diagnosis
from engine.sound.prepared import Prepared
from engine.sync.result import Kind, Measurement
from tests.media import make_clip


def test_measure_and_plot(talking_clip: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    result = verbs.measure(talking_clip, on_progress=seen.append)
    assert isinstance(result, Measurement)
    assert result.kind is Kind.CONSTANT
    assert seen
    assert all(0 <= progress.done <= 1 for progress in seen)
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert verbs.plot(result, tmp_path / "p.png") == tmp_path / "p.png"


def test_fix(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=2).path
    report = verbs.fix(clip, tmp_path / "b.mp4", correction_ms=10)
    assert isinstance(report, FixReport)
    assert report.output == str(tmp_path / "b.mp4")


def test_prepare_and_doctor(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=3).path
    prepared = verbs.prepare(clip, tmp_path / "a.wav", fps=Fraction(25))
    assert isinstance(prepared, Prepared)
    assert prepared.fps == 25
    assert isinstance(verbs.doctor(clip), Diagnosis)


@pytest.mark.parametrize("verb", [verbs.measure, verbs.fix, verbs.doctor, verbs.prepare])
def test_a_bad_file_is_a_refusal_not_an_exception(verb, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.mp4").write_text("not media")
    refusal = verb(tmp_path / "a.mp4")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "media.not_media"


def test_a_sample_that_cannot_be_written_is_a_refusal(tmp_path: Path) -> None:
    assert isinstance(verbs.sample(tmp_path / "a.avi"), Refusal)
    assert isinstance(verbs.sample(tmp_path / "none" / "a.mp4"), Refusal)


def test_an_exception_of_the_watcher_ends_the_work(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=2).path

    def stop(_: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        verbs.fix(clip, tmp_path / "b.mp4", correction_ms=10, on_progress=stop)
    assert list(tmp_path.iterdir()) == [clip]


def test_every_verb_explains_itself() -> None:
    public = [
        value for name, value in vars(verbs).items() if inspect.isfunction(value) and value.__module__ == verbs.__name__
    ]
    assert len(public) > 6  # or the search above has gone blind
    for verb in public:
        assert verb.__doc__ is not None
        names = set(inspect.signature(verb).parameters)
        assert {name for name in names if f"{name}:" not in verb.__doc__} == set()

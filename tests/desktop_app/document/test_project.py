"""Project files: what goes in comes out, also after a move; what cannot be read is said."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import pytest

from desktop_app.document.document import Marker, State
from desktop_app.document.project import Project, project_of, read, save
from engine.refusal import Refused
from engine.timing import Correction, DriftCorrection, StepCorrection
from tests.desktop_app.made import measurement


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "shoot" / "嘴 clip.mp4"
    path.parent.mkdir()
    path.write_bytes(b"clip")
    return path


@pytest.mark.parametrize(
    "correction",
    [Correction(-83.25), DriftCorrection(10.0, -145.5), StepCorrection(((Fraction(0), 1.0), (Fraction(7, 3), -2.0)))],
)
def test_everything_comes_back(clip: Path, correction: object) -> None:
    state = State(correction, (Marker(1.0, "a"), Marker(2.5)), 0.5, None)  # type: ignore[arg-type]
    found = measurement(30)
    save(Project(clip, None, state, 2, found), clip.with_suffix(".plosive"))
    back = read(clip.with_suffix(".plosive"))
    assert (back.path, back.sound_path, back.state, back.face) == (clip, None, state, 2)
    assert back.measurement is not None
    assert back.measurement.to_json() == found.to_json()


def test_media_that_moved_along_with_the_project_are_found(clip: Path, tmp_path: Path) -> None:
    project = clip.with_suffix(".plosive")
    save(Project(clip), project)
    clip.parent.rename(tmp_path / "elsewhere")
    assert read(tmp_path / "elsewhere" / project.name).path == tmp_path / "elsewhere" / clip.name


def test_a_project_that_moved_alone_finds_its_media_where_they_were(clip: Path, tmp_path: Path) -> None:
    project = clip.with_suffix(".plosive")
    save(Project(clip), project)
    assert read(project.rename(tmp_path / project.name)).path == clip


def test_media_that_went_away_are_named_and_relinked_together(clip: Path, tmp_path: Path) -> None:
    voice = clip.with_suffix(".wav")
    voice.write_bytes(b"voice")
    project = Project(clip, voice)
    clip.parent.rename(tmp_path / "elsewhere")
    assert project.missing == (clip, voice)
    relinked = project.relinked(clip, tmp_path / "elsewhere" / clip.name)
    assert relinked.missing == ()
    assert relinked.sound_path == tmp_path / "elsewhere" / voice.name


def test_the_version_before_is_kept(clip: Path) -> None:
    project = clip.with_suffix(".plosive")
    save(Project(clip, state=State(Correction(1))), project)
    save(Project(clip, state=State(Correction(2))), project)
    assert read(project.with_name(f"{project.name}.bak")).state.correction == Correction(1)
    assert read(project).state.correction == Correction(2)


def test_a_crash_while_saving_leaves_a_whole_project(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = clip.with_suffix(".plosive")
    save(Project(clip, state=State(Correction(1))), project)
    real = Path.replace

    def crash(self: Path, target: Path) -> Path:
        if target == project:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        save(Project(clip, state=State(Correction(2))), project)
    assert read(project).state.correction == Correction(1)


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_others_may_read_a_project_as_they_may_any_file(clip: Path) -> None:
    project = clip.with_suffix(".plosive")
    save(Project(clip), project)
    assert project.stat().st_mode == clip.stat().st_mode
    project.chmod(0o660)
    save(Project(clip), project)
    assert project.stat().st_mode & 0o777 == 0o660


def test_a_damaged_project_leads_to_the_version_before_where_there_is_one(clip: Path) -> None:
    project = clip.with_suffix(".plosive")
    for _ in range(2):
        save(Project(clip), project)
    project.write_text("{")
    with pytest.raises(Refused, match=r"\.bak"):
        read(project)
    before = project.with_name(f"{project.name}.bak")
    assert project_of(before) == project_of(project) == project
    assert project_of(clip) is None
    assert project_of(clip.with_name(f"{clip.name}.bak")) is None
    assert read(before).path == clip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (json.dumps({"plosive": 99}), "window.project_newer"),
        ("{", "window.project_damaged"),
        ("[]", "window.project_damaged"),
        (json.dumps({"plosive": 1}), "window.project_damaged"),
        (json.dumps({"plosive": 1, "media": {}, "sound": None, "correction": 5}), "window.project_damaged"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "some.plosive"
    path.write_text(text)
    with pytest.raises(Refused) as refused:
        read(path)
    assert refused.value.refusal.code == code
    assert "some.plosive" in str(refused.value)


def test_a_project_that_is_not_there_or_cannot_be_written_is_said(tmp_path: Path, clip: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        read(tmp_path / "none.plosive")
    with pytest.raises(Refused, match="could not be saved"):
        save(Project(clip), clip / "inside-a-file.plosive")

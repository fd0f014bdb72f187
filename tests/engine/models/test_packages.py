"""Without the neural packages the program says what to install."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.file_jobs import syncnet_file
from engine.generation.backends.musetalk import backend
from engine.jobs import run
from engine.models import packages
from engine.models.catalog import entry
from engine.models.downloading import download
from engine.models.packages import missing_packages
from engine.refusal import Refusal


def test_what_is_installed_is_not_missing() -> None:
    assert missing_packages(("json", "no_such_package_anywhere")) == ("no_such_package_anywhere",)


def test_whatever_needs_networks_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda _name: None)
    jobs = (
        syncnet_file(str(tmp_path / "clip.mp4"), detector="syncnet", audio=None, thorough=False, face=None),
        syncnet_file(str(tmp_path / "clip.mp4"), detector="stable-syncnet", audio=None, thorough=False, face=None),
        download(entry("syncnet-v2")),
    )
    for job in jobs:
        answer = run(job)
        assert isinstance(answer, Refusal)
        assert answer.code == "models.packages"
        assert "plosive[neural]" in str(answer)
    assert any("PyTorch" in each.name and not each.is_ready for each in backend().capabilities().requirements)

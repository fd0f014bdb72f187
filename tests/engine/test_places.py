"""Where the program keeps its own files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desktop_app import places as window
from engine.generation.external import external_folder
from engine.generation.profiles import profiles_path
from engine.models.places import models_folder
from engine.places import cache_folder, data_folder

OWN: list[Callable[[], Path]] = [
    cache_folder,
    data_folder,
    external_folder,
    models_folder,
    profiles_path,
    window.config_folder,
    window.log_folder,
    window.sample_folder,
    window.state_folder,
]


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLOSIVE_HOME", "PLOSIVE_CACHE", "PLOSIVE_MODELS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("place", OWN)
def test_one_folder_holds_them_all(place: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Plosive" in place().parts
    monkeypatch.setenv("PLOSIVE_HOME", str(tmp_path))
    assert place().is_relative_to(tmp_path)
    assert place() != tmp_path


def test_caches_and_models_are_moved_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLOSIVE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLOSIVE_CACHE", str(tmp_path / "fast"))
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "big"))
    assert cache_folder() == tmp_path / "fast"
    assert models_folder() == tmp_path / "big"
    assert data_folder().is_relative_to(tmp_path / "home")

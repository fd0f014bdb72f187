"""A folder of models of the tests' own, and small files with the marks of official ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engine.models.catalog import kinds

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's models and caches out of the tests."""
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "models"


@pytest.fixture
def write() -> Write:
    """Return ``write(path, kind, legacy=False)``: a small file of a kind."""

    def make(path: Path, kind: str, *, legacy: bool = False) -> Path:
        marks = next(each.marks for each in kinds() if each.name == kind)
        state = {name: torch.zeros([side or 2 for side in shape]) for name, shape in marks}
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, path, _use_new_zipfile_serialization=not legacy)
        return path

    return make

"""What all tests share: where real clips and reference numbers are, a cache of their own, clips made once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.words import use_language
from tests.media import Clip, make_clip

pytest.register_assert_rewrite("tests.desktop_app.window.walking", "tests.golden")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's cache out of the tests."""
    monkeypatch.setenv("PLOSIVE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Begin and end every test in English."""
    use_language("en")
    yield
    use_language("en")


@pytest.fixture(scope="session")
def clips_folder() -> Path:
    """The folder of real talking clips (``PLOSIVE_CLIPS``); the test is skipped where there is none."""
    return _folder("PLOSIVE_CLIPS", "clips")


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    """The folder of reference numbers (``PLOSIVE_GOLDEN``); the test is skipped where there is none."""
    return _folder("PLOSIVE_GOLDEN", "golden")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Clip]:
    """Return ``clip(name, **recipe)``: as :func:`tests.media.make_clip`, each recipe being written once per session.

    The file is shared between tests: read it, do not change it.
    """
    made: dict[str, Clip] = {}

    def make(name: str, **recipe: Any) -> Clip:
        key = f"{name} {sorted(recipe.items())}"
        if key not in made:
            made[key] = make_clip(tmp_path_factory.mktemp("clip") / name, **recipe)
        return made[key]

    return make


def _folder(variable: str, name: str) -> Path:
    folder = Path(os.environ.get(variable) or ROOT.parent / "shared" / name)
    if not folder.is_dir():
        pytest.skip(f"{variable} names no folder")
    return folder

"""Talking clips made by code, whose offset is known to the sample; each is drawn once per session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.jobs import run
from engine.sample.clip import build_sample_clip


@pytest.fixture(scope="session")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return ``talking(**choices)``: the path of a sample clip, by default 10 s of 480x480, in step."""
    made: dict[str, Path] = {}

    def make(**choices: Any) -> Path:
        wanted: dict[str, Any] = {"offset_ms": 0.0, "seconds": 10, "size": (480, 480), "seed": 3} | choices
        key = str(sorted(wanted.items()))
        if key not in made:
            target = tmp_path_factory.mktemp("talking") / "clip.mp4"
            made[key] = run(build_sample_clip(target, **wanted))
        return made[key]

    return make

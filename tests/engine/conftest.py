"""A talking clip with known timing, made once for all test processes, and the command line as a user has it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import verbs

ROOT = Path(__file__).resolve().parents[2]

CLIP_OFFSET_MS = 80.0
"""How late the sound of :func:`talking_clip` is."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def talking_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of a drawn person talking, sound 80 ms late. Read it, do not change it."""
    # The parent is shared between the test processes of one run; whoever is second finds the clip.
    folder = tmp_path_factory.getbasetemp().parent / "talking-clip"
    folder.mkdir(exist_ok=True)
    clip = folder / "talk.mp4"
    if not clip.exists():
        made = verbs.sample(folder / f"{os.getpid()}.mp4", offset_ms=CLIP_OFFSET_MS, seconds=8, size=(480, 360))
        assert isinstance(made, Path), made
        made.replace(clip)
    return clip


@pytest.fixture(scope="session")
def command() -> Callable[..., list[str]]:
    """Return the argument list that starts the program."""

    def make(*arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "engine.cli", *map(str, arguments)]

    return make


@pytest.fixture
def plosive(command: Callable[..., list[str]], tmp_path: Path) -> Run:
    """Return a function that runs the program in an empty folder, its words in English unless asked otherwise."""

    def run(*arguments: str | Path, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PLOSIVE_LANG": "en", "COLUMNS": "100"}
        return subprocess.run(
            command(*arguments), cwd=tmp_path, env=environment, capture_output=True, check=False,
            encoding="utf-8", errors="surrogateescape", stdin=subprocess.DEVNULL, timeout=seconds,
        )  # fmt: skip

    return run

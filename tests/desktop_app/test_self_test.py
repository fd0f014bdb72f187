"""The program's own test of itself, from the sources."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_program_passes_its_own_test(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "desktop_app", "--self-test"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The sound is 80 ms late" in done.stdout
    assert done.stdout.endswith("passed\n")
    assert not list(tmp_path.rglob("*losive*"))  # settings, logs and the sample of the user stay out of it

"""The packaged program, built from ``pyinstaller.spec`` and run without the sources."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BAD = ("Traceback", "ModuleNotFoundError", "could not find", "Could not find")


@pytest.mark.slow
def test_the_packaged_program_does_its_job(tmp_path: Path) -> None:
    """Build it (minutes), then let it make, measure, export and measure again a clip whose sound is 80 ms late."""
    build = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "pyinstaller.spec"]
    subprocess.run(
        [*build, "--workpath", str(tmp_path / "build"), "--distpath", str(tmp_path / "dist")],
        check=True,
        cwd=ROOT,
        capture_output=True,
        timeout=1800,
    )
    program = tmp_path / "dist" / "Plosive" / ("Plosive.exe" if os.name == "nt" else "Plosive")
    # Nothing of this environment: neither its Python nor what it has installed.
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(program), "--self-test"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        env={**own, "QT_QPA_PLATFORM": "offscreen"},
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "The sound is 80 ms late" in said
    assert not [bad for bad in BAD if bad in said], said
    terminal = program.with_name(f"plosive-cli{program.suffix}")
    done = subprocess.run([str(terminal), "--version"], check=True, capture_output=True, text=True, env=own)
    assert "0.1.0" in done.stdout
    left_out = {"torch", "transformers", "diffusers", "jax", "jaxlib", "tensorflow"}
    assert not left_out & {path.name for path in (program.parent / "_internal").iterdir()}

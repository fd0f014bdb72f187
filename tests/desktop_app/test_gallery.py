"""The tool that takes pictures of every page still finds them all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_every_page_has_a_picture_with_something_on_it(tmp_path: Path) -> None:
    choice = ["--theme", "light", "--language", "zh_CN", "--size", "1280x720"]
    command = [sys.executable, "-m", "tests.desktop_app.gallery", str(tmp_path), *choice]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=600)
    source = Path(__file__).with_name("gallery.py").read_text()
    named = set(re.findall(r'\.take(?:_dialog|_menu)?\("([a-z-]+)"', source))
    assert len(named) > 25
    for name in named:
        with Image.open(tmp_path / "light-zh_CN-1280x720" / f"{name}.png") as image:
            assert np.ptp(np.asarray(image.convert("L"))) > 100, name

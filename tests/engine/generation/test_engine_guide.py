"""The guide for engines of other people: its examples are taken out of the page, installed, and render."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from engine.generation.backend import own_words
from engine.generation.external import external_folder
from engine.generation.registry import GROUP
from engine.media.frames import read_frames
from engine.media.samples import read_samples
from tests.engine.conftest import ROOT
from tests.engine.generation.conftest import write_picture
from tests.engine.generation.test_engines import MAKER
from tests.media.voices import write_voice

FACE = np.full((64, 96, 3), 80, np.uint8)
GUIDE = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")


def example(name: str) -> str:
    """Return the block of code below a line that names a file."""
    found = re.search(rf"^`{re.escape(name)}`\n\n```\w+\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Lay the example package into a folder as an installer does; return the folder."""
    folder = tmp_path / "site"
    info = folder / "plosive_glow-1.0.dist-info"
    info.mkdir(parents=True)
    project = tomllib.loads(example("pyproject.toml"))
    assert project["tool"]["setuptools"]["py-modules"] == ["plosive_glow"]
    points = project["project"]["entry-points"][GROUP]
    lines = [f"[{GROUP}]", *(f"{name} = {target}" for name, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plosive-glow\nVersion: 1.0\n", encoding="utf-8")
    (folder / "plosive_glow.py").write_text(example("plosive_glow.py"), encoding="utf-8")
    return folder


def plosive(*arguments: str | Path, site: Path | None = None) -> str:
    """Run the program with the example installed, and return what it printed."""
    found = os.pathsep.join(map(str, [ROOT, *([site] if site else [])]))
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", *map(str, arguments)], capture_output=True, encoding="utf-8", check=False,
        env={**os.environ, "PYTHONPATH": found, "PLOSIVE_LANG": "en"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_package_is_found_and_renders(site: Path, tmp_path: Path) -> None:
    listed = {each["engine"]: each for each in map(json.loads, plosive("engines", "--json", site=site).splitlines())}
    assert listed["glow"]["ready"]
    assert listed["glow"]["title"] == "Glow"
    picture = write_picture(tmp_path / "face.png", FACE)
    voice = write_voice(tmp_path / "voice.wav", seconds=2.0)
    target = tmp_path / "clip.mp4"
    plosive("render", picture, voice, "-o", target, "--engine", "glow", "--set", "strength=2", "--no-verify", site=site)
    shown = [float(frame.image.mean()) for frame in read_frames(target)]
    sound = [block.data for block in read_samples(target)]
    loud = [abs(block).max() for block in sound]
    assert len(shown) == 50
    assert max(loud) > 0.05
    assert max(shown) > 1.2 * min(shown)


def test_its_words_are_said_in_both_languages(site: Path) -> None:
    assert "发光" in plosive("engines", "--lang", "zh", site=site)
    assert own_words("Glow").text("zh_CN") == own_words("Glow", "发光").text("en") == "Glow"
    assert own_words("{odd}", "{怪}").text("zh_CN") == "{怪}"


def test_the_command_is_found_and_renders(tmp_path: Path) -> None:
    description = example("engines/lips.toml")
    data = tomllib.loads(description)
    script = tmp_path / "run.py"
    script.write_text(MAKER.replace("sys.argv[1:5]", "*sys.argv[2:7:2], sys.argv[0] + '.note'"), encoding="utf-8")
    own = {"python3": sys.executable, "/opt/lips/run.py": str(script), "/opt/lips": str(tmp_path)}
    command = [own.get(each, each) for each in data["command"]]
    described = re.sub(r"^command = .*$", lambda _: f"command = {json.dumps(command)}", description, flags=re.MULTILINE)
    described = described.replace('"/opt/lips"', json.dumps(str(tmp_path)))
    external_folder().mkdir(parents=True)
    (external_folder() / "lips.toml").write_text(described, encoding="utf-8")
    picture = write_picture(tmp_path / "face.png", FACE)
    voice = write_voice(tmp_path / "voice.wav", seconds=2.0)
    plosive("render", picture, voice, "-o", tmp_path / "clip.mp4", "--engine", "lips", "--no-verify")
    assert len(list(read_frames(tmp_path / "clip.mp4"))) == 50


def test_the_guide_names_all_placeholders_and_keys() -> None:
    from engine.generation import external

    source = Path(external.__file__).read_text(encoding="utf-8")
    for name in re.findall(r'^            "(\w+)": ', source, re.MULTILINE):
        assert f"{{{name}}}" in GUIDE
    known = re.search(r"data\.keys\(\) - \{(.*?)\}", source)
    assert known is not None
    assert set(tomllib.loads(example("engines/lips.toml"))) == set(re.findall(r'"(\w+)"', known[1]))

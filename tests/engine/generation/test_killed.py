"""A render killed by SIGKILL at any moment goes on to the same file: no picture missing, none twice."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from engine.generation.render import render
from engine.generation.report import RenderReport
from engine.generation.spec import RenderSpec
from engine.generation.storage import work_folder
from engine.jobs import run
from engine.media.frames import read_frames
from tests.engine.generation.grey_engine import GreyEngine
from tests.engine.generation.test_render import content

ROOT = Path(__file__).resolve().parents[3]
_RANDOM = random.Random(7)
MOMENTS = sorted(_RANDOM.uniform(0.0, 0.97) for _ in range(20))
FEW = [MOMENTS[3], MOMENTS[10], MOMENTS[17]]


def pictures(path: Path) -> list[str]:
    return [hashlib.sha256(frame.image.tobytes()).hexdigest() for frame in read_frames(path)]


def kill_at(spec: RenderSpec, moment: float, *words: str) -> None:
    """Start the render in another process and kill it when it says that it is so far."""
    saved = spec.target.with_suffix(".spec")
    saved.write_text(json.dumps(spec.to_json()), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.engine.generation.killed", str(saved), *words],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if float(line) >= moment:
                break
        process.kill()


def goes_on(spec: RenderSpec, moment: float, *words: str) -> None:
    spec = replace(spec, segment_seconds=Fraction(1, 5))
    kill_at(spec, moment, *words)
    folder = work_folder(spec.target)
    was_stopped = folder.exists()
    resumed = run(render(replace(spec, overwrite=True)))
    assert isinstance(resumed, RenderReport)
    assert not folder.exists()
    clean = run(render(replace(spec, target=spec.target.with_name("clean.mp4"), overwrite=True)))
    assert isinstance(clean, RenderReport)
    assert pictures(resumed.path) == pictures(clean.path)
    assert len(pictures(resumed.path)) == 50
    assert content(resumed.path) == content(clean.path)
    assert resumed.resumed_segments > 0 or moment < 0.2 or not was_stopped


@pytest.mark.parametrize("moment", FEW)
def test_a_killed_render_goes_on(spec: RenderSpec, moment: float) -> None:
    goes_on(spec, moment)


def test_a_killed_render_whose_segments_build_upon_each_other_goes_on(
    spec: RenderSpec, offer: Callable[..., None]
) -> None:
    offer(grey=lambda: GreyEngine(echoes=True))
    goes_on(spec, MOMENTS[9], "echoes")


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_render_killed_at_twenty_moments_goes_on(spec: RenderSpec, moment: float) -> None:
    goes_on(spec, moment)


@pytest.mark.slow
def test_a_render_killed_again_and_again_is_finished(spec: RenderSpec) -> None:
    for moment in MOMENTS[::2]:
        kill_at(replace(spec, overwrite=True), moment)
    goes_on(spec, 0.95)

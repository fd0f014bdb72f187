"""What the frame around the engines costs: per picture besides encoding, and in memory as a clip gets longer.

Run ``python -m tests.benchmarks generation``. The baseline of the first table is the same grey pictures written by the
encoder alone, in the same segments.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import wave
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from engine.generation import registry
from engine.generation.backend import Picture
from engine.generation.render import render
from engine.generation.segment_file import SegmentWriter
from engine.generation.spec import RenderSpec
from engine.jobs import Progress, run
from tests.benchmarks.table import run_alone, show
from tests.engine.generation.conftest import FakePoint, make_spec
from tests.engine.generation.grey_engine import GreyEngine
from tests.media.voices import voice_samples, write_voice

MOST_OVERHEAD_MS = 3.0
MOST_GROWTH = 1.10
SECONDS = 20
MINUTES = (1, 30)


class Kept(GreyEngine):
    """The grey engine, whose pictures are drawn beforehand: what it costs is what the frame costs."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._picture = picture

    def render(self, segment):  # type: ignore[no-untyped-def]
        for _ in range(segment.frame_count):
            yield self._picture


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _overhead(folder)
        _memory(folder)


def _overhead(folder: Path) -> None:
    import numpy as np

    picture = np.full((720, 1280, 3), 90, np.uint8)
    registry.entry_points = lambda **_: [FakePoint("grey", lambda: Kept(picture))]  # type: ignore[assignment]
    spec = make_spec(folder, size=[1280, 720], segment_seconds="3", overwrite=True)
    write_voice(spec.voice, seconds=SECONDS)
    frames = SECONDS * 25
    alone = min(_encoded(folder / "alone.mp4", picture, frames) for _ in range(3))
    framed = min(_rendered(spec) for _ in range(3))
    overhead = 1000 * (framed - alone) / frames
    show(
        "Grey pictures of 1280x720, shortest of 3",
        ("what", "per picture", "times the encoder alone"),
        [
            ("encoder alone", f"{1000 * alone / frames:.2f} ms", "1.00"),
            ("rendered", f"{1000 * framed / frames:.2f} ms", f"{framed / alone:.2f}"),
            ("frame's own share", f"{overhead:.2f} ms (goal: at most {MOST_OVERHEAD_MS})", ""),
        ],
    )


def _encoded(path: Path, picture: Picture, frames: int) -> float:
    begin = time.perf_counter()
    for first in range(0, frames, 75):
        with SegmentWriter(path, (1280, 720), Fraction(25), 16) as writer:
            for _ in range(min(75, frames - first)):
                writer.write(picture)
    return time.perf_counter() - begin


def _rendered(spec: RenderSpec) -> float:
    """Return the seconds spent in the stage that draws."""
    times: dict[str, list[float]] = {}

    def watch(progress: Progress) -> None:
        times.setdefault(progress.stage, []).append(time.perf_counter())

    run(render(spec), watch)
    return times["joining"][0] - times["rendering"][0]


def _long_voice(path: Path, minutes: int) -> Path:
    """Write a voice minute by minute: on Linux a child's peak memory counts that of its parent when it was started."""
    minute = (voice_samples(60, 16_000) * 32767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        for _ in range(minutes):
            file.writeframes(minute)
    return path


def _memory(folder: Path) -> None:
    rows, first = [], 0.0
    for minutes in MINUTES:
        spec = make_spec(folder, size=[320, 180], segment_seconds=None, overwrite=True)
        spec = replace(spec, voice=_long_voice(folder / "long.wav", minutes))
        saved = folder / "long.spec"
        saved.write_text(json.dumps(spec.to_json()), encoding="utf-8")
        took, megabytes = run_alone([sys.executable, "-m", "tests.engine.generation.killed", str(saved)])
        first = first or megabytes
        rows.append((f"{minutes} min", f"{took:.0f} s", f"{megabytes:.0f} MB", f"{megabytes / first:.3f}"))
    goal = f"times the first (goal: at most {MOST_GROWTH})"
    show("A whole render of 320x180 in a process of its own", ("length", "took", "peak memory", goal), rows)


if __name__ == "__main__":
    main()

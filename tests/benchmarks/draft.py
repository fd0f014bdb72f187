"""Speed and memory of the Draft engine from files to file, against decoding and encoding the same pictures alone.

Run ``python -m tests.benchmarks draft``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import soundfile

from engine.generation.render import render
from engine.generation.spec import RenderSpec
from engine.jobs import run
from engine.media.frames import read_frames
from engine.refusal import Refusal
from engine.sample.clip import build_sample_clip, plan_sample_clip
from tests.benchmarks.table import run_alone, show

SECONDS = 20
SIZE = (1280, 720)
RATE = 25
SMALL = (320, 180)
MEMORY_MINUTES = (Fraction(1), Fraction(30))
GOAL = 25.0
MOST_TO_STOP = 1.0


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # First of all: on Linux a child's peak is at least what this process has reached when it starts the child.
        memory = _memory(folder)
        picture, video, voice = folder / "face.png", folder / "face.mp4", folder / "voice.wav"
        plan = plan_sample_clip(seconds=1, size=SIZE)
        cv2.imwrite(str(picture), plan.scene().frame(0.02)[:, :, ::-1])
        run(build_sample_clip(video, seconds=SECONDS, size=SIZE, seed=1))
        _speak(voice, SECONDS)
        shown = _pictures(picture, SECONDS * RATE)
        rows = [
            *_rows("still picture", lambda: _render(picture, voice, folder), lambda: _encoded(shown, folder)),
            *_rows(
                "video",
                lambda: _render(video, voice, folder),
                lambda: _encoded((frame.image for frame in read_frames(video)), folder),
            ),
        ]
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        title = f"Draft, {SIZE[0]}x{SIZE[1]}, {SECONDS} s, {cores} cores (wanted: {GOAL:.0f} frames per second)"
        show(title, ("work", "time", "processor time", "frames per second", "times its baseline"), rows)
        stops = [*_stops("still picture", picture, voice, folder), *_stops("video", video, voice, folder)]
        show(
            f"Longest way to a place to stop, all stages with measuring (wanted: {MOST_TO_STOP} s)",
            ("work", "time", "processor time", "stage", "stopping there"),
            stops,
        )
        show(
            f"Peak memory of a render, {SMALL[0]}x{SMALL[1]}",
            ("length of the clip", "peak memory of the process"),
            memory,
        )


def _rows(name: str, work: Callable[[], object], baseline: Callable[[], object]) -> list[tuple[str, ...]]:
    rows, first = [], 0.0
    for title, what in ((f"{name}: decoding and encoding alone", baseline), (f"{name}: rendering", work)):
        begin, busy = time.perf_counter(), time.process_time()
        what()
        wall, processor = time.perf_counter() - begin, time.process_time() - busy
        first = first or wall
        rows.append(
            (title, f"{wall:.1f} s", f"{processor:.1f} s", f"{SECONDS * RATE / wall:.0f}", f"{wall / first:.1f}")
        )
    return rows


def _pictures(path: Path, count: int) -> list[np.ndarray]:
    return [next(read_frames(path)).image] * count


def _encoded(pictures: object, folder: Path) -> None:
    """Encode as the render does: H.264, its own quality and preset."""
    with av.open(str(folder / "alone.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "16"})
        stream.width, stream.height = SIZE
        for number, picture in enumerate(pictures):  # type: ignore[arg-type]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _render(source: Path, voice: Path, folder: Path) -> None:
    spec = RenderSpec(source, voice, folder / "clip.mp4", fps=Fraction(RATE), overwrite=True, verify=False)
    result = run(render(spec, resume=False))
    if isinstance(result, Refusal):
        raise SystemExit(str(result))


def _stops(name: str, source: Path, voice: Path, folder: Path) -> list[tuple[str, ...]]:
    """Return how long a cancel can have to wait: the longest time between two yields, and that of closing there."""
    spec = RenderSpec(source, voice, folder / "clip.mp4", fps=Fraction(RATE), overwrite=True)
    longest, busiest, place, number = 0.0, 0.0, "", 0
    begin, busy = time.perf_counter(), time.process_time()
    for index, progress in enumerate(render(spec, resume=False)):
        wall, processor = time.perf_counter() - begin, time.process_time() - busy
        if wall > longest:
            longest, busiest, place, number = wall, processor, progress.stage, index
        begin, busy = time.perf_counter(), time.process_time()
    job = render(spec, resume=False)
    for _, _ in zip(range(number + 1), job, strict=False):
        pass
    begin = time.perf_counter()
    job.close()
    closing = time.perf_counter() - begin
    return [(name, f"{longest:.2f} s", f"{busiest:.2f} s", place, f"{closing:.2f} s")]


def _speak(path: Path, seconds: int) -> None:
    sound = plan_sample_clip(offset_ms=0, seconds=seconds, seed=2).soundtrack()
    with soundfile.SoundFile(path, "w", sound.sample_rate, 1) as file:
        for second in range(seconds):
            file.write(sound.read(second * sound.sample_rate, (second + 1) * sound.sample_rate))


def _memory(folder: Path) -> list[tuple[str, str]]:
    face = folder / "small.png"
    cv2.imwrite(str(face), plan_sample_clip(seconds=1, size=SMALL).scene().frame(0.02)[:, :, ::-1])
    rows = []
    for minutes in MEMORY_MINUTES:
        voice = folder / f"voice-{float(minutes):g}.wav"
        _speak(voice, int(60 * minutes))
        _, peak = run_alone([sys.executable, "-m", "tests.benchmarks.draft", str(face), str(voice), str(folder)])
        rows.append((f"{float(minutes):g} min", f"{peak:.0f} MB"))
    return rows


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _render(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()

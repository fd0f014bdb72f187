"""Measuring: how fast faces are followed, how soon the verdict is there, how long an hour takes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg

from engine.cli.exit_codes import ExitCode
from engine.face.tracks import FaceTracker
from engine.jobs import run
from engine.media.frames import read_frames
from engine.sample.clip import build_sample_clip
from engine.sync.ahead import read_ahead
from engine.sync.measure import measure
from engine.sync.result import Measurement
from tests.benchmarks.table import run_alone, show

_FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "short.mp4"
        run(build_sample_clip(short, seconds=20, rate=Fraction(25), size=(1280, 720)))
        _following(short)
        hour = _repeated(short, Path(folder) / "hour.mp4", 180)
        _whole(short, hour)


def _repeated(short: Path, target: Path, times: int) -> Path:
    """Write the clip many times over, at 1080p."""
    large = target.with_name("large.mp4")
    scale = ["-vf", "scale=1920:1080", "-c:v", "libx264", "-preset", "ultrafast", "-g", "250", "-c:a", "copy"]
    subprocess.run([_FFMPEG, "-v", "error", "-y", "-i", str(short), *scale, str(large)], check=True)
    loop = ["-stream_loop", str(times - 1), "-i", str(large), "-c", "copy"]
    subprocess.run([_FFMPEG, "-v", "error", "-y", *loop, str(target)], check=True)
    return target


def _following(clip: Path) -> None:
    begin = time.perf_counter()
    frames = sum(1 for _ in read_frames(clip, max_height=720))
    decoding = time.perf_counter() - begin
    with FaceTracker() as tracker:
        pictures = ((float(frame.time), frame.image) for frame in read_frames(clip, max_height=720))
        begin = time.perf_counter()
        list(tracker.follow(read_ahead(pictures)))
        following = time.perf_counter() - begin
    begin = time.perf_counter()
    result = run(measure(clip))
    whole = time.perf_counter() - begin
    assert isinstance(result, Measurement)
    rest = result.timings["model"] + result.timings["sound"] + result.timings["open"]
    video = frames / 25
    rows = [
        ("decode and convert only (baseline)", decoding, "1.00"),
        ("decode and follow the face", following, f"{following / decoding:.2f}"),
        ("measure, all of it", whole, f"{whole / decoding:.2f}"),
        ("of it besides faces", rest, f"{rest / decoding:.2f}"),
    ]
    show(
        f"20 s of 720p25: {frames} frames",
        ("work", "seconds", "x real time", "frames/s", "ratio to the baseline"),
        [(name, f"{spent:.2f}", f"{video / spent:.1f}", f"{frames / spent:.0f}", ratio) for name, spent, ratio in rows],
    )


def _whole(short: Path, hour: Path) -> None:
    command = [sys.executable, "-m", "engine.cli", "measure", "--json"]
    start, _ = run_alone([sys.executable, "-m", "engine.cli", "--version"])
    rows = [("plosive --version (baseline)", start, 0.0)]
    for name, clip in (("20 s at 720p", short), ("one hour at 1080p", hour)):
        spent, memory = run_alone([*command, str(clip)], wanted=ExitCode.OUT_OF_SYNC)
        rows.append((f"plosive measure, {name}", spent, memory))
    show(
        "from start to verdict, as a process of its own",
        ("command", "seconds", "peak memory", "ratio to the baseline"),
        [(name, f"{spent:.2f}", f"{memory:.0f} MB", f"{spent / start:.1f}") for name, spent, memory in rows],
    )


if __name__ == "__main__":
    main()

"""How fast a lossless export of a large file is, against a plain ffmpeg stream copy in the same run.

Run ``python -m tests.benchmarks export``; ``PLOSIVE_BENCH_GB`` sets the size (2 by default, twice that is needed on the
disk of the temporary folder, which ``TMPDIR`` chooses).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import imageio_ffmpeg

from tests.benchmarks.table import run_alone, show

ROUNDS = 3
SEED_SECONDS = 20
SUFFIXES = ("mp4", "mkv", "ts")
EXPORT = """
import sys
from pathlib import Path
from engine.jobs import run
from engine.media.export.job import export
from engine.media.export.report import Mode
from engine.timing import Correction
source, target, shift, mode, verify = sys.argv[1:]
run(export(Path(source), Path(target), Correction(float(shift)), Mode(mode), verify=verify == "True"))
"""


def main() -> None:
    """Print the tables."""
    gigabytes = float(os.environ.get("PLOSIVE_BENCH_GB", "2"))
    with tempfile.TemporaryDirectory(prefix="export-benchmark-") as name:
        folder = Path(name)
        seed = _seed(folder)
        rows = []
        for suffix in SUFFIXES:
            source = _repeated(seed, folder / f"source.{suffix}", gigabytes)
            rows += _compared(source, folder / f"target.{suffix}")
            source.unlink()
        show(
            f"Lossless export of {gigabytes:g} GB: best of {ROUNDS} rounds, taken in turns",
            ("container", "what", "seconds", "speed against stream copy", "peak memory"),
            rows,
        )
        rows = []
        for minutes in (1, 10):
            source = _repeated(seed, folder / "source.mp4", seed.stat().st_size * minutes * 60 / SEED_SECONDS / 1e9)
            for mode, shift in (("compatible", "-83"), ("stretch", "40"), ("piecewise", "40")):
                taken, memory = _exported(source, folder / "target.mp4", shift, mode, verify=False)
                rows.append(
                    (mode, f"{minutes} min", f"{taken:.1f}", f"{minutes * 60 / taken:.0f}x", f"{memory:.0f} MB")
                )
            source.unlink()
        show(
            "Exports that encode the sound",
            ("mode", "length", "seconds", "speed against real time", "peak memory"),
            rows,
        )


def _ffmpeg(*arguments: str) -> list[str]:
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *arguments]


def _seed(folder: Path) -> Path:
    """Write 20 s of noise at 20 Mbit/s."""
    seed = folder / "seed.mp4"
    picture = f"nullsrc=s=480x270:r=25:d={SEED_SECONDS},geq=random(1)*255:128:128"
    sound = f"anoisesrc=d={SEED_SECONDS}:c=pink:r=48000:a=0.3"
    encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-b:v", "20M", "-c:a", "aac", "-b:a", "160k"]
    subprocess.run(_ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *encoding, str(seed)), check=True)
    return seed


def _repeated(seed: Path, target: Path, gigabytes: float) -> Path:
    """Write the seed again and again until the file is large enough."""
    times = max(1, round(gigabytes * 1e9 / seed.stat().st_size))
    playlist = target.with_suffix(".txt")
    playlist.write_text(f"file '{seed.name}'\n" * times)
    subprocess.run(_ffmpeg("-f", "concat", "-i", str(playlist), "-c", "copy", str(target)), check=True)
    return target


def _compared(source: Path, target: Path) -> list[tuple[str, ...]]:
    """Time a stream copy and exports in turns."""
    cases = {"ffmpeg -c copy": (0.0, None), "export": (40, False), "export, measured again": (40, True)}
    if target.suffix == ".mkv":
        cases["export, finer ticks"] = (-83.4, False)
    best: dict[str, tuple[float, float]] = {}
    for _ in range(ROUNDS):
        for name, (shift, verify) in cases.items():
            if verify is None:
                result = run_alone(_ffmpeg("-i", str(source), "-map", "0", "-c", "copy", str(target)))
            else:
                result = _exported(source, target, str(shift), "lossless", verify=verify)
            target.unlink()
            best[name] = min(result, best.get(name, result))
    plain = best["ffmpeg -c copy"][0]
    return [
        (target.suffix[1:], name, f"{taken:.2f}", f"{plain / taken:.2f}", f"{memory:.0f} MB")
        for name, (taken, memory) in best.items()
    ]


def _exported(source: Path, target: Path, shift: str, mode: str, *, verify: bool) -> tuple[float, float]:
    target.unlink(missing_ok=True)
    return run_alone([sys.executable, "-c", EXPORT, str(source), str(target), shift, mode, str(verify)])


if __name__ == "__main__":
    main()

"""``python -m engine.sample FOLDER --count 6``: writes clips of different people, each with its truth as JSON."""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from pathlib import Path

from engine.jobs import run
from engine.sample.clip import build_sample_clip


def main() -> None:
    """Write the clips and name each as it is finished."""
    parser = argparse.ArgumentParser(prog="python -m engine.sample")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=Fraction, default=Fraction(25))
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720))
    parser.add_argument("--offset-ms", type=float, default=80.0)
    choices = parser.parse_args()
    choices.folder.mkdir(parents=True, exist_ok=True)
    for seed in range(choices.first_seed, choices.first_seed + choices.count):
        path = choices.folder / f"sample-{seed:02d}.mp4"
        run(
            build_sample_clip(
                path,
                truth=path.with_suffix(".json"),
                offset_ms=choices.offset_ms,
                seconds=choices.seconds,
                rate=choices.rate,
                size=tuple(choices.size),
                seed=seed,
            )
        )
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()

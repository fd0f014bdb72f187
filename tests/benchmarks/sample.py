"""Speed of the sample: drawing and speaking, each against writing the finished clip's H.264 alone.

Run ``python -m tests.benchmarks sample``.
"""

from __future__ import annotations

import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2

from engine.sample.clip import plan_sample_clip
from tests.benchmarks.table import show

SECONDS = 4
SIZES = ((640, 640), (1280, 720))


def main() -> None:
    """Print the table, everything on one core."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        rows = [row for size in SIZES for row in _rows(size)]
    finally:
        cv2.setNumThreads(before)
    show("Sample clip, one core", ("work", "processor time", "frames per second", "times coding alone"), rows)


def _rows(size: tuple[int, int]) -> list[tuple[str, ...]]:
    plan = plan_sample_clip(seconds=SECONDS, size=size)
    begin = time.process_time()
    scene = plan.scene()
    scene.frame(0.0)
    still = time.process_time() - begin
    begin = time.process_time()
    frames = [scene.frame(number / 25) for number in range(plan.frames)]
    drawing = time.process_time() - begin
    begin = time.process_time()
    plan.soundtrack().read(0, SECONDS * 48_000)
    speaking = time.process_time() - begin
    with tempfile.TemporaryDirectory() as folder, av.open(str(Path(folder) / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "19", "threads": "1"})
        stream.width, stream.height = size
        begin = time.process_time()
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        coding = time.process_time() - begin
    name = f"{size[0]}x{size[1]}"

    def row(work: str, taken: float, frames: int) -> tuple[str, ...]:
        return f"{name} {work}", f"{taken:.2f} s", f"{frames / taken:.0f}", f"{taken / coding:.2f}"

    return [
        row("drawing the still parts", still, 1),
        row(f"drawing {plan.frames} frames", drawing, plan.frames),
        row(f"speaking {SECONDS} s", speaking, plan.frames),
        row("coding alone", coding, plan.frames),
    ]


if __name__ == "__main__":
    main()

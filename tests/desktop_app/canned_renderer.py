"""A worker that renders by looking at the names of files beside the voice, in moments and without drawing anything."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from engine.generation.events import GpuReading, Notice, Preview, Reading
from engine.generation.profiles import CalibrationProfile
from engine.generation.report import RenderReport, Statistics, SyncCheck
from engine.jobs import Job, Progress
from engine.refusal import Refusal
from engine.timing import Correction, Offset
from engine.words import Message
from engine.worker import Worker
from engine.worker_messages import Calibrate, Render, Request

FRAMES = 40
STEP = threading.Event()
GIB = 2**30


def reading(frame: int, began: int) -> Reading:
    # The last quarter is slower by more than the advice tolerates, and the card nearly full.
    return Reading(
        seconds=float(frame - began),
        stage="rendering",
        frame=frame,
        frame_count=FRAMES,
        frame_gen_ms=10.0 if frame < 30 else 40.0,
        encode_ms=2.0,
        eta_seconds=float(FRAMES - frame),
        ram_bytes=GIB,
        gpus=(GpuReading("cuda:0", (10 + frame // 4) * GIB, 24 * GIB, 0.9),),
    )


def rendered(request: Request) -> Job[Any]:
    """Render as the files beside the voice wish: ``.wait``, ``.stuck``, ``.die``, ``.full``, ``.faceless``."""
    if isinstance(request, Calibrate):
        yield Progress("drawing", 0.0)
        return CalibrationProfile(request.engine, "settings", 12.0, 3.0, "25", "cpu", "Linux", date="2026-03-09")
    assert isinstance(request, Render)
    spec = request.spec

    def wishes(suffix: str) -> Path:
        return spec.voice.with_suffix(suffix)

    yield Progress("planning", 0.0)
    if not spec.voice.exists():
        return Refusal.of("media.missing", path=spec.voice)
    if wishes(".full").exists():
        return Refusal.of("generation.disk_full", path=spec.target.parent)
    if wishes(".faceless").exists() and not spec.face_points:
        return Refusal.of("draft.no_face", path=spec.source)
    if spec.target.exists() and not spec.overwrite:
        return Refusal.of("export.exists", path=spec.target)
    kept = spec.target.with_suffix(".kept")
    began = int(kept.read_text()) if kept.exists() else 0
    if began:
        yield Progress("rendering", began / FRAMES, Notice(Message("generation.verdict.skipped")))
    for frame in range(began, FRAMES):
        image = np.full((36, 64, 3), frame, np.uint8)
        yield Progress("rendering", frame / FRAMES, Preview(frame, Fraction(frame, 25), image))
        yield Progress("rendering", frame / FRAMES, reading(frame, began))
        kept.write_text(str(frame))
        if frame == FRAMES // 2:
            while wishes(".wait").exists():
                yield Progress("rendering", frame / FRAMES)
                STEP.wait(0.01)
            if wishes(".stuck").exists():
                STEP.wait()
            if wishes(".die").exists():
                wishes(".die").unlink()
                os.abort()
    kept.unlink()
    shutil.copy(spec.source, spec.target)
    yield Progress("looking", 0.95)
    if wishes(".late").exists():
        wishes(".late").unlink()
        os.abort()
    return RenderReport(
        path=spec.target,
        spec=spec,
        spec_file=spec.target.with_suffix(".json"),
        log_file=spec.target.with_suffix(".jsonl"),
        frames=FRAMES,
        fps=Fraction(25),
        size=(64, 36),
        seconds=Fraction(FRAMES, 25),
        resumed_segments=int(began > 0),
        segments=2,
        render_seconds=1.0,
        check=SyncCheck.CORRECTED,
        verdict=Message(
            "generation.verdict.corrected",
            before=Offset(12.0, 6.0).words(),
            moved=Correction(-12.0).words(),
            after=Offset(0.0, 6.0).words(),
        ),
        shift_ms=-12.0,
        statistics=Statistics(frames=FRAMES, median_ms=10.0),
        advice=(Message("generation.advice.slower_tail", growth_ms=30.0),),
    )


if __name__ == "__main__":
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Worker(sys.stdin.buffer, output, rendered).serve()
    os._exit(0)

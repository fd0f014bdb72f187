"""A worker that measures by looking at the name of a file beside the clip, and does everything else for real."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

from engine.jobs import Job, Progress
from engine.media.export import isobmff
from engine.refusal import Refusal
from engine.sync.result import Glimpse, Kind, Measurement, MouthTrace, OffsetPoint, Reason
from engine.sync.verdict import verdict
from engine.timing import Offset
from engine.worker import Worker, start
from engine.worker_messages import Export, Measure, Request, Warm
from tests.desktop_app.made import measurement

OFFSET_MS = 83.0
PART_OFFSET_MS = 120.0
STEP = threading.Event()


def mouth_between(found: Measurement, start: float, stop: float) -> MouthTrace:
    assert found.mouth is not None
    inside = (found.mouth.times >= start) & (found.mouth.times < stop)
    return MouthTrace(found.mouth.times[inside], found.mouth.opening[inside])


def canned(request: Request) -> Job[Any]:
    if isinstance(request, Warm):
        return None
    if isinstance(request, Export):
        return (yield from really_export(request))
    if not isinstance(request, Measure):
        return (yield from start(request))
    yield Progress("opening", 0.0)
    if request.path.stat().st_size == 0:
        return Refusal.of("media.no_sound", path=request.path)
    if (wish := request.path.with_suffix(".die")).exists():
        wish.unlink()
        yield Progress("looking", 0.3, Glimpse(measurement(60).points[:2]))
        os.abort()
    whole = measurement(60)
    for number, (point, curve) in enumerate(zip(whole.points, whole.curves, strict=True)):
        yield Progress(
            "looking", number / 10, Glimpse((point,), (curve,), mouth_between(whole, point.t - 3, point.t + 3))
        )
    while request.path.with_suffix(".wait").exists():
        yield Progress("looking", 0.9)
        STEP.wait(0.02)
    if request.path.with_suffix(".faceless").exists():
        return Measurement(
            str(request.path),
            Kind.UNMEASURABLE,
            verdict(Kind.UNMEASURABLE, None, reason=Reason.NO_FACE),
            reason=Reason.NO_FACE,
        )
    if request.start is not None and request.stop is not None:
        return part(request, request.start, request.stop)
    exported = "insync" in request.path.name
    offset = Offset(0.4 if exported else OFFSET_MS, 6.0)
    kind = Kind.IN_SYNC if exported else Kind.CONSTANT
    found = measurement(60)
    return Measurement(
        str(request.path),
        kind,
        verdict(kind, offset),
        offset_ms=offset.ms,
        uncertainty_ms=6.0,
        confidence=0.98,
        points=found.points,
        curves=found.curves,
        plosives=found.plosives,
        mouth=found.mouth,
        faces=2 if request.face is None else request.face,
    )


def part(request: Measure, start: float, stop: float) -> Measurement:
    """Return what is found between two times: one point, where the sound is later than elsewhere."""
    offset = Offset(PART_OFFSET_MS, 6.0)
    return Measurement(
        str(request.path),
        Kind.CONSTANT,
        verdict(Kind.CONSTANT, offset),
        offset_ms=offset.ms,
        uncertainty_ms=6.0,
        confidence=0.98,
        points=(OffsetPoint((start + stop) / 2, offset.ms, 0.9, 6.0, stop - start),),
        mouth=mouth_between(measurement(60), start, stop),
    )


def really_export(request: Export) -> Job[Any]:
    """Export for real; on a full disk, or with a wait in the middle of writing, where a file wishes so."""
    if request.source.with_suffix(".full").exists():
        isobmff.copy_range = full
    hold = request.source.with_suffix(".hold")
    job = start(request)
    try:
        while True:
            progress = next(job)
            yield progress
            while hold.exists() and list(request.target.parent.glob(".*.part")):
                yield progress
                STEP.wait(0.02)
    except StopIteration as end:
        return end.value
    finally:
        job.close()


def full(*_: object) -> Iterator[int]:
    """Copy on a disk that has no room left."""
    yield 1
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


if __name__ == "__main__":
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Worker(sys.stdin.buffer, output, canned).serve()
    os._exit(0)

"""Measure what an export did, by plain decoding that shares no code with the exporter's own check."""

from __future__ import annotations

from fractions import Fraction
from os import PathLike, fspath
from pathlib import Path

import av
import numpy as np

from engine.jobs import run
from engine.media.export.job import export
from engine.media.export.report import ExportReport, Mode
from engine.timing import Correction, DriftCorrection, StepCorrection
from tests.media import find_beeps

SHIFTS_MS = (1, -1, 13, -13, 40, -40, 83, -83, 300, -300, 2000, -2000)


def exported(
    source: str | PathLike[str],
    target: Path,
    correction: float | Correction | DriftCorrection | StepCorrection,
    mode: Mode = Mode.LOSSLESS,
    **options: object,
) -> ExportReport:
    """Run an export to its end; a number is a constant correction in milliseconds."""
    asked = Correction(correction) if isinstance(correction, int | float) else correction
    return run(export(Path(source), target, asked, mode, **options))  # type: ignore[arg-type]


def beeps_at(path: str | PathLike[str], stream: int = 0, **options: str) -> list[Fraction]:
    """Return when each beep begins; gaps between timestamps (more than 2 ms) are kept."""
    start: Fraction | None = None
    parts: list[np.ndarray] = []
    rate = count = 0
    with av.open(fspath(path), options=options) as container:
        resampler = av.AudioResampler(format="fltp")
        for frame in container.decode(audio=stream):
            time = frame.pts * frame.time_base
            rate = frame.sample_rate
            start = time if start is None else start
            gap = round((time - start) * rate) - count
            if gap > rate // 500:
                parts.append(np.zeros(gap, np.float32))
                count += gap
            for part in resampler.resample(frame):
                parts.append(part.to_ndarray()[0])
                count += part.samples
    assert start is not None
    return [start + Fraction(index, rate) for index in find_beeps(np.concatenate(parts), rate)]


def flashes_at(path: str | PathLike[str], **options: str) -> list[Fraction]:
    """Return when each white frame is shown."""
    with av.open(fspath(path), options=options) as container:
        return [
            frame.pts * frame.time_base
            for frame in container.decode(video=0)
            if np.median(frame.reformat(format="gray", width=32, height=18).to_ndarray()) > 180
        ]


def moved_ms(source: str | PathLike[str], target: Path, stream: int = 0) -> float:
    """Return by how many milliseconds the last beep moved against the last flash; positive, later."""
    sound = beeps_at(target, stream)[-1] - beeps_at(source, stream)[-1]
    picture = flashes_at(target)[-1] - flashes_at(source)[-1]
    return float((sound - picture) * 1000)


def offsets_ms(path: str | PathLike[str], **options: str) -> list[float]:
    """Return how much later than the nearest flash each beep sounds."""
    flashes = flashes_at(path, **options)
    return [
        float((beep - min(flashes, key=lambda flash: abs(flash - beep))) * 1000) for beep in beeps_at(path, **options)
    ]


def payloads(path: str | PathLike[str], kind: str) -> list[bytes]:
    """Return the packets of the first stream of a kind."""
    with av.open(fspath(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]

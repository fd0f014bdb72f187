"""What the command line does with one file, as jobs that a child process can start from plain arguments."""

from __future__ import annotations

from pathlib import Path

from engine.jobs import Job
from engine.refusal import Refusal
from engine.sync.result import Measurement


def measure_file(
    path: str, *, audio: str | None, thorough: bool, face: int | None, plot: str | None
) -> Job[tuple[Measurement, Refusal | None] | Refusal]:
    """Measure, and draw the result if asked to.

    Returns:
        The measurement with the reason why its picture could not be written, if so; or a refusal.
    """
    from engine.sync.measure import measure

    measurement = yield from measure(path, audio=audio, thorough=thorough, face=face)
    if isinstance(measurement, Refusal):
        return measurement
    drawn: Path | Refusal | None = None
    if plot is not None:
        from engine.plot import draw

        drawn = yield from draw(measurement, plot, audio=audio)
    return measurement, drawn if isinstance(drawn, Refusal) else None

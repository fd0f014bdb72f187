"""What the command line does with one file, as jobs that a child process can start from plain arguments."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from engine.jobs import Job
from engine.refusal import Refusal, Refused
from engine.sync.result import Measurement

if TYPE_CHECKING:
    from engine.fix_report import FixReport
    from engine.media.export.report import AnyCorrection
    from engine.media.interchange.formats import EditFile
    from engine.sound.finding import Diagnosis
    from engine.sound.prepared import Prepared
    from engine.sync.syncnet.result import SyncNetMeasurement


def refusal_of_target(target: str, *sources: str | None, overwrite: bool) -> Refusal | None:
    """Return why a result may not be written there, before the work for it is done; ``None`` if it may.

    Args:
        target: the file to be written.
        *sources: what it is made from, which is never replaced.
        overwrite: whether it may replace another file.
    """
    from engine.media.export.target_file import check_target

    try:
        check_target([Path(source) for source in sources if source], Path(target), overwrite=overwrite, needs=0)
    except Refused as refused:
        return refused.refusal
    return None


def measure_file(
    path: str,
    *,
    audio: str | None,
    thorough: bool,
    face: int | None,
    start: float | None,
    stop: float | None,
    plot: str | None,
    overwrite: bool,
) -> Job[tuple[Measurement, Refusal | None] | Refusal]:
    """Measure, and draw the result if asked to.

    Returns:
        The measurement with the reason why its picture could not be written, if so; or a refusal.
    """
    from engine.sync.measure import measure

    if plot is not None and (refusal := refusal_of_target(plot, path, audio, overwrite=overwrite)) is not None:
        return refusal
    measurement = yield from measure(path, audio=audio, thorough=thorough, face=face, start=start, stop=stop)
    if isinstance(measurement, Refusal):
        return measurement
    drawn: Path | Refusal | None = None
    if plot is not None:
        from engine.plot import draw

        drawn = yield from draw(measurement, plot, audio=audio)
    return measurement, drawn if isinstance(drawn, Refusal) else None


def syncnet_file(
    path: str, *, detector: str, audio: str | None, thorough: bool, face: int | None
) -> Job[SyncNetMeasurement | Refusal]:
    """Measure with SyncNet v2 (``syncnet``) or StableSyncNet (``stable-syncnet``)."""
    from engine.models.packages import require_packages

    try:
        require_packages()
    except Refused as refused:
        return refused.refusal
    from engine.generation.backends.latentsync.judging import measure_stable_syncnet
    from engine.sync.syncnet.measure import measure_syncnet

    measure = measure_syncnet if detector == "syncnet" else measure_stable_syncnet
    return (yield from measure(path, audio=audio, thorough=thorough, face=face))


def fix_file(
    path: str,
    *,
    output: str | None,
    correction: AnyCorrection | None,
    mode: str | None,
    audio: str | None,
    overwrite: bool,
) -> Job[FixReport | Refusal]:
    """Write a corrected copy; ``mode`` is the value of an :class:`~engine.media.export.report.Mode`."""
    from engine.fix import fix
    from engine.media.export.report import Mode

    chosen = None if mode is None else Mode(mode)
    return fix(path, output, correction=correction, mode=chosen, audio=audio, overwrite=overwrite)


def edit_file(
    path: str,
    *,
    output: str | None,
    form: str | None,
    correction: AnyCorrection | None,
    audio: str | None,
    overwrite: bool,
) -> Job[EditFile | Refusal]:
    """Write a correction for editors; ``form`` is the value of an ``EditFormat``."""
    from engine.export_edit import export_edit
    from engine.media.interchange.formats import EditFormat

    chosen = None if form is None else EditFormat(form)
    return export_edit(path, output, chosen, correction=correction, audio=audio, overwrite=overwrite)


def prepare_file(
    path: str, *, output: str | None, fps: str | None, trim: bool, normalise: bool, overwrite: bool
) -> Job[Prepared | Refusal]:
    """Write the sound as models want it; ``fps`` may be a fraction such as ``30000/1001``."""
    from engine.sound.prepare import prepare

    target = None if output is None else Path(output)
    rate = None if fps is None else Fraction(fps)
    return prepare(Path(path), target, fps=rate, trim=trim, normalise=normalise, overwrite=overwrite)


def examine_file(path: str) -> Job[Diagnosis | Refusal]:
    """Examine the sound."""
    from engine.sound.doctor import diagnose

    return diagnose(Path(path))


def sample_file(target: str, *, offset_ms: float, overwrite: bool) -> Job[Path | Refusal]:
    """Write the sample clip.

    A recording that somebody names by mistake is not replaced.
    """
    from engine.sample.clip import build_sample_clip

    if (refusal := refusal_of_target(target, overwrite=overwrite)) is not None:
        return refusal
    try:
        return (yield from build_sample_clip(target, offset_ms=offset_ms))
    except Refused as refused:
        return refused.refusal

"""Correct a clip: measure, choose the way, write a copy, and measure the copy."""

from __future__ import annotations

import math
from pathlib import Path

from engine.fix_report import FixReport
from engine.jobs import Job, part_of
from engine.media.export import Mode, default_target, export
from engine.media.export.report import AnyCorrection
from engine.media.export.target_file import check_target
from engine.media.opening import local_file
from engine.refusal import Refusal, Refused
from engine.sync.correction import asked_words, correction_for
from engine.sync.measure import measure
from engine.sync.result import Kind, Measurement, Reason
from engine.timing import Correction, DriftCorrection, StepCorrection
from engine.words import Message

SURE_ENOUGH = 0.9
"""Confidence from which a clip is corrected without being asked again."""

_MODES = {Correction: Mode.LOSSLESS, DriftCorrection: Mode.STRETCH, StepCorrection: Mode.PIECEWISE}


def fix(
    path: str | Path,
    output: str | Path | None = None,
    *,
    correction_ms: float | None = None,
    mode: Mode | None = None,
    audio: str | Path | None = None,
    overwrite: bool = False,
) -> Job[FixReport | Refusal]:
    """Write a corrected copy of a clip, and measure that copy.

    Args:
        path: the clip; it is never touched.
        output: the copy; by default ``<name>-insync<suffix>`` beside the clip.
        correction_ms: move the sound by this much, positive: later. By default the clip is measured, and what was
            found decides.
        mode: how to write; by default lossless for a constant shift, stretch for a drift, piecewise for steps.
        audio: another file whose sound takes the place of the clip's; its time zero is the clip's.
        overwrite: replace ``output`` if it exists.

    Returns:
        The report, or a refusal: ``fix.unmeasurable``, ``fix.uncertain``, ``fix.jitter``, or what reading and
        writing refuse.
    """
    try:
        return (yield from _fix(str(path), output, correction_ms, mode, audio, overwrite=overwrite))
    except Refused as refused:
        return refused.refusal


def _fix(
    path: str,
    output: str | Path | None,
    correction_ms: float | None,
    mode: Mode | None,
    audio: str | Path | None,
    *,
    overwrite: bool,
) -> Job[FixReport | Refusal]:
    sound = None if audio is None else local_file(audio)
    sources = [local_file(path), *([sound] if sound else [])]
    if output is not None:
        # What cannot be written after the long work is better refused before it.
        check_target(sources, Path(output), overwrite=overwrite, needs=0)
    before: Measurement | None = None
    correction: AnyCorrection
    if correction_ms is not None:
        correction = Correction(correction_ms)
    else:
        measured = yield from part_of(measure(path, audio=audio), 0.0, 0.45)
        if isinstance(measured, Refusal):
            return measured
        before = measured
        if before.kind is Kind.IN_SYNC and sound is None:
            return FixReport(path, None, Message("fix.nothing_to_do", verdict=before.verdict), before=before)
        _refuse_unsure(before)
        correction = correction_for(before)
    chosen = mode or _MODES[type(correction)]
    target = Path(output) if output is not None else default_target(Path(path), chosen)
    written = yield from part_of(
        export(Path(path), target, correction, chosen, audio=sound, overwrite=overwrite), 0.45 if before else 0.0, 0.6
    )
    if before is None:
        return FixReport(path, str(target), Message("fix.moved", moved=asked_words(correction)), correction, written)
    after = yield from part_of(measure(target), 0.6, 1.0)
    if isinstance(after, Refusal):
        return after
    verdict = Message("fix.fixed" if after.kind is Kind.IN_SYNC else "fix.left", now=after.verdict)
    return FixReport(path, str(target), verdict, correction, written, before, after)


def _refuse_unsure(measurement: Measurement) -> None:
    """Refuse to correct what is not known well enough."""
    if measurement.offset is None:
        reason = measurement.reason or Reason.UNCERTAIN
        raise Refused.because("fix.unmeasurable", path=measurement.file, why=Message(f"sync.reason.{reason}"))
    if measurement.kind is Kind.JITTER:
        raise Refused.because("fix.jitter", path=measurement.file)
    if measurement.confidence < SURE_ENOUGH:
        raise Refused.because(
            "fix.uncertain",
            path=measurement.file,
            offset=measurement.offset.words(),
            percent=math.floor(100 * measurement.confidence),
            correction=round(-measurement.offset.ms),
        )

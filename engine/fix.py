"""Correct a clip: measure, choose the way, write a copy, and measure the copy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from engine.fix_report import FixReport
from engine.jobs import Job, part_of
from engine.media.export.containers import default_target
from engine.media.export.job import export
from engine.media.export.report import AnyCorrection, Mode
from engine.media.export.target_file import check_target
from engine.media.opening import local_file
from engine.media.probe import probe
from engine.refusal import Refusal, Refused
from engine.sync.alignment import Alignment, align
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
    correction: AnyCorrection | None = None,
    mode: Mode | None = None,
    audio: str | Path | None = None,
    overwrite: bool = False,
) -> Job[FixReport | Refusal]:
    """Write a corrected copy of a clip, and measure that copy.

    Args:
        path: the clip; it is never touched.
        output: the copy; by default ``<name>-insync<suffix>`` beside the clip.
        correction: move the sound by this much, positive: later. By default the clip is measured, and what was found
            decides.
        mode: how to write; by default lossless for a constant shift, stretch for a drift, piecewise for steps.
        audio: another recording whose sound takes the place of the clip's. It is aligned with the clip's own sound
            where the two share one; otherwise its time zero is the clip's.
        overwrite: replace ``output`` if it exists.

    Returns:
        The report, or a refusal: ``fix.unmeasurable``, ``fix.uncertain``, ``fix.jitter``, ``fix.unaligned``, or what
        reading and writing refuse.
    """
    try:
        return (yield from _fix(str(path), output, correction, mode, audio, overwrite=overwrite))
    except Refused as refused:
        return refused.refusal


def _fix(
    path: str,
    output: str | Path | None,
    correction: AnyCorrection | None,
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
    is_given = correction is not None
    if correction is not None:
        decision = Decision(correction)
    else:
        decided = yield from part_of(decide(path, sound), 0.0, 0.5)
        if isinstance(decided, Refusal):
            return decided
        decision = decided
    correction, before, alignment = decision.correction, decision.before, decision.alignment
    if correction is None:
        nothing = Message("fix.nothing_to_do", verdict=before.verdict if before else "")
        return FixReport(path, None, nothing, before=before)
    chosen = mode or _MODES[type(correction)]
    target = Path(output) if output is not None else default_target(Path(path), chosen)
    written = yield from part_of(
        export(Path(path), target, correction, chosen, audio=sound, overwrite=overwrite), 0.5, 0.7
    )
    report = FixReport(
        path,
        str(target),
        Message("fix.moved", moved=asked_words(correction)),
        correction,
        written,
        before,
        None,
        alignment,
    )
    if is_given:
        return report
    after = yield from part_of(measure(target), 0.7, 1.0)
    if isinstance(after, Refusal):
        return after
    if alignment is not None and after.kind is Kind.UNMEASURABLE:
        return replace(report, verdict=Message("fix.aligned", verdict=alignment.verdict))
    verdict = Message("fix.fixed" if after.kind is Kind.IN_SYNC else "fix.left", now=after.verdict)
    return replace(report, verdict=verdict, after=after)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, and what that rests on; no correction where none is needed."""

    correction: AnyCorrection | None
    before: Measurement | None = None
    alignment: Alignment | None = None


def decide(path: str, sound: Path | None) -> Job[Decision | Refusal]:
    """Find the correction: from the lips, and for a second recording from the clip's own sound, too.

    Raises:
        Refused: as :func:`fix` refuses what cannot be measured surely enough.
    """
    aligned: Alignment | Refusal | None = None
    if sound is not None and probe(path).audio is not None:
        aligned = yield from part_of(align(Path(path), sound), 0.0, 0.5)
        if isinstance(aligned, Refusal) and aligned.code != "alignment.no_match":
            return aligned
    if isinstance(aligned, Alignment):
        return (yield from part_of(_decide_aligned(path, aligned), 0.5, 1.0))
    # The clip has no sound of its own, or another one (a dub): only the lips can tell.
    before = yield from part_of(measure(path, audio=sound), 0.5 if sound else 0.0, 1.0)
    if isinstance(before, Refusal):
        return before
    if before.kind is Kind.IN_SYNC and sound is None:
        return Decision(None, before)
    _refuse_unsure(before)
    return Decision(correction_for(before), before)


def _decide_aligned(path: str, alignment: Alignment) -> Job[Decision | Refusal]:
    """Put a second recording where the clip's own sound is, and that where the lips are, if it is surely elsewhere."""
    if alignment.kind is Kind.JITTER or alignment.confidence < SURE_ENOUGH:
        raise Refused.because("fix.unaligned", path=alignment.other, verdict=alignment.verdict)
    before = yield from measure(path)
    if isinstance(before, Refusal):
        return before
    is_late = before.kind is Kind.CONSTANT and before.confidence >= SURE_ENOUGH
    lips_ms = -(before.offset_ms or 0.0) if is_late else 0.0
    return Decision(_moved_by(alignment.correction, lips_ms), before, alignment)


def _moved_by(correction: AnyCorrection, ms: float) -> AnyCorrection:
    """Return a correction that moves the sound by a constant more."""
    if isinstance(correction, DriftCorrection):
        return DriftCorrection(correction.at_zero_ms + ms, correction.rate_ppm)
    if isinstance(correction, StepCorrection):
        return StepCorrection(tuple((start, level + ms) for start, level in correction.steps))
    return Correction(correction.ms + ms)


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

"""The correction that undoes a measurement, and its words. Light: the window imports it too."""

from __future__ import annotations

from fractions import Fraction

from engine.media.export.report import AnyCorrection
from engine.sync.result import Kind, Measurement
from engine.timing import Correction, DriftCorrection, StepCorrection
from engine.words import Message


def correction_for(measurement: Measurement) -> AnyCorrection:
    """Return the correction that undoes what was measured.

    Measured offsets stand on the video's clock, corrections on that of the sound. Sound that belongs to video time
    ``t`` lies at ``s = t + offset(t)``, so that a drift ``offset(t) = a + b t`` is undone by ``-(a + b s) / (1 + b)``.

    Args:
        measurement: of any kind with an offset but jitter.

    Raises:
        ValueError: for any other kind.
    """
    offset = measurement.offset
    if offset is None or measurement.kind in {Kind.JITTER, Kind.UNMEASURABLE}:
        raise ValueError(f"a result of kind {measurement.kind} has no correction")
    if measurement.kind is Kind.DRIFT and measurement.drift_ppm is not None:
        growth = measurement.drift_ppm / 1e6
        at_zero = measurement.drift_offset_at_zero_ms or 0.0
        return DriftCorrection(-at_zero / (1 + growth), -measurement.drift_ppm / (1 + growth))
    if measurement.kind is Kind.STEPS and measurement.steps:
        levels = [step.offset_ms for step in measurement.steps]
        # Where the sound jumps from one level to the next, its own clock stands half way between the two.
        jumps = [step.t + (a + b) / 2000 for step, a, b in zip(measurement.steps[1:], levels, levels[1:], strict=False)]
        starts = [Fraction(0), *(Fraction(round(jump * 1000), 1000) for jump in jumps)]
        return StepCorrection(tuple((start, -level) for start, level in zip(starts, levels, strict=True)))
    return offset.correction


def asked_words(correction: AnyCorrection) -> Message:
    """Say what a correction does to the sound, without a bare sign."""
    if isinstance(correction, DriftCorrection):
        key = "fix.slower" if correction.rate_ppm > 0 else "fix.faster"
        return Message(key, ppm=abs(correction.rate_ppm), start=Correction(correction.at_zero_ms).words())
    if isinstance(correction, StepCorrection):
        return Message("fix.stretches", count=len(correction.steps))
    return correction.words()

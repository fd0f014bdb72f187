"""The three shapes of a correction, as one."""

from __future__ import annotations

from engine.media.export.report import AnyCorrection
from engine.timing import Correction, DriftCorrection, StepCorrection

__all__ = ["NOTHING", "AnyCorrection", "correction_ms_at", "moved"]

NOTHING = Correction(0.0)
"""The sound as it is in the file."""


def correction_ms_at(correction: AnyCorrection, seconds: float) -> float:
    """Return by how much the sound of that moment is moved, in milliseconds; positive, later."""
    return correction.ms if isinstance(correction, Correction) else correction.at(seconds)


def moved(correction: AnyCorrection, by_ms: float) -> AnyCorrection:
    """Return the correction with all sound ``by_ms`` milliseconds later, in whole microseconds."""
    if isinstance(correction, Correction):
        return Correction(round(correction.ms + by_ms, 3))
    if isinstance(correction, DriftCorrection):
        return DriftCorrection(round(correction.at_zero_ms + by_ms, 3), correction.rate_ppm)
    return StepCorrection(tuple((time, round(ms + by_ms, 3)) for time, ms in correction.steps))

"""The three shapes of a correction, as one."""

from __future__ import annotations

from engine.media.export.report import AnyCorrection
from engine.timing import Correction

__all__ = ["NOTHING", "AnyCorrection", "correction_ms_at"]

NOTHING = Correction(0.0)
"""The sound as it is in the file."""


def correction_ms_at(correction: AnyCorrection, seconds: float) -> float:
    """Return by how much the sound of that moment is moved, in milliseconds; positive, later."""
    return correction.ms if isinstance(correction, Correction) else correction.at(seconds)

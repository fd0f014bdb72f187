"""Correct a clip: measure, choose the way, write a copy, and measure the copy."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from engine.jobs import Job, Progress
from engine.media.export import ExportReport, Mode, export
from engine.refusal import Refusal, Refused
from engine.sync.measure import measure
from engine.sync.result import Kind, Measurement, Reason
from engine.timing import Correction, DriftCorrection, Offset, StepCorrection
from engine.words import Message

SURE_ENOUGH = 0.9
"""Confidence from which a clip is corrected without being asked again."""

AnyCorrection = Correction | DriftCorrection | StepCorrection
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class FixReport:
    """What was done to one clip.

    Attributes:
        file: the clip as it was given.
        output: the corrected copy; ``None`` when nothing had to be done.
        mode: how it was written.
        correction: what was asked for.
        export: what the copy has, found by decoding it.
        before: the clip's measurement; ``None`` when the correction was given by hand.
        after: the copy's measurement; ``None`` when there was none before.
        verdict: one sentence for a person.
    """

    file: str
    output: str | None
    verdict: Message
    mode: Mode | None = None
    correction: AnyCorrection | None = None
    export: ExportReport | None = None
    before: Measurement | None = None
    after: Measurement | None = None

    @property
    def is_in_sync(self) -> bool:
        """Whether nothing is left to correct, as far as that was measured."""
        last = self.after or self.before
        return last is None or last.kind in {Kind.IN_SYNC, Kind.UNMEASURABLE}

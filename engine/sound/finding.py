"""What the doctor says: findings with their place, consequence and remedy. Light: the window imports these types."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from engine.words import Message


class Severity(StrEnum):
    """How much a finding matters, ascending."""

    NOTE = "note"
    """Good to know; nothing has to be done."""
    WARNING = "warning"
    """Results get worse."""
    PROBLEM = "problem"
    """Results will be wrong."""

    @property
    def rank(self) -> int:
        """Order: 0 is the mildest."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the recording, seconds on the file's clock."""

    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a recording that a person should know.

    Attributes:
        code: stable name for programs; the catalogue key is ``sound.finding.<code>``.
        severity: how much it matters.
        sentence: what was found.
        consequence: what it does to sync, or to a generated mouth.
        remedy: what to do about it.
        value: the number behind it, in the unit that the sentence names, or ``None``.
        spans: where; empty for the whole recording. At most :data:`MOST_SPANS`, the sentence counts all.
    """

    code: str
    severity: Severity
    sentence: Message
    consequence: Message
    remedy: Message
    value: float | None = None
    spans: tuple[Span, ...] = ()

    @classmethod
    def of(
        cls,
        code: str,
        severity: Severity,
        *,
        value: float | None = None,
        spans: tuple[Span, ...] = (),
        **values: object,
    ) -> Finding:
        """Build a finding from the catalogue entries ``sound.finding.<code>.{sentence,consequence,remedy}``."""
        sentence, consequence, remedy = (
            Message(f"sound.finding.{code}.{part}", **values) for part in ("sentence", "consequence", "remedy")
        )
        return cls(code, severity, sentence, consequence, remedy, value, spans)

    def to_json(self) -> dict[str, Any]:
        """Return plain data, sentences in the current language."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "value": None if self.value is None else round(self.value, 3),
            "where": [[round(float(span.start), 4), round(float(span.end), 4)] for span in self.spans],
            "sentence": self.sentence.text(),
            "consequence": self.consequence.text(),
            "remedy": self.remedy.text(),
        }


MOST_SPANS = 50
"""Places that a finding lists; a file clipped all through has thousands."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the doctor found in one file.

    Attributes:
        file: the path as it was given.
        findings: worst first; empty for a recording without fault.
        seconds: length of the sound.
        sample_rate: as the file says.
        channels: as the file says.
        measures: numbers behind the findings: ``loudness_lufs``, ``true_peak_dbtp``, ``speech_level_dbfs``,
            ``noise_floor_dbfs``, ``snr_db``, ``bandwidth_hz``, ``speech_share``, ``speech_speed``; ``None`` where
            there was nothing to measure.
    """

    file: Path
    findings: tuple[Finding, ...]
    seconds: Fraction
    sample_rate: int
    channels: int
    measures: dict[str, float | None] = field(default_factory=dict)

    @property
    def worst(self) -> Severity | None:
        """Severity of the worst finding, or ``None`` without findings."""
        return max((finding.severity for finding in self.findings), key=lambda each: each.rank, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "file": str(self.file),
            "worst": None if self.worst is None else self.worst.value,
            "findings": [finding.to_json() for finding in self.findings],
            "seconds": round(float(self.seconds), 4),
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "measures": {name: None if value is None else round(value, 3) for name, value in self.measures.items()},
        }

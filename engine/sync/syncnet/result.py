"""What SyncNet says of a clip. Light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.sync.result import Kind
from engine.timing import Offset
from engine.words import Message


@dataclass(frozen=True, slots=True)
class SyncNetMeasurement:
    """The offset of one clip by SyncNet v2, which counts whole frames of 40 ms.

    Attributes:
        file: the path as it was given.
        kind: ``IN_SYNC``, ``CONSTANT`` or ``UNMEASURABLE``.
        verdict: one sentence for a person.
        offset_ms: positive, sound late; ``None`` when unmeasurable.
        uncertainty_ms: half a frame, the grain of the method; ``None`` when unmeasurable.
        confidence: SyncNet's own: by how much the best shift beats the middling one (LSE-C); no probability. ``None``
            without a face or sound.
        distance: the mean distance at the best shift (LSE-D), ``None`` likewise.
        seconds_analysed: how much of a face was looked at.
    """

    file: str
    kind: Kind
    verdict: Message
    offset_ms: float | None = None
    uncertainty_ms: float | None = None
    confidence: float | None = None
    distance: float | None = None
    seconds_analysed: float = 0.0

    @property
    def offset(self) -> Offset | None:
        """The offset with its uncertainty, or ``None`` when unmeasurable."""
        return None if self.offset_ms is None else Offset(self.offset_ms, self.uncertainty_ms or 0.0)

    def to_json(self) -> dict[str, Any]:
        """Return plain data; the names are those of a measurement where both have them."""

        def number(value: float | None) -> float | None:
            return None if value is None else round(value, 4)

        return {
            "file": self.file,
            "detector": "syncnet",
            "kind": self.kind.value,
            "offset_ms": number(self.offset_ms),
            "uncertainty_ms": number(self.uncertainty_ms),
            "lse_c": number(self.confidence),
            "lse_d": number(self.distance),
            "verdict": self.verdict.text(),
            "seconds_analysed": round(self.seconds_analysed, 2),
        }

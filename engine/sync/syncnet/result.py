"""What SyncNet says of a clip. Light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.sync.result import Kind
from engine.timing import Offset
from engine.words import Message


@dataclass(frozen=True, slots=True)
class SyncNetMeasurement:
    """The offset of one clip by SyncNet v2 or StableSyncNet, which count whole frames of 40 ms.

    Attributes:
        file: the path as it was given.
        kind: ``IN_SYNC``, ``CONSTANT`` or ``UNMEASURABLE``.
        verdict: one sentence for a person.
        offset_ms: positive, sound late; ``None`` when unmeasurable.
        uncertainty_ms: half a frame, the grain of the method; ``None`` when unmeasurable.
        confidence: by how much the best shift beats the middling one (for SyncNet v2 the literature's LSE-C); no
            probability. ``None`` without a face or sound.
        distance: the mean distance at the best shift (for SyncNet v2 LSE-D), ``None`` likewise.
        seconds_analysed: how much of a face was looked at.
        detector: ``syncnet`` or ``stable-syncnet``.
    """

    file: str
    kind: Kind
    verdict: Message
    offset_ms: float | None = None
    uncertainty_ms: float | None = None
    confidence: float | None = None
    distance: float | None = None
    seconds_analysed: float = 0.0
    detector: str = "syncnet"

    @property
    def notes(self) -> tuple[Message, ...]:
        """What one should know of the detector."""
        return (Message(f"syncnet.note.{self.detector.replace('-', '_')}"),)

    @property
    def names(self) -> tuple[str, str]:
        """What confidence and distance are called: the literature has names for SyncNet v2's only."""
        return ("lse_c", "lse_d") if self.detector == "syncnet" else ("confidence", "distance")

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
            "detector": self.detector,
            "kind": self.kind.value,
            "offset_ms": number(self.offset_ms),
            "uncertainty_ms": number(self.uncertainty_ms),
            self.names[0]: number(self.confidence),
            self.names[1]: number(self.distance),
            "verdict": self.verdict.text(),
            "notes": [note.text() for note in self.notes],
            "seconds_analysed": round(self.seconds_analysed, 2),
        }

"""What an export did: the result of every mode."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.timing import Correction, DriftCorrection, StepCorrection
from engine.words import Message

AnyCorrection = Correction | DriftCorrection | StepCorrection


class Mode(StrEnum):
    """How the sound is moved.

    ``LOSSLESS`` copies all packets and changes when they are played. ``COMPATIBLE`` copies the picture and encodes the
    sound again with the shift in it, for players that ignore edit lists. ``STRETCH`` does the same along a line
    (drift), ``PIECEWISE`` with one shift per stretch (steps).
    """

    LOSSLESS = "lossless"
    COMPATIBLE = "compatible"
    STRETCH = "stretch"
    PIECEWISE = "piecewise"


class Fate(StrEnum):
    """What became of a stream."""

    COPIED = "copied"
    MOVED = "moved"
    ENCODED = "encoded"
    CONVERTED = "converted"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class StreamFate:
    """What became of one stream of the source.

    Attributes:
        index: its number in the source.
        kind: ``video``, ``audio``, ``subtitle``, ``data`` or ``attachment``.
        codec: short name, or ``None``.
        fate: what became of it.
        reason: why it is not simply copied or moved, else ``None``.
    """

    index: int
    kind: str
    codec: str | None
    fate: Fate
    reason: Message | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One place where source and target were decoded and compared.

    Attributes:
        t: where in the source, in seconds on its clock.
        asked_ms: the correction asked for there.
        got_ms: how far sound and picture were moved against each other there; positive, sound later.
    """

    t: float
    asked_ms: float
    got_ms: float

    @property
    def error_ms(self) -> float:
        """What was got minus what was asked."""
        return self.got_ms - self.asked_ms


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did.

    Attributes:
        target: the file that was written.
        mode: how.
        asked: the correction asked for.
        asked_ms: the correction at the first check (for a constant one, everywhere).
        got_ms: the correction found there by decoding source and target again; ``None`` if it was not, or could not
            be, measured.
        error_ms: the largest difference between got and asked at any check, with its sign; ``None`` as above.
        error_samples: the same in samples of the sound.
        checks: all places that were compared.
        bytes_written: size of the target.
        streams: what became of each stream of the source.
        notes: what was done and what to know about it.
        command: an ffmpeg argument list that does the same; for a drift or steps nearly the same.
    """

    target: Path
    mode: Mode
    asked: AnyCorrection
    asked_ms: float
    got_ms: float | None
    error_ms: float | None
    error_samples: float | None
    checks: tuple[Check, ...]
    bytes_written: int
    streams: tuple[StreamFate, ...]
    notes: tuple[Message, ...]
    command: tuple[str, ...]

    @property
    def found(self) -> Message | None:
        """What decoding source and target again has shown, in words; ``None`` if it has shown nothing."""
        if self.got_ms is None or self.error_ms is None:
            return None
        if isinstance(self.asked, Correction):
            return Correction(self.got_ms).words()
        return Message("export.found", ms=abs(self.error_ms), places=len(self.checks))

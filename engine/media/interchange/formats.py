"""The formats a correction is handed on in, and what came of it. Light: the window imports these types too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.words import Message


class EditFormat(StrEnum):
    """A file that carries a correction; the value is its name on the command line."""

    OTIO = "otio"
    FCPXML = "fcpxml"
    EDL = "edl"
    SIDECAR = "sidecar"

    @property
    def suffix(self) -> str:
        """What its name ends with, after the name of the clip."""
        return ".offset.json" if self is EditFormat.SIDECAR else f".{self.value}"

    def target_for(self, clip: Path) -> Path:
        """Return the name beside a clip: ``talk.otio``, ``talk.mp4.offset.json``."""
        name = clip.name if self is EditFormat.SIDECAR else clip.stem
        return clip.with_name(f"{name}{self.suffix}")


@dataclass(frozen=True, slots=True)
class EditFile:
    """What was written.

    Attributes:
        source: the clip that it is about.
        target: the file.
        format: its format.
        notes: what to know about it, such as that it counts in whole frames.
    """

    source: Path
    target: Path
    format: EditFormat
    notes: tuple[Message, ...] = ()

"""What was done to a clip. Light: whoever shows it need not load what did it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.sync.result import Measurement
from engine.words import Message

if TYPE_CHECKING:
    from engine.media.export.report import AnyCorrection, ExportReport
    from engine.sync.alignment import Alignment


@dataclass(frozen=True, slots=True)
class FixReport:
    """What was done to one clip.

    Attributes:
        file: the clip as it was given.
        output: the corrected copy; ``None`` when nothing had to be done.
        verdict: one sentence for a person.
        correction: what was asked for.
        export: how the copy was written and what it has, found by decoding it.
        before: the clip's measurement; ``None`` when the correction was given by hand.
        after: the copy's measurement; ``None`` when the correction was given by hand, or came from a second recording
            alone because no lips could be measured.
        alignment: how a second recording lay against the clip's own sound.
    """

    file: str
    output: str | None
    verdict: Message
    correction: AnyCorrection | None = None
    export: ExportReport | None = None
    before: Measurement | None = None
    after: Measurement | None = None
    alignment: Alignment | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data with the documented names (see the README)."""
        done, last = self.export, self.after or self.before
        return {
            "file": self.file,
            "output": self.output,
            "mode": None if done is None else done.mode.value,
            "asked_ms": None if done is None else round(done.asked_ms, 3),
            "got_ms": None if done is None or done.got_ms is None else round(done.got_ms, 3),
            "error_samples": None if done is None or done.error_samples is None else round(done.error_samples, 3),
            "left_ms": None if last is None or last.offset_ms is None else round(last.offset_ms, 2),
            "verdict": self.verdict.text(),
            "notes": [] if done is None else [note.text() for note in done.notes],
            "command": None if done is None else list(done.command),
            "alignment": None if self.alignment is None else self.alignment.to_json(),
            "before": None if self.before is None else self.before.to_json(),
            "after": None if self.after is None else self.after.to_json(),
        }

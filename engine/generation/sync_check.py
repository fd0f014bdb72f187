"""The finished clip is measured like any other; a constant offset of the engine is taken out and remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.generation.report import SyncCheck
from engine.jobs import Job, part_of
from engine.refusal import Refusal
from engine.sync.measure import measure
from engine.sync.result import Kind, Measurement
from engine.timing import Correction, Offset
from engine.words import Message

PASSES_MS = 20.0
"""Closer than this nobody can tell: half a frame at 25 fps."""
_SURE = 0.9
"""Confidence from which on an offset is believed enough to move the sound."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What measuring a clip said, and what was done about it.

    Attributes:
        check: the outcome.
        verdict: the outcome in a sentence.
        measured: with the sound where the engine put it.
        after: after a correction.
        shift_ms: by how much the sound was moved; positive, later.
    """

    check: SyncCheck
    verdict: Message
    measured: Measurement | None = None
    after: Measurement | None = None
    shift_ms: float = 0.0


SKIPPED = Checked(SyncCheck.SKIPPED, Message("generation.verdict.skipped"))

PutVoice = Callable[[float], Job[object]]
"""Writes the clip again with its sound moved by so many milliseconds."""


def check_sync(clip: Path, face: int | None, put_voice: PutVoice | None) -> Job[Checked]:
    """Measure a clip; take a constant offset out by moving the sound's timestamps, and measure again.

    Args:
        clip: the finished clip.
        face: which face moves, as in the spec.
        put_voice: how the sound is moved; ``None`` leaves it where it is.
    """
    measured = yield from part_of(measure(clip, face=face), 0.0, 0.45)
    if isinstance(measured, Refusal) or measured.offset is None:
        why = measured.sentence if isinstance(measured, Refusal) else measured.verdict
        known = None if isinstance(measured, Refusal) else measured
        return Checked(SyncCheck.UNMEASURABLE, Message("generation.verdict.unmeasurable", why=why), known)
    offset = measured.offset
    if measured.kind in {Kind.IN_SYNC, Kind.CONSTANT} and abs(offset.ms) <= PASSES_MS:
        return Checked(SyncCheck.PASSED, Message("generation.verdict.passed", offset=offset.words()), measured)
    off = Checked(SyncCheck.OFF, Message("generation.verdict.off", verdict=measured.verdict), measured)
    if put_voice is None or measured.kind is not Kind.CONSTANT or measured.confidence < _SURE:
        return off
    return (yield from _corrected(clip, face, put_voice, measured, offset, off))


def _corrected(
    clip: Path, face: int | None, put_voice: PutVoice, measured: Measurement, offset: Offset, off: Checked
) -> Job[Checked]:
    shift_ms = offset.correction.ms
    yield from part_of(put_voice(shift_ms), 0.45, 0.55)
    after = yield from part_of(measure(clip, face=face), 0.55, 0.95)
    if not isinstance(after, Refusal) and after.offset is not None and abs(after.offset.ms) < abs(offset.ms):
        verdict = Message(
            "generation.verdict.corrected",
            before=offset.words(),
            moved=Correction(shift_ms).words(),
            after=after.offset.words(),
        )
        return Checked(SyncCheck.CORRECTED, verdict, measured, after, shift_ms)
    # What does not help is undone: the clip is left as the engine made it.
    yield from part_of(put_voice(0.0), 0.95, 1.0)
    return off

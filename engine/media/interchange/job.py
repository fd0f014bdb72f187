"""Write a correction in one of the formats."""

from __future__ import annotations

from pathlib import Path

from engine.jobs import Job, Progress
from engine.media.export.report import AnyCorrection
from engine.media.export.target_file import check_target, written
from engine.media.interchange.cut import Cut, cut_of
from engine.media.interchange.edl import edl, edl_shift
from engine.media.interchange.fcpxml import fcpxml
from engine.media.interchange.formats import EditFile, EditFormat
from engine.media.interchange.otio import otio
from engine.media.interchange.sidecar import sidecar_text
from engine.media.opening import local_file
from engine.media.probe import probe
from engine.timing import Correction
from engine.words import Message

_HEARD_AS_ALIKE_MS = 0.05


def write_edit(
    clip: Path,
    target: Path,
    correction: AnyCorrection,
    form: EditFormat,
    *,
    audio: Path | None = None,
    overwrite: bool = False,
) -> Job[EditFile]:
    """Write how the sound of a clip is to be moved, for another program.

    Args:
        clip: the clip.
        target: the file to write.
        correction: how its sound is moved; positive, later.
        form: which format.
        audio: another file whose sound replaces the clip's; its time zero is the clip's.
        overwrite: replace a target that exists.

    Raises:
        Refused: ``edit.no_length``, ``edit.edl_drift``, ``edit.edl_rate``, or as
            :func:`~engine.media.export.job.export`.
    """
    clip = local_file(clip)
    sound = None if audio is None else local_file(audio)
    sources = [clip] if sound is None else [clip, sound]
    check_target(sources, target, overwrite=overwrite, needs=0)
    yield Progress("writing", 0.0)
    notes: tuple[Message, ...] = ()
    if form is EditFormat.SIDECAR:
        text = sidecar_text(clip, correction, sound, target)
    else:
        cut = cut_of(probe(clip), correction, None if sound is None else probe(sound))
        text = {EditFormat.OTIO: otio, EditFormat.FCPXML: fcpxml, EditFormat.EDL: edl}[form](cut)
        notes = _notes(cut, correction, form)
    with written(sources, target, overwrite=overwrite) as place:
        place.result.write_text(text, encoding="utf-8", newline="")
    yield Progress("writing", 1.0)
    return EditFile(clip, target, form, notes)


def _notes(cut: Cut, correction: AnyCorrection, form: EditFormat) -> tuple[Message, ...]:
    notes = []
    if form is EditFormat.EDL:
        moved = Correction(float(edl_shift(cut) * 1000))
        notes.append(Message("edit.note.whole_frames", moved=moved.words()))
        if isinstance(correction, Correction) and abs(moved.ms - correction.ms) < _HEARD_AS_ALIKE_MS:
            notes.clear()
    elif any(piece.speed != 1 for piece in cut.pieces):
        notes.append(Message("edit.note.speed"))
    if cut.is_variable:
        notes.append(Message("edit.note.variable"))
    return tuple(notes)

"""Hand a correction on instead of writing a copy: measure where none is given, and write it for another program."""

from __future__ import annotations

from pathlib import Path

from engine.fix import decide
from engine.jobs import Job, part_of
from engine.media.export.report import AnyCorrection
from engine.media.interchange.formats import EditFile, EditFormat
from engine.media.interchange.job import write_edit
from engine.media.opening import local_file
from engine.refusal import Refusal, Refused
from engine.timing import Correction

_BY_SUFFIX = {
    ".otio": EditFormat.OTIO,
    ".fcpxml": EditFormat.FCPXML,
    ".edl": EditFormat.EDL,
    ".json": EditFormat.SIDECAR,
}


def export_edit(
    path: str | Path,
    target: str | Path | None = None,
    form: EditFormat | None = None,
    *,
    correction: AnyCorrection | None = None,
    audio: str | Path | None = None,
    overwrite: bool = False,
) -> Job[EditFile | Refusal]:
    """Write how the sound of a clip is to be moved.

    Args:
        path: the clip.
        target: the file; by default beside the clip.
        form: the format; by default what the target's name ends with, else OpenTimelineIO.
        correction: positive, later. By default the clip is measured, and what was found decides.
        audio: another recording whose sound takes the place of the clip's, aligned with it as :func:`engine.fix.fix`
            does unless the correction is given.
        overwrite: replace ``target`` if it exists.

    Returns:
        What was written; or a refusal: ``edit.unknown_format``, what measuring refuses, or as
        :func:`~engine.media.interchange.job.write_edit`.
    """
    try:
        clip = local_file(path)
        sound = None if audio is None else local_file(audio)
        if form is None:
            form = EditFormat.OTIO if target is None else _BY_SUFFIX.get(Path(target).suffix.lower())
        if form is None:
            raise Refused.because("edit.unknown_format", path=target)
        if correction is None:
            decided = yield from part_of(decide(str(path), sound), 0.0, 0.9)
            if isinstance(decided, Refusal):
                return decided
            correction = decided.correction or Correction(0.0)
        place = form.target_for(Path(path)) if target is None else Path(target)
        job = write_edit(clip, place, correction, form, audio=sound, overwrite=overwrite)
        return (yield from part_of(job, 0.9, 1.0))
    except Refused as refused:
        return refused.refusal

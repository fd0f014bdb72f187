"""The verbs for Python programs: call, wait, get the result. The command line and the window run the same jobs.

    >>> from engine.verbs import measure
    >>> result = measure("talk.mp4")  # doctest: +SKIP
    >>> print(result.verdict)  # doctest: +SKIP
    The sound is 83 ms late (±6). Most viewers will notice.

Each verb returns its result, or a :class:`~engine.refusal.Refusal` that says in words why there is none; exceptions are
bugs. ``on_progress`` is called often, with how far the work is; an exception that it raises ends the work cleanly.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.jobs import Progress, run
from engine.refusal import Refusal, Refused

if TYPE_CHECKING:
    from engine.fix_report import FixReport
    from engine.generation.profiles import CalibrationProfile
    from engine.generation.registry import EngineStatus
    from engine.generation.report import RenderReport
    from engine.media.export.report import AnyCorrection, Mode
    from engine.media.interchange.formats import EditFile, EditFormat
    from engine.sound.finding import Diagnosis
    from engine.sound.prepared import Prepared
    from engine.sync.result import Measurement

Watcher = Callable[[Progress], object]


def measure(
    path: str | Path,
    *,
    audio: str | Path | None = None,
    thorough: bool = False,
    face: int | None = None,
    start: float | None = None,
    stop: float | None = None,
    on_progress: Watcher | None = None,
) -> Measurement | Refusal:
    """Measure how far sound and lips of a clip are apart, and why.

    Args:
        path: the clip, a local file.
        audio: another file whose sound is measured against the clip's picture; its time zero is the clip's.
        thorough: look at everything; by default a long clip is sampled until the uncertainty is small.
        face: which face to measure, counted from the left of the picture beginning with 1; by default the one that
            speaks.
        start: measure from here on only, seconds on the clip's clock; by default from the beginning.
        stop: measure up to here only; by default to the end.
        on_progress: called while it works.

    Returns:
        The measurement. A clip without evidence gives one whose ``kind`` is ``unmeasurable`` and whose ``reason`` says
        why; a file that cannot be read gives a refusal.
    """
    from engine.sync.measure import measure as job

    return run(job(path, audio=audio, thorough=thorough, face=face, start=start, stop=stop), on_progress)


def fix(
    path: str | Path,
    output: str | Path | None = None,
    *,
    correction_ms: float | None = None,
    correction: AnyCorrection | None = None,
    mode: Mode | None = None,
    audio: str | Path | None = None,
    overwrite: bool = False,
    on_progress: Watcher | None = None,
) -> FixReport | Refusal:
    """Write a corrected copy of a clip, and measure that copy.

    Args:
        path: the clip; it is never touched.
        output: the copy; by default ``<name>-insync<suffix>`` beside the clip.
        correction_ms: move the sound by this much, positive: later. By default the clip is measured, and what was
            found decides.
        correction: the same for a drift or steps; instead of ``correction_ms``.
        mode: how to write; by default what the correction needs, without re-encoding where that is possible.
        audio: another recording whose sound takes the place of the clip's. It is aligned with the clip's own sound
            where the two share one; otherwise its time zero is the clip's.
        overwrite: replace ``output`` if it exists.
        on_progress: called while it works.

    Returns:
        What was asked, what the copy has, and what is left; ``output`` is ``None`` in it when nothing had to be done.
        A refusal when the clip cannot be measured with confidence, read, or written.
    """
    from engine.fix import fix as job
    from engine.timing import Correction

    if correction_ms is not None:
        correction = Correction(correction_ms)
    return run(job(path, output, correction=correction, mode=mode, audio=audio, overwrite=overwrite), on_progress)


def export_edit(
    path: str | Path,
    target: str | Path | None = None,
    form: EditFormat | None = None,
    *,
    correction: AnyCorrection | None = None,
    audio: str | Path | None = None,
    overwrite: bool = False,
    on_progress: Watcher | None = None,
) -> EditFile | Refusal:
    """Write how the sound of a clip is to be moved, for an editor or another program; no copy is made.

    Args:
        path: the clip.
        target: the file; by default beside the clip, named after it and the format.
        form: OpenTimelineIO, Final Cut Pro XML, EDL, or a small JSON file; by default what ``target`` ends with, else
            OpenTimelineIO.
        correction: positive, later. By default the clip is measured, and what was found decides.
        audio: another recording whose sound takes the place of the clip's.
        overwrite: replace ``target`` if it exists.
        on_progress: called while it works.

    Returns:
        What was written, or a refusal.
    """
    from engine.export_edit import export_edit as job

    return run(job(path, target, form, correction=correction, audio=audio, overwrite=overwrite), on_progress)


def doctor(path: str | Path, *, on_progress: Watcher | None = None) -> Diagnosis | Refusal:
    """Examine the sound of a file for everything that makes sync or a generated mouth go wrong.

    Args:
        path: a file with sound.
        on_progress: called while it works.

    Returns:
        The findings, each with its consequence and remedy, worst first; or a refusal.
    """
    from engine.sound.doctor import diagnose

    return run(diagnose(Path(path)), on_progress)


def prepare(
    path: str | Path,
    target: str | Path | None = None,
    *,
    fps: Fraction | None = None,
    trim: bool = True,
    normalise: bool = True,
    overwrite: bool = False,
    on_progress: Watcher | None = None,
) -> Prepared | Refusal:
    """Write the sound of a file as speech models want it: 16 kHz, mono, 16 bit, with no delay added.

    Args:
        path: a file with sound; it is never touched.
        target: the WAV file, by default a new ``<name>.16k.wav`` beside the file; its facts go into a JSON file
            beside it.
        fps: pad the end with silence to whole frames of this rate.
        trim: leave out silence at both ends; the result says how to map times back.
        normalise: bring it to the loudness of broadcast speech.
        overwrite: replace ``target`` if it exists.
        on_progress: called while it works.

    Returns:
        What was written, with the delay that was measured; or a refusal.
    """
    from engine.sound.prepare import prepare as job

    wav = None if target is None else Path(target)
    return run(job(Path(path), wav, fps=fps, trim=trim, normalise=normalise, overwrite=overwrite), on_progress)


def sample(
    target: str | Path, *, offset_ms: float = 80.0, on_progress: Watcher | None = None, **choices: Any
) -> Path | Refusal:
    """Write a talking-head clip with known timing, drawn and voiced by the program itself.

    Args:
        target: the clip, MP4, MOV or MKV by suffix; replaced if it exists.
        offset_ms: how late its sound is; negative, early.
        on_progress: called while it works.
        **choices: as for :func:`engine.sample.clip.plan_sample_clip`.

    Returns:
        The target, or a refusal when it cannot be written.
    """
    from engine.sample.clip import build_sample_clip

    try:
        return run(build_sample_clip(target, offset_ms=offset_ms, **choices), on_progress)
    except Refused as refused:
        return refused.refusal


def plot(measurement: Measurement, target: str | Path, *, audio: str | Path | None = None) -> Path | Refusal:
    """Draw a measurement as a PNG.

    Args:
        measurement: what :func:`measure` returned.
        target: the PNG; replaced if it exists.
        audio: what was given to :func:`measure`.

    Returns:
        The target, or a refusal when it cannot be written.
    """
    from engine.plot import draw

    return run(draw(measurement, target, audio=audio))


def render(
    source: str | Path,
    voice: str | Path,
    target: str | Path,
    *,
    engine: str = "draft",
    resume: bool = True,
    on_progress: Watcher | None = None,
    **choices: Any,
) -> RenderReport | Refusal:
    """Render a talking clip from a face and a voice, measure it, and take out the engine's own offset.

    Args:
        source: a picture or a video of the person.
        voice: a file with the voice; it becomes the clip's sound.
        target: the clip, MP4, MOV or MKV by suffix.
        engine: name of the engine; see :func:`engines`.
        resume: take up what an unfinished run of the same render has left.
        on_progress: called while it works; ``partial`` carries previews and readings (``engine.generation.events``).
        **choices: further fields of :class:`engine.generation.spec.RenderSpec`, such as ``fps``, ``size``, ``seed``,
            ``parameters`` or ``audio_offset_ms``.

    Returns:
        What was made, with its measurement; or a refusal. What is finished of a render that fails is kept.
    """
    from engine.generation.render import render as job
    from engine.generation.spec import RenderSpec

    spec = RenderSpec(Path(source), Path(voice), Path(target), engine=engine, **choices)
    return run(job(spec, resume=resume), on_progress)


def engines() -> tuple[EngineStatus, ...]:
    """Return all engines: what each can do, what it needs, and whether that is there."""
    from engine.generation.registry import engine_list

    return engine_list()


def calibrate(
    engine: str = "draft", *, on_progress: Watcher | None = None, **choices: Any
) -> CalibrationProfile | Refusal:
    """Measure an engine's own offset on a short clip with a known voice, and remember it for this machine.

    Args:
        engine: name of the engine.
        on_progress: called while it works.
        **choices: ``parameters`` of the engine, and fields of :class:`engine.generation.spec.RenderSpec`.

    Returns:
        The profile, whose ``audio_offset_ms`` makes up for the offset; or a refusal.
    """
    from engine.generation.calibrate import calibrate as job

    return run(job(engine, **choices), on_progress)

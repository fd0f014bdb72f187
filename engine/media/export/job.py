"""The export itself: check, write, measure again, report."""

from __future__ import annotations

import statistics
from collections.abc import Generator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from engine.jobs import Job, Progress
from engine.media.export import encoded, lossless
from engine.media.export.command import command_for
from engine.media.export.containers import container_of
from engine.media.export.ffmpeg import CannotHold, FfmpegFailed
from engine.media.export.losses import losses
from engine.media.export.report import AnyCorrection, Check, ExportReport, Mode
from engine.media.export.request import Outcome, Request, source_streams
from engine.media.export.stretching import TOLERANCE as STRETCH_TOLERANCE
from engine.media.export.stretching import keeps_pitch, line
from engine.media.export.target_file import check_target, written
from engine.media.export.treatment import Treatment
from engine.media.export.verify import COPIED, ENCODED, STRETCHED, Comparison, compare, moved_without_edit_lists
from engine.media.opening import local_file
from engine.media.probe import probe
from engine.refusal import Refused
from engine.timing import Correction, DriftCorrection, Offset, StepCorrection
from engine.words import Message

_WRITING = 0.93
"""Share of the work that is writing; the rest is measuring again."""
_HEARD_AS_ALIKE = Fraction(1, 1000)


def export(
    source: Path,
    target: Path,
    correction: AnyCorrection,
    mode: Mode = Mode.LOSSLESS,
    *,
    audio: Path | None = None,
    treatment: Treatment | None = None,
    overwrite: bool = False,
    verify: bool = True,
) -> Job[ExportReport]:
    """Write a copy of a clip whose sound is moved, then decode both and find out how far it was.

    The source is never touched; the target appears under its name when it is whole, and not at all if the job fails or
    is closed before.

    Args:
        source: the clip.
        target: the file to write; its suffix chooses the container.
        correction: by how much the sound is moved; positive, later. A constant for ``LOSSLESS`` and ``COMPATIBLE``.
        mode: how.
        audio: another file whose sound replaces the clip's. Its clock's zero is put at the zero of the clip's clock
            (the clocks of ``read_samples`` and ``read_frames``), then moved by ``correction``.
        treatment: what else is done to the sound; not with ``LOSSLESS``, which copies it.
        overwrite: replace a target that exists.
        verify: decode source and target at several places and compare.

    Returns:
        The report, at the end of the job.

    Raises:
        ValueError: if sound that is copied is to be treated.
        Refused: ``export.unknown_container``, ``export.same_file``, ``export.exists``, ``export.target_is_folder``,
            ``export.no_folder``, ``export.name_too_long``, ``export.read_only``, ``export.disk_full``,
            ``export.too_large_for_disk``, ``export.write_failed``, ``export.source_changed``, ``export.no_picture``,
            ``export.no_sound``, ``export.needs_stretch``, ``export.needs_piecewise``, ``export.shift_too_large``,
            ``export.cannot_hold``, ``export.ffmpeg_failed``, or as :func:`~engine.media.opening.open_media`.
    """
    if treatment is not None and Mode(mode) is Mode.LOSSLESS:
        raise ValueError("sound that is copied cannot be treated")
    request = replace(_request(Path(source), Path(target), correction, Mode(mode), audio), treatment=treatment)
    sources = [request.source] if audio is None else [request.source, request.sound]
    needs = lossless.size_needed(request.source, request.sound)
    check_target(sources, request.target, overwrite=overwrite, needs=needs)
    return (yield from _export(request, sources, overwrite=overwrite, verify=verify))


def _export(request: Request, sources: list[Path], *, overwrite: bool, verify: bool) -> Job[ExportReport]:
    yield Progress("copying", 0.0)
    checks: list[Check] = []
    with written(sources, request.target, overwrite=overwrite) as place:
        writer = lossless if request.mode is Mode.LOSSLESS else encoded
        try:
            outcome = yield from _scaled(writer.write(request, place))
        except CannotHold as failure:
            said = str(failure).splitlines()[-1:]
            raise Refused.because(
                "export.cannot_hold", container=request.container.label, detail="".join(said)
            ) from failure
        except FfmpegFailed as failure:
            raise Refused.because("export.ffmpeg_failed", detail="".join(str(failure).splitlines()[-1:])) from failure
        size = place.result.stat().st_size
        outcome.notes += losses(request, place.result)
        if verify:
            for check in compare(_comparison(request, place.result, outcome)):
                checks.append(check)
                yield Progress("checking", _WRITING + (1 - _WRITING) * min(1.0, len(checks) / 5), check)
            outcome.notes += _other_readers(request, place.result)
        yield Progress("checking", 1.0)
    return _report(request, outcome, checks, size, verify=verify)


def _scaled(work: Generator[Progress, None, Outcome]) -> Generator[Progress, None, Outcome]:
    """Pass progress on as a share of the whole job, and closing to the work."""
    try:
        while True:
            progress = next(work)
            yield Progress(progress.stage, _WRITING * progress.done, progress.partial)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    finally:
        work.close()


def _request(source: Path, target: Path, correction: AnyCorrection, mode: Mode, audio: Path | None) -> Request:
    """Look everything up, and refuse what cannot be done."""
    correction = _suited(correction, mode)
    container = container_of(target)
    if container is None:
        raise Refused.because("export.unknown_container", path=target, suffix=target.suffix or "?")
    source = local_file(source)
    info = probe(source)
    if info.video is None:
        raise Refused.because("export.no_picture", path=source)
    sound = source if audio is None else local_file(audio)
    sound_info = info if audio is None else probe(sound)
    if sound_info.audio is None:
        raise Refused.because("export.no_sound", path=sound)
    streams, hidden = source_streams(source, info.video)
    request = Request(
        source=source,
        target=target,
        container=container,
        mode=mode,
        correction=correction,
        info=info,
        video=info.video,
        sound=sound,
        sound_info=sound_info,
        audio=sound_info.audio,
        streams=streams,
        has_hidden_frames=hidden,
    )
    _check_size(request)
    return request


def _suited(correction: AnyCorrection, mode: Mode) -> AnyCorrection:
    """Return the correction in the form that the mode works with."""
    if mode is Mode.STRETCH and isinstance(correction, Correction):
        return DriftCorrection(correction.ms, 0.0)
    if mode is Mode.PIECEWISE and isinstance(correction, Correction):
        return StepCorrection(((Fraction(0), correction.ms),))
    if isinstance(correction, DriftCorrection) and mode is not Mode.STRETCH:
        raise Refused.because("export.needs_stretch")
    if isinstance(correction, StepCorrection) and mode is not Mode.PIECEWISE:
        raise Refused.because("export.needs_piecewise")
    return correction


def _check_size(request: Request) -> None:
    """Refuse a shift that leaves nothing to be heard beside the picture."""
    duration = request.info.duration
    if duration is not None and any(abs(ms) >= duration * 1000 for ms in _corrections(request)):
        raise Refused.because("export.shift_too_large", path=request.source)


def _corrections(request: Request) -> list[float]:
    correction = request.correction
    if isinstance(correction, Correction):
        return [correction.ms]
    if isinstance(correction, StepCorrection):
        return [ms for _, ms in correction.steps]
    return [correction.at(float(request.audio.start)), correction.at(float(request.audio.start + _length(request)))]


def _length(request: Request) -> Fraction:
    length = request.audio.duration or request.sound_info.duration or request.info.duration
    return Fraction(0) if length is None else length


def _other_readers(request: Request, written_file: Path) -> list[Message]:
    """Say how a file made for readers that ignore edit lists fares with them."""
    if request.mode is Mode.LOSSLESS or not request.container.is_iso:
        return []
    audio = probe(written_file).audio
    moved = None if audio is None else moved_without_edit_lists(written_file, audio.index)
    if moved is None:
        return []
    if abs(moved) < _HEARD_AS_ALIKE:
        return [Message("export.note.reads_alike")]
    return [Message("export.note.reads_differently", offset=Offset(float(moved * 1000)).words())]


def _comparison(request: Request, written_file: Path, outcome: Outcome) -> Comparison:
    correction = request.correction
    start = request.audio.start
    stop = start + _length(request)
    local = False
    factor = Fraction(1)
    if isinstance(correction, DriftCorrection):
        factor, shift = line(correction)
        local = keeps_pitch(correction)
        moved = factor

        def asked(time: Fraction) -> Fraction:
            return time * (moved - 1) + shift
    elif isinstance(correction, StepCorrection):

        def asked(time: Fraction) -> Fraction:
            return Fraction(round(correction.at(float(time)) * 1000), 1_000_000)
    else:

        def asked(time: Fraction) -> Fraction:  # noqa: ARG001 - the same at all times
            return correction.seconds

    return Comparison(
        source=request.source,
        sound=request.sound,
        stream=request.audio.index,
        target=written_file,
        start=start,
        stop=stop,
        asked=asked,
        factor=factor,
        avoid=outcome.avoid,
        likeness=STRETCHED if factor != 1 else COPIED if outcome.is_exact else ENCODED,
        is_local=local,
    )


def _report(request: Request, outcome: Outcome, checks: list[Check], size: int, *, verify: bool) -> ExportReport:
    notes = list(outcome.notes)
    asked = _corrections(request)[0]
    got = error = samples = None
    if checks:
        worst = max(checks, key=lambda check: abs(check.error_ms))
        error = worst.error_ms
        samples = error * request.audio.sample_rate / 1000
        asked = checks[0].asked_ms
        got = statistics.median(check.error_ms for check in checks) + asked
        if abs(error) > _tolerance_ms(request.correction):
            notes.append(Message("export.note.missed", ms=abs(error)))
    elif verify:
        notes.append(Message("export.note.not_measured"))
    return ExportReport(
        target=request.target,
        mode=request.mode,
        asked=request.correction,
        asked_ms=asked,
        got_ms=got,
        error_ms=error,
        error_samples=samples,
        checks=tuple(checks),
        bytes_written=size,
        streams=tuple(outcome.streams),
        notes=tuple(notes),
        command=command_for(request, outcome.streams),
    )


def _tolerance_ms(correction: AnyCorrection) -> float:
    """Return the error from which on a result counts as missed."""
    if isinstance(correction, DriftCorrection) and keeps_pitch(correction):
        return float(2 * STRETCH_TOLERANCE * 1000)
    return float(_HEARD_AS_ALIKE * 1000)

"""Move the sound without decoding anything: rewrite the container's own time table, or copy packets with ffmpeg."""

from __future__ import annotations

import os
import statistics
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

from engine.jobs import Progress
from engine.media.export import isobmff, matroska
from engine.media.export.containers import Container
from engine.media.export.ffmpeg import piped, read_from, run
from engine.media.export.layout import NothingLeft, UnsupportedLayout
from engine.media.export.remux import giving_up, mapping
from engine.media.export.report import StreamFate
from engine.media.export.request import Outcome, Request, Step, copied, zero_when_copied
from engine.media.export.target_file import Workplace
from engine.media.export.verify import Comparison, compare
from engine.refusal import Refused
from engine.timing import Correction
from engine.words import Message

_BUFFER = 1 << 20
_NO_RANDOM_NUMBERS = ("-fflags", "+bitexact")
"""Else Matroska's identifiers would be others each time, and the same work never give the same file."""


def write(request: Request, place: Workplace) -> Step:
    """Write the target into ``place``.

    Raises:
        Refused: ``export.shift_too_large``.
        CannotHold: if the target's container has no place for picture or sound.
        FfmpegFailed: if ffmpeg gives up.
        OSError: if reading or writing fails.
    """
    assert isinstance(request.correction, Correction)
    shift = request.correction.seconds
    try:
        if not request.replaces_sound and request.keeps_container:
            try:
                return (yield from _rewritten(request, place, shift))
            except UnsupportedLayout:
                place.empty()
        return (yield from _remuxed(request, place, shift))
    except NothingLeft:
        raise Refused.because("export.shift_too_large", path=request.source) from None


def _rewritten(request: Request, place: Workplace, shift: Fraction) -> Step:
    """Rewrite the time table of the file itself."""
    container = request.container
    with place.result.open("r+b", buffering=_BUFFER) as target:
        if container.is_iso:
            done = yield from _steps(isobmff.shift_sound(request.source, target, shift))
        elif container.is_matroska:
            starts = {audio.index: audio.start for audio in request.info.audios}
            with request.source.open("rb", buffering=_BUFFER) as source:
                done = yield from _steps(matroska.shift_sound(source, target, shift, request.info.size, starts))
        else:
            raise UnsupportedLayout(container)
    return Outcome(copied(request), _notes(request, done, shift))


def _remuxed(request: Request, place: Workplace, shift: Fraction) -> Step:
    """Copy packets into a new container, then move the sound there."""
    container = request.container
    sounds = [f"1:{request.audio.index}"] if request.replaces_sound else None
    inputs = [*read_from(request.source), *(read_from(request.sound) if request.replaces_sound else [])]
    fates: tuple[StreamFate, ...] = ()

    def attempt(without: frozenset[str]) -> Generator[Progress, None, isobmff.Shift | matroska.Shift | None]:
        nonlocal fates
        place.empty()
        mapped = mapping(request, without, sounds)
        fates = mapped.streams
        arguments = [*inputs, *mapped.arguments, "-f", container.value]
        by_copying = moved_by_copying(request, mapped.used)
        if container is Container.TS:
            filters = _transport(shift - by_copying, request)
            yield from _progress(run([*arguments, *filters], place.result, request.info.size))
            return None
        if container.is_matroska:
            arguments += _NO_RANDOM_NUMBERS
            with piped(arguments) as source, place.result.open("r+b", buffering=_BUFFER) as target:
                return (yield from _steps(matroska.shift_sound(source, target, shift - by_copying, request.info.size)))
        carried = place.another()
        yield from _progress(run(arguments, carried, request.info.size), 0.0, 0.6)
        rest = shift - _measured(request, carried, by_copying)
        with place.result.open("r+b", buffering=_BUFFER) as target:
            done = yield from _steps(isobmff.shift_sound(carried, target, rest, index_first=True), 0.6)
        carried.unlink()
        return done

    done = yield from giving_up(attempt)
    outcome = Outcome(list(fates), _notes(request, done, shift))
    if not request.keeps_container:
        outcome.notes.append(Message("export.note.new_container", container=container.label))
    if request.has_hidden_frames and not container.is_iso:
        outcome.notes.append(Message("export.note.hidden_frames_shown"))
    return outcome


def moved_by_copying(request: Request, used: frozenset[int]) -> Fraction:
    """Return by how much copying moves another file's sound: both inputs begin at zero, whatever their clocks say.

    Args:
        request: what is to be done.
        used: the clip's streams that are copied.
    """
    if not request.replaces_sound:
        return Fraction(0)
    return zero_when_copied(request.source, used) - zero_when_copied(request.sound, {request.audio.index})


def _measured(request: Request, carried: Path, expected: Fraction) -> Fraction:
    """Return by how much copying did move the sound, in seconds, to the microsecond.

    A source that counts in milliseconds makes a difference to what is expected.
    """
    length = request.audio.duration or request.sound_info.duration or Fraction(0)
    comparison = Comparison(
        source=request.source,
        sound=request.sound,
        stream=request.audio.index,
        target=carried,
        start=request.audio.start,
        stop=request.audio.start + length,
        asked=lambda _: expected,
    )
    found = [check.got_ms for check in compare(comparison)]
    return Fraction(round(statistics.median(found) * 1000), 1_000_000) if found else expected


def _transport(shift: Fraction, request: Request) -> list[str]:
    """Return the arguments that move packets on their way into a transport stream, whose clock ticks at 90 kHz."""
    filters = f"setts=ts=TS+round({float(shift):.9f}/TB)"
    if shift < 0:
        filters += r",noise=amount=0:drop=lt(pts*tb\,0)"
    arguments = ["-bsf:a", filters]
    if request.target.suffix.lower() in {".m2ts", ".mts"}:
        arguments += ["-mpegts_m2ts_mode", "1"]
    return arguments


def _steps(
    work: Iterator[float | isobmff.Shift] | Iterator[float | matroska.Shift], start: float = 0.0
) -> Generator[Progress, None, isobmff.Shift | matroska.Shift]:
    """Turn shares into progress and return the result at the end."""
    for done in work:
        if isinstance(done, isobmff.Shift | matroska.Shift):
            return done
        yield Progress("copying", start + (1 - start) * done)
    raise AssertionError("a rewriter ends with its result")


def _progress(shares: Iterator[float], start: float = 0.0, stop: float = 1.0) -> Iterator[Progress]:
    for share in shares:
        yield Progress("copying", start + (stop - start) * share)


def _notes(request: Request, done: isobmff.Shift | matroska.Shift | None, shift: Fraction) -> list[Message]:
    notes = []
    container = request.container
    milliseconds = float(abs(shift) * 1000)
    if container.is_iso and shift != 0:
        notes.append(Message("export.note.edit_list"))
    elif isinstance(done, matroska.Shift) and done.scale != done.scale_was:
        notes.append(Message("export.note.finer_ticks", microseconds=done.scale / 1000))
    elif container is Container.TS:
        notes.append(Message("export.note.transport_ticks"))
    if shift > 0:
        notes.append(Message("export.note.silence_first", ms=milliseconds))
    elif shift < 0:
        key = "export.note.head_hidden" if container.is_iso else "export.note.head_cut"
        notes.append(Message(key, ms=milliseconds))
    return notes


def size_needed(source: Path, sound: Path) -> int:
    """Return about how many bytes a lossless copy takes."""
    return os.path.getsize(source) + (0 if sound == source else os.path.getsize(sound))  # noqa: PTH202

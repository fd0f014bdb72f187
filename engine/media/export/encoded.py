"""Copy the picture and encode the sound again, moved: for players that ignore edit lists, for drift and for steps."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

from engine.jobs import Progress
from engine.media.export.codecs import Encoding, encoding_for
from engine.media.export.containers import Container
from engine.media.export.encode import Samples, encode
from engine.media.export.ffmpeg import read_from, run
from engine.media.export.joining import find_joins, pieced
from engine.media.export.remux import giving_up, mapping
from engine.media.export.report import StreamFate
from engine.media.export.request import Outcome, Request, Step, zero_when_copied
from engine.media.export.shifting import shifted
from engine.media.export.stretching import RESAMPLED_UP_TO_PPM, TOLERANCE, keeps_pitch, stretched
from engine.media.export.target_file import Workplace
from engine.media.export.timeline import Tape, placed
from engine.media.probe import AudioStream
from engine.timing import Correction, DriftCorrection, StepCorrection
from engine.words import Message

_ENCODING_SHARE = 0.6
"""Share of the work that encoding the sound is; the rest is copying the picture."""


def write(request: Request, place: Workplace) -> Step:
    """Write the target into ``place``.

    Raises:
        CannotHold: if the target's container has no place for picture or sound.
        FfmpegFailed: if ffmpeg gives up.
        OSError: if reading or writing fails.
        Refused: if the sound cannot be decoded.
    """
    audios = (request.audio,) if request.replaces_sound else request.sound_info.audios
    outcome = Outcome(is_exact=False)
    files: list[Path] = []
    for number, audio in enumerate(audios):
        encoding = encoding_for(audio, request.container)
        file = place.another(encoding.suffix)
        files.append(file)
        share = _ENCODING_SHARE / len(audios)
        yield from _encoded(request, audio, encoding, file, outcome, number * share, share)
    yield from _muxed(request, place, files, outcome)
    for file in files:
        file.unlink()
    outcome.notes += _notes(request, encoding_for(request.audio, request.container))
    return outcome


def zero_of(request: Request) -> Fraction:
    """Return the moment of the clip's clock that is time zero of the new file: when its picture begins."""
    return request.video.start


def _encoded(
    request: Request, audio: AudioStream, encoding: Encoding, file: Path, outcome: Outcome, start: float, share: float
) -> Generator[Progress, None, None]:
    """Encode one stream of sound, moved, so that its decoded sample 0 belongs to the first picture."""
    tape = Tape(
        request.sound, audio.index, encoding.sample_rate, encoding.channels, zero_of(request), request.treatment
    )
    sound = _moved(request, tape, outcome)
    length = float(request.sound_info.duration or request.info.duration or 1)
    for seconds in encode(placed(sound, encoding.delay, encoding.channels), encoding, file):
        yield Progress("encoding", start + share * min(1.0, float(seconds) / length))


def _moved(request: Request, tape: Tape, outcome: Outcome) -> Iterator[tuple[int, Samples]]:
    correction = request.correction
    if isinstance(correction, Correction):
        return shifted(tape, correction.seconds)
    if isinstance(correction, DriftCorrection):
        return stretched(tape, correction)
    assert isinstance(correction, StepCorrection)
    joins = find_joins(tape, correction)
    outcome.avoid = tuple(time for time, _ in correction.steps[1:])
    return pieced(tape, correction, joins)


def _muxed(request: Request, place: Workplace, files: list[Path], outcome: Outcome) -> Generator[Progress, None, None]:
    """Copy the picture and everything else, with the new sound in place of the old."""
    sounds = [argument for file in files for argument in read_from(file)]
    names = [f"{number}:a:0" for number in range(1, len(files) + 1)]
    fates: tuple[StreamFate, ...] = ()

    def attempt(without: frozenset[str]) -> Generator[Progress, None, None]:
        nonlocal fates
        mapped = mapping(request, without, names)
        fates = mapped.streams
        behind = zero_of(request) - zero_when_copied(request.source, mapped.used)
        late = ["-itsoffset", f"{float(-behind):.6f}"] if behind else []
        arguments = [*late, *read_from(request.source), *sounds, *mapped.arguments, "-f", request.container.value]
        arguments += _layout(request)
        for share in run(arguments, place.result, request.info.size):
            yield Progress("copying", _ENCODING_SHARE + (1 - _ENCODING_SHARE) * share)

    yield from giving_up(attempt)
    outcome.streams += fates


def _layout(request: Request) -> list[str]:
    """Return muxer options that need no edit list, so that readers with and without one agree."""
    if request.container.is_iso:
        if request.has_hidden_frames:  # only an edit list keeps them hidden
            return ["-movflags", "+faststart"]
        return ["-movflags", "+faststart+negative_cts_offsets", "-use_editlist", "0"]
    if request.container is Container.TS and request.target.suffix.lower() in {".m2ts", ".mts"}:
        return ["-mpegts_m2ts_mode", "1"]
    return []


def _notes(request: Request, encoding: Encoding) -> list[Message]:
    codec = encoding.codec.removeprefix("lib").upper().replace("_", " ")
    if encoding.bit_rate is None:
        notes = [Message("export.note.encoded_lossless", codec=codec)]
    else:
        notes = [Message("export.note.encoded", codec=codec, kilobits=encoding.bit_rate // 1000)]
    correction = request.correction
    if isinstance(correction, DriftCorrection):
        if keeps_pitch(correction):
            notes.append(Message("export.note.stretched", tolerance_ms=float(TOLERANCE * 1000)))
        else:
            notes.append(Message("export.note.resampled", ppm=abs(correction.rate_ppm), limit=RESAMPLED_UP_TO_PPM))
    elif isinstance(correction, StepCorrection):
        notes.append(Message("export.note.joined", joins=len(correction.steps) - 1))
    if request.has_hidden_frames and request.container.is_iso:
        notes.append(Message("export.note.hidden_frames"))
    elif request.has_hidden_frames:
        notes.append(Message("export.note.hidden_frames_shown"))
    return notes

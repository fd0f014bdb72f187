"""The ffmpeg command that does what an export did, for people who want to see it or to put it into a script."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from engine.media.export.codecs import encoding_for
from engine.media.export.containers import Container
from engine.media.export.ffmpeg import ALL_TIMES
from engine.media.export.lossless import moved_by_copying
from engine.media.export.report import Fate, Mode, StreamFate
from engine.media.export.request import Request
from engine.media.export.stretching import line
from engine.media.export.treatment import Treatment
from engine.timing import Correction, DriftCorrection, StepCorrection


def command_for(request: Request, streams: list[StreamFate]) -> tuple[str, ...]:
    """Return a complete argument list, beginning with ``ffmpeg``.

    It works with ffmpeg 5 or later. For a constant correction the result is in sync to the sample; for a drift or steps
    it differs in how the sound is stretched or joined.

    Args:
        request: what was asked.
        streams: what became of the clip's streams.
    """
    sound = _seconds(request.correction) if isinstance(request.correction, Correction) else Fraction(0)
    inputs = [*ALL_TIMES, "-i", _name(request.source)]
    if request.replaces_sound:
        inputs += ["-i", _name(request.sound)]
    return (
        "ffmpeg",
        *inputs,
        *_maps(request, streams),
        *(_copied(request, streams, sound) if request.mode is Mode.LOSSLESS else _encoded(request)),
        _name(request.target),
    )


def _seconds(correction: Correction) -> Fraction:
    return correction.seconds


def _name(path: Path) -> str:
    """Return a file name that ffmpeg takes for neither an option nor a protocol."""
    text = str(path)
    return f"file:{text}" if text.startswith("-") or ":" in text else text


def _maps(request: Request, streams: list[StreamFate]) -> list[str]:
    arguments: list[str] = []
    for stream in streams:
        if stream.fate is Fate.DROPPED or (stream.kind == "audio" and request.replaces_sound):
            continue
        arguments += ["-map", f"0:{stream.index}"]
    if request.replaces_sound:
        arguments += ["-map", f"1:{request.audio.index}"]
    return arguments


def _copied(request: Request, streams: list[StreamFate], shift: Fraction) -> list[str]:
    used = frozenset(stream.index for stream in streams if stream.fate in (Fate.COPIED, Fate.CONVERTED))
    moved = shift - moved_by_copying(request, used)
    filters = f"setts=ts=TS+round({float(moved):.6f}/TB)"
    if moved < 0 and not request.container.is_iso:
        filters += r",noise=amount=0:drop=lt(pts*tb\,0)"
    arguments = ["-c", "copy", "-bsf:a", filters]
    if request.container.is_iso:
        arguments += ["-movie_timescale", str(request.audio.sample_rate)]
    return arguments


def _encoded(request: Request) -> list[str]:
    encoding = encoding_for(request.audio, request.container)
    arguments = ["-c", "copy", "-c:a", encoding.codec]
    if encoding.bit_rate is not None:
        arguments += ["-b:a", str(encoding.bit_rate)]
    if request.container is Container.MP4 and encoding.codec in {"flac", "libopus"}:
        arguments += ["-strict", "experimental"]
    return [*arguments, "-ar", str(encoding.sample_rate), *_filter(request)]


def _filter(request: Request) -> list[str]:
    correction, treated = request.correction, _treated(request.treatment)
    if isinstance(correction, StepCorrection):
        return ["-af", ",".join([*treated, _steps(correction)])]
    if isinstance(correction, DriftCorrection):
        factor, shift = line(correction)
        filters = [f"atempo={float(1 / factor):.9f}", *_moved(shift)]
    else:
        filters = _moved(correction.seconds)
    filters = [*treated, *filters]
    return ["-af", ",".join(filters)] if filters else []


def _treated(treatment: Treatment | None) -> list[str]:
    """Return filters that do what is done to the sound besides moving it."""
    if treatment is None:
        return []
    filters = []
    if treatment.channel is not None:
        filters.append(f"pan=stereo|c0=c{treatment.channel}|c1=c{treatment.channel}")
    if treatment.removes_constant:
        filters.append("highpass=f=8:poles=1")
    if treatment.gain_db:
        filters.append(f"volume={treatment.gain_db:g}dB")
    return filters


def _moved(shift: Fraction) -> list[str]:
    """Return filters that move the sound by a constant: silence before it, or its beginning cut off."""
    if shift > 0:
        return [f"adelay=delays={float(shift * 1000):.6f}:all=1"]
    return [f"atrim=start={float(-shift):.6f}", "asetpts=PTS-STARTPTS"] if shift < 0 else []


def _steps(correction: StepCorrection) -> str:
    """Return a filter graph that cuts the sound at the steps, moves the parts and mixes them again."""
    count = len(correction.steps)
    parts = [f"asplit={count}" + "".join(f"[s{n}]" for n in range(count))] if count > 1 else []
    for number, (time, milliseconds) in enumerate(correction.steps):
        start = Fraction(0) if number == 0 else time
        stop = correction.steps[number + 1][0] if number + 1 < count else None
        begin = start + Fraction(round(milliseconds * 1000), 1_000_000)
        if begin < 0:
            start, begin = start - begin, Fraction(0)
        cut = [f"start={float(start):.6f}"] + ([f"end={float(stop):.6f}"] if stop is not None else [])
        source, sink = (f"[s{number}]", f"[m{number}]") if count > 1 else ("", "")
        parts.append(
            f"{source}atrim={':'.join(cut)},asetpts=PTS-STARTPTS,adelay=delays={float(begin * 1000):.6f}:all=1{sink}"
        )
    if count > 1:
        parts.append("".join(f"[m{n}]" for n in range(count)) + f"amix=inputs={count}:normalize=0:dropout_transition=0")
    return ";".join(parts)

"""A correction as a cut: the whole picture, and under it the sound in pieces that lie elsewhere.

On the timeline everything stands on frame edges, because editors move clips there to them anyway. What a shift has
beyond whole frames is in where a piece begins *within its file*, which editors keep to the sample. So a piece starts at
the first frame edge at which its sound is there, and up to one frame of the sound's very beginning is not heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from engine.media.export.report import AnyCorrection
from engine.media.probe import MediaInfo
from engine.refusal import Refused
from engine.timing import Correction, DriftCorrection, Rounding


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of sound on the timeline.

    Attributes:
        record: the frame of the timeline at which it begins.
        frames: how many frames long it is there.
        source: where it begins in its file, in seconds from the file's beginning.
        speed: how fast it is played; 1 unless it drifts.
    """

    record: int
    frames: int
    source: Fraction
    speed: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Medium:
    """A file that is cut.

    Attributes:
        path: the file, absolute.
        duration: seconds from its beginning to its end.
    """

    path: Path
    duration: Fraction


@dataclass(frozen=True, slots=True)
class Cut:
    """What an editor has to know.

    Attributes:
        clip: the file with the picture.
        sound: the file with the sound; equal to ``clip`` unless the sound comes from another one.
        rate: frames per second of the timeline.
        size: columns and rows of the picture as displayed.
        sample_rate: samples per second of the sound.
        channels: number of its channels.
        picture: where the first frame is in its file, in seconds from the file's beginning.
        sound_zero: where the sound of that moment would be without the correction, in seconds from the beginning of
            the sound's file.
        frames: number of frames of the timeline.
        pieces: the sound, in order of time, without overlaps.
        is_variable: whether the picture's frame durations differ, which no cut can say.
    """

    clip: Medium
    sound: Medium
    rate: Fraction
    size: tuple[int, int]
    sample_rate: int
    channels: int
    picture: Fraction
    sound_zero: Fraction
    frames: int
    pieces: tuple[Piece, ...]
    is_variable: bool

    @property
    def name(self) -> str:
        """What the timeline is called: the clip's name without its suffix."""
        return self.clip.path.stem


def cut_of(info: MediaInfo, correction: AnyCorrection, sound_info: MediaInfo | None = None) -> Cut:
    """Return a clip with its sound moved, as a cut.

    Args:
        info: the clip.
        correction: how the sound is moved, on the sound's own clock.
        sound_info: the file whose sound replaces the clip's; its time zero is the clip's.

    Raises:
        Refused: ``export.no_picture``, ``export.no_sound``, ``edit.no_length``, ``export.shift_too_large``.
    """
    heard = sound_info or info
    video, audio = info.video, heard.audio
    if video is None:
        raise Refused.because("export.no_picture", path=info.path)
    if audio is None:
        raise Refused.because("export.no_sound", path=heard.path)
    length = video.duration or info.duration
    if not length or not heard.duration:
        raise Refused.because("edit.no_length", path=info.path)
    frames = max(1, Rounding.NEAREST.apply(length * video.rate))
    lines = _lines(correction)
    pieces = tuple(_pieces(lines, heard.start, heard.start + heard.duration, video.start, video.rate, frames))
    if not pieces:
        raise Refused.because("export.shift_too_large", path=info.path)
    return Cut(
        Medium(info.path.absolute(), info.duration or length),
        Medium(heard.path.absolute(), heard.duration),
        video.rate,
        (video.display_width, video.display_height),
        audio.sample_rate,
        audio.channels,
        video.start - info.start,
        video.start - heard.start,
        frames,
        pieces,
        video.is_variable,
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """From a moment of the sound on, it is played at ``factor`` times its own time plus ``shift``; in seconds."""

    start: Fraction | None
    factor: Fraction
    shift: Fraction


def _lines(correction: AnyCorrection) -> list[_Line]:
    if isinstance(correction, Correction):
        return [_Line(None, Fraction(1), correction.seconds)]
    if isinstance(correction, DriftCorrection):
        growth = Fraction(round(correction.rate_ppm * 1000), 1_000_000_000)
        return [_Line(None, 1 + growth, Correction(correction.at_zero_ms).seconds)]
    steps = [_Line(time, Fraction(1), Correction(ms).seconds) for time, ms in correction.steps]
    return [_Line(None, steps[0].factor, steps[0].shift), *steps[1:]]


def _pieces(
    lines: list[_Line], begin: Fraction, end: Fraction, zero: Fraction, rate: Fraction, frames: int
) -> list[Piece]:
    """Return where each stretch lies; one that begins before the one before it ends cuts that off.

    Args:
        lines: how the sound is moved, by stretch.
        begin: first moment of the sound's file on its clock.
        end: last moment of it.
        zero: moment of the clip's clock that is frame 0.
        rate: frames per second.
        frames: number of frames there are.
    """

    def edge(moment: Fraction, line: _Line, rounding: Rounding) -> int:
        played = moment * line.factor + line.shift - zero
        return min(frames, max(0, rounding.apply(played * rate)))

    starts = [begin if line.start is None else max(begin, line.start) for line in lines]
    stops = [*starts[1:], end]
    edges = [edge(start, line, Rounding.CEIL) for start, line in zip(starts, lines, strict=True)]
    pieces = []
    for number, (line, stop) in enumerate(zip(lines, stops, strict=True)):
        first = edges[number]
        last = edge(stop, line, Rounding.FLOOR)
        if number + 1 < len(edges):
            last = min(last, edges[number + 1])
        if last > first:
            source = (first / rate + zero - line.shift) / line.factor - begin
            pieces.append(Piece(first, last - first, source, 1 / line.factor))
    return pieces

"""Edit decision list, CMX 3600: one line per piece, counted in whole frames."""

from __future__ import annotations

from fractions import Fraction

from engine.media.interchange.cut import Cut
from engine.refusal import Refused
from engine.timing import Rounding

_RECORD_HOUR = 3600
"""Seconds at which the timeline begins: one hour, as tapes did, so that there is room before the first event."""
_FASTEST = 99
"""A time code has two digits for frames."""


def edl(cut: Cut) -> str:
    """Return the text of the file.

    Raises:
        Refused: ``edit.edl_drift`` for sound that is played faster or slower, ``edit.edl_rate`` above 99 frames/s.
    """
    if any(piece.speed != 1 for piece in cut.pieces):
        raise Refused.because("edit.edl_drift", path=cut.clip.path)
    per_second = Rounding.NEAREST.apply(cut.rate)
    if per_second > _FASTEST:
        raise Refused.because("edit.edl_rate", path=cut.clip.path, rate=float(cut.rate))
    zero = _RECORD_HOUR * per_second
    first = _frame(cut.picture, cut.rate)
    sound_track = "A" if cut.channels == 1 else "AA"
    events = [("V", cut.clip, first, 0, cut.frames)]
    events += [
        (sound_track, cut.sound, _frame(piece.source, cut.rate), piece.record, piece.frames) for piece in cut.pieces
    ]
    lines = [f"TITLE: {_plain(cut.name)}", "FCM: NON-DROP FRAME", ""]
    for number, (track, medium, source, record, frames) in enumerate(events, 1):
        codes = (source, source + frames, zero + record, zero + record + frames)
        times = " ".join(_timecode(code, per_second) for code in codes)
        lines += [f"{number:03d}  AX       {track:<5} C        {times}"]
        lines += [f"* FROM CLIP NAME: {_plain(medium.path.name)}"]
    return "\r\n".join([*lines, ""])


def edl_shift(cut: Cut) -> Fraction:
    """Return by how many seconds the list moves the first piece; positive, later."""
    piece = cut.pieces[0]
    return (piece.record - _frame(piece.source, cut.rate)) / cut.rate + cut.sound_zero


def _frame(seconds: Fraction, rate: Fraction) -> int:
    return Rounding.NEAREST.apply(seconds * rate)


def _timecode(frame: int, per_second: int) -> str:
    seconds, frames = divmod(frame, per_second)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frames:02d}"


def _plain(name: str) -> str:
    """Return a name on one line."""
    return " ".join(name.split())

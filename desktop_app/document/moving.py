"""Where a correction, whatever its shape, puts each stretch of sound."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from desktop_app.document.corrections import AnyCorrection
from engine.media.export.joining import Cut, Cuts
from engine.timing import Correction, DriftCorrection, StepCorrection


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of sound that is moved and stretched as one: heard at ``t`` it is shown at ``shift + scale * t``.

    Attributes:
        start: first time of the file, seconds; minus infinity for the beginning.
        stop: last time, infinity for the end.
        shift: seconds.
        scale: 1 unless there is a drift.
    """

    start: float
    stop: float
    shift: float
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Joined:
    """Where the sound is joined at steps.

    Attributes:
        steps: as :func:`arrangement` returned them.
        cuts: where the export joins for these steps.
    """

    steps: StepCorrection
    cuts: Cuts


def stretches(correction: AnyCorrection, joined: Joined | None = None) -> list[Stretch]:
    """Return the stretches into which a correction divides the sound.

    Args:
        correction: how the sound is moved.
        joined: where its steps are joined, as far as that is known; else they are drawn at their own times.
    """
    if isinstance(correction, Correction):
        return [Stretch(-math.inf, math.inf, correction.ms / 1000)]
    if isinstance(correction, DriftCorrection):
        return [Stretch(-math.inf, math.inf, correction.at_zero_ms / 1000, 1 + correction.rate_ppm / 1e6)]
    places = None if joined is None else _places(joined, arrangement(correction))
    if joined is not None and places is not None:
        return _between(places, correction.at(float(joined.cuts.origin)) / 1000)
    starts = [-math.inf, *(float(time) for time, _ in correction.steps[1:]), math.inf]
    return [
        Stretch(start, stop, ms / 1000)
        for (start, stop), (_, ms) in zip(itertools.pairwise(starts), correction.steps, strict=True)
    ]


def _places(joined: Joined, steps: StepCorrection | None) -> Sequence[Cut] | None:
    """Return where steps are joined, ``None`` where that is not known."""
    cuts = joined.cuts
    if steps is None or steps == joined.steps:
        return None if steps is None else cuts.places
    # While they are being changed by hand they stay in the places that were found before.
    times = [[time for time, _ in each.steps] for each in (joined.steps, steps)]
    sizes = [
        Fraction(after - before) / 1000
        for (_, before), (time, after) in itertools.pairwise(steps.steps)
        if time > cuts.origin
    ]
    if times[0] != times[1] or len(sizes) != len(cuts.places):
        return None
    return [
        Cut(cut.ends, cut.ends + max(Fraction(0), -size), size) for cut, size in zip(cuts.places, sizes, strict=True)
    ]


def _between(places: Sequence[Cut], shift: float) -> list[Stretch]:
    """Return the stretches between cuts; the first one is moved by ``shift`` seconds."""
    shifts = itertools.accumulate((float(cut.grows) for cut in places), initial=shift)
    starts = [-math.inf, *(float(cut.begins) for cut in places)]
    stops = [*(float(cut.ends) for cut in places), math.inf]
    return [Stretch(*each) for each in zip(starts, stops, shifts, strict=True)]


def time_in(pieces: Sequence[Stretch], shown: float) -> float:
    """Return which moment of the sound is seen at ``shown`` seconds, as :func:`sound_time`, where joins are known."""
    piece = next((piece for piece in reversed(pieces) if piece.shift + piece.scale * piece.start <= shown), pieces[0])
    return (shown - piece.shift) / piece.scale


def sound_time(correction: AnyCorrection, shown: float) -> float:
    """Return which moment of the sound is heard when the picture is at ``shown`` seconds.

    Where steps make two moments fall on the same time the later stretch is heard; where they leave a hole, the moment
    that its stretch would have there.
    """
    if isinstance(correction, DriftCorrection):
        return (shown - correction.at_zero_ms / 1000) / (1 + correction.rate_ppm / 1e6)
    return shown - moved_ms(correction, shown) / 1000


def moved_ms(correction: AnyCorrection, shown: float) -> float:
    """Return by how much the sound is moved that is heard when the picture is at ``shown`` seconds, milliseconds."""
    if isinstance(correction, Correction):
        return correction.ms
    if isinstance(correction, DriftCorrection):
        return correction.at(sound_time(correction, shown))
    found = correction.steps[0][1]
    for time, ms in correction.steps[1:]:
        if shown >= float(time) + ms / 1000:
            found = ms
    return found


def shown_time(correction: AnyCorrection, heard: float) -> float:
    """Return when the sound of the moment ``heard`` is to be heard on the picture's clock."""
    if isinstance(correction, Correction):
        return heard + correction.ms / 1000
    return heard + correction.at(heard) / 1000


def arrangement(correction: AnyCorrection) -> StepCorrection | None:
    """Return how stretches of the sound are moved against the first one, ``None`` where all are moved alike.

    Sound is put in and left out accordingly. A shift of the whole leaves the arrangement as it is.
    """
    if not isinstance(correction, StepCorrection) or len({ms for _, ms in correction.steps}) == 1:
        return None
    first = correction.steps[0][1]
    # Differences of what was moved as a whole are the same but for the last bits.
    return StepCorrection(tuple((time, round(ms - first, 6)) for time, ms in correction.steps))


def played_time(correction: AnyCorrection, shown: float) -> float:
    """Return which moment of the arranged sound is heard when the picture is at ``shown`` seconds.

    The arranged sound has the clock of the file up to the first step. From there on what is put in is counted, what is
    left out is not, so that it runs evenly with the picture.
    """
    if arrangement(correction) is None:
        return sound_time(correction, shown)
    return shown - moved_ms(correction, -math.inf) / 1000


def picture_time(correction: AnyCorrection, played: float) -> float:
    """Return when the moment ``played`` of the arranged sound is to be heard on the picture's clock."""
    if arrangement(correction) is None:
        return shown_time(correction, played)
    return played + moved_ms(correction, -math.inf) / 1000


def file_time(arranged: StepCorrection | None, played: float) -> float:
    """Return which moment of the file is heard at the moment ``played`` of the sound that is arranged so."""
    return played if arranged is None else sound_time(arranged, played)

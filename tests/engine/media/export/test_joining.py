"""Sound put together from stretches that are moved differently: any part of it on its own, and steps close together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine.media.export.joining import Join, find_cuts, find_joins, pieced, rescaled
from engine.media.export.report import Mode
from engine.media.export.timeline import Tape
from engine.media.export.treatment import Treatment
from engine.timing import StepCorrection
from tests.engine.media.export.measuring import beeps_at, exported
from tests.media import Clip

MakeClip = Callable[..., Clip]
Floats = npt.NDArray[np.float32]

UP_AND_DOWN = StepCorrection(
    ((Fraction(0), -40.0), (Fraction(3), 310.0), (Fraction(5), 312.5), (Fraction(8), -90.0), (Fraction(9), 10.0))
)
"""Room tone longer and shorter than a fade, and sound that is left out."""


@pytest.fixture
def tape(clip: MakeClip) -> Tape:
    made = clip("joining.mkv", seconds=12, noise=0.05, audio_codec="flac")
    return Tape(made.path, 1, 48_000, 1, Fraction(0))


def whole(pieces: Iterator[tuple[int, Floats]]) -> tuple[int, Floats]:
    """Return index and samples of contiguous pieces in one."""
    parts = list(pieces)
    for (before, data), (index, _) in pairwise(parts):
        assert index == before + len(data)
    return parts[0][0], np.concatenate([data for _, data in parts])


def test_any_part_on_its_own_equals_the_same_part_of_the_whole(tape: Tape) -> None:
    joins = find_joins(tape, UP_AND_DOWN)
    assert [join.grows for join in joins] == [16_800, 120, -19_320, 4_800]
    first, sound = whole(pieced(tape, UP_AND_DOWN, joins))
    assert first == -1920
    places = [0]
    for join in joins:
        places.append(places[-1] + join.grows)
    near = [join.ends + grown for join, grown in zip(joins, places, strict=False)]
    # Before, at, in and behind every fade; a fade lasts 384 samples.
    around = [place + by for place in near for by in (-400, -1, 0, 1, 60, 119, 121, 383, 384, 385, 500, 17_000)]
    for start in [0, 1, 5000, *around, len(sound) - 10]:
        index, part = whole(pieced(tape, UP_AND_DOWN, joins, start))
        assert index == first + start
        # The fades are computed again, from the same samples in the same order.
        np.testing.assert_array_equal(part, sound[start:])


def test_nothing_is_left_behind_the_end(tape: Tape) -> None:
    joins = find_joins(tape, UP_AND_DOWN)
    assert list(pieced(tape, UP_AND_DOWN, joins, 20 * 48_000)) == []


@pytest.mark.parametrize(
    "steps",
    [
        ((0, 0.0), (4, 60.0), (Fraction("4.2"), -30.0), (Fraction("4.4"), 80.0)),
        ((0, 0.0), (4, -300.0), (Fraction("4.1"), 200.0)),
        ((0, 0.0), (4, -300.0), (Fraction("4.1"), 0.0)),
        ((-9, 500.0), (-3, 100.0), (Fraction("-0.5"), -20.0), (6, 40.0)),
    ],
    ids=["close", "swallowed", "swallowed and back", "before the beginning"],
)
def test_what_follows_steps_that_leave_no_room_is_in_its_place(
    steps: tuple[tuple[Fraction, float], ...], clip: MakeClip, tmp_path: Path
) -> None:
    source = clip("joining.mkv", seconds=12, noise=0.05, audio_codec="flac")
    correction = StepCorrection(tuple((Fraction(time), ms) for time, ms in steps))
    target = tmp_path / "target.mkv"
    exported(source, target, correction, Mode.PIECEWISE, verify=False)
    found = beeps_at(target)
    checked = 0
    for old in beeps_at(source):
        # Within half a second of a step the join may lie on either side; a beep lasts 30 ms.
        if all(abs(float(old) - float(time)) > 0.55 for time, _ in correction.steps):
            checked += 1
            place = float(old) + correction.at(float(old)) / 1000
            assert min(abs(float(new) - place) for new in found) <= 2 / 48_000
    assert checked >= 6


def test_at_another_rate_the_joins_stay_where_they_are() -> None:
    joins = [
        Join(1000, 1000, 333, 40),
        Join(20_000, 20_777, 0, 41),
        *(Join(at, at, 7, at) for at in range(30_000, 90_000, 1000)),
    ]
    assert rescaled(joins, 48_000, 48_000) is joins
    scaled = rescaled(joins, 48_000, 44_100)
    grown = 0
    for join, found in zip(joins, scaled, strict=True):
        assert abs(found.ends - join.ends * 0.91875) <= 0.5
        assert abs(found.tone - join.tone * 0.91875) <= 0.5
        assert found.inserts == 0 or found.ends == found.begins
        grown += join.grows
    # Rounded once: seven samples are 6.43, sixty times.
    assert sum(found.grows for found in scaled) == round(grown * 0.91875)


def test_a_tape_of_any_rate_and_treatment_is_joined_in_the_same_places(tape: Tape) -> None:
    joins = find_joins(tape, UP_AND_DOWN)
    other = replace(tape, sample_rate=44_100, channels=2, treatment=Treatment(gain_db=-20.0, removes_constant=True))
    assert find_joins(other, UP_AND_DOWN) == rescaled(joins, 48_000, 44_100)
    cuts = find_cuts(tape.path, UP_AND_DOWN)
    assert cuts is not None
    assert [(cut.ends, cut.begins, cut.grows) for cut in cuts.places] == [
        tuple(cuts.origin * (count < 2) + Fraction(samples, 48_000) for count, samples in enumerate(place))
        for place in ((join.ends, join.begins, join.grows) for join in joins)
    ]

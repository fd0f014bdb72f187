"""From all evidence to one answer: which face speaks, how late the sound is, and whether that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.sync.calibration import Calibration
from engine.sync.evidence import BLOCK_ROWS, Evidence
from engine.sync.lines import fit_offsets
from engine.sync.result import Kind, LagCurve, OffsetPoint
from engine.sync.rows import ROW_RATE
from engine.sync.search import FINE_MS, Blocks, Levels, Line, Peak, best_levels, best_line, blocks_of, peak_of
from engine.sync.verdict import IN_SYNC_MS

Floats = npt.NDArray[np.float64]

POINT_BLOCKS = 10
"""Blocks per offset point: 5 s, the shortest stretch whose answer is nearly always right."""

BLOCK_SECONDS = BLOCK_ROWS / ROW_RATE

_DRIFT_SIGMAS = 4.0
"""Slope over its calibrated standard deviation from which it is claimed."""
_DRIFT_CONFIDENCE = 0.9
"""Confidence that a line must have of its own: what fits no constant, such as somebody else's voice, fits some line."""
_LEAST_DRIFT_MS = 10.0
"""Change over the clip below which a drift is not worth a claim."""
_STEP_SIGMAS = 6.0
"""Evidence from which a jump is claimed, as a slope in standard deviations: there are many places for one by chance."""
_LEAST_JUMP_MS = 30.0
"""Smallest jump that is reported."""
_LEAST_LEVEL_SECONDS = 3.0
"""Shortest evidence of a level, in seconds."""
_LEVEL_MASS = 0.95
"""Posterior mass that a level must have on its own."""


@dataclass(frozen=True, slots=True)
class StretchEvidence:
    """The evidence of one stretch, per person (their number, counted from the left)."""

    by_person: dict[int, tuple[Evidence, ...]]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The answer so far.

    Attributes:
        kind: constant, drift, steps or jitter (in-sync is decided from it).
        peak: best offset: along the line for a drift, of the longest level for steps.
        seconds: seconds of mouth and sound together.
        confidence: calibrated.
        line: best line.
        levels: best steps; a single one where there are none.
        scatter_ms: robust deviation of the points around what was fitted.
        points: offset over time.
        curves: score against lag per point.
        owners: person the evidence was taken from, per point.
    """

    kind: Kind
    peak: Peak
    seconds: float
    confidence: float
    line: Line
    levels: Levels
    scatter_ms: float
    points: tuple[OffsetPoint, ...]
    curves: tuple[LagCurve, ...]
    owners: tuple[int, ...]


def conclude(stretches: Sequence[StretchEvidence], null: float, calibration: Calibration) -> Conclusion | None:
    """Return what the evidence says, or ``None`` when there is none at all."""
    groups = [group for stretch in stretches for group in _groups(stretch)]
    if not groups:
        return None
    blocks, owners = _one_voice(groups)
    lags = blocks.lags_ms
    constant = peak_of(blocks.along(0.0, 0.0, lags), lags, null)
    line = best_line(blocks)
    levels = _levels(blocks, null, calibration)
    kind, peak, seconds = Kind.CONSTANT, constant, float(blocks.seconds.sum())
    if len(levels.starts) > 1 and levels.gain > line.gain:
        kind = Kind.STEPS
        own = blocks.part(np.searchsorted(levels.starts, blocks.times, side="right") - 1 == levels.longest)
        peak = peak_of(own.along(0.0, 0.0, lags), lags, null)
    elif _drifts(line, blocks, calibration):
        # Among many lines one fits somebody else's voice by chance: the alternative grows with their number.
        along = peak_of(blocks.along(line.slope, line.middle, lags), lags, null + np.log(line.tried))
        if calibration.confidence(along, seconds) >= _DRIFT_CONFIDENCE:
            kind, peak = Kind.DRIFT, along
    points, curves = _points(groups, owners, line.slope if kind is Kind.DRIFT else 0.0, null, calibration)
    believed = [point for point in points if point.confidence >= 0.5]
    fit = fit_offsets(believed) if believed else None
    if kind is Kind.CONSTANT and fit is not None and fit.kind is Kind.JITTER:
        kind = Kind.JITTER
    return Conclusion(
        kind=kind,
        peak=peak,
        seconds=seconds,
        confidence=calibration.confidence(peak, seconds),
        line=line,
        levels=levels,
        scatter_ms=0.0 if fit is None else fit.scatter_ms,
        points=points,
        curves=curves,
        owners=owners,
    )


def _gain_for(sigmas: float, calibration: Calibration) -> float:
    """Return the log-likelihood ratio that a deviation of so many calibrated sigmas brings.

    The towers believe less than they know (or more): their likelihoods are scaled as their deviations are.
    """
    return 0.5 * (sigmas * calibration.sigma_scale) ** 2


def _drifts(line: Line, blocks: Blocks, calibration: Calibration) -> bool:
    """Return whether the best line is certainly not level, and far enough from it to matter."""
    span = float(blocks.times[-1] - blocks.times[0]) + BLOCK_SECONDS
    return (
        line.gain > _gain_for(_DRIFT_SIGMAS, calibration)
        and abs(line.slope) > _DRIFT_SIGMAS * line.slope_sigma * calibration.sigma_scale
        and abs(line.slope) * span > _LEAST_DRIFT_MS
    )


def _levels(blocks: Blocks, null: float, calibration: Calibration) -> Levels:
    """Return the steps; none are looked for in evidence that was searched around a steep line."""
    # Stretches lie on the sound's 10 ms grid, so their lags differ by up to that; a followed drift differs by more.
    if np.ptp(blocks.first_lag_ms) > 2 * FINE_MS:
        return Levels(blocks.times[:1], np.zeros(1), 0, 0.0)
    return best_levels(
        blocks,
        null,
        least_gain=_gain_for(_STEP_SIGMAS, calibration),
        least_jump_ms=_LEAST_JUMP_MS,
        least_seconds=_LEAST_LEVEL_SECONDS,
        least_mass=_LEVEL_MASS,
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Five seconds of evidence, per person."""

    by_person: dict[int, Blocks]


def _groups(stretch: StretchEvidence) -> list[_Group]:
    """Cut a stretch into groups of :data:`POINT_BLOCKS`; a short rest joins the group before it."""
    per_person = {
        person: _summed([blocks_of([item]) for item in evidences]) for person, evidences in stretch.by_person.items()
    }
    if not per_person:
        return []
    count = len(next(iter(per_person.values())))
    groups = max(1, round(count / POINT_BLOCKS))
    edges = np.linspace(0, count, groups + 1).round().astype(int)
    return [
        _Group({person: blocks.part(slice(first, last)) for person, blocks in per_person.items()})
        for first, last in pairwise(edges)
    ]


def _summed(parts: list[Blocks]) -> Blocks:
    """Add the evidence of one person's tracks, which share blocks and lags."""
    first = parts[0]
    return Blocks(
        times=first.times,
        first_lag_ms=first.first_lag_ms,
        scores=np.sum([part.scores for part in parts], axis=0),
        seconds=np.sum([part.seconds for part in parts], axis=0),
    )


def _one_voice(groups: Sequence[_Group]) -> tuple[Blocks, tuple[int, ...]]:
    """Choose, for every group, the person whose mouth explains the sound, and return their blocks in order.

    With several people the lag they all agree on is found first (every person may be the speaker of a group), then
    each group's owner is the one who scores best near it.
    """
    owners: list[int] = []
    people = sorted({person for group in groups for person in group.by_person})
    if len(people) == 1:
        owners = [people[0]] * len(groups)
    else:
        lags = next(iter(groups[0].by_person.values())).lags_ms
        totals = [
            {person: blocks.along(0.0, 0.0, lags) for person, blocks in group.by_person.items()} for group in groups
        ]
        together = np.sum([np.logaddexp.reduce(list(total.values())) for total in totals], axis=0)
        near = np.abs(lags - lags[int(np.argmax(together))]) <= 60
        owners = [max(total, key=lambda person: float(total[person][near].max())) for total in totals]
    chosen = [group.by_person[owner] for group, owner in zip(groups, owners, strict=True)]
    order = np.argsort([blocks.times[0] for blocks in chosen], kind="stable")
    parts = [chosen[index] for index in order]
    merged = Blocks(
        times=np.concatenate([part.times for part in parts]),
        first_lag_ms=np.concatenate([part.first_lag_ms for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        seconds=np.concatenate([part.seconds for part in parts]),
    )
    return merged, tuple(owners)


def _points(
    groups: Sequence[_Group], owners: Sequence[int], slope: float, null: float, calibration: Calibration
) -> tuple[tuple[OffsetPoint, ...], tuple[LagCurve, ...]]:
    """Return one offset point and curve per group, drift inside a group taken out."""
    points, curves = [], []
    for group, owner in zip(groups, owners, strict=True):
        blocks = group.by_person[owner]
        seconds = float(blocks.seconds.sum())
        if seconds < 1.0:
            continue
        middle = float((blocks.times * blocks.seconds).sum() / seconds)
        lags = blocks.lags_ms
        scores = blocks.along(slope, middle, lags)
        peak = peak_of(scores, lags, null)
        points.append(
            OffsetPoint(
                t=middle,
                offset_ms=peak.lag_ms,
                confidence=calibration.confidence(peak, seconds),
                uncertainty_ms=calibration.noise_ms(peak),
                seconds=seconds,
            )
        )
        top = np.logaddexp(np.logaddexp.reduce(scores), null)
        curves.append(LagCurve(middle, lags.astype(np.float32), (scores - top).astype(np.float32)))
    order = np.argsort([point.t for point in points], kind="stable")
    return tuple(points[index] for index in order), tuple(curves[index] for index in order)


def in_sync(offset_ms: float) -> bool:
    """Return whether a constant offset needs no correction."""
    return abs(offset_ms) <= IN_SYNC_MS

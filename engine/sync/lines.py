"""Offset over time as a shape: constant, drift, steps or jitter, fitted so that a few wrong points do no harm.

Every point is taken as a mixture: with its confidence it is the truth plus Gaussian noise of its own uncertainty, else
it lies anywhere in the search range. A shape's cost is minus twice the log likelihood of all points under it, so that a
wrong point costs a bounded amount, and a richer shape must earn a penalty per parameter (as in the Bayesian information
criterion). The points' uncertainties are not trusted blindly: every shape is also tried with all of them widened by a
common ratio, which the likelihood pays for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy import stats

from engine.sync.result import Kind, OffsetPoint, Step
from engine.words import Message

Floats = npt.NDArray[np.float64]

SEARCH_WIDTH_MS = 3000.0
"""A wrong point lies anywhere within this width (lags of -1.5 to 1.5 s)."""

NORMAL_95 = 1.96
"""Half-width of the 95 % interval of a normal distribution, in standard deviations."""

_DRIFT_LEVEL = 0.0005  # two-sided probability of a slope this steep without drift; leaves room for heavy tails
_DRIFT_PENALTY = 12.0  # chi-square of one degree of freedom at about that level
_DRIFT_POINTS = 4  # believed points that a slope needs
_RATIOS_TRIED = (1.0, 1.4, 2.0, 2.8, 4.0, 6.0, 10.0, 20.0, 50.0, 120.0, 300.0)
_JITTER_RATIO = 2.8  # scatter over claimed uncertainty from which the scatter itself is the finding
_JITTER_POINTS = 5  # believed points that scatter has to be seen on
_MOST_CANDIDATES = 600  # levels and lines tried at most: bounds the work for hours of points


@dataclass(frozen=True, slots=True)
class OffsetFit:
    """The shape that explains offset points best.

    Attributes:
        kind: ``CONSTANT``, ``DRIFT``, ``STEPS`` or ``JITTER``.
        middle: seconds; where ``offset_ms`` holds.
        offset_ms: fitted offset at ``middle``, for steps that of the longest one.
        uncertainty_ms: half-width of the 95 % interval of ``offset_ms``.
        drift_ppm: growth of the offset in microseconds per second; 0 when no drift is claimed. Steps may drift too.
        drift_uncertainty_ppm: half-width of the 95 % interval of the slope, also when no drift is claimed; infinite
            with fewer than three points that agree.
        starts: where each level begins, seconds, shape ``(levels,)``; the first is ``-inf``.
        levels_ms: offset of each level referred to ``middle``, shape ``(levels,)``; one level unless ``STEPS``.
        residuals_ms: measured minus fitted, in the order of the points, shape ``(points,)``.
        outliers: points that the fit does not believe, shape ``(points,)``.
        scatter_ms: robust standard deviation of the believed points around the fit.
    """

    kind: Kind
    middle: float
    offset_ms: float
    uncertainty_ms: float
    drift_ppm: float
    drift_uncertainty_ppm: float
    starts: Floats
    levels_ms: Floats
    residuals_ms: Floats
    outliers: npt.NDArray[np.bool_]
    scatter_ms: float

    def at(self, seconds: float) -> float:
        """Return the fitted offset in milliseconds at a time."""
        level = self.levels_ms[np.searchsorted(self.starts, seconds, side="right") - 1]
        return float(level + self.drift_ppm * (seconds - self.middle) / 1000)

    def steps(self, begin: float, end: float) -> tuple[Step, ...]:
        """Return the levels between ``begin`` and ``end`` seconds, each with its offset at its own middle."""
        edges = np.concatenate([[begin], self.starts[1:], [end]])
        return tuple(
            Step(float(start), float(level + self.drift_ppm * ((start + stop) / 2 - self.middle) / 1000))
            for start, stop, level in zip(edges, edges[1:], self.levels_ms, strict=False)
        )


@dataclass(frozen=True, slots=True)
class _Points:
    """Points in order of time, with the noise they are believed to have."""

    t: Floats
    y: Floats
    claimed: Floats  # standard deviation each point claims
    wrong: Floats  # probability that the point is anywhere
    ratio: float = 1.0  # true over claimed standard deviation

    @property
    def sigma(self) -> Floats:
        return self.claimed * self.ratio

    def _likelihoods(self, residuals: Floats) -> tuple[Floats, Floats]:
        """Densities of the believed and of the wrong part, both times the claimed deviation and root two pi."""
        inside = (1 - self.wrong) / self.ratio * np.exp(-0.5 * np.square(residuals / self.sigma))
        outside = self.wrong * np.sqrt(2 * np.pi) * self.claimed / SEARCH_WIDTH_MS
        return np.asarray(inside, np.float64), np.asarray(outside, np.float64)

    def cost(self, residuals: Floats) -> Floats:
        """Minus twice the log likelihood of residuals, shape ``(..., points)`` to the same; 0 for a perfect point."""
        inside, outside = self._likelihoods(residuals)
        return np.asarray(-2 * np.log((inside + outside) / (1 - self.wrong + outside)), np.float64)

    def belief(self, residuals: Floats) -> Floats:
        """Probability that each point belongs to the shape it has these residuals from."""
        inside, outside = self._likelihoods(residuals)
        return np.asarray(inside / (inside + outside), np.float64)

    @property
    def ratio_penalty(self) -> float:
        """What disbelieving the points' own uncertainties costs (log-normal, a factor of two is one deviation)."""
        return (math.log(self.ratio) / 0.7) ** 2


@dataclass(frozen=True, slots=True)
class _Shape:
    """A candidate: ``levels[segment] + slope * (t - middle)``."""

    segment: npt.NDArray[np.intp]
    levels: Floats
    slope: float  # milliseconds per second
    cost: float
    belief: Floats
    residuals: Floats
    level_sigma: Floats
    slope_sigma: float


def fit_offsets(
    points: Sequence[OffsetPoint],
    *,
    least_drift_ms: float = 10.0,
    least_step_ms: float = 20.0,
    least_jitter_ms: float = 25.0,
) -> OffsetFit:
    """Find out whether offset points are constant, drift, step or jitter.

    Points must come from stretches that do not overlap: their errors are taken as independent.

    Args:
        points: offsets over time, in any order.
        least_drift_ms: change over the points' span below which a drift is not worth a claim.
        least_step_ms: smallest jump that counts as a step.
        least_jitter_ms: smallest scatter that counts as jitter.

    Returns:
        The simplest shape that the points support.

    Raises:
        ValueError: if there is no point.
    """
    if not points:
        raise ValueError("a fit needs at least one point")
    order = np.argsort([point.t for point in points], kind="stable")
    in_order = [points[index] for index in order]
    claimed = _Points(
        np.array([point.t for point in in_order], np.float64),
        np.array([point.offset_ms for point in in_order], np.float64),
        np.maximum([point.uncertainty_ms for point in in_order], 1e-3) / NORMAL_95,
        np.clip([1 - point.confidence for point in in_order], 0.01, 0.95),
    )
    middle = float(claimed.t[0] + claimed.t[-1]) / 2
    data, chosen = _choose(claimed, middle, least_drift_ms, least_step_ms)

    inliers = chosen.belief >= 0.5
    spread = _robust_deviation(chosen.residuals[inliers])
    kind = Kind.STEPS if len(chosen.levels) > 1 else Kind.DRIFT if chosen.slope else Kind.CONSTANT
    scatters = data.ratio >= _JITTER_RATIO and spread >= least_jitter_ms and int(inliers.sum()) >= _JITTER_POINTS
    if kind is Kind.CONSTANT and scatters:
        kind = Kind.JITTER
    segment_weight = np.bincount(chosen.segment, weights=chosen.belief, minlength=len(chosen.levels))
    longest = int(np.argmax(segment_weight))
    changes = np.flatnonzero(np.diff(chosen.segment)) + 1
    back = np.argsort(order, kind="stable")
    return OffsetFit(
        kind=kind,
        middle=middle,
        offset_ms=float(chosen.levels[longest]),
        uncertainty_ms=float(NORMAL_95 * chosen.level_sigma[longest]),
        drift_ppm=chosen.slope * 1000,
        drift_uncertainty_ppm=_slope_uncertainty(data, middle, chosen) * 1000,
        starts=np.concatenate([[-np.inf], (data.t[changes - 1] + data.t[changes]) / 2]),
        levels_ms=chosen.levels,
        residuals_ms=chosen.residuals[back],
        outliers=~inliers[back],
        scatter_ms=spread,
    )


def _choose(claimed: _Points, middle: float, least_drift_ms: float, least_step_ms: float) -> tuple[_Points, _Shape]:
    """Return the cheapest shape and the noise it was fitted with."""
    tried = []
    for ratio in _RATIOS_TRIED:
        data = replace(claimed, ratio=ratio)
        cost, shape = _cheapest(data, middle, least_drift_ms, least_step_ms)
        tried.append((cost + data.ratio_penalty, data, shape))
    _, data, shape = min(tried, key=lambda priced: priced[0])
    return data, shape


def _cheapest(data: _Points, middle: float, least_drift_ms: float, least_step_ms: float) -> tuple[float, _Shape]:
    """Return the cheapest of the shapes, each charged for its parameters and held to its least size."""
    single = np.zeros(len(data.t), np.intp)
    constant = _refine(data, middle, single, _best_level(data), 0.0, drifts=False)
    shapes = [(constant.cost, constant)]
    span = float(data.t[-1] - data.t[0])

    line = _best_line(data, middle) if len(data.t) >= _DRIFT_POINTS and span > 0 else None
    if line is not None and _drifts(data, line, span, least_drift_ms):
        shapes.append((line.cost + _DRIFT_PENALTY, line))
    if len(data.t) >= 4:
        # More than one wrong point can save, so that it takes two that agree to make a step.
        penalty = float(data.cost(np.full(len(data.t), np.inf)).max()) + 2 * math.log(len(data.t))
        level = _stepped(data, middle, 0.0, penalty, least_step_ms, drifts=False)
        shapes.append((level.cost + penalty * (len(level.levels) - 1), level))
        if len(level.levels) > 1:
            sloped = _stepped(data, middle, _local_slope(data), penalty, least_step_ms, drifts=True)
            if len(sloped.levels) > 1 and _drifts(data, sloped, span, least_drift_ms):
                shapes.append((sloped.cost + penalty * (len(sloped.levels) - 1) + _DRIFT_PENALTY, sloped))
    return min(shapes, key=lambda priced: priced[0])


def _drifts(data: _Points, shape: _Shape, span: float, least_drift_ms: float) -> bool:
    """Whether a shape's slope is certain, supported by enough points, and large enough to matter."""
    freedom = float(shape.belief.sum()) - len(shape.levels) - 1
    if int((shape.belief >= 0.5).sum()) < _DRIFT_POINTS + len(shape.levels) - 1:
        return False
    # With few points the widening by scatter is itself uncertain: Student's t asks for more then.
    needed = float(stats.t.isf(_DRIFT_LEVEL / 2, max(freedom, 3.0)))
    believed = data.t[shape.belief >= 0.5]
    reach = float(believed[-1] - believed[0])
    return (
        abs(shape.slope) >= needed * shape.slope_sigma
        and abs(shape.slope) * span >= least_drift_ms
        and reach >= span / 2
    )


def _best_level(data: _Points) -> Floats:
    """Return the point's offset that most other points agree with, shape ``(1,)``."""
    candidates = data.y[:: -(-len(data.y) // _MOST_CANDIDATES)]
    costs = [float(data.cost(data.y - level).sum()) for level in candidates]
    return candidates[[int(np.argmin(costs))]]


def _best_line(data: _Points, middle: float) -> _Shape:
    """Return the best line of those through two points, refined."""
    first, second = np.triu_indices(len(data.t), 1)
    apart = data.t[second] - data.t[first] > 0
    # Distant pairs first: their slopes are the least noisy.
    pick = np.argsort(data.t[first] - data.t[second], kind="stable")
    pick = pick[apart[pick]]
    if len(pick) > _MOST_CANDIDATES:
        pick = pick[np.linspace(0, len(pick) - 1, _MOST_CANDIDATES).astype(np.intp)]
    first, second = first[pick], second[pick]
    slopes = (data.y[second] - data.y[first]) / (data.t[second] - data.t[first])
    levels = data.y[first] + slopes * (middle - data.t[first])
    costs = np.empty(len(slopes))
    for begin in range(0, len(slopes), 256):
        block = slice(begin, begin + 256)
        costs[block] = data.cost(data.y - levels[block, None] - slopes[block, None] * (data.t - middle)).sum(axis=1)
    best = int(np.argmin(costs))
    single = np.zeros(len(data.t), np.intp)
    return _refine(data, middle, single, levels[[best]], float(slopes[best]), drifts=True)


def _local_slope(data: _Points) -> float:
    """Return the median slope between neighbours, which a few steps do not disturb, in milliseconds per second."""
    spans = np.diff(data.t)
    usable = spans > 0
    return float(np.median(np.diff(data.y)[usable] / spans[usable])) if usable.any() else 0.0


def _stepped(
    data: _Points, middle: float, slope: float, penalty: float, least_step_ms: float, *, drifts: bool
) -> _Shape:
    """Return the best sequence of levels on a common slope, found by dynamic programming over candidate levels."""
    shape = None
    for _ in range(3 if drifts else 1):
        flat = data.y - slope * (data.t - middle)
        segment = _segments(data, flat, penalty)
        starts = np.flatnonzero(np.diff(segment, prepend=-1))
        levels = np.array([np.median(flat[segment == index]) for index in range(len(starts))])
        shape = _refine(data, middle, segment, levels, slope, drifts=drifts)
        while len(shape.levels) > 1:
            jumps = np.abs(np.diff(shape.levels))
            least = int(np.argmin(jumps))
            if jumps[least] >= least_step_ms:
                break
            merged = np.where(shape.segment > least, shape.segment - 1, shape.segment)
            shape = _refine(data, middle, merged, np.delete(shape.levels, least), shape.slope, drifts=drifts)
        slope = shape.slope
    assert shape is not None
    return shape


def _segments(data: _Points, flat: Floats, penalty: float) -> npt.NDArray[np.intp]:
    """Return each point's segment number: cheapest path through candidate levels, a change costing ``penalty``."""
    levels = np.unique(flat)
    if len(levels) > _MOST_CANDIDATES:
        levels = np.quantile(flat, np.linspace(0, 1, _MOST_CANDIDATES))
    count = len(flat)
    came_from = np.empty((count, len(levels)), np.intp)
    stay = np.arange(len(levels))
    costs = data.cost(flat - levels[:, None]).T
    total = np.zeros(len(levels))
    for index in range(count):
        cheapest = int(np.argmin(total))
        change = total[cheapest] + penalty < total
        came_from[index] = np.where(change, cheapest, stay)
        total = np.minimum(total, total[cheapest] + penalty)
        total = total + costs[index]
    path = np.empty(count, np.intp)
    path[-1] = int(np.argmin(total))
    for index in range(count - 1, 0, -1):
        path[index - 1] = came_from[index, path[index]]
    return np.asarray(np.cumsum(np.diff(path, prepend=path[0]) != 0), np.intp)


def _refine(
    data: _Points, middle: float, segment: npt.NDArray[np.intp], levels: Floats, slope: float, *, drifts: bool
) -> _Shape:
    """Weighted least squares of levels (and slope), each point weighted by the belief in it, to convergence."""
    count = len(levels)
    design = np.zeros((len(data.t), count + drifts))
    design[np.arange(len(data.t)), segment] = 1
    if drifts:
        design[:, -1] = data.t - middle
    parameters = np.append(levels, slope) if drifts else np.asarray(levels, np.float64)
    covariance = np.zeros((len(parameters), len(parameters)))
    for _ in range(50):
        residuals = data.y - design @ parameters
        weights = data.belief(residuals) / data.sigma**2
        normal = design.T @ (weights[:, None] * design)
        # A level whose points are all disbelieved has no equation of its own: the tiny ridge keeps it where it is.
        normal[np.diag_indices_from(normal)] += 1e-12 + 1e-12 * np.diag(normal)
        covariance = np.linalg.inv(normal)
        change = covariance @ (design.T @ (weights * residuals))
        parameters = parameters + change
        if np.all(np.abs(change) <= 1e-6 * np.sqrt(np.diag(covariance))):
            break
    residuals = data.y - design @ parameters
    deviation = np.sqrt(np.diag(covariance))
    return _Shape(
        segment=segment,
        levels=parameters[:count],
        slope=float(parameters[-1]) if drifts else 0.0,
        cost=float(data.cost(residuals).sum()),
        belief=data.belief(residuals),
        residuals=residuals,
        level_sigma=deviation[:count],
        slope_sigma=float(deviation[-1]) if drifts else 0.0,
    )


def _slope_uncertainty(data: _Points, middle: float, shape: _Shape) -> float:
    """Return the 95 % half-width of the slope in milliseconds per second, fitted or not."""
    if shape.slope_sigma:
        return NORMAL_95 * shape.slope_sigma
    if int((shape.belief >= 0.5).sum()) < 3 or data.t[-1] <= data.t[0]:
        return float("inf")
    return NORMAL_95 * _refine(data, middle, shape.segment, shape.levels, 0.0, drifts=True).slope_sigma


def _robust_deviation(residuals: Floats) -> float:
    """Return 1.4826 times the median absolute residual (a normal distribution's standard deviation)."""
    return float(1.4826 * np.median(np.abs(residuals))) if len(residuals) else 0.0


_RATIOS: tuple[tuple[str, Fraction], ...] = (
    ("picture_24_at_25", Fraction(25, 24)),
    ("picture_25_at_24", Fraction(24, 25)),
    ("picture_23976_at_25", Fraction(25 * 1001, 24_000)),
    ("picture_25_at_23976", Fraction(24_000, 25 * 1001)),
    ("ntsc_slow", Fraction(1001, 1000)),
    ("ntsc_fast", Fraction(1000, 1001)),
    ("rate_48_at_441", Fraction(48_000, 44_100)),
    ("rate_441_at_48", Fraction(44_100, 48_000)),
)
"""Length of the sound over length of the picture, per usual mistake: the drift is that minus one."""

CLOCK_PPM = 300.0
"""Quartz clocks of recorders and phones are specified to 20-100 ppm and found up to about this far apart."""


def drift_cause(drift_ppm: float, uncertainty_ppm: float = 0.0) -> Message:
    """Name what usually makes sound and picture run apart at this rate.

    Args:
        drift_ppm: growth of the offset in microseconds per second; positive, the sound gets later.
        uncertainty_ppm: half-width of its 95 % interval.

    Returns:
        A sentence: one cause, two when the uncertainty does not separate them, or that none of the usual ones fits.
    """
    tolerance = uncertainty_ppm + CLOCK_PPM / 2  # a mistaken rate comes on top of two ordinary clocks
    near = sorted(
        (abs(drift_ppm - ppm), key)
        for key, ppm in ((key, float((ratio - 1) * 1_000_000)) for key, ratio in _RATIOS)
        if abs(drift_ppm - ppm) <= tolerance
    )
    causes = [Message(f"alignment.cause.{key}") for _, key in near]
    if abs(drift_ppm) - uncertainty_ppm <= CLOCK_PPM:
        clock = Message("alignment.cause.clock", ppm=abs(drift_ppm))
        causes.insert(0 if abs(drift_ppm) <= CLOCK_PPM else len(causes), clock)
    if not causes:
        return Message("alignment.cause.unknown", percent=abs(drift_ppm) / 10_000)
    if len(causes) == 1:
        return causes[0]
    return Message("alignment.cause.either", first=causes[0], second=causes[1])

"""Where the evidence peaks: over constant lags, and over lines offset(t) = a + b t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from engine.sync.evidence import LAG_MS, Evidence

Floats = npt.NDArray[np.float64]

FINE = 4
"""Lags per row after interpolation: 5 ms apart. The scores hold nothing above 15 Hz, so a spline loses nothing."""

FINE_MS = LAG_MS / FINE

STEEPEST_PPM = 100_000.0
"""Sound at 44.1 kHz played as 48 kHz runs away by 88 435 ppm; nothing usual is steeper."""

NEAR_MS = 40.0
"""Confidence is the probability of being this close to the truth."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Evidence of many stretches, block by block, on fine lags.

    Attributes:
        times: seconds, ascending, shape ``(blocks,)``.
        first_lag_ms: lag of column 0 of each block, shape ``(blocks,)``.
        scores: shape ``(blocks, fine lags)``, columns :data:`FINE_MS` apart.
        seconds: evidence seconds per block, shape ``(blocks,)``.
    """

    times: Floats
    first_lag_ms: Floats
    scores: npt.NDArray[np.float32]
    seconds: Floats

    def __len__(self) -> int:
        return len(self.times)

    @property
    def lags_ms(self) -> Floats:
        """Lags common to all blocks when none was searched around another centre, else those of the first."""
        return np.asarray(self.first_lag_ms[0] + np.arange(self.scores.shape[1]) * FINE_MS)

    def part(self, chosen: npt.NDArray[np.bool_] | slice) -> Blocks:
        """Return some of the blocks."""
        return Blocks(self.times[chosen], self.first_lag_ms[chosen], self.scores[chosen], self.seconds[chosen])

    def along(self, slope: float, middle: float, lags_ms: Floats) -> Floats:
        """Sum the scores along lines of one slope.

        Args:
            slope: milliseconds per second.
            middle: seconds; where the line passes through ``lags_ms``.
            lags_ms: evenly spaced at :data:`FINE_MS`, shape ``(n,)``.

        Returns:
            Shape ``(n,)``; a block whose range a line leaves gives it the block's mean, that is about nothing.
        """
        shifts = (lags_ms[0] + slope * (self.times - middle) - self.first_lag_ms) / FINE_MS
        first = np.rint(shifts).astype(np.intp)
        width = self.scores.shape[1]
        total = np.zeros(len(lags_ms))
        for row, begin in zip(self.scores, first, strict=True):
            low, high = max(0, -begin), min(len(lags_ms), width - begin)
            if low < high:
                total[low:high] += row[begin + low : begin + high]
        return total


def blocks_of(evidences: Sequence[Evidence]) -> Blocks:
    """Put evidence on fine lags, in order of time."""
    ordered = sorted(evidences, key=lambda item: item.times[0])
    fine = []
    for item in ordered:
        rows = np.arange(len(item.lags_ms))
        spots = np.arange((len(rows) - 1) * FINE + 1) / FINE
        fine.append(CubicSpline(rows, item.scores, axis=1)(spots).astype(np.float32))
    return Blocks(
        times=np.concatenate([item.times for item in ordered]),
        first_lag_ms=np.concatenate([np.full(len(item.times), item.lags_ms[0]) for item in ordered]),
        scores=np.concatenate(fine),
        seconds=np.concatenate([item.seen for item in ordered]).astype(np.float64),
    )


@dataclass(frozen=True, slots=True)
class Peak:
    """The best constant lag.

    Attributes:
        lag_ms: where the score peaks, refined by a parabola.
        mass: posterior probability within 40 ms of it, over all lags and "does not belong together".
        sigma_ms: standard deviation of the posterior around the peak.
        score: log-likelihood ratio at the peak.
    """

    lag_ms: float
    mass: float
    sigma_ms: float
    score: float


def peak_of(scores: Floats, lags_ms: Floats, null: float) -> Peak:
    """Return the best lag of a score curve.

    Args:
        scores: log-likelihood ratio per lag, shape ``(lags,)``.
        lags_ms: evenly spaced, shape ``(lags,)``.
        null: log-likelihood ratio of "not in this range, or not this voice" at the model's own lag spacing.
    """
    best = int(np.argmax(scores))
    pitch = float(lags_ms[1] - lags_ms[0])
    shift = 0.0
    if 0 < best < len(scores) - 1:
        left, top, right = scores[best - 1], scores[best], scores[best + 1]
        bend = left - 2 * top + right
        shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    weights = np.exp(scores - scores[best])
    # The null was learned against lags one row apart; finer lags share the probability of a row.
    everything = weights.sum() + np.exp(null - scores[best]) * LAG_MS / pitch
    near = np.abs(lags_ms - lags_ms[best]) <= NEAR_MS
    inside = weights[near]
    mean = (inside * lags_ms[near]).sum() / inside.sum()
    sigma = np.sqrt((inside * (lags_ms[near] - mean) ** 2).sum() / inside.sum() + pitch**2 / 12)
    return Peak(
        lag_ms=float(lags_ms[best] + shift * pitch),
        mass=float(inside.sum() / everything),
        sigma_ms=float(sigma),
        score=float(scores[best]),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """The best line through the evidence.

    Attributes:
        middle: seconds; where ``offset_ms`` holds.
        offset_ms: the line at ``middle``.
        slope: milliseconds per second (1 is 1000 ppm).
        slope_sigma: standard deviation of the slope's posterior.
        gain: log-likelihood ratio over the best constant.
        tried: how many different slopes it was chosen from; the more, the more likely one of them fits by chance.
    """

    middle: float
    offset_ms: float
    slope: float
    slope_sigma: float
    gain: float
    tried: int

    def at(self, seconds: float) -> float:
        """Return the line's offset in milliseconds at a time."""
        return self.offset_ms + self.slope * (seconds - self.middle)


def best_line(blocks: Blocks, steepest_ppm: float = STEEPEST_PPM) -> Line:
    """Search all lines up to a steepness, coarse to fine.

    Args:
        blocks: at least one.
        steepest_ppm: largest slope tried.
    """
    weight = blocks.seconds + 1e-6
    middle = float((blocks.times * weight).sum() / weight.sum())
    reach = float(np.abs(blocks.times - middle).max())
    lags = blocks.lags_ms
    if len(blocks) < 2 or reach == 0:
        return Line(middle, float(lags[int(np.argmax(blocks.along(0.0, middle, lags)))]), 0.0, np.inf, 0.0, 1)
    constant = float(blocks.along(0.0, middle, lags).max())
    step = 4 * FINE_MS / reach  # moves the ends by 20 ms, well under the width of a peak
    # Stretches searched around a line found before lie along it; no line may leave the lags that were looked at.
    centre = float(np.polyfit(blocks.times, blocks.first_lag_ms, 1)[0]) if np.ptp(blocks.first_lag_ms) > 50 else 0.0
    steepest = min(steepest_ppm / 1000, float(lags[-1] - lags[0]) / 2 / reach)
    count = max(1, int(np.ceil(steepest / step)))
    tried = 2 * count + 1
    slopes, totals = np.zeros(1), np.zeros((1, len(lags)))
    pitch = step
    for pitch in (step, step / 4, step / 16):
        slopes = centre + pitch * np.arange(-count, count + 1)
        # Where little was seen a step is large: the last one, and the finer ones around it, would lead beyond.
        slopes = slopes[np.abs(slopes) <= max(steepest_ppm / 1000, abs(centre))]
        totals = np.stack([blocks.along(slope, middle, lags) for slope in slopes])
        centre, count = float(slopes[int(np.argmax(totals.max(1)))]), 10
    row, column = np.unravel_index(int(np.argmax(totals)), totals.shape)
    weights = np.exp(totals - totals[row, column])
    per_slope = weights.sum(1)
    per_slope /= per_slope.sum()
    slope = float((per_slope * slopes).sum())
    sigma = float(np.sqrt((per_slope * (slopes - slope) ** 2).sum() + pitch**2 / 12))
    offset = peak_of(totals[row], lags, -np.inf).lag_ms
    return Line(middle, offset, slope, sigma, float(totals[row, column]) - constant, tried)


@dataclass(frozen=True, slots=True)
class Levels:
    """Constant offsets of successive stretches.

    Attributes:
        starts: when each begins, seconds, shape ``(levels,)``; the first is the beginning of the evidence.
        offsets_ms: shape ``(levels,)``.
        longest: number of the level with most evidence.
        gain: log-likelihood ratio over the best constant.
    """

    starts: Floats
    offsets_ms: Floats
    longest: int
    gain: float


def best_levels(
    blocks: Blocks, null: float, *, least_gain: float, least_jump_ms: float, least_seconds: float, least_mass: float
) -> Levels:
    """Split the evidence wherever two levels explain it better than one (binary segmentation).

    Args:
        blocks: at least one, all searched in the same range of lags.
        null: see :func:`peak_of`.
        least_gain: log-likelihood ratio that a split must bring.
        least_jump_ms: smallest difference of neighbouring levels.
        least_seconds: shortest evidence of a level.
        least_mass: posterior mass that each level must have on its own: what merely does not fit is no level.
    """
    lags = blocks.lags_ms
    summed = np.concatenate([np.zeros((1, len(lags))), np.cumsum(blocks.scores, axis=0, dtype=np.float64)])
    evidence = np.concatenate([[0.0], np.cumsum(blocks.seconds)])

    def stands(first: int, last: int) -> bool:
        return (
            evidence[last] - evidence[first] >= least_seconds
            and peak_of(summed[last] - summed[first], lags, null).mass >= least_mass
        )

    def split(first: int, last: int) -> list[int]:
        whole = summed[last] - summed[first]
        inner = np.arange(first + 1, last)
        if not len(inner):
            return []
        gains = (summed[inner] - summed[first]).max(1) + (summed[last] - summed[inner]).max(1) - whole.max()
        middle = int(inner[int(np.argmax(gains))])
        left, right = (int(np.argmax(part)) for part in (summed[middle] - summed[first], summed[last] - summed[middle]))
        if (
            gains.max() < least_gain
            or abs(lags[left] - lags[right]) < least_jump_ms
            or not (stands(first, middle) and stands(middle, last))
        ):
            return []
        return [*split(first, middle), middle, *split(middle, last)]

    edges = [0, *split(0, len(blocks)), len(blocks)]
    parts = [(summed[last] - summed[first]) for first, last in pairwise(edges)]
    # A level begins between two blocks, or where the first block after a pause does.
    half = np.diff(blocks.times).min() / 2 if len(blocks) > 1 else 0.0
    return Levels(
        starts=np.array([blocks.times[edge] - half for edge in edges[:-1]]),
        offsets_ms=np.array([peak_of(part, lags, null).lag_ms for part in parts]),
        longest=int(np.argmax([evidence[last] - evidence[first] for first, last in pairwise(edges)])),
        gain=float(sum(part.max() for part in parts) - summed[-1].max()),
    )

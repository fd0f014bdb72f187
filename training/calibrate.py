"""Fit the tables of :mod:`engine.sync.calibration` on cross-validated trials."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from engine.sync.calibration import doubt_of
from engine.sync.search import NEAR_MS
from training.trials import LENGTHS, Trial

_DOUBTS = np.concatenate([np.linspace(0, 2, 21), np.linspace(2.2, 6, 20)])
_FOREIGN_SHARE = 0.2
"""How often the sound is taken to be somebody else's when confidence is calibrated."""


def calibrated(trials: Sequence[Trial]) -> dict[str, npt.NDArray[np.generic]]:
    """Return the tables: confidence by isotonic regression per length, uncertainty by moments."""
    right = []
    for length in LENGTHS:
        chosen = [
            trial for trial in trials if trial.length == length and (trial.foreign or np.isfinite(trial.error_ms))
        ]
        doubts = doubt_of([trial.peak.mass for trial in chosen])
        good = np.array([not trial.foreign and abs(trial.error_ms) <= NEAR_MS for trial in chosen], float)
        foreign = np.array([trial.foreign for trial in chosen])
        weights = np.where(
            foreign, _FOREIGN_SHARE / max(foreign.sum(), 1), (1 - _FOREIGN_SHARE) / max((~foreign).sum(), 1)
        )
        order = np.argsort(doubts, kind="stable")
        fitted = isotonic_regression(good[order], weights=weights[order] * len(chosen)).x
        # Seen on a finite number of trials nothing is certain: one wrong trial more than were seen.
        ceiling = 1 - 1 / (len(chosen) + 2)
        right.append(np.minimum(np.interp(_DOUBTS, doubts[order], _smooth(fitted)), ceiling))
    errors, sigmas = [], []
    for trial in trials:
        if not trial.foreign and np.isfinite(trial.error_ms) and abs(trial.error_ms) <= NEAR_MS and trial.length >= 3:
            errors.append(trial.error_ms)
            sigmas.append(trial.peak.sigma_ms)
    scale, floor = _noise_model(np.array(errors), np.array(sigmas))
    return {
        "seconds": np.array(LENGTHS),
        "doubts": _DOUBTS,
        "right": np.stack(right),
        "sigma_scale": np.array(scale),
        "sigma_floor_ms": np.array(floor),
    }


def _smooth(steps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Average a staircase over a 50th of its length, so that confidence does not jump."""
    width = max(1, len(steps) // 50)
    padded = np.pad(steps, width, mode="edge")
    return np.convolve(padded, np.ones(2 * width + 1) / (2 * width + 1), mode="valid")


def _noise_model(errors: npt.NDArray[np.float64], sigmas: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return ``scale, floor`` so that ``hypot(scale * sigma, floor)`` covers 95 % of the errors in every class."""
    edges = np.quantile(sigmas, np.linspace(0, 1, 7))
    middles, spreads = [], []
    for low, high in pairwise(edges):
        inside = (sigmas >= low) & (sigmas <= high)
        middles.append(float(np.median(sigmas[inside])))
        spreads.append(float(np.quantile(np.abs(errors[inside]), 0.95)) / 1.96)
    design = np.column_stack([np.square(middles), np.ones(len(middles))])
    solution, *_ = np.linalg.lstsq(design, np.square(spreads), rcond=None)
    scale_squared, floor_squared = np.maximum(solution, [0.25, 4.0])
    return float(np.sqrt(scale_squared)), float(np.sqrt(floor_squared))

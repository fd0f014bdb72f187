"""A second recording of the same event against the first: how late it is, whether it drifts, where it jumps.

For shoots with a camera and a separate sound recorder. Both recordings are listened to once, in a few bytes per
hundredth of a second (:mod:`engine.sync.onsets`); parts of the shorter one are looked for in the whole of the longer
(:mod:`engine.sync.coincidence`); where they are found, the delay is measured to a fraction of a sample
(:mod:`engine.sync.delays`); and the delays over time tell a constant from a drift from dropped pieces
(:mod:`engine.sync.lines`).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.jobs import Job, Progress
from engine.media.probe import probe
from engine.refusal import Refusal, Refused
from engine.sync.coincidence import SPEEDS, SURE, Coincidence, find_coincidences, on_one_path
from engine.sync.delays import SAMPLE_RATE, agreement, find_delay
from engine.sync.excerpts import Excerpt, Span, read_spans
from engine.sync.lines import NORMAL_95, OffsetFit, drift_cause, fit_offsets
from engine.sync.onsets import Onsets, listen
from engine.sync.result import Kind, OffsetPoint, Step
from engine.timing import Correction, DriftCorrection, StepCorrection, clock_words
from engine.words import Message

LEAST_SECONDS = 3.0
"""Shorter recordings are refused."""

_SHORTEST_WINDOW, _WINDOW, _LONGEST_WINDOW = 2.5, 10.0, 20.0
_MOST_WINDOWS = 72  # windows that are compared at most, however long the recordings are
_FEW = 3  # readings from which on a fit is trusted
_REACH = 0.1  # a coincidence is right to a row or two, and its windows are at most 10 s from its middle
_SILENT = 0.98  # share of silence from which on there is nothing to compare
_LEAST_DRIFT_MS = 1.0  # over the whole length; less is not worth a claim
_LEAST_STEP_MS = 3.0  # jumps below this are noise of the readings
_LEAST_JITTER_MS = 10.0  # scatter from which on the readings contradict each other
_ROUGH_MS = 5.0  # deviation of a place that is known to a row of onsets only
_ROUGH_UNCERTAINTY_MS = 20.0  # onsets of a far microphone are up to this late, and all of them alike
_DRIFT_LEFT_MS = 2.5  # what a step correction leaves of a drift: a tenth of what anyone can notice
_STEP_READ_SECONDS = 10.0  # how much around a jump is laid over the other recording at a time
_SPEED_TOLERANCE = 50e-6  # half a millisecond in a window of 10 s
_CHANCE = 4.0  # prominence that chance reaches
_PROMINENT = 5.0  # prominence from which on a reading counts
_HALF_RIGHT = 5.5  # prominence of which half are right
_DOUBTS = 3.0  # odds of 1 to 1000 before anything is heard
_CONFIDENT = 0.9  # below this the recordings are said not to match


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a second recording lies against the first.

    Attributes:
        reference: path of the first recording, as given.
        other: path of the second.
        kind: ``CONSTANT``, ``DRIFT``, ``STEPS`` or ``JITTER``.
        offset_ms: how late ``other`` is at the middle of the overlap (for steps: on the longest one); positive: it is
            late and has to move earlier.
        uncertainty_ms: half-width of the 95 % interval of ``offset_ms``.
        confidence: probability that the two share a sound and the offset is within 40 ms of the truth.
        drift_ppm: growth of the offset in microseconds per second of the reference; 0 without a drift.
        drift_uncertainty_ppm: half-width of its 95 % interval, also when no drift was found.
        drift_cause: what usually makes recordings run apart like this, or ``None``.
        points: offsets over time (``t`` on the reference's clock), those that were believed.
        doubted: offsets that do not fit the others.
        steps: levels between jumps, when ``kind`` is ``STEPS``; ``t`` on the reference's clock.
        overlap: first and last second, on the reference's clock, of which both recordings tell.
        is_inverted: whether the second has the opposite polarity.
        correction: what moves ``other`` into place.
        verdict: one sentence for a person.
    """

    reference: str
    other: str
    kind: Kind
    offset_ms: float
    uncertainty_ms: float
    confidence: float
    drift_ppm: float
    drift_uncertainty_ppm: float
    drift_cause: Message | None
    points: tuple[OffsetPoint, ...]
    doubted: tuple[OffsetPoint, ...]
    steps: tuple[Step, ...]
    overlap: tuple[float, float]
    is_inverted: bool
    correction: Correction | DriftCorrection | StepCorrection
    verdict: Message

    def to_json(self) -> dict[str, Any]:
        """Return plain data: times in seconds on the reference's clock, offsets in milliseconds."""

        def plain(points: Sequence[OffsetPoint]) -> list[dict[str, float]]:
            return [
                {"t": round(p.t, 3), "offset_ms": round(p.offset_ms, 3), "confidence": round(p.confidence, 4)}
                for p in points
            ]

        return {
            "reference": self.reference,
            "other": self.other,
            "kind": self.kind.value,
            "offset_ms": round(self.offset_ms, 3),
            "uncertainty_ms": round(self.uncertainty_ms, 3),
            "confidence": round(self.confidence, 4),
            "drift_ppm": round(self.drift_ppm, 2),
            "drift_cause": None if self.drift_cause is None else self.drift_cause.text(),
            "points": plain(self.points),
            "doubted": plain(self.doubted),
            "steps": [{"t": round(step.t, 3), "offset_ms": round(step.offset_ms, 3)} for step in self.steps],
            "overlap": [round(second, 3) for second in self.overlap],
            "is_inverted": self.is_inverted,
            "verdict": self.verdict.text(),
        }


def align(reference: Path, other: Path) -> Job[Alignment | Refusal]:
    """Find how late a second recording of the same event is.

    Either may begin first, by hours; they may have different microphones, rooms, noise, levels, rates and polarity.
    Memory grows by 8 MB per hour of sound, whatever the formats.

    Args:
        reference: the recording that stays where it is (the camera's).
        other: the recording to be moved (the recorder's).

    Yields:
        Progress in the stages ``listening``, ``searching`` and ``measuring``, the last with offset points.

    Returns:
        The alignment, or why there is none: ``alignment.no_match`` when the two do not share a sound,
        ``alignment.silent``, ``alignment.too_short``, or what reading the files ran into.
    """
    try:
        first, second = yield from _listen_to_both(reference, other)
        for path, onsets in ((reference, first), (other, second)):
            if onsets.seconds < LEAST_SECONDS:
                return Refusal.of("alignment.too_short", path=path.name, seconds=LEAST_SECONDS)
            if onsets.silent >= _SILENT:
                return Refusal.of("alignment.silent", path=path.name)
        found, speed = yield from _search(first, second)
        if not found:
            return Refusal.of("alignment.no_match", reference=reference.name, other=other.name)
        return (yield from _measured(reference, other, first, second, found, speed))
    except Refused as refused:
        return refused.refusal


def _listen_to_both(reference: Path, other: Path) -> Job[tuple[Onsets, Onsets]]:
    """Listen to both recordings at the same time, each in a thread of its own."""
    lengths = [max(1.0, float(info.duration or 3600)) for info in (probe(reference), probe(other))]
    done = [0.0, 0.0]
    stop = threading.Event()

    def work(number: int, path: Path) -> Onsets | None:
        for step in listen(path):
            if isinstance(step, Onsets):
                return step
            done[number] = step
            if stop.is_set():
                break
        return None

    with ThreadPoolExecutor(2) as pool:
        try:
            futures = [pool.submit(work, number, path) for number, path in enumerate((reference, other))]
            while wait_for(futures, timeout=0.1).not_done:
                if any(future.done() and future.exception() for future in futures):
                    break
                yield Progress("listening", 0.7 * min(1.0, sum(done) / sum(lengths)))
        finally:
            stop.set()
        first, second = (future.result() for future in futures)
    assert first is not None
    assert second is not None
    return first, second


def _search(first: Onsets, second: Onsets) -> Job[tuple[list[Coincidence], float]]:
    """Find where the recordings coincide, at their own speed or else at one of the usual wrong ones."""
    for speed in (1.0, *SPEEDS):
        found: list[Coincidence] = []
        for step in find_coincidences(first, second, speed):
            if isinstance(step, list):
                found = step
            else:
                yield Progress("searching", 0.7 + 0.1 * step)
        path = on_one_path(found, speed)
        if path:
            return path, speed
    return [], 1.0


@dataclass(frozen=True, slots=True)
class _Window:
    """A few seconds to be measured: the middle in both recordings, as far as is known, and the length."""

    here: float
    there: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Reading:
    point: OffsetPoint
    prominence: float
    is_inverted: bool


def _measured(
    reference: Path, other: Path, first: Onsets, second: Onsets, path: list[Coincidence], speed: float
) -> Job[Alignment | Refusal]:
    """Measure the delay in windows along the path, and say what they amount to."""
    stretch = _stretch(path, speed)
    seconds = float(np.clip(sum(one.seconds for one in path) / 8, _SHORTEST_WINDOW, _WINDOW))
    readings: list[_Reading] = []
    fit = None
    for begin in (0.8, 0.9):
        windows = _windows(path, stretch, seconds)
        tried = yield from _read_delays(reference, other, windows, stretch, begin, begin + 0.1)
        readings = [reading for reading in tried if reading.prominence >= _PROMINENT]
        fit = _fitted([reading.point for reading in readings])
        is_clear = len(readings) >= max(_FEW, len(windows) / 3)
        # Few coincidences tell the speed badly, and at a wrong speed the windows are blurred.
        found = stretch if fit is None else 1 + fit.drift_ppm / 1e6
        if is_clear and abs(found - stretch) <= _SPEED_TOLERANCE:
            break
        stretch = found
        if not is_clear:
            seconds = _LONGEST_WINDOW
    if fit is None:
        # No window is clear, but the onsets may be: they are right to a hundredth of a second or two.
        readings = [_Reading(_rough(one), 0.0, False) for one in path]
        fit = _fitted([reading.point for reading in readings])
        assert fit is not None
        fit = replace(fit, uncertainty_ms=max(fit.uncertainty_ms, _ROUGH_UNCERTAINTY_MS))
    believed = [reading for reading, wrong in zip(readings, fit.outliers, strict=True) if not wrong]
    confidence = _confidence(path, believed)
    if confidence < _CONFIDENT:
        return Refusal.of("alignment.no_match", reference=reference.name, other=other.name)
    starts = _step_times(reference, other, fit, [reading.point.t for reading in believed])
    return _conclusion(reference, other, first, second, fit, starts, readings, believed, confidence)


def _read_delays(
    reference: Path, other: Path, windows: Sequence[_Window], stretch: float, begin: float, end: float
) -> Job[list[_Reading]]:
    """Measure the windows one after the other, while the progress goes from ``begin`` to ``end``."""
    # Reading the second at the rate that makes up for its speed keeps the two in step all through a window.
    rate = round(SAMPLE_RATE / stretch)
    here = [Span(window.here - window.seconds / 2, round(window.seconds * SAMPLE_RATE)) for window in windows]
    there = [
        Span(window.there - stretch * window.seconds / 2, span.count)
        for window, span in zip(windows, here, strict=True)
    ]
    readings: list[_Reading] = []
    with ThreadPoolExecutor(2) as pool:
        sounds = [read_spans(reference, here, SAMPLE_RATE), read_spans(other, there, rate)]
        for index, window in enumerate(windows):
            first, second = pool.map(next, sounds)
            reading = _reading(first, second, window.seconds)
            if reading is not None:
                readings.append(reading)
            partial = readings[-1].point if readings else None
            yield Progress("measuring", begin + (end - begin) * (index + 1) / len(windows), partial)
    return readings


def _reading(first: Excerpt, second: Excerpt, seconds: float) -> _Reading | None:
    """Measure one window, or return ``None`` where one of the recordings holds nothing."""
    delay = find_delay(first.data, second.data, _REACH)
    if delay is None:
        return None
    half = len(first.data) / 2
    middle = float(first.start) + half / first.rate
    heard = float(second.start) + (half + delay.seconds * SAMPLE_RATE) / second.rate
    return _Reading(
        OffsetPoint(
            t=middle,
            offset_ms=(heard - middle) * 1000,
            confidence=1 / (1 + math.exp(-2 * (delay.prominence - _HALF_RIGHT))),
            uncertainty_ms=NORMAL_95 * 0.1 * (1 + 10 / delay.prominence),
            seconds=seconds,
        ),
        delay.prominence,
        delay.is_inverted,
    )


def _fitted(points: Sequence[OffsetPoint]) -> OffsetFit | None:
    if not points:
        return None
    return fit_offsets(
        points, least_drift_ms=_LEAST_DRIFT_MS, least_step_ms=_LEAST_STEP_MS, least_jitter_ms=_LEAST_JITTER_MS
    )


def _rough(one: Coincidence, speed: float = 0.0) -> OffsetPoint:
    """Return a coincidence as an offset point, less what a known speed explains."""
    lateness = (one.there - one.here * (speed or 1.0)) * 1000
    return OffsetPoint(one.here, lateness, 0.95, NORMAL_95 * _ROUGH_MS, one.seconds)


def _stretch(path: Sequence[Coincidence], speed: float) -> float:
    """Return the second recording's length over the first's, as exactly as the coincidences tell it."""
    fit = fit_offsets([_rough(one, speed) for one in path], least_drift_ms=2 * _ROUGH_MS)
    return speed + fit.drift_ppm / 1e6


def _windows(path: Sequence[Coincidence], stretch: float, seconds: float) -> list[_Window]:
    """Spread windows over the coincidences: one each where there are many, several where there are few."""
    chosen = [path[index] for index in np.unique(np.linspace(0, len(path) - 1, _MOST_WINDOWS).astype(int))]
    windows = []
    for one in chosen:
        count = max(1, min(round(one.seconds / seconds), _MOST_WINDOWS // (2 * len(chosen))))
        for number in range(count):
            aside = one.seconds * ((number + 0.5) / count - 0.5)
            windows.append(_Window(one.here + aside, one.there + stretch * aside, seconds))
    return windows


def _confidence(path: Sequence[Coincidence], believed: Sequence[_Reading]) -> float:
    """Return how sure it is that the recordings share a sound and the offset is right.

    Recordings that share nothing reach a strength of 9 in a window of 5 s, less in longer ones, and a prominence of 4;
    every window that agrees with the others multiplies the odds, the more so the further it stands out.
    """
    strength = max(one.strength for one in path)
    rough = min(6.0, max(0.0, 0.75 * (strength - SURE)))
    fine = sum(min(3.0, max(0.0, reading.prominence - _CHANCE)) for reading in believed)
    return float(1 / (1 + 10.0 ** -min(30.0, rough + fine - _DOUBTS)))


def _step_times(reference: Path, other: Path, fit: OffsetFit, measured: Sequence[float]) -> list[float]:
    """Return where each level after the first begins, found by listening between the windows around it."""
    inside = np.sort(np.asarray(measured))
    times = []
    for number, rough in enumerate(fit.starts[1:]):
        begin = float(inside[inside < rough].max(initial=-math.inf))
        end = float(inside[inside >= rough].min(initial=math.inf))
        gain = _level_gain(reference, other, fit, number, begin, end)
        # Where a piece is missing neither level fits: the step is at its beginning, so later places pay a little.
        split = np.concatenate([[0.0], np.cumsum(gain - 0.2 * np.median(np.abs(gain)))])
        times.append(begin + 0.5 * float(np.argmax(split)))
    return times


def _level_gain(
    reference: Path, other: Path, fit: OffsetFit, level: int, begin: float, end: float
) -> npt.NDArray[np.float64]:
    """Return, per half second from ``begin`` on, how much better a level fits than the next one."""
    slope = fit.drift_ppm / 1e6
    at = np.arange(begin, end, _STEP_READ_SECONDS)
    counts = [round(min(_STEP_READ_SECONDS, end - start) * SAMPLE_RATE) for start in at]

    def spans(number: int) -> list[Span]:
        """Return where the second recording would have these stretches under one level."""
        lateness = fit.levels_ms[number] / 1000 + slope * (at - fit.middle)
        return [Span(float(start), count) for start, count in zip(at + lateness, counts, strict=True)]

    rate = round(SAMPLE_RATE / (1 + slope))
    stretches = zip(
        read_spans(
            reference, [Span(float(start), count) for start, count in zip(at, counts, strict=True)], SAMPLE_RATE
        ),
        read_spans(other, spans(level), rate),
        read_spans(other, spans(level + 1), rate),
        strict=True,
    )
    gains = [agreement(first.data, one.data, two.data) for first, one, two in stretches]
    return np.concatenate([*gains, np.zeros(1)])


def _conclusion(
    reference: Path,
    other: Path,
    first: Onsets,
    second: Onsets,
    fit: OffsetFit,
    starts: Sequence[float],
    readings: Sequence[_Reading],
    believed: Sequence[_Reading],
    confidence: float,
) -> Alignment:
    """Put everything into words and numbers."""

    def late(seconds: float, level: int) -> float:
        """Return the offset of a level at a time of the reference, in milliseconds."""
        return float(fit.levels_ms[level] + fit.drift_ppm * (seconds - fit.middle) / 1000)

    begin = max(float(first.start), _here(float(second.start), fit, 0))
    end = min(
        float(first.start) + first.seconds,
        _here(float(second.start) + second.seconds, fit, len(fit.levels_ms) - 1),
    )
    edges = [begin, *starts, end]
    middle = (begin + end) / 2
    level = int(np.argmin(np.abs(fit.levels_ms - fit.offset_ms)))
    steps = tuple(Step(start, late((start + stop) / 2, number)) for number, (start, stop) in enumerate(pairwise(edges)))
    kind = fit.kind
    offset_ms = late(middle, level)
    return Alignment(
        reference=str(reference),
        other=str(other),
        kind=kind,
        offset_ms=offset_ms,
        uncertainty_ms=fit.uncertainty_ms,
        confidence=confidence,
        drift_ppm=fit.drift_ppm,
        drift_uncertainty_ppm=fit.drift_uncertainty_ppm,
        drift_cause=drift_cause(fit.drift_ppm, fit.drift_uncertainty_ppm) if fit.drift_ppm else None,
        points=tuple(reading.point for reading in believed),
        doubted=tuple(reading.point for reading in readings if reading not in believed),
        steps=steps if kind is Kind.STEPS else (),
        overlap=(begin, end),
        is_inverted=sum(reading.is_inverted for reading in believed) > len(believed) / 2,
        correction=_correction(fit, edges),
        verdict=_verdict(kind, offset_ms, fit, len(steps)),
    )


def _here(there: float, fit: OffsetFit, level: int) -> float:
    """Return the reference's time of a moment of the second recording, under one level."""
    slope = fit.drift_ppm / 1e6
    at_zero = float(fit.levels_ms[level]) / 1000 - slope * fit.middle
    return (there - at_zero) / (1 + slope)


def _correction(fit: OffsetFit, edges: Sequence[float]) -> Correction | DriftCorrection | StepCorrection:
    """Return what moves the second recording into place; times in corrections are those of the sound that is moved."""
    slope = fit.drift_ppm / 1e6
    # there = (1 + slope) * here + at_zero, so here - there = -(slope * there + at_zero) / (1 + slope).
    at_zero = [float(level) - slope * fit.middle * 1000 for level in fit.levels_ms]
    if len(at_zero) == 1:
        if not slope:
            return Correction(-at_zero[0])
        return DriftCorrection(-at_zero[0] / (1 + slope), -fit.drift_ppm / (1 + slope))
    steps: list[tuple[Fraction, float]] = []
    for number, (start, stop) in enumerate(pairwise(edges)):
        pieces = max(1, math.ceil(abs(slope) * (stop - start) * 1000 / (2 * _DRIFT_LEFT_MS)))
        for piece in range(pieces):
            begin = start + (stop - start) * piece / pieces
            middle = start + (stop - start) * (piece + 0.5) / pieces
            # A jump is heard where the earlier level puts it: the sound that is moved has just ended that level.
            level = number - 1 if number and not piece else number
            heard = begin * (1 + slope) + at_zero[level] / 1000
            late = at_zero[number] + slope * middle * 1000
            steps.append((Fraction(round(heard * 1000), 1000), -late))
    return StepCorrection(tuple(steps))


def _verdict(kind: Kind, offset_ms: float, fit: OffsetFit, levels: int) -> Message:
    """Say in one sentence how the second recording lies."""
    side = "late" if offset_ms >= 0 else "early"
    amount = Message("alignment.amount.milliseconds", ms=abs(offset_ms))
    if abs(offset_ms) >= 10_000:
        amount = Message("alignment.amount.clock", clock=clock_words(Fraction(round(abs(offset_ms) * 1000), 1_000_000)))
    return Message(
        f"alignment.verdict.{kind.value}_{side}",
        amount=amount,
        uncertainty=max(0.1, fit.uncertainty_ms),
        ppm=abs(fit.drift_ppm),
        uncertainty_ppm=max(0.1, fit.drift_uncertainty_ppm),
        direction=Message(f"alignment.runs.{'slow' if fit.drift_ppm > 0 else 'fast'}"),
        levels=levels,
        scatter=fit.scatter_ms,
    )

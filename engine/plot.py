"""A measurement as one picture: lips over sound, the offset over time, the score over lags, and the verdict."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine import plot_style as style
from engine.jobs import Job, Progress
from engine.media.samples import read_samples
from engine.plot_style import Lettering
from engine.refusal import Refusal, Refused
from engine.sync.result import Kind, Measurement, Reason
from engine.sync.verdict import EBU_R37, ITU_DETECTABLE
from engine.timing import Correction, Offset
from engine.words import Message

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    from engine.media.export.report import AnyCorrection

_RATE = 16_000
_CLOSE_SECONDS = 2.6
"""How much of the clip the upper panel shows: there 80 ms are 3 % of the width, which the eye sees."""
_COLUMNS = 1600
"""Peaks per panel: more than its pixels are not seen."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Waveform:
    """Lowest and highest sample in columns of equal length.

    Attributes:
        start: seconds at the left edge of the first column.
        step: seconds per column.
        low: shape ``(columns,)``.
        high: shape ``(columns,)``.
    """

    start: float
    step: float
    low: Samples
    high: Samples

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """The middle of each column in seconds, shape ``(columns,)``."""
        return self.start + (np.arange(len(self.low)) + 0.5) * self.step


def draw(measurement: Measurement, target: str | Path, *, audio: str | Path | None = None) -> Job[Path | Refusal]:
    """Write one measurement as a PNG.

    Args:
        measurement: what was measured; its ``file`` is read once more for the waveform.
        target: the PNG; replaced if it exists.
        audio: the file whose sound was measured, where that is not the clip's own.

    Returns:
        The target, or a refusal when it is what was measured, cannot be written, or the sound cannot be read.
    """
    try:
        _spare(target, measurement.file, audio)
        around = _liveliest_moment(measurement)
        yield Progress("drawing", 0.2)
        silent = measurement.reason is Reason.NO_SOUND
        close = _waveform(None if silent else audio or measurement.file, around, around + _CLOSE_SECONDS)
        yield Progress("drawing", 0.5)
        return _write(_one(measurement, close), Path(target))
    except Refused as refused:
        return refused.refusal


def draw_before_after(before: Measurement, after: Measurement, target: str | Path) -> Job[Path | Refusal]:
    """Write two measurements of the same moment, one above the other, as a PNG.

    Args:
        before: the source's.
        after: the corrected file's.
        target: the PNG; replaced if it exists.

    Returns:
        The target, or a refusal when it is what was measured, cannot be written, or the sound cannot be read.
    """
    try:
        _spare(target, before.file, after.file)
        around = _liveliest_moment(before)
        waveforms = []
        for share, measurement in ((0.2, before), (0.5, after)):
            yield Progress("drawing", share)
            waveforms.append(_waveform(measurement.file, around, around + _CLOSE_SECONDS))
        yield Progress("drawing", 0.8)
        return _write(_two(before, after, waveforms), Path(target))
    except Refused as refused:
        return refused.refusal


def draw_report(
    before: Measurement,
    target: str | Path,
    *,
    correction: AnyCorrection | None = None,
    after: Measurement | None = None,
    audio: str | Path | None = None,
) -> Job[Path | Refusal]:
    """Write a measurement, and below it what a correction makes of it, as PNG or PDF.

    Args:
        before: the clip's measurement.
        target: the picture, a PDF if its name ends with ``.pdf``; replaced if it exists.
        correction: what is planned. It is drawn by moving the sound of the picture above.
        after: the measurement of the corrected copy, if there is one; it is shown instead of the plan.
        audio: the file whose sound was measured, where that is not the clip's own.

    Returns:
        The target, or a refusal when it is what was measured, cannot be written, or the sound cannot be read.
    """
    try:
        _spare(target, before.file, audio)
        if after is not None and after.offset is not None:
            return (yield from draw_before_after(before, after, target))
        if correction is None or correction == Correction(0.0) or before.offset_ms is None:
            return (yield from draw(before, target, audio=audio))
        around = _liveliest_moment(before)
        ms = _ms_at(correction, around)
        yield Progress("drawing", 0.2)
        sound = audio or before.file
        now = _waveform(sound, around, around + _CLOSE_SECONDS)
        yield Progress("drawing", 0.5)
        then = _waveform(sound, around - ms / 1000, around - ms / 1000 + _CLOSE_SECONDS)
        moved = replace(then, start=around)
        yield Progress("drawing", 0.8)
        return _write(_two(before, _planned(before, correction, ms), [now, moved], "planned"), Path(target))
    except Refused as refused:
        return refused.refusal


def _ms_at(correction: AnyCorrection, seconds: float) -> float:
    return correction.ms if isinstance(correction, Correction) else correction.at(seconds)


def _planned(before: Measurement, correction: AnyCorrection, ms: float) -> Measurement:
    """Return what the clip would measure when corrected; around the moment that is drawn the sound moves by ``ms``."""
    offset = before.offset_ms or 0.0
    left = offset + _ms_at(correction, _where_it_holds(before))
    plosives = tuple(replace(pair, heard=pair.heard + ms / 1000) for pair in before.plosives)
    kind = Kind.IN_SYNC if abs(left) < 1 else before.kind
    return replace(before, kind=kind, offset_ms=left, plosives=plosives)


def _where_it_holds(measurement: Measurement) -> float:
    """Return a moment of the sound at which the measured number is the offset; not all have it everywhere."""
    offset = measurement.offset_ms or 0.0
    if measurement.kind is Kind.DRIFT and measurement.drift_ppm:
        picture = (offset - (measurement.drift_offset_at_zero_ms or 0.0)) * 1000 / measurement.drift_ppm
        return picture + offset / 1000
    steps = [step for step in measurement.steps if abs(step.offset_ms - offset) < 0.5]
    return steps[0].t + 0.5 if steps else 0.0


def _spare(target: str | Path, *sources: str | Path | None) -> None:
    """Refuse to draw over what was measured.

    Raises:
        Refused: ``export.same_file``.
    """
    for source in (each for each in sources if each is not None):
        with contextlib.suppress(OSError):
            if Path(target).samefile(source):
                raise Refused.because("export.same_file", path=target)


def _write(figure: Figure, target: Path) -> Path | Refusal:
    try:
        style.save(figure, target)
    except OSError as error:
        return Refusal.of("plot.unwritable", path=str(target), why=error.strerror or str(error))
    return target


def _waveform(path: str | Path | None, start: float, stop: float) -> Waveform:
    step = (stop - start) / _COLUMNS
    low, high = np.zeros(_COLUMNS, np.float32), np.zeros(_COLUMNS, np.float32)
    blocks = () if path is None else read_samples(path, sample_rate=_RATE, start=Fraction(start), stop=Fraction(stop))
    for block in blocks:
        times = float(block.start) + np.arange(len(block.data)) / _RATE
        columns = np.clip(((times - start) / step).astype(np.int64), 0, _COLUMNS - 1)
        np.minimum.at(low, columns, block.data)
        np.maximum.at(high, columns, block.data)
    return Waveform(start, step, low, high)


def _liveliest_moment(measurement: Measurement) -> float:
    """Return the start of the close-up: where most plosives are, else where the mouth moves most, else the start."""
    if measurement.plosives:
        seen = np.array([pair.seen for pair in measurement.plosives])
        counts = [np.count_nonzero((seen >= time) & (seen < time + _CLOSE_SECONDS - 0.6)) for time in seen]
        return max(0.0, float(seen[int(np.argmax(counts))]) - 0.3)
    if measurement.mouth is not None and measurement.mouth.times.size:
        times, opening = measurement.mouth.times, np.nan_to_num(measurement.mouth.opening)
        starts = times[times <= max(times[0], times[-1] - _CLOSE_SECONDS)]
        moves = [np.ptp(opening[(times >= time) & (times < time + _CLOSE_SECONDS)]) for time in starts]
        return float(starts[int(np.argmax(moves))])
    return 0.0


def _one(measurement: Measurement, close: Waveform) -> Figure:
    letters = Lettering(measurement.file)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(style.settings(letters)):
        figure = Figure(figsize=style.INCHES)
        _headline(figure, letters, measurement)
        has_answer = measurement.offset_ms is not None
        upper = figure.add_axes((0.065, 0.47, 0.91, 0.315) if has_answer else (0.065, 0.085, 0.91, 0.7))
        _draw_close_up(upper, letters, measurement, close)
        upper.set_title(letters.word("close_up"))
        if not has_answer:
            return figure
        over_time = figure.add_axes((0.065, 0.085, 0.515, 0.29))
        _draw_points(over_time, letters, measurement)
        over_lag = figure.add_axes((0.655, 0.085, 0.32, 0.29))
        _draw_curve(over_lag, letters, measurement)
    return figure


def _two(before: Measurement, after: Measurement, waveforms: list[Waveform], second: str = "after") -> Figure:
    letters = Lettering(before.file)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(style.settings(letters)):
        figure = Figure(figsize=style.INCHES)
        _headline(figure, letters, before, after)
        for bottom, key, measurement, waveform in (
            (0.59, "before", before, waveforms[0]),
            (0.315, second, after, waveforms[1]),
        ):
            axes = figure.add_axes((0.065, bottom, 0.91, 0.2))
            _draw_close_up(axes, letters, measurement, waveform, legend=key == "before")
            axes.set_title(letters.word(key, offset=_offset_words(measurement)))
        scale = figure.add_axes((0.065, 0.085, 0.91, 0.15))
        _draw_scale(scale, letters, before, after)
    return figure


def _headline(figure: Figure, letters: Lettering, measurement: Measurement, after: Measurement | None = None) -> None:
    """Write the file's name, the verdict, and what it rests on, at the top."""
    final = after or measurement
    figure.text(0.065, 0.945, letters.file_name(measurement.file), color=style.MUTED, fontsize=10)
    sentence = letters.say(measurement.verdict)
    if after is not None:
        sentence = letters.word("was_and_is", was=_offset_words(measurement), now=_offset_words(after))
    figure.text(
        0.065, 0.888, letters.safe(sentence), color=style.TEXT, fontsize=_fitting(sentence), weight=letters.weight
    )
    facts = [
        letters.word("analysed", seconds=final.seconds_analysed),
        letters.word("faces", count=final.faces),
    ]
    if final.offset_ms is not None:
        facts.insert(0, letters.word("certainty", percent=math.floor(final.confidence * 100)))
    if measurement.container_delay_ms:
        facts.append(letters.word("container", delay=Offset(measurement.container_delay_ms).words()))
    figure.text(0.065, 0.848, "   ·   ".join(facts), color=style.MUTED, fontsize=9)
    figure.text(0.975, 0.945, "PLOSIVE", color=style.MUTED, fontsize=9, weight="bold", ha="right")
    figure.add_artist(_accent(figure, style.KIND_COLOURS[final.kind]))


def _offset_words(measurement: Measurement) -> Message | str:
    return "–" if measurement.offset is None else measurement.offset.words()


def _accent(figure: Figure, colour: str) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle((0.04, 0.846), 0.006, 0.122, transform=figure.transFigure, color=colour, linewidth=0)


def _fitting(sentence: str) -> float:
    """Return the font size at which a sentence fits on the line; Chinese characters are twice as wide."""
    width = sum(2 if ord(character) > 0x2E80 else 1 for character in sentence)
    return min(17.0, 17.0 * 78 / max(width, 1))


def _draw_close_up(
    axes: Axes, letters: Lettering, measurement: Measurement, wave: Waveform, *, legend: bool = True
) -> None:
    """Draw the mouth's opening over the waveform, with a line from each parting of the lips to its burst."""
    stop = wave.start + len(wave.low) * wave.step
    style.quiet_axes(axes)
    axes.grid(visible=True, axis="x")
    axes.set(xlim=(wave.start, stop), ylim=(0, 1), yticks=(0.24, 0.74))
    axes.set_yticklabels([letters.word("sound"), letters.word("mouth")], rotation=90, va="center")
    axes.xaxis.set_major_formatter(lambda seconds, _: letters.word("seconds", seconds=seconds))
    loudest = max(float(np.max(np.abs([wave.low, wave.high]))), 1e-3)
    axes.fill_between(
        wave.times,
        0.24 + 0.22 * wave.low / loudest,
        0.24 + 0.22 * wave.high / loudest,
        color=style.SOUND,
        linewidth=0.2,
    )
    if measurement.mouth is None or not measurement.mouth.times.size:
        axes.text(0.5, 0.74, letters.word("no_mouth"), transform=axes.transAxes, ha="center", color=style.MUTED)
        return
    times, opening = measurement.mouth.times, measurement.mouth.opening.astype(np.float64)
    shown = (times >= wave.start) & (times <= stop)
    widest = max(float(np.nanmax(opening[shown], initial=0.0, where=~np.isnan(opening[shown]))), 1e-3)
    height = 0.54 + 0.4 * opening / widest
    axes.plot(times[shown], height[shown], color=style.MOUTH, linewidth=1.8)
    axes.fill_between(times[shown], 0.54, height[shown], color=style.MOUTH, alpha=0.16, linewidth=0)
    inside = [
        pair for pair in measurement.plosives if wave.start <= pair.seen <= stop and wave.start <= pair.heard <= stop
    ]
    for pair in inside:
        lips = float(np.interp(pair.seen, times, np.nan_to_num(height, nan=0.54)))
        axes.plot([pair.seen, pair.heard], [lips, 0.24], color=style.TEXT, linewidth=1.1, alpha=0.85)
        axes.plot([pair.seen], [lips], "o", color=style.MOUTH, markersize=5, markeredgecolor=style.PANEL)
        axes.plot([pair.heard], [0.24], "o", color=style.SOUND, markersize=5, markeredgecolor=style.PANEL)
    if inside and legend:
        axes.set_title(letters.word("plosives"), loc="right", color=style.MUTED, fontsize=8, fontweight="normal")


def _draw_points(axes: Axes, letters: Lettering, measurement: Measurement) -> None:
    """Draw the offset of each window with its uncertainty, the fitted course, and the published tolerances."""
    points = measurement.points
    times = np.array([point.t for point in points])
    offsets = np.array([point.offset_ms for point in points])
    spread = np.array([point.uncertainty_ms for point in points])
    left, right = (float(times.min()) - 2, float(times.max()) + 2) if times.size else (0.0, 1.0)
    left = max(0.0, left)
    values = np.concatenate([offsets - spread, offsets + spread, [measurement.offset_ms or 0.0]])
    low, high = _room(float(values.min()), float(values.max()))
    axes.set(xlim=(left, right), ylim=(low, high), title=letters.word("over_time"))
    style.quiet_axes(axes)
    axes.grid(visible=True, axis="y")
    axes.yaxis.set_major_formatter(lambda ms, _: _late_or_early(letters, ms))
    axes.xaxis.set_major_formatter(lambda seconds, _: letters.word("seconds", seconds=seconds))
    for band, alpha in ((ITU_DETECTABLE, 0.07), (EBU_R37, 0.13)):
        axes.axhspan(-band.early_ms, band.late_ms, color=style.GOOD, alpha=alpha, linewidth=0)
        edge = min(band.late_ms, high)
        axes.text(right, edge, f"{band.name} ", ha="right", va="top", color=style.GOOD, fontsize=7, alpha=0.9)
    axes.axhline(0, color=style.GOOD, linewidth=0.9, alpha=0.7)
    line_times, line_offsets = _course(measurement, left, right)
    axes.plot(line_times, line_offsets, color=style.TEXT, linewidth=1.4, alpha=0.9)
    for point in points:
        alpha = 0.3 + 0.7 * point.confidence
        axes.errorbar(
            [point.t], [point.offset_ms], [point.uncertainty_ms],
            fmt="o", color=style.SOUND, alpha=alpha, markersize=4.5, elinewidth=1.2, capsize=0,
        )  # fmt: skip


def _course(measurement: Measurement, left: float, right: float) -> tuple[list[float], list[float]]:
    """Return the fitted offset over time as a broken line: times and offsets."""
    if measurement.kind is Kind.DRIFT and measurement.drift_ppm is not None:
        zero = measurement.drift_offset_at_zero_ms or 0.0
        return [left, right], [zero + measurement.drift_ppm * time / 1000 for time in (left, right)]
    if measurement.kind is Kind.STEPS and measurement.steps:
        starts = [left, *(step.t for step in measurement.steps[1:])]
        stops = [*starts[1:], right]
        times = [time for pair in zip(starts, stops, strict=True) for time in pair]
        return times, [step.offset_ms for step in measurement.steps for _ in range(2)]
    return [left, right], [measurement.offset_ms or 0.0] * 2


def _draw_curve(axes: Axes, letters: Lettering, measurement: Measurement) -> None:
    """Draw how well picture and sound fit at every lag: each window thin, their mean bold."""
    from matplotlib.ticker import MaxNLocator

    style.quiet_axes(axes)
    axes.grid(visible=True, axis="x")
    axes.set(title=letters.word("over_lag"), yticks=())
    axes.xaxis.set_major_formatter(lambda ms, _: _late_or_early(letters, ms))
    axes.axvspan(-EBU_R37.early_ms, EBU_R37.late_ms, color=style.GOOD, alpha=0.13, linewidth=0)
    if not measurement.curves:
        return
    lags = measurement.curves[0].lags_ms
    alike = [curve.scores for curve in measurement.curves if np.array_equal(curve.lags_ms, lags)]
    for scores in alike[:40]:
        axes.plot(lags, scores - scores.max(), color=style.SOUND, linewidth=0.6, alpha=0.25)
    mean = np.mean(alike, axis=0)
    axes.plot(lags, mean - mean.max(), color=style.SOUND, linewidth=1.8)
    centre = measurement.offset_ms or 0.0
    reach = min(max(560.0, 1.5 * abs(centre)), float(lags[-1]))
    axes.set_xlim(-reach, reach)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.axvline(centre, color=style.TEXT, linewidth=1.0, alpha=0.8)


def _draw_scale(axes: Axes, letters: Lettering, before: Measurement, after: Measurement) -> None:
    """Draw both offsets on one ruler with the published tolerances."""
    style.quiet_axes(axes)
    axes.grid(visible=True, axis="x")
    values = [measurement.offset_ms or 0.0 for measurement in (before, after)]
    low, high = _room(min(*values, -60.0), max(*values, 140.0))
    axes.set(xlim=(low, high), ylim=(0, 1), yticks=(), title=letters.word("scale"))
    axes.xaxis.set_major_formatter(lambda ms, _: _late_or_early(letters, ms))
    for band, alpha, height in ((ITU_DETECTABLE, 0.09, 0.1), (EBU_R37, 0.16, 0.82)):
        axes.axvspan(-band.early_ms, band.late_ms, color=style.GOOD, alpha=alpha, linewidth=0)
        axes.text(band.late_ms, height, f"{band.name} ", ha="right", va="center", color=style.GOOD, fontsize=7)
    axes.annotate(
        "", (values[1], 0.5), (values[0], 0.5), arrowprops={"arrowstyle": "-|>", "color": style.MUTED, "linewidth": 1.2}
    )
    for value, colour in zip(values, (style.KIND_COLOURS[before.kind], style.KIND_COLOURS[after.kind]), strict=True):
        axes.plot([value], [0.5], "o", color=colour, markersize=10, markeredgecolor=style.PANEL, markeredgewidth=1.5)


def _room(low: float, high: float) -> tuple[float, float]:
    """Return axis limits that leave air around the values and always show the tolerance around zero."""
    low, high = min(low, -70.0), max(high, 90.0)
    margin = 0.08 * (high - low)
    return low - margin, high + margin


def _late_or_early(letters: Lettering, ms: float) -> str:
    rounded = round(ms)
    return letters.word("late" if rounded > 0 else "early" if rounded < 0 else "together", ms=abs(rounded))

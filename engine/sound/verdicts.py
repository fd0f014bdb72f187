"""What the measured numbers mean: one function per subject, each returning the findings it has grounds for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from engine.sound.bandwidth import CutKind
from engine.sound.channels import MixReason
from engine.sound.examination import Examination
from engine.sound.features import ROW_RATE
from engine.sound.finding import MOST_SPANS, Finding, Severity, Span
from engine.sound.speed import SpeedEstimate

STANDARD_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000)
"""Sample rates that recordings have, in samples per second."""

_LONG_SILENCE, _VERY_LONG_SILENCE = 1.0, 5.0
_NOISY_DB, _DROWNED_DB = 20.0, 10.0
_QUIET_LUFS, _LOUD_LUFS = -36.0, -9.0
_DC, _STRONG_DC = 0.01, 0.05
_OVER_DBTP = 0.5
_CLIPPED_SHARE = 1e-3
_LITTLE_SPEECH, _SOME_SPEECH = 0.1, 0.3
_MUSIC_TONALITY = 0.5
_PADDING_MS = (5.0, 100.0)
_MODEL_RATE, _MODEL_HZ, _HARMFUL_CUT_HZ = 16_000, 7000.0, 5500.0
_RATE_TOLERANCE = 0.2
"""Relative: nine estimates of ten are that near."""


def silence(exam: Examination, start: Fraction) -> Iterator[Finding]:
    """Nothing at all, or long silence at an end."""
    extent = exam.levels.extent()
    if extent is None:
        yield Finding.of("silent", Severity.PROBLEM)
        return
    end = start + Fraction(exam.samples, exam.sample_rate)
    head, tail = Fraction(extent.first, ROW_RATE), Fraction(exam.levels.rows - 1 - extent.last, ROW_RATE)
    for code, length, span in (
        ("leading_silence", head, Span(start, start + head)),
        ("trailing_silence", tail, Span(end - tail, end)),
    ):
        if length >= _LONG_SILENCE:
            severity = Severity.WARNING if length >= _VERY_LONG_SILENCE else Severity.NOTE
            yield Finding.of(code, severity, value=float(length), spans=(span,), seconds=float(length))


def padding(exam: Examination, start: Fraction, *, is_lossless: bool) -> Iterator[Finding]:
    """Digital silence in front of a recording that is never silent again: an encoder's delay that was left in."""
    ms = 1000 * exam.leading_zeros / exam.sample_rate
    low, high = _PADDING_MS
    silent_rows = exam.levels.digital_silence_share * exam.levels.rows
    if is_lossless and low <= ms <= high and silent_rows <= ms / 10 + 2 and exam.levels.rows > ROW_RATE:
        span = Span(start, start + Fraction(exam.leading_zeros, exam.sample_rate))
        yield Finding.of("encoder_padding", Severity.WARNING, value=ms, spans=(span,), ms=ms)


def clipping(exam: Examination, start: Fraction) -> Iterator[Finding]:
    """Peaks cut off in the recording, or beyond full scale in the decoded sound."""
    peaks = sum(meter.count for meter in exam.clipping)
    if peaks:
        clipped = sum(meter.clipped_samples for meter in exam.clipping) / max(1, exam.samples * len(exam.clipping))
        runs = sorted((run.first, run.first + run.length) for meter in exam.clipping for run in meter.runs)
        severity = (
            Severity.PROBLEM
            if clipped > 10 * _CLIPPED_SHARE
            else (Severity.WARNING if clipped > _CLIPPED_SHARE / 10 else Severity.NOTE)
        )
        spans = _spans(runs, exam.sample_rate, start)
        yield Finding.of("clipping", severity, value=float(peaks), spans=spans, count=peaks)
    elif exam.peak.dbtp > _OVER_DBTP:
        yield Finding.of("over_full_scale", Severity.NOTE, value=exam.peak.dbtp, db=exam.peak.dbtp)


def level(exam: Examination) -> Iterator[Finding]:
    """Too quiet or too loud as a whole."""
    lufs = exam.loudness.lufs
    if lufs is None or lufs < _QUIET_LUFS:
        measured = -70.0 if lufs is None else lufs
        yield Finding.of("too_quiet", Severity.WARNING, value=measured, lufs=measured)
    elif lufs > _LOUD_LUFS:
        yield Finding.of("too_loud", Severity.NOTE, value=lufs, lufs=lufs)


def noise(exam: Examination) -> Iterator[Finding]:
    """Noise close to the voice."""
    distance = signal_to_noise(exam)
    if distance is not None and distance < _NOISY_DB:
        severity = Severity.WARNING if distance < _DROWNED_DB else Severity.NOTE
        yield Finding.of("noisy", severity, value=distance, db=distance)


def signal_to_noise(exam: Examination) -> float | None:
    """Return how far the syllables stand above the pauses in dB, ``None`` without a voice."""
    speech, floor = exam.levels.speech_level_db, exam.levels.noise_floor_db
    if speech is None or floor is None or exam.speech_seconds < _SOME_SPEECH:
        return None
    return speech - floor


def bandwidth(exam: Examination, *, is_lossless: bool) -> Iterator[Finding]:
    """High frequencies that are missing, and what took them.

    A lossy codec cuts high frequencies by itself: that is worth a word only where it cuts what models listen to.
    """
    found = exam.bandwidth.bandwidth()
    if found is None or found.kind is None:
        return
    rate = found.original_rate
    if found.kind is CutKind.TELEPHONE:
        yield Finding.of("telephone", Severity.WARNING, value=found.hz, khz=found.hz / 1000)
    elif rate is not None and (is_lossless or rate <= _MODEL_RATE):
        severity = Severity.NOTE if rate >= _MODEL_RATE else Severity.WARNING
        yield Finding.of(
            "upsampled",
            severity,
            value=found.hz,
            khz=found.hz / 1000,
            original_khz=rate / 1000,
            khz_now=exam.sample_rate / 1000,
        )
    elif is_lossless or found.hz < _MODEL_HZ:
        severity = Severity.WARNING if found.hz < _HARMFUL_CUT_HZ else Severity.NOTE
        yield Finding.of("lossy_low_pass", severity, value=found.hz, khz=found.hz / 1000)


def channels(exam: Examination) -> Iterator[Finding]:
    """Channels against each other, and constant offsets."""
    mix = exam.channels.mix_down()
    if mix.reason is MixReason.OUT_OF_PHASE:
        heard = (mix.channel or 0) + 1
        yield Finding.of("out_of_phase", Severity.WARNING, value=float(heard), channel=heard)
    elif exam.channels.channels == 2:
        for dead in exam.channels.dead:
            yield Finding.of("dead_channel", Severity.NOTE, value=float(dead + 1), channel=dead + 1)
    constant = max((float(value) for value in exam.channels.dc), key=abs)
    if abs(constant) >= _DC:
        severity = Severity.WARNING if abs(constant) >= _STRONG_DC else Severity.NOTE
        yield Finding.of("dc_offset", severity, value=constant, percent=100 * abs(constant))


def dropouts(exam: Examination, start: Fraction) -> Iterator[Finding]:
    """Holes in the sound."""
    if exam.dropouts.count:
        spans = _spans(exam.dropouts.holes, exam.sample_rate, start)
        yield Finding.of(
            "dropouts", Severity.WARNING, value=float(exam.dropouts.count), spans=spans, count=exam.dropouts.count
        )


def speech(exam: Examination, speed: SpeedEstimate | None) -> Iterator[Finding]:
    """Speech at a wrong speed, or none."""
    if speed is not None:
        yield _wrong_speed(speed, exam.sample_rate)
        return
    heard = exam.heard_seconds
    if heard >= 1 and exam.speech_seconds < max(_SOME_SPEECH, _LITTLE_SPEECH * heard):
        code = "music" if exam.listener.tonality >= _MUSIC_TONALITY else "no_speech"
        yield Finding.of(code, Severity.WARNING, value=exam.speech_seconds, seconds=exam.speech_seconds)


def _wrong_speed(speed: SpeedEstimate, labelled: int) -> Finding:
    true = labelled / speed.factor
    nearest = min(STANDARD_RATES, key=lambda rate: abs(math.log(rate / true)))
    code = "too_fast" if speed.factor > 1 else "too_slow"
    factor = speed.factor if speed.factor > 1 else 1 / speed.factor
    if abs(math.log(nearest / true)) > _RATE_TOLERANCE or nearest == labelled:
        return Finding.of(code, Severity.PROBLEM, value=speed.factor, factor=factor)
    return Finding.of(
        f"{code}_rate",
        Severity.PROBLEM,
        value=speed.factor,
        factor=factor,
        khz_now=labelled / 1000,
        khz_true=nearest / 1000,
        true_rate=nearest,
    )


def _spans(ranges: list[tuple[int, int]], sample_rate: int, start: Fraction) -> tuple[Span, ...]:
    """Join what is less than 100 ms apart and return the first :data:`MOST_SPANS` stretches."""
    joined: list[list[int]] = []
    for first, end in ranges:
        if joined and first - joined[-1][1] < sample_rate // 10:
            joined[-1][1] = max(joined[-1][1], end)
        elif len(joined) == MOST_SPANS:
            break
        else:
            joined.append([first, end])
    return tuple(
        Span(start + Fraction(first, sample_rate), start + Fraction(end, sample_rate)) for first, end in joined
    )

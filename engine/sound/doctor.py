"""Say what is wrong with a recording, what that does to sync or to a generated mouth, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from engine.jobs import Job, Progress
from engine.media.probe import AudioStream, MediaInfo, probe
from engine.media.samples import read_samples
from engine.refusal import Refusal, Refused
from engine.sound import verdicts
from engine.sound.examination import Examination
from engine.sound.finding import Diagnosis, Finding, Severity, Span

_LOSSLESS = ("pcm", "flac", "alac", "wavpack", "tta", "ape", "tak", "mlp", "truehd")
_HIDES_PRIMING = {"mp4", "mov"}
_DELAY_WORTH_SAYING = 0.015
"""Seconds between the beginnings of sound and picture."""
_PRIMING_CODECS = ("aac", "mp3", "mp2", "opus", "vorbis", "ac3", "eac3")
_UNDECLARED = {"mpegts", "flv", "avi", "mpeg"}


def diagnose(path: Path, *, stream: int | None = None) -> Job[Diagnosis | Refusal]:
    """Examine the sound of a file.

    The whole sound is decoded once, whatever its length, in constant memory.

    Args:
        path: any file with sound.
        stream: number of the sound stream in the file; by default the one that players choose.

    Returns:
        A job that returns the diagnosis, or a refusal: what :func:`~engine.media.probe.probe` and
        :func:`~engine.media.samples.read_samples` refuse, ``media.no_sound``, ``sound.no_samples``.
    """
    try:
        info = probe(path)
        audio = info.audio if stream is None else next((each for each in info.audios if each.index == stream), None)
        if audio is None:
            raise Refused.because("media.no_sound", path=path)
        exam: Examination | None = None
        start = audio.start
        for block in read_samples(path, stream=audio.index, sample_rate=None, channels=None, block_seconds=2):
            samples = block.data if block.data.ndim == 2 else block.data[:, None]
            if exam is None:
                coarse = audio.sample_format.startswith("u8")
                exam = Examination(block.sample_rate, samples.shape[1], audio.layout, audio.duration, coarse=coarse)
                start = block.start
            exam.add(samples)
            known = float(audio.duration) if audio.duration else 0.0
            yield Progress("listening", min(0.99, exam.samples / exam.sample_rate / known) if known else 0.0)
        if exam is None or exam.samples == 0:
            raise Refused.because("sound.no_samples", path=path)
        exam.add(np.zeros((0, exam.channels.channels), np.float32), last=True)
        return _diagnosis(path, info, audio, exam, start)
    except Refused as refused:
        return refused.refusal


def _diagnosis(path: Path, info: MediaInfo, audio: AudioStream, exam: Examination, start: Fraction) -> Diagnosis:
    speed = exam.speed()
    findings = [*verdicts.silence(exam, start)]
    is_silent = any(finding.code == "silent" for finding in findings)
    if not is_silent:
        is_lossless = audio.codec.startswith(_LOSSLESS)
        findings += [
            *verdicts.speech(exam, speed),
            *verdicts.padding(exam, start, is_lossless=is_lossless),
            *verdicts.clipping(exam, start),
            *verdicts.dropouts(exam, start),
            *verdicts.channels(exam),
            *verdicts.level(exam),
            *verdicts.noise(exam),
            *verdicts.bandwidth(exam, is_lossless=is_lossless),
        ]
    findings += container_findings(info, audio)
    cut = exam.bandwidth.bandwidth()
    seconds = Fraction(exam.samples, exam.sample_rate)
    return Diagnosis(
        file=path,
        findings=tuple(sorted(findings, key=lambda finding: -finding.severity.rank)),
        seconds=seconds,
        sample_rate=audio.sample_rate,
        channels=audio.channels,
        measures={
            "loudness_lufs": exam.loudness.lufs,
            "true_peak_dbtp": None if is_silent else exam.peak.dbtp,
            "speech_level_dbfs": exam.levels.speech_level_db,
            "noise_floor_dbfs": exam.levels.noise_floor_db,
            "snr_db": verdicts.signal_to_noise(exam),
            "bandwidth_hz": None if cut is None else cut.hz,
            "speech_share": float(exam.speech_seconds / seconds),
            "speech_speed": None if speed is None else speed.factor,
        },
    )


def container_findings(info: MediaInfo, audio: AudioStream) -> Iterator[Finding]:
    """What the file around the sound says that concerns sync."""
    if info.is_cut_off:
        yield Finding.of("cut_off", Severity.WARNING)
    if len(info.audios) > 1:
        yield Finding.of("several_sounds", Severity.NOTE, value=float(len(info.audios)), count=len(info.audios))
    if audio.gaps:
        spans = tuple(Span(gap.start, gap.stop) for gap in audio.gaps)
        yield Finding.of("gaps", Severity.WARNING, value=float(len(spans)), spans=spans, count=len(spans))
    if info.has_edit_list:
        yield Finding.of("edit_list", Severity.NOTE)
    video = info.video
    if video is None or info.is_picture:
        return
    ms = 1000 * audio.priming_samples / audio.sample_rate
    if audio.priming_samples and info.container in _HIDES_PRIMING and not info.has_edit_list:
        yield Finding.of("hidden_priming", Severity.NOTE, value=ms, ms=ms)
    elif not audio.priming_samples and audio.codec.startswith(_PRIMING_CODECS) and info.container in _UNDECLARED:
        yield Finding.of("unknown_priming", Severity.NOTE)
    delay = info.container_delay
    if delay is not None and abs(delay) >= _DELAY_WORTH_SAYING:
        code = "sound_starts_late" if delay > 0 else "sound_starts_early"
        yield Finding.of(code, Severity.NOTE, value=1000 * float(delay), ms=1000 * abs(float(delay)))
    if video.is_variable:
        yield Finding.of("variable_frame_rate", Severity.NOTE, value=float(video.rate), rate=float(video.rate))
    if video.is_hdr:
        yield Finding.of("hdr", Severity.NOTE)

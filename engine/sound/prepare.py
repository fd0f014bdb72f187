"""Make any recording into what speech models expect: 16 kHz, mono, 16 bit, at one level, without a delay.

The sound is read twice. The first time its levels, loudness and channels are measured; the second time it is mixed,
raised or lowered by one constant gain (nothing that acts over time, so nothing can move) and written. Then the result
is laid over the source and the delay between them is measured.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import secrets
import wave
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.jobs import Job, Progress
from engine.media.export.target_file import check_target
from engine.media.opening import local_file
from engine.media.probe import AudioStream, probe
from engine.media.samples import SampleBlock, read_samples
from engine.refusal import Refusal, Refused
from engine.sound.channels import ChannelStatistics, MixDown, MixReason
from engine.sound.delay import DelayProof
from engine.sound.features import ROW_RATE
from engine.sound.levels import LevelStatistics, row_levels
from engine.sound.loudness import LoudnessMeter, TruePeakMeter
from engine.sound.prepared import RATE, Prepared, sidecar
from engine.timing import FrameGrid
from engine.words import Message

FloatArray = npt.NDArray[np.float32]

TARGET_LUFS = -23.0
"""EBU R 128: the loudness of speech in broadcasting."""

CEILING_DBTP = -1.0
"""EBU R 128: the highest true peak."""

MARGIN = Fraction(15, 100)
"""Seconds of silence kept around the sound: breath and closures before the first syllable belong to it."""

_MOST_GAIN_DB = 40.0
"""More would raise the noise of a recording without a voice to the level of one."""

_BLOCK_SECONDS = 2
_LARGEST_WAV = 2**32 - 1024


def default_target(source: Path) -> Path:
    """Return a new name beside the source, such as ``talk.16k.wav``, for files that do not exist yet."""
    names = chain([""], (f"-{number}" for number in count(2)))
    targets = (source.with_name(f"{source.stem}.16k{number}.wav") for number in names)
    return next(target for target in targets if not any(os.path.lexists(path) for path in (target, sidecar(target))))


def prepare(
    source: Path,
    target: Path | None = None,
    *,
    fps: Fraction | None = None,
    trim: bool = True,
    normalise: bool = True,
    margin: Fraction = MARGIN,
    loudness: float = TARGET_LUFS,
    ceiling: float = CEILING_DBTP,
    stream: int | None = None,
    overwrite: bool = False,
) -> Job[Prepared | Refusal]:
    """Write a recording as 16 kHz mono 16-bit WAV, with the facts about it in a JSON file beside it.

    Args:
        source: any file with sound.
        target: where to write; by default :func:`default_target`.
        fps: pad the end with silence to whole frames of this rate.
        trim: leave out silence at both ends.
        normalise: bring it to ``loudness``; otherwise the level stays, unless it would clip.
        margin: seconds of silence kept at both ends.
        loudness: wanted loudness in LUFS.
        ceiling: highest true peak in dBTP; the loudness stays lower where it would be passed.
        stream: number of the sound stream in the file; by default the one that players choose.
        overwrite: replace the target, and the JSON file beside it, where they exist.

    Returns:
        A job that returns the facts, or a refusal: what :func:`~engine.media.probe.probe` and
        :func:`~engine.media.samples.read_samples` refuse, ``media.no_sound``, ``sound.silent``, ``sound.too_long``,
        what :func:`~engine.media.export.target_file.check_target` refuses, ``sound.disk_full``,
        ``sound.cannot_write``, ``sound.displaced``.

    Raises:
        ValueError: if ``fps`` is not positive or ``margin`` is negative.
    """
    if fps is not None and fps <= 0:
        raise ValueError(f"fps must be positive, got {fps}")
    if margin < 0:
        raise ValueError(f"margin must not be negative, got {margin}")
    wish = _Wish(fps, trim, normalise, margin, loudness, ceiling, stream)
    return _prepared(source, target or default_target(source), wish, overwrite=overwrite)


@dataclass(frozen=True, slots=True)
class _Wish:
    fps: Fraction | None
    trim: bool
    normalise: bool
    margin: Fraction
    loudness: float
    ceiling: float
    stream: int | None


def _prepared(source: Path, target: Path, wish: _Wish, *, overwrite: bool) -> Job[Prepared | Refusal]:
    try:
        file = local_file(source)
        for path in (target, sidecar(target)):
            check_target([file], path, overwrite=overwrite, needs=0)
        stream = _chosen(source, wish.stream)
        heard = yield from _listen(source, stream)
        plan = _plan(source, heard, wish)
        return (yield from _write(source, target, stream, heard, plan, wish))
    except Refused as refused:
        return refused.refusal


def _chosen(source: Path, index: int | None) -> AudioStream:
    info = probe(source)
    stream = info.audio if index is None else next((each for each in info.audios if each.index == index), None)
    if stream is None:
        raise Refused.because("media.no_sound", path=source)
    return stream


def _blocks(source: Path, stream: AudioStream) -> Iterator[SampleBlock]:
    return read_samples(source, stream=stream.index, sample_rate=RATE, channels=None, block_seconds=_BLOCK_SECONDS)


class _Heard:
    """What a reading of the source found out.

    Args:
        start: when the first sample sounds.
        channels: of the source.
        layout: arrangement of the channels.
        mix: how to make one channel of them; by default the plain mix.
    """

    def __init__(self, start: Fraction, channels: int, layout: str, mix: MixDown | None) -> None:
        self.start = start
        self.samples = 0
        self.statistics = ChannelStatistics(channels, RATE, layout)
        self.mix = mix or self.statistics.mix
        self.levels = LevelStatistics()
        self.loudness = LoudnessMeter(RATE)
        self.peak = TruePeakMeter(RATE)
        self._rest = np.zeros(0, np.float32)

    def add(self, samples: FloatArray, *, last: bool = False) -> None:
        """Take the next samples, shape ``(n, channels)``."""
        self.samples += len(samples)
        self.statistics.add(samples)
        mono = self.mix.apply(samples)
        joined = np.concatenate([self._rest, mono])
        levels = row_levels(joined, RATE)
        self._rest = joined[len(levels) * (RATE // ROW_RATE) :]
        self.levels.add(levels)
        self.loudness.add(mono)
        self.peak.add(mono, last=last)


def _listen(source: Path, stream: AudioStream) -> Generator[Progress, None, _Heard]:
    """Read the source; once more when its channels turn out not to be fit for mixing."""
    heard = yield from _reading(source, stream, None, 0.0)
    mix = heard.statistics.mix_down()
    return heard if mix == heard.mix else (yield from _reading(source, stream, mix, 0.25))


def _reading(source: Path, stream: AudioStream, mix: MixDown | None, done: float) -> Generator[Progress, None, _Heard]:
    heard: _Heard | None = None
    for block in _blocks(source, stream):
        samples = block.data if block.data.ndim == 2 else block.data[:, None]
        if heard is None:
            heard = _Heard(block.start, samples.shape[1], stream.layout, mix)
        heard.add(samples)
        yield Progress("listening", done + (0.5 - done) * _share(heard.samples, stream))
    if heard is None or heard.samples == 0:
        raise Refused.because("sound.no_samples", path=source)
    heard.add(np.zeros((0, heard.statistics.channels), np.float32), last=True)
    return heard


def _share(samples: int, stream: AudioStream) -> float:
    return min(1.0, samples / float(stream.duration * RATE)) if stream.duration else 0.0


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the second reading does.

    Attributes:
        mix: how channels become one.
        dc: constant taken off the mix.
        gain: factor.
        first: first sample kept.
        end: sample after the last one kept.
        frames: number of frames to fill, or ``None``.
        padding: zeros to append.
        notes: what was unusual.
    """

    mix: MixDown
    dc: float
    gain: float
    first: int
    end: int
    frames: int | None
    padding: int
    notes: tuple[Message, ...]


def _plan(source: Path, heard: _Heard, wish: _Wish) -> _Plan:
    mix, levels = heard.mix, heard.levels
    notes = []
    if mix.reason in {MixReason.OUT_OF_PHASE, MixReason.DEAD_CHANNEL}:
        notes.append(Message(f"sound.note.{mix.reason.value}", channel=(mix.channel or 0) + 1))
    first, end = 0, heard.samples
    if wish.trim:
        extent = levels.extent()
        if extent is None:
            raise Refused.because("sound.silent", path=source)
        row, margin = RATE // ROW_RATE, math.ceil(wish.margin * RATE)
        first = max(0, extent.first * row - margin)
        # A rest shorter than a row is not measured: it belongs to the last row.
        sound_end = heard.samples if extent.last == levels.rows - 1 else (extent.last + 1) * row
        end = min(heard.samples, sound_end + margin)
    dc = float(heard.statistics.dc @ np.array(mix.weights))
    gain_db, gain_notes = _gain(heard.loudness.lufs, heard.peak.peak + abs(dc), wish)
    frames = padding = None
    if wish.fps is not None:
        grid = FrameGrid(wish.fps)
        frames = grid.frames_for(end - first, RATE)
        padding = grid.sample(frames, RATE) - (end - first)
    if 2 * (end - first + (padding or 0)) > _LARGEST_WAV:
        raise Refused.because("sound.too_long", path=source)
    return _Plan(mix, dc, 10 ** (gain_db / 20), first, end, frames, padding or 0, (*notes, *gain_notes))


def _gain(lufs: float | None, peak: float, wish: _Wish) -> tuple[float, list[Message]]:
    """Return the gain in dB and what is to be said about it."""
    headroom = wish.ceiling - 20 * math.log10(peak) if peak > 0 else math.inf
    if not wish.normalise:
        too_high = 20 * math.log10(peak) if peak > 1 else 0.0
        return (headroom, [Message("sound.note.lowered", db=-headroom)]) if too_high > 0 else (0.0, [])
    wanted = _MOST_GAIN_DB if lufs is None else wish.loudness - lufs
    gain = min(wanted, headroom, _MOST_GAIN_DB)
    if math.isinf(gain) or lufs is None:
        return (0.0 if peak == 0 else gain), []
    if gain == headroom and wanted - gain > 1:
        return gain, [Message("sound.note.peaks_limit", lufs=lufs + gain, wanted=wish.loudness)]
    if wanted - gain > 1:
        return gain, [Message("sound.note.very_quiet", gain=gain)]
    return gain, []


def _write(
    source: Path, target: Path, stream: AudioStream, heard: _Heard, plan: _Plan, wish: _Wish
) -> Generator[Progress, None, Prepared]:
    kept = plan.end - plan.first
    source_start = heard.start + Fraction(plan.first, RATE)
    temporary = target.with_name(f".{secrets.token_hex(6)}.part")
    proof = DelayProof(kept)
    meter, peaks = LoudnessMeter(RATE), TruePeakMeter(RATE)
    try:
        with _written_wav(temporary) as wav:
            position = 0
            for block in _blocks(source, stream):
                samples = block.data if block.data.ndim == 2 else block.data[:, None]
                first, end = (min(max(edge - position, 0), len(samples)) for edge in (plan.first, plan.end))
                position += len(samples)
                if end > first:
                    data = _quantised((plan.mix.apply(samples[first:end]) - np.float32(plan.dc)) * plan.gain)
                    wav.writeframesraw(data.tobytes())
                    result = data.astype(np.float32) / 32768
                    proof.add(result)
                    meter.add(result)
                    peaks.add(result)
                yield Progress("writing", 0.5 + 0.45 * _share(position, stream))
                if position >= plan.end:
                    break
            wav.writeframesraw(bytes(2 * plan.padding))
        peaks.add(np.zeros(0, np.float32), last=True)
        delay = proof.delay(source, stream.index, plan.mix, source_start)
        if delay is not None and abs(delay) >= 0.5:
            raise Refused.because("sound.displaced", path=source, samples=abs(delay))
        yield Progress("proving", 0.98)
        prepared = Prepared(
            path=target,
            source=source,
            samples=kept + plan.padding,
            source_start=source_start,
            source_end=source_start + Fraction(kept, RATE),
            trimmed_head=Fraction(plan.first, RATE),
            trimmed_tail=Fraction(heard.samples - plan.end, RATE),
            padding_samples=plan.padding,
            fps=wish.fps,
            frames=plan.frames,
            gain_db=20 * math.log10(plan.gain),
            loudness_lufs=meter.lufs,
            true_peak_dbtp=peaks.dbtp,
            channel=plan.mix.channel,
            delay_samples=delay,
            notes=plan.notes,
        )
        with _refusing_disk_errors(target):
            facts = temporary.with_suffix(".json")
            try:
                facts.write_text(json.dumps(prepared.to_json(), indent=1, ensure_ascii=False), encoding="utf-8")
                temporary.replace(target)
                facts.replace(sidecar(target))
            finally:
                facts.unlink(missing_ok=True)
        return prepared
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _quantised(samples: FloatArray) -> npt.NDArray[np.int16]:
    """Round to 16 bits; the gain leaves room, so the limits are only there for rounding."""
    return np.asarray(np.clip(np.rint(samples * 32768), -32768, 32767), "<i2")


@contextlib.contextmanager
def _written_wav(path: Path) -> Iterator[wave.Wave_write]:
    """Open a 16 kHz mono 16-bit WAV for writing; what the disk refuses becomes a refusal."""
    with _refusing_disk_errors(path), path.open("wb") as file, wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        yield wav


@contextlib.contextmanager
def _refusing_disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Refused.because("sound.disk_full", folder=path.parent) from error
        raise Refused.because("sound.cannot_write", folder=path.parent, why=error.strerror or str(error)) from error

"""Exports that encode the sound again: compatible, stretched, piecewise."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from engine.media.export.report import Fate, Mode
from engine.media.export.stretching import TOLERANCE
from engine.media.probe import probe
from engine.timing import DriftCorrection, StepCorrection
from tests.engine.media.export.measuring import beeps_at, exported, flashes_at, moved_ms, offsets_ms, payloads
from tests.media import Clip

MakeClip = Callable[..., Clip]
SAMPLE_MS = 1000 / 48_000

KINDS = [
    ("mp4", {}, "aac"),
    ("mp4", {"audio_codec": "libmp3lame", "sample_rate": 44_100, "channels": 2}, "aac"),
    ("mov", {"audio_codec": "pcm_s16le"}, "pcm_s16le"),
    ("mkv", {"audio_codec": "flac"}, "flac"),
    ("mkv", {"audio_codec": "libopus"}, "opus"),
    ("webm", {"codec": "libvpx-vp9", "audio_codec": "libopus", "size": (160, 90)}, "opus"),
    ("ts", {"audio_codec": "ac3", "channels": 6}, "aac"),
]


@pytest.mark.parametrize(("suffix", "recipe", "codec"), KINDS)
@pytest.mark.parametrize("shift", [83, -300])
def test_compatible_bakes_the_shift_into_the_sound(
    suffix: str, recipe: dict[str, object], codec: str, shift: int, clip: MakeClip, tmp_path: Path
) -> None:
    source = clip(f"source.{suffix}", **recipe)
    target = tmp_path / f"target.{suffix}"
    report = exported(source, target, shift, Mode.COMPATIBLE)
    rate = int(recipe.get("sample_rate", 48_000))  # type: ignore[call-overload]
    # One sample for the grid of the new file, one for the maximum of a re-encoded beep.
    assert moved_ms(source, target) == pytest.approx(shift, abs=2000 / rate)
    assert report.error_samples == pytest.approx(0, abs=1.5)
    audio = probe(target).audio
    assert audio is not None
    assert (audio.codec, audio.channels) == (codec, recipe.get("channels", 1))
    assert payloads(target, "video") == payloads(source, "video") or suffix == "ts"


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize("shift", [0, 40, -83])
def test_compatible_is_in_sync_with_and_without_edit_lists(
    suffix: str, shift: int, clip: MakeClip, tmp_path: Path
) -> None:
    source = clip(f"source.{suffix}", bframes=2)
    assert abs(offsets_ms(source, ignore_editlist="1")[-1]) > 10  # such readers are wrong about ordinary files
    target = tmp_path / f"target.{suffix}"
    report = exported(source, target, shift, Mode.COMPATIBLE)
    for options in ({}, {"ignore_editlist": "1"}):
        assert offsets_ms(target, **options)[-2:] == pytest.approx([shift, shift], abs=2 * SAMPLE_MS)
    assert "Players that ignore edit lists are in sync as well." in map(str, report.notes)


def test_compatible_starts_with_the_picture(clip: MakeClip, tmp_path: Path) -> None:
    for recipe in ({"picture_start_ms": 120}, {"sound_start_ms": 300}, {"sound_start_ms": -200}):
        for suffix in ("mp4", "mkv"):
            source = clip(f"source.{suffix}", **recipe)
            target = tmp_path / f"{next(iter(recipe))}{recipe[next(iter(recipe))]}.{suffix}"
            exported(source, target, -40, Mode.COMPATIBLE)
            assert moved_ms(source, target) == pytest.approx(-40, abs=2 * SAMPLE_MS), (recipe, suffix)
            assert probe(target).start == 0


def test_compatible_takes_other_sound_at_any_rate(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("source.mp4", offset_ms=200)
    sound = clip("sound.wav", codec=None, audio_codec="pcm_s24le", sample_rate=96_000, channels=2)
    target = tmp_path / "target.mp4"
    report = exported(source, target, 40, Mode.COMPATIBLE, audio=sound.path)
    assert offsets_ms(target) == pytest.approx([40] * 4, abs=2 * SAMPLE_MS)
    assert report.error_ms == pytest.approx(0, abs=2 * SAMPLE_MS)
    assert [stream.fate for stream in report.streams] == [Fate.COPIED, Fate.DROPPED]


def test_compatible_is_not_coarser_than_the_source(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("source.mp4", channels=2, noise=0.3)
    target = tmp_path / "target.mp4"
    exported(source, target, 10, Mode.COMPATIBLE, verify=False)
    before, after = probe(source).audio, probe(target).audio
    assert before is not None
    assert after is not None
    assert (after.bit_rate or 0) > 0.95 * (before.bit_rate or 0)


@pytest.mark.parametrize("ppm", [0, 145, -1000])
def test_small_drift_is_taken_out_to_the_sample(ppm: int, clip: MakeClip, tmp_path: Path) -> None:
    source = clip("long.mp4", seconds=12)
    target = tmp_path / "target.mp4"
    report = exported(source, target, DriftCorrection(-20, ppm), Mode.STRETCH)
    offsets, flashes = offsets_ms(target), [float(flash) for flash in flashes_at(source)]
    # A beep at t moves by -20 ms + ppm * t: its own beginning, because resampling is exact everywhere.
    assert offsets == pytest.approx([-20 + ppm * flash / 1000 for flash in flashes], abs=2 * SAMPLE_MS)
    assert report.error_ms == pytest.approx(0, abs=2 * SAMPLE_MS)
    assert len(report.checks) >= 3


@pytest.mark.parametrize("ppm", [42_708, -40_958])
def test_large_drift_is_taken_out_at_the_same_pitch(ppm: int, clip: MakeClip, tmp_path: Path) -> None:
    """25 against 23.976 frames per second: without keeping the pitch a tone of 440 Hz would be off by 18 Hz."""
    seconds = 20
    source = clip("tone.mkv", seconds=seconds, audio_codec="pcm_s16le")
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(48_000 * seconds) / 48_000) + 0.05 * np.random.default_rng(
        5
    ).standard_normal(48_000 * seconds)
    sound = tmp_path / "tone.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        samples = (tone * 20_000).clip(-32_768, 32_767).astype(np.int16)[None]
        container.mux(stream.encode(_frame(samples)))
        container.mux(stream.encode(None))
    target = tmp_path / "target.mkv"
    exported(source, target, DriftCorrection(0, ppm), Mode.STRETCH, audio=sound, verify=False)
    with av.open(str(target)) as container:
        decoded = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])
    assert len(decoded) == pytest.approx(len(tone) * (1 + ppm / 1e6), rel=2e-3)
    spectrum = np.abs(np.fft.rfft(decoded[48_000 : 48_000 * 11] * np.hanning(480_000)))
    assert np.argmax(spectrum) / 10 == pytest.approx(440, abs=0.5)


@pytest.mark.parametrize("ppm", [42_708, -40_958, 3000])
def test_large_drift_leaves_every_moment_near_its_place(ppm: int, clip: MakeClip, tmp_path: Path) -> None:
    source = clip("long.mp4", seconds=12, noise=0.02)
    target = tmp_path / "target.mp4"
    exported(source, target, DriftCorrection(15, ppm), Mode.STRETCH)
    offsets = []
    for beep in beeps_at(target):
        place = (float(beep) - 0.015) / (1 + ppm / 1e6)
        offsets.append(min((place - float(old) for old in beeps_at(source)), key=abs))
    assert len(offsets) >= 6
    assert max(map(abs, offsets)) <= float(TOLERANCE) * 1.25  # a grain reaches a little further than its beginning
    assert abs(sum(offsets)) / len(offsets) <= float(TOLERANCE) * 0.8


def test_stereo_keeps_its_channels_when_stretched(clip: MakeClip, tmp_path: Path) -> None:
    for ppm in (100, 5000):
        source = clip("stereo.mkv", channels=2, audio_codec="flac")
        target = tmp_path / f"{ppm}.mkv"
        exported(source, target, DriftCorrection(0, ppm), Mode.STRETCH, verify=False)
        assert probe(target).audio.channels == 2  # type: ignore[union-attr]


def test_steps_move_each_stretch_by_its_own(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("long.mp4", seconds=12, noise=0.02)
    steps = ((Fraction(0), -40.0), (Fraction(4), 120.0), (Fraction(8), -60.0))
    target = tmp_path / "target.mp4"
    report = exported(source, target, StepCorrection(steps), Mode.PIECEWISE)
    correction = StepCorrection(steps)
    for old in beeps_at(source):
        moved = float(old) + correction.at(float(old)) / 1000
        assert min(abs(float(new) - moved) for new in beeps_at(target)) <= 2 * SAMPLE_MS / 1000
    assert [check.asked_ms for check in report.checks] == [-40.0, 120.0, -60.0]
    assert report.error_ms == pytest.approx(0, abs=2 * SAMPLE_MS)


def test_joins_are_quiet_and_without_clicks(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("hum.mkv", seconds=12, noise=0.05, audio_codec="flac")
    target = tmp_path / "target.mkv"
    exported(
        source,
        target,
        StepCorrection(((Fraction(0), 0.0), (Fraction(4), 350.0), (Fraction(8), -150.0))),
        Mode.PIECEWISE,
    )
    with av.open(str(target)) as container:
        sound = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)]) / 32_768.0
    steps = [abs(later - earlier) for earlier, later in pairwise(sound)]
    # White noise of 0.05 steps by up to 0.4 between samples, a beep by 0.3: a click would be a beep cut in two.
    assert max(steps) < 0.6
    level = [float(np.sqrt(np.mean(sound[start : start + 4800] ** 2))) for start in range(48_000, 48_000 * 11, 4800)]
    assert min(level) > 0.03  # the inserted 350 ms sound like the room


def _frame(samples: np.ndarray) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
    frame.sample_rate = 48_000
    return frame

"""A lossless export moves the sound by what was asked, to one sample, and copies every packet."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from engine.media.export.report import Fate
from tests.engine.media.export.measuring import SHIFTS_MS, exported, flashes_at, moved_ms, offsets_ms, payloads
from tests.media import FLASH_FRAMES, Clip

SAMPLE_MS = 1000 / 48_000
TICK_MS = 1000 / 90_000

MakeClip = Callable[..., Clip]
FAMILIES = {
    "mp4": {"audio_codec": "aac"},
    "mov": {"audio_codec": "pcm_s16le"},
    "mkv": {"audio_codec": "aac"},
    "webm": {"codec": "libvpx", "audio_codec": "libopus", "size": (160, 90)},
    "ts": {"audio_codec": "aac"},
}
OTHERS = [
    ("mp4", {"audio_codec": "libmp3lame"}),
    ("mp4", {"audio_codec": "libopus"}),
    ("mp4", {"audio_codec": "flac"}),
    ("mp4", {"audio_codec": "ac3"}),
    ("mp4", {"codec": "libx265"}),
    ("mov", {"audio_codec": "aac"}),
    ("mov", {"audio_codec": "alac"}),
    ("mov", {"audio_codec": "pcm_s24le"}),
    ("mkv", {"audio_codec": "libmp3lame"}),
    ("mkv", {"audio_codec": "libopus"}),
    ("mkv", {"audio_codec": "flac"}),
    ("mkv", {"audio_codec": "pcm_s16le"}),
    ("mkv", {"audio_codec": "ac3"}),
    ("mkv", {"audio_codec": "aac", "sample_rate": 44_100}),
    ("mkv", {"audio_codec": "aac", "sample_rate": 22_050}),
    ("webm", {"codec": "libvpx-vp9", "audio_codec": "libopus", "size": (160, 90)}),
    ("ts", {"audio_codec": "libmp3lame"}),
    ("ts", {"audio_codec": "ac3"}),
]


def _one_sample(suffix: str, recipe: dict[str, object]) -> float:
    """Return the tolerance: one sample, and what the container's clock rounds where it is fixed."""
    sample = 1000 / int(recipe.get("sample_rate", 48_000))  # type: ignore[call-overload]
    return sample + (TICK_MS if suffix == "ts" else 0)


@pytest.mark.parametrize("shift", SHIFTS_MS)
@pytest.mark.parametrize("suffix", FAMILIES)
def test_sound_moves_by_what_was_asked(suffix: str, shift: int, clip: MakeClip, tmp_path: Path) -> None:
    recipe = FAMILIES[suffix]
    source = clip(f"source.{suffix}", **recipe)
    target = tmp_path / f"target.{suffix}"
    exported(source, target, shift, verify=False)
    assert moved_ms(source, target) == pytest.approx(shift, abs=_one_sample(suffix, recipe))


@pytest.mark.slow
@pytest.mark.parametrize("shift", [*SHIFTS_MS, 83.4, -83.4])
@pytest.mark.parametrize(("suffix", "recipe"), OTHERS)
def test_sound_of_every_codec_moves_by_what_was_asked(
    suffix: str, recipe: dict[str, object], shift: float, clip: MakeClip, tmp_path: Path
) -> None:
    source = clip(f"source.{suffix}", **recipe)
    target = tmp_path / f"target.{suffix}"
    exported(source, target, shift, verify=False)
    assert moved_ms(source, target) == pytest.approx(shift, abs=_one_sample(suffix, recipe))


@pytest.mark.parametrize("shift", [83.4, -83.4, 12.345])
@pytest.mark.parametrize("suffix", FAMILIES)
def test_shifts_between_milliseconds_are_exact_too(suffix: str, shift: float, clip: MakeClip, tmp_path: Path) -> None:
    recipe = FAMILIES[suffix]
    source = clip(f"source.{suffix}", **recipe)
    target = tmp_path / f"target.{suffix}"
    exported(source, target, shift, verify=False)
    assert moved_ms(source, target) == pytest.approx(shift, abs=_one_sample(suffix, recipe))


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("mp4", {"movie_timescale": "600"}),
        ("mp4", {"movie_timescale": "1000", "movflags": "faststart"}),
        ("mov", {"movie_timescale": "90000"}),
        ("mp4", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
        ("mp4", {"movflags": "frag_keyframe+delay_moov"}),
        ("mkv", {"cluster_time_limit": "200"}),
        ("mkv", {"live": "1"}),
    ],
)
@pytest.mark.parametrize("shift", [-83.4, 40])
def test_layout_of_the_file_makes_no_difference(
    suffix: str, options: dict[str, str], shift: float, clip: MakeClip, tmp_path: Path
) -> None:
    source = clip(f"source.{suffix}", container_options=options, sample_rate=44_100)
    target = tmp_path / f"target.{suffix}"
    report = exported(source, target, shift)
    assert moved_ms(source, target) == pytest.approx(shift, abs=1000 / 44_100)
    assert report.error_samples == pytest.approx(0, abs=1)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_packets_are_copied_bit_by_bit(suffix: str, clip: MakeClip, tmp_path: Path) -> None:
    source = clip(f"source.{suffix}", **FAMILIES[suffix])
    target = tmp_path / f"target.{suffix}"
    exported(source, target, 40, verify=False)
    for kind in ("video", "audio"):
        assert payloads(target, kind) == payloads(source, kind)


@pytest.mark.parametrize("recipe", [{"bframes": 0}, {"frame_ticks": (4, 4, 8, 2)}, {"picture_start_ms": 120}])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_frame_times_stay(suffix: str, recipe: dict[str, object], clip: MakeClip, tmp_path: Path) -> None:
    source = clip(f"source.{suffix}", **recipe)
    target = tmp_path / f"target.{suffix}"
    report = exported(source, target, -83)
    assert moved_ms(source, target) == pytest.approx(-83, abs=_one_sample(suffix, recipe))
    assert report.error_samples == pytest.approx(0, abs=1.6)


def test_sound_that_starts_late_or_has_gaps_keeps_them(clip: MakeClip, tmp_path: Path) -> None:
    for recipe in ({"sound_start_ms": 500}, {"sound_gaps": ((1.5, 2.0),)}, {"sound_start_ms": -200}):
        for suffix in ("mp4", "mkv"):
            source = clip(f"source.{suffix}", **recipe)
            target = tmp_path / f"{next(iter(recipe))}{next(iter(recipe.values()))}.{suffix}"
            exported(source, target, -40, verify=False)
            assert moved_ms(source, target) == pytest.approx(-40, abs=SAMPLE_MS), (recipe, suffix)


@pytest.mark.parametrize(
    ("source_name", "recipe", "target_name"),
    [
        ("source.avi", {"codec": "mpeg4", "audio_codec": "pcm_s16le", "bframes": 0}, "target.mkv"),
        ("source.avi", {"codec": "mpeg4", "audio_codec": "libmp3lame", "bframes": 0}, "target.mkv"),
        ("source.flv", {"bframes": 0}, "target.mkv"),
        ("source.flv", {}, "target.mp4"),
        ("source.mkv", {}, "target.mp4"),
        ("source.mp4", {}, "target.mkv"),
        ("source.ts", {}, "target.mp4"),
        ("source.mov", {}, "target.mp4"),
    ],
)
@pytest.mark.parametrize("shift", [-83, 40])
def test_another_container_can_be_chosen(
    source_name: str, recipe: dict[str, object], target_name: str, shift: int, clip: MakeClip, tmp_path: Path
) -> None:
    source = clip(source_name, **recipe)
    target = tmp_path / target_name
    report = exported(source, target, shift)
    # A source that counts in milliseconds places its own packets no better than that.
    tolerance = 0.5 if source_name.endswith(("flv", "mkv")) or target_name.endswith("mkv") else SAMPLE_MS + TICK_MS
    assert moved_ms(source, target) == pytest.approx(shift, abs=tolerance)
    assert report.error_ms == pytest.approx(0, abs=tolerance)


def test_all_audio_streams_move_alike(clip: MakeClip, tmp_path: Path) -> None:
    for suffix in ("mp4", "mkv", "ts"):
        source = clip(f"source.{suffix}", audio_languages=("deu", "eng"))
        target = tmp_path / f"target.{suffix}"
        report = exported(source, target, -40)
        assert [moved_ms(source, target, stream) for stream in (0, 1)] == pytest.approx([-40, -40], abs=0.04)
        assert [stream.fate for stream in report.streams] == [Fate.COPIED, Fate.MOVED, Fate.MOVED]


def test_shift_can_be_undone_to_the_byte(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("source.mp4", container_options={"movie_timescale": "48000"})
    there, back, again = tmp_path / "there.mp4", tmp_path / "back.mp4", tmp_path / "again.mp4"
    exported(source, there, -83, verify=False)
    exported(there, back, 83, verify=False)
    exported(back, again, -83, verify=False)
    assert again.read_bytes() == there.read_bytes()
    assert payloads(back, "audio") == payloads(source, "audio")


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
def test_other_sound_replaces_the_clips_own(suffix: str, clip: MakeClip, tmp_path: Path) -> None:
    source = clip(f"source.{suffix}", offset_ms=200)
    sound = clip(
        "sound.mka" if suffix != "mov" else "sound.wav",
        codec=None,
        audio_codec="aac" if suffix != "mov" else "pcm_s16le",
    )
    target = tmp_path / f"target.{suffix}"
    report = exported(source, target, 40, audio=sound.path)
    assert report.error_ms == pytest.approx(0, abs=0.5)
    # The other sound's beeps are in step with the flashes on a clock that begins at zero.
    start = 0 if suffix != "ts" else float(flashes_at(source)[0] - FLASH_FRAMES[0] / Fraction(25)) * 1000
    assert offsets_ms(target) == pytest.approx([40 - start] * 4, abs=0.5)

"""Frames and samples stay together for hours at every rate, and segments cover a clip without gap or overlap."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.generation.plan import FrameMap, make_plan, segment_seconds
from engine.generation.spec import RenderSpec

RATES = [
    Fraction(16),
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
]
SPEC = RenderSpec(Path("face.png"), Path("voice.wav"), Path("clip.mp4"))


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("sample_rate", [16_000, 44_100])
def test_two_hours_end_within_a_sample(fps: Fraction, sample_rate: int) -> None:
    frames = FrameMap(fps, sample_rate)
    last = math.floor(7200 * fps)
    worst = max(abs(frames.sample(frame) / Fraction(sample_rate) - frame / fps) for frame in range(0, last + 1, 97))
    assert abs(frames.sample(last) / Fraction(sample_rate) - last / fps) < Fraction(1, sample_rate)
    assert worst < Fraction(1, sample_rate)


@pytest.mark.parametrize(("fps", "each"), [(16, 1000), (25, 640)])
def test_whole_rates_have_whole_steps(fps: int, each: int) -> None:
    frames = FrameMap(Fraction(fps))
    assert [frames.sample(frame) for frame in range(4)] == [0, each, 2 * each, 3 * each]


@given(st.sampled_from(RATES), st.integers(1, 2 * 3600 * 16_000))
def test_frames_cover_the_samples_and_no_more(fps: Fraction, samples: int) -> None:
    frames = FrameMap(fps)
    count = frames.frames_for(samples)
    assert frames.sample(count) >= samples > frames.time(count - 1) * 16_000


@settings(deadline=None)  # plans of hours have thousands of segments, and this machine may be busy
@given(
    st.sampled_from(RATES),
    st.integers(1, 500_000),
    st.sampled_from([1, 12, 16, 48]),
    st.none() | st.fractions(Fraction(1, 10), Fraction(20)),
)
def test_segments_cover_every_frame_once(fps: Fraction, count: int, block: int, seconds: Fraction | None) -> None:
    spec = replace(SPEC, segment_seconds=seconds)
    plan = make_plan(spec, fps=fps, size=(64, 64), frame_count=count, voice_samples=0, block_frames=block)
    position = 0
    for number, segment in enumerate(plan.segments):
        assert (segment.index, segment.first_frame) == (number, position)
        assert segment.frame_count > 0
        assert segment.frame_count % block == 0 or segment is plan.segments[-1]
        position = segment.stop_frame
    assert position == count
    assert plan.samples_of(plan.segments[-1])[1] == plan.samples


@pytest.mark.parametrize(("minutes", "seconds"), [(1, 3), (3, 3), (4, 2), (10, 2), (11, 1), (120, 1)])
def test_longer_clips_have_shorter_segments(minutes: int, seconds: int) -> None:
    assert segment_seconds(Fraction(minutes * 60)) == seconds


def test_two_hours_are_planned_at_once() -> None:
    plan = make_plan(
        SPEC, fps=Fraction(30000, 1001), size=(1280, 720), frame_count=215_785, voice_samples=7200 * 16_000
    )
    assert plan.segments[-1].stop_frame == 215_785
    assert 0 <= plan.samples - plan.voice_samples < 16_000 / 29


def test_every_segment_has_its_prompt_and_its_offset() -> None:
    spec = replace(SPEC, prompts=("calm", "loud"), audio_offset_ms=5.0, audio_offset_steps=((Fraction(12), -40.0),))
    plan = make_plan(spec, fps=Fraction(25), size=(64, 64), frame_count=750, voice_samples=480_000)
    assert [segment.prompt for segment in plan.segments] == ["calm"] * 4 + ["loud"] * 6
    assert [segment.audio_offset_ms for segment in plan.segments] == [5.0] * 4 + [-40.0] * 6


def test_a_plan_of_nothing_is_a_bug() -> None:
    with pytest.raises(ValueError, match="nothing to plan"):
        make_plan(SPEC, fps=Fraction(25), size=(64, 64), frame_count=0, voice_samples=0)


def test_room_is_asked_for_twice_the_clip_and_grows_with_it() -> None:
    one, long, large = (
        make_plan(SPEC, fps=Fraction(25), size=size, frame_count=count, voice_samples=count * 640)
        for size, count in (((1280, 720), 250), ((1280, 720), 2500), ((1920, 1080), 250))
    )
    assert one.picture_bytes == 1280 * 720 * 3
    assert large.picture_bytes == 1920 * 1080 * 3
    # 10 s at 720p and the usual quality are some 5 MB; they lie there twice while they are joined.
    assert 2e6 < one.disk_bytes / 2 < 10e6
    assert long.disk_bytes == pytest.approx(10 * one.disk_bytes, rel=1e-6)
    assert large.disk_bytes == pytest.approx(2.25 * one.disk_bytes, rel=1e-6)

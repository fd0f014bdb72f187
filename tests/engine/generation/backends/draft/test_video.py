"""A video speaks with another voice: its own speech is taken out, its head's motion kept."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from engine.face.tracks import FaceTrack, FaceTracker
from engine.generation.backends.draft.parameters import OPENING, measures
from engine.generation.spec import SilencePolicy
from engine.sample.clip import plan_sample_clip
from tests.engine.generation.backends.draft.talk import RATE, drawn, render_job, sample_plan, sample_voice, truth

FRAMES = 60


@cache
def talking(frames: int = FRAMES) -> tuple[np.ndarray, ...]:
    """A drawn person who talks and moves."""
    scene = plan_sample_clip(seconds=4, size=(480, 360), seed=1).scene()
    return tuple(scene.frame(float(12 + number) / 25) for number in range(frames))


def track(pictures: list[np.ndarray]) -> FaceTrack:
    with FaceTracker() as tracker:
        return max(tracker.follow((number / 25, picture) for number, picture in enumerate(pictures)), key=len)


def openings(pictures: list[np.ndarray]) -> np.ndarray:
    points = track(pictures).points
    return np.asarray(points.reshape(len(points), -1) @ measures()[OPENING])


@cache
def silenced() -> tuple[np.ndarray, ...]:
    return tuple(drawn(render_job(list(talking()), np.zeros(FRAMES * RATE // 25, np.float32))))


def test_the_persons_own_speech_is_taken_out() -> None:
    before, after = openings(list(talking())), openings(list(silenced()))
    assert before.max() > 0.12
    assert after.max() < 0.2 * before.max()


def test_the_head_moves_as_it_did() -> None:
    before, after = track(list(talking())), track(list(silenced()))
    moved = np.ptp(before.boxes[:, 0])
    assert moved > 0.005
    np.testing.assert_allclose(after.boxes[:, 0], before.boxes[:, 0], atol=0.25 * moved)
    np.testing.assert_allclose(after.yaw, before.yaw, atol=2.5)


def test_the_new_voice_moves_the_mouth_in_time() -> None:
    voice = sample_voice(5)[2 * RATE : 2 * RATE + FRAMES * RATE // 25]
    seen = openings(drawn(render_job(list(talking()), voice)))
    times = 2 + np.arange(FRAMES) / 25
    lags = np.arange(-0.2, 0.2001, 0.02)
    match = [np.corrcoef(seen, truth(5).at(times - lag).opening)[0, 1] for lag in lags]
    own = sample_plan(1).articulation.at((12 + np.arange(FRAMES)) / 25).opening
    assert max(match) > 0.7
    assert abs(lags[int(np.argmax(match))]) <= 0.021
    assert abs(np.corrcoef(seen, own)[0, 1]) < 0.5


def test_pauses_can_keep_what_the_person_did() -> None:
    silent = np.zeros(FRAMES * RATE // 25, np.float32)
    kept = drawn(render_job(list(talking()), silent, silence_policy=SilencePolicy.ORIGINAL))
    for picture, own in zip(kept, talking(), strict=True):
        np.testing.assert_array_equal(picture, own)


def test_pictures_without_a_face_pass_through_and_the_face_is_found_again() -> None:
    pictures = list(talking())
    empty = np.random.default_rng(2).integers(90, 110, pictures[0].shape, dtype=np.uint8)
    pictures[20:32] = [empty.copy() for _ in range(12)]
    out = drawn(render_job(pictures, sample_voice(5)[RATE : RATE + FRAMES * RATE // 25]))
    assert len(out) == FRAMES
    for number in range(20, 32):
        np.testing.assert_array_equal(out[number], pictures[number])
    assert (out[12] != pictures[12]).any()
    assert (out[44] != pictures[44]).any()


def test_any_segment_can_be_drawn_alone_and_comes_out_the_same() -> None:
    job = render_job(list(talking()), sample_voice(5)[: FRAMES * RATE // 25], segment_seconds=Fraction(6, 5))
    whole, alone = drawn(job), drawn(job, [1])
    assert len(job.plan.segments) == 2
    for one, other in zip(whole[job.plan.segments[1].first_frame :], alone, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("fps", [Fraction(16), Fraction(60)])
def test_a_clip_may_have_another_rate_than_its_video(fps: Fraction) -> None:
    job = render_job(list(talking(30)), sample_voice(5)[RATE : 2 * RATE], fps)
    pictures = drawn(job)
    assert len(pictures) == fps
    assert any((one != other).any() for one, other in pairwise(pictures))


def test_a_voice_may_be_longer_than_what_shows_a_face() -> None:
    pictures = drawn(render_job(list(talking(10)), sample_voice(5)[: 2 * RATE]))
    assert len(pictures) == 50

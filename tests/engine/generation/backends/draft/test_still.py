"""A still picture speaks: always the same, only the chosen face, and with a sentence where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from engine.generation.backends.draft import backend
from engine.generation.spec import SilencePolicy
from engine.refusal import Refused
from engine.sample.motion import Motion
from tests.engine.generation.backends.draft.talk import RATE, drawn, drawn_face, render_job, sample_voice

CALM = {"parameters": {"sway": 0.0, "blinks": False}}


def voice(seconds: float = 2.0) -> np.ndarray:
    return sample_voice(2)[RATE : RATE + round(seconds * RATE)]


def test_any_segment_can_be_drawn_alone_and_comes_out_the_same() -> None:
    job = render_job([drawn_face()], voice(), seed=3, segment_seconds=1)
    assert len(job.plan.segments) == 2
    whole = drawn(job)
    assert len(whole) == job.plan.frame_count
    alone = drawn(job, [1])
    for one, other in zip(whole[job.plan.segments[1].first_frame :], alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_silent_voice_changes_nothing_but_blinks_and_sway() -> None:
    silent = np.zeros(RATE, np.float32)
    for picture in drawn(render_job([drawn_face()], silent, **CALM, silence_policy=SilencePolicy.ORIGINAL)):
        np.testing.assert_array_equal(picture, drawn_face())


def test_eyes_blink_when_they_are_to_and_the_head_turns_when_it_is_to() -> None:
    seed = next(seed for seed in range(50) if any(Motion(seed).at(n / 25).lid == 1 for n in range(50)))
    silent = np.zeros(2 * RATE, np.float32)

    def changes(**parameters: float | bool) -> tuple[int, int]:
        """How much the eyes (between brows and nose) and the nose change, at most."""
        pictures = drawn(render_job([drawn_face()], silent, seed=seed, parameters={**CALM["parameters"], **parameters}))
        apart = np.stack(pictures).astype(int).max(axis=0) - np.stack(pictures).min(axis=0)
        return int(apart[130:155, 285:355].max()), int(apart[170:185, 310:330].max())

    still, blinking, swaying = changes(), changes(blinks=True), changes(sway=1.0)
    assert still == (0, 0)
    assert blinking[0] > 60
    assert blinking[1] == 0
    assert swaying[1] > 20


def test_only_the_chosen_face_moves() -> None:
    pair = drawn_face(0, (640, 360), people=2)
    for chosen, moving, resting in ((1, slice(0, 320), slice(320, 640)), (2, slice(320, 640), slice(0, 320))):
        pictures = drawn(render_job([pair], voice(1), face=chosen, **CALM))
        assert any((picture[:, moving] != pair[:, moving]).any() for picture in pictures)
        assert all((picture[:, resting] == pair[:, resting]).all() for picture in pictures)


def refusal(job: object) -> str:
    with pytest.raises(Refused) as refused:
        drawn(job)  # type: ignore[arg-type]
    assert str(refused.value)
    return refused.value.refusal.code


def test_a_face_that_is_not_there_is_refused_in_words() -> None:
    assert refusal(render_job([drawn_face()], voice(1), face=4)) == "draft.no_such_face"
    empty = np.random.default_rng(1).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    assert refusal(render_job([empty], voice(1))) == "draft.no_face"


def test_a_face_can_be_marked_by_hand_where_none_is_found() -> None:
    # Two dots and a line are a face to a person only.
    picture = np.full((300, 300, 3), 235, np.uint8)
    for x in (110, 190):
        picture[95:106, x - 5 : x + 6] = 20
    picture[198:203, 115:186] = (150, 30, 40)
    assert refusal(render_job([picture.copy()], voice(1))) == "draft.no_face"
    points = tuple((x / 300, y / 300) for x, y in ((110, 100), (190, 100), (115, 200), (185, 200)))
    pictures = drawn(render_job([picture], voice(1.5), face_points=points, **CALM))
    changed = np.any([(each != picture).any(axis=2) for each in pictures], axis=0)
    assert changed[190:220, 120:180].mean() > 0.3
    assert not changed[:106].any()


@pytest.mark.parametrize(
    "points",
    [
        ((0.5, 0.5),) * 4,
        ((0.4, 0.3), (0.6, 0.3), (0.4, 0.31), (0.6, 0.31)),
        ((0.4, 0.7), (0.6, 0.7), (0.45, 0.3), (0.55, 0.3)),
    ],
)
def test_points_that_make_no_face_are_refused(points: tuple[tuple[float, float], ...]) -> None:
    assert refusal(render_job([drawn_face()], voice(1), face_points=points)) == "draft.face_points"


@pytest.mark.parametrize("change", ["posterised", "grey", "dim"])
def test_painted_grey_and_dim_faces_speak_too(change: str) -> None:
    picture = drawn_face(1).astype(np.int32)
    picture = {
        "posterised": picture // 40 * 40 + 20,
        "grey": np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2),
        "dim": picture // 4,
    }[change].astype(np.uint8)
    pictures = drawn(render_job([picture], voice(1.5), **CALM))
    assert max(int((each != picture).any(axis=2).sum()) for each in pictures) > 500


@pytest.mark.parametrize("size", [(200, 160), (1280, 720)])
def test_small_and_large_pictures_speak(size: tuple[int, int]) -> None:
    picture = drawn_face(0, size)
    pictures = drawn(render_job([picture], voice(0.5), **CALM))
    assert {each.shape for each in pictures} == {picture.shape}
    assert any((each != picture).any() for each in pictures)


def test_it_needs_nothing_and_is_called_a_draft_in_every_language() -> None:
    capabilities = backend().capabilities()
    assert capabilities.is_ready
    assert not capabilities.needs_gpu
    assert capabilities.title.text("en") == "Draft"
    assert "draft" in capabilities.about.text("en")
    assert capabilities.title.text("zh_CN") == "草稿"

"""Shots and people, from pictures and boxes made here."""

from __future__ import annotations

import numpy as np

from engine.face.cuts import with_cuts
from engine.face.people import people_of
from engine.face.tracks import FaceTrack

RNG = np.random.default_rng(7)


def scene(seed: int) -> np.ndarray:
    """A picture of large random patches."""
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 16, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((20, 20, 1), np.uint8))


def test_a_cut_is_found_at_its_frame_and_nowhere_else() -> None:
    noisy = [np.clip(scene(1 if n < 12 else 2) + RNG.integers(-6, 7, (180, 320, 3)), 0, 255) for n in range(25)]
    frames = [(n / 25, image.astype(np.uint8)) for n, image in enumerate(noisy)]
    assert [n for n, (_, _, cut) in enumerate(with_cuts(frames)) if cut] == [12]


def test_every_frame_comes_out_once_and_in_order() -> None:
    frames = [(n / 25, scene(1)) for n in range(7)]
    out = list(with_cuts(frames))
    assert [time for time, _, _ in out] == [n / 25 for n in range(7)]
    assert list(with_cuts([])) == []


def test_a_shaken_camera_is_not_a_cut() -> None:
    coarse = np.random.default_rng(3).integers(100, 150, (9, 40, 3), dtype=np.uint8)
    wide = np.kron(coarse, np.ones((20, 20, 1), np.uint8))
    places = [0, 0, 0, 40, 90, 130, 150, 150, 150]
    frames = [(n / 25, np.ascontiguousarray(wide[:, place : place + 320])) for n, place in enumerate(places)]
    assert not any(cut for _, _, cut in with_cuts(frames))


def track(number: int, start: float, stop: float, left: float, width: float = 0.2) -> FaceTrack:
    times = np.arange(start, stop, 0.04)
    box = np.array([left, 0.3, left + width, 0.7], np.float32)
    return FaceTrack(
        number=number,
        times=times,
        points=np.zeros((len(times), 61, 3), np.float32),
        patches=np.zeros((len(times), 32, 48), np.uint8),
        boxes=np.tile(box, (len(times), 1)),
        lips=np.zeros((len(times), 20, 2), np.uint16),
        eye_distance=np.full(len(times), 40, np.float32),
        yaw=np.zeros(len(times), np.float32),
        residual=np.zeros(len(times), np.float32),
        missed=0,
    )


def test_people_are_counted_from_the_left_and_joined_across_gaps() -> None:
    right, left, right_again = track(0, 0, 5, 0.6), track(1, 0, 10, 0.1), track(2, 6, 10, 0.62)
    people = people_of([right, left, right_again])
    assert [[item.number for item in person.tracks] for person in people] == [[1], [0, 2]]


def test_two_faces_at_one_time_are_two_people_wherever_they_are() -> None:
    assert len(people_of([track(0, 0, 5, 0.3), track(1, 1, 4, 0.32)])) == 2


def test_a_face_of_another_size_is_somebody_else() -> None:
    assert len(people_of([track(0, 0, 5, 0.3, width=0.1), track(1, 6, 9, 0.25, width=0.25)])) == 2

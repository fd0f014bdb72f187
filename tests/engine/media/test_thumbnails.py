"""Thumbnails: key frames at once, true frames after, the newest request first."""

from __future__ import annotations

from fractions import Fraction

import pytest

from engine.jobs import run
from engine.media.thumbnails import Thumbnail, ThumbnailRequests, make_thumbnails
from engine.refusal import Refused
from tests.media import frame_number, make_still


def made_for(path, wanted, **how):
    found: list[Thumbnail] = []
    run(make_thumbnails(path, wanted, **how), lambda progress: found.append(progress.partial))
    return found


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_key_frames_come_first_and_true_frames_after(clip, name):
    made = clip(name)
    begin = Fraction(2, 25) if name == "a.ts" else 0
    times = [begin + Fraction(number, 25) + Fraction(1, 100) for number in (5, 40, 77)]
    found = made_for(made, times)
    assert [thumbnail.is_exact for thumbnail in found] == [False] * 3 + [True] * 3
    assert [thumbnail.asked for thumbnail in found] == times * 2
    keys, frames = ([frame_number(thumbnail.image) for thumbnail in part] for part in (found[:3], found[3:]))
    # A transport stream has no index: a seek may land a group of pictures earlier.
    assert keys == ([0, 24, 60] if name == "a.ts" else [0, 36, 72])
    assert frames == [5, 40, 77]
    assert all(thumbnail.image.shape == (90, 160, 3) for thumbnail in found)


def test_a_key_frame_that_is_the_true_one_is_not_made_twice(clip):
    found = made_for(clip("a.mp4"), [Fraction(24, 25)])
    assert [(frame_number(thumbnail.image), thumbnail.is_exact) for thumbnail in found] == [(24, True)]


def test_new_requests_go_before_old_ones(clip):
    requests = ThumbnailRequests([Fraction(1, 25), Fraction(30, 25)])
    job = make_thumbnails(clip("a.mp4"), requests)
    first = next(job).partial
    requests.ask(Fraction(61, 25), Fraction(85, 25))
    asked = [first.asked] + [progress.partial.asked for progress in job]
    assert [int(time * 25) for time in asked] == [1, 61, 85, 30, 61, 85, 1, 30]


def test_requests_are_bounded():
    assert ThumbnailRequests(Fraction(n, 25) for n in range(2000)).waiting == 1024


def test_height_and_rotation(clip):
    (thumbnail, _) = made_for(clip("turned.mp4", rotation=90), [0.05], height=64)
    assert thumbnail.image.shape == (64, 36, 3)


def test_stills_and_refusals(tmp_path, clip):
    found = made_for(make_still(tmp_path / "a.png"), [Fraction(0)], height=45)
    assert [thumbnail.image.shape for thumbnail in found] == [(45, 80, 3)]
    with pytest.raises(Refused) as caught:
        made_for(clip("s.wav", codec=None, audio_codec="pcm_s16le"), [0])
    assert caught.value.refusal.code == "media.no_picture"

"""Draft stopped anywhere: nothing is drawn afterwards, and it goes on to the same bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction

import pytest

from engine.generation.backends.draft.engine import Draft
from engine.generation.calibrate import draw_face
from engine.generation.plan import Segment
from engine.generation.render import render
from engine.generation.spec import RenderSpec
from engine.jobs import run
from engine.sample.clip import build_sample_clip
from tests.engine.generation.test_render import Stopped, segments_and_clip, stop_at
from tests.media.voices import write_voice

SIZE = (320, 240)


@pytest.fixture(scope="module", params=["picture", "video"])
def spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RenderSpec:
    """Return a render of 1.2 seconds in segments of 0.4 s."""
    folder = tmp_path_factory.mktemp("draft")
    if request.param == "picture":
        source = folder / "face.png"
        draw_face(source, SIZE)
    else:
        source = folder / "face.mp4"
        run(build_sample_clip(source, seconds=1, size=SIZE))
    voice = write_voice(folder / "voice.wav", seconds=1.2)
    return RenderSpec(
        source, voice, folder / "clip.mp4", fps=Fraction(25), segment_seconds=Fraction(2, 5), verify=False
    )  # fmt: skip


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with every picture that Draft hands out: the number of its segment."""
    numbers: list[int] = []
    original = Draft.render

    def counted(self: Draft, segment: Segment) -> Iterator[object]:
        for item in original(self, segment):
            numbers.append(segment.index)
            yield item

    monkeypatch.setattr(Draft, "render", counted)
    return numbers


def test_it_goes_on_to_the_same_bytes(spec: RenderSpec, drawn: list[int]) -> None:
    whole = segments_and_clip(spec)
    spec.target.unlink()
    for share in (0.3, 0.6):
        with pytest.raises(Stopped):
            run(render(spec), stop_at(share))
    drawn.clear()
    assert segments_and_clip(spec) == whole
    assert 0 < len(set(drawn)) < len(whole) - 1
    spec.target.unlink()


def test_nothing_is_drawn_after_it_is_stopped(spec: RenderSpec, drawn: list[int]) -> None:
    before = set(threading.enumerate())
    with closing(render(spec, resume=False)) as job:
        while len(drawn) < 13:
            next(job)
    assert len(drawn) == 13
    assert set(threading.enumerate()) <= before
    assert not spec.target.exists()

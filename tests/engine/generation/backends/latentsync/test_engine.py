"""From a face, a voice and official files to a clip: the engine as the frame around it uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine.generation.backend import Devices, Picture, RenderJob
from engine.generation.backends.latentsync.engine import LatentSync
from engine.generation.backends.latentsync.files import Version, find_files
from engine.generation.backends.latentsync.windows import Grid
from engine.generation.events import Notice
from engine.generation.registry import open_engine
from engine.generation.render import estimate, render
from engine.generation.report import RenderReport
from engine.generation.spec import Precision, RenderSpec, SilencePolicy
from engine.jobs import Progress, run
from engine.media.frames import read_frames
from engine.media.probe import probe
from engine.models.finder import library
from engine.refusal import Refusal, Refused
from tests.engine.generation.backends.latentsync.conftest import images, make_job
from tests.engine.generation.in_memory import Pictures, Silence
from tests.media.voices import write_voice

pytestmark = pytest.mark.usefixtures("models")


def test_official_files_become_a_clip(models: Path, person: Path, tmp_path: Path) -> None:
    """Find, load, render three seconds, and look at the file."""
    del models
    spec = RenderSpec(
        person,
        write_voice(tmp_path / "voice.wav", seconds=3.0),
        tmp_path / "a clip.mp4",
        "latentsync",
        {"steps": 1},
        crf=4,
        verify=False,
    )
    expected = run(estimate(spec))
    assert not isinstance(expected, Refusal), expected
    assert expected.vram_bytes == 0
    assert any(note.key == "latentsync.note.version" for note in expected.notes)
    report = run(render(spec))
    assert isinstance(report, RenderReport), report
    info = probe(spec.target)
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.frame_count, info.video.rate, info.video.start) == (75, 25, 0)
    assert abs((info.audio.duration or 0) - 3) < Fraction(1, 20)
    assert info.audio.sample_rate == 48_000  # the voice as it was, not the model's 16 kHz
    changed = []
    for before, after in zip(read_frames(person), read_frames(spec.target), strict=True):
        difference = np.abs(before.image.astype(int) - after.image)
        # The upper third has no mouth; what differs there is the encoder's, at a quality of 4 a level or two.
        assert float(difference[: len(difference) // 3].mean()) < 1.5
        changed.append(float(difference[len(difference) // 2 :].mean()))
    assert min(changed) > 2


def test_the_registry_finds_it() -> None:
    capabilities = open_engine("latentsync").capabilities()
    assert capabilities.is_ready
    assert capabilities.block_frames == 16
    assert "1.5" in capabilities.version
    assert capabilities.title.text("zh_CN")
    for parameter in capabilities.parameters:
        assert parameter.problem(parameter.default) is None
        assert parameter.help.text("zh_CN") != parameter.help.text("en")


def test_without_files_it_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path))
    capabilities = LatentSync().capabilities()
    assert [each.is_ready for each in capabilities.requirements] == [True, False, False, False]
    with pytest.raises(Refused) as refused:
        find_files(library(), Version.AUTO)
    assert refused.value.refusal.code == "models.needed"
    assert "plosive models download latentsync-1.6-unet" in str(refused.value)


def test_the_resolution_is_bound_to_the_file() -> None:
    with pytest.raises(Refused) as refused:
        find_files(library(), Version.V1_6)
    assert refused.value.refusal.code == "latentsync.other_version"
    assert "1.6" in str(refused.value.refusal)
    assert find_files(library(), Version.AUTO).version is Version.V1_5


def _rendered(job: RenderJob, segments: list[int] | None = None, devices: Devices | None = None) -> list[Picture]:
    engine = LatentSync()
    try:
        run(engine.load(job, devices or Devices()))
        chosen = job.plan.segments if segments is None else [job.plan.segments[number] for number in segments]
        return [image for segment in chosen for image in images(engine.render(segment))]
    finally:
        engine.close()


@pytest.mark.slow
def test_a_render_taken_up_again_gives_the_same_pictures(pictures: list[Picture]) -> None:
    job = make_job(Pictures(pictures[:50]), fps="30", segment_seconds=Fraction(1, 2), parameters={"overlap": 4})
    assert len(job.plan.segments) == 4
    whole = _rendered(job)
    assert len(whole) == 50
    first = job.plan.segments[2].first_frame
    for expected, found in zip(whole[first:], _rendered(job, [2, 3]), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
def test_any_number_of_processes_gives_the_same_pictures(pictures: list[Picture]) -> None:
    job = make_job(Pictures(pictures[:40]))
    alone = _rendered(job)
    for count in (2, 3):
        together = _rendered(job, devices=Devices(("cpu",) * count))
        for expected, found in zip(alone, together, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_pictures_without_a_face_are_left_alone(pictures: list[Picture]) -> None:
    shown = list(pictures[:32])
    for frame in range(10, 15):
        shown[frame] = np.full_like(shown[frame], 90)
    job = make_job(Pictures(shown))
    engine = LatentSync()
    try:
        run(engine.load(job, Devices()))
        items = [item for segment in job.plan.segments for item in engine.render(segment)]
    finally:
        engine.close()
    found = images(iter(items))
    same = [bool((after == before).all()) for after, before in zip(found, shown, strict=True)]
    assert all(same[10:15])
    assert not any(same[:10])
    assert not any(same[22:])  # looked for every five pictures, found again
    notes = [item.partial for item in items if isinstance(item, Progress) and isinstance(item.partial, Notice)]
    assert len(notes) == 1
    assert str(sum(same)) in notes[0].message.text()


def test_pixels_outside_the_mouth_are_the_originals(pictures: list[Picture]) -> None:
    for before, after in zip(pictures[:17], _rendered(make_job(Pictures(pictures[:17]))), strict=True):
        changed = (before != after).any(-1)
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        assert 0 < len(rows) < 0.6 * len(before)
        assert rows[0] > 0.35 * len(before)  # below the eyes of the person, who fills the picture
        assert 0 < len(columns) < 0.7 * len(before)


@pytest.mark.parametrize("fps", ["12", "30000/1001", "60"])
def test_the_clip_keeps_its_own_rate(pictures: list[Picture], fps: str) -> None:
    rate = Fraction(fps)
    count = int(rate)
    shown = [pictures[min(int(frame * 25 / rate), len(pictures) - 1)] for frame in range(count)]
    job = make_job(Pictures(shown), fps=fps)
    found = _rendered(job)
    assert len(found) == count
    grid = Grid(rate, count)
    assert grid.drawn_count <= 26  # a second is drawn at 25, whatever the clip has
    assert all((before != after).any() for before, after in zip(shown, found, strict=True))


def test_a_still_picture_is_looked_at_once(pictures: list[Picture]) -> None:
    source = Pictures([pictures[0]])
    found = _rendered(make_job(source, frames=20))
    assert len(found) == 20
    assert all((after != pictures[0]).any() for after in found)
    # The sound alone makes the pictures differ.
    assert any((found[0] != other).any() for other in found[1:])


def test_a_marked_face_is_drawn_on_where_none_is_found() -> None:
    """A drawing of nothing, with four marks: upright, and turned by a right angle."""
    image: Picture = np.random.default_rng(1).integers(0, 200, (400, 400, 3), np.uint8)
    upright = ((0.4, 0.4), (0.6, 0.4), (0.43, 0.6), (0.57, 0.6))
    turned = tuple((1 - y, x) for x, y in upright)
    middles = []
    for marks in (upright, turned):
        job = make_job(Pictures([image]), frames=2, face_points=marks)
        rows, columns = np.nonzero((_rendered(job)[0] != image).any(-1))
        middles.append((columns.mean() / 400, rows.mean() / 400))
    assert middles[0] == (pytest.approx(0.5, abs=0.03), pytest.approx(0.59, abs=0.06))
    assert middles[1] == (pytest.approx(1 - middles[0][1], abs=0.02), pytest.approx(middles[0][0], abs=0.02))


def test_in_silence_the_original_comes_back(pictures: list[Picture]) -> None:

    job = make_job(Pictures(pictures[:32]), silence_policy=SilencePolicy.ORIGINAL)
    silent = replace(job, voice=Silence(job.plan.samples))
    for before, after in zip(pictures, _rendered(silent), strict=False):
        np.testing.assert_array_equal(before, after)


def test_the_whole_box_may_be_pasted_as_published(pictures: list[Picture]) -> None:
    shown = pictures[:3]
    mouth = _rendered(make_job(Pictures(shown)))
    box = _rendered(make_job(Pictures(shown), parameters={"paste": "face"}))
    for one, other, before in zip(mouth, box, shown, strict=True):
        assert (other != before).any(-1).sum() > 1.3 * (one != before).any(-1).sum()


def _without_face(image: Picture) -> Picture:
    return np.full_like(image, 100)


def _tiny_face(image: Picture) -> Picture:
    small = image[::8, ::8]
    out = np.full_like(image, 100)
    out[: len(small), : len(small[0])] = small
    return out


@pytest.mark.parametrize(
    ("change", "number", "codes"),
    [
        (_without_face, None, {"latentsync.no_face"}),
        (_tiny_face, None, {"latentsync.tiny_face", "latentsync.no_face"}),
        (lambda image: image, 3, {"latentsync.fewer_faces"}),
    ],
)
def test_faces_that_cannot_be_drawn_on_are_told_at_once(
    pictures: list[Picture], change: Callable[[Picture], Picture], number: int | None, codes: set[str]
) -> None:
    job = make_job(Pictures([change(image) for image in pictures[:16]]), face=number)
    engine = LatentSync()
    with pytest.raises(Refused) as refused:
        run(engine.load(job, Devices()))
    assert refused.value.refusal.code in codes
    assert "face.mp4" in str(refused.value.refusal)


@pytest.mark.parametrize("size", [(320, 180), (90, 160), (122, 90)])
def test_any_shape_of_picture_is_drawn_on(pictures: list[Picture], size: tuple[int, int]) -> None:
    width, height = size
    canvas: npt.NDArray[np.uint8] = np.full((height * 2, width * 2, 3), 60, np.uint8)
    face = pictures[0][40:, 60:260][: height * 2, : width * 2]
    canvas[: len(face), : len(face[0])] = face
    found = _rendered(make_job(Pictures([canvas] * 2)))
    assert all(image.shape == canvas.shape and image.flags["C_CONTIGUOUS"] for image in found)


@pytest.mark.slow
def test_half_precision_may_be_asked_for(pictures: list[Picture]) -> None:
    shown = pictures[:2]
    exact = _rendered(make_job(Pictures(shown)))
    half = _rendered(make_job(Pictures(shown)), devices=Devices(precision=Precision.BF16))
    difference = np.abs(exact[0].astype(int) - half[0])
    assert difference.max() > 0
    assert float(difference.mean()) < 3


@pytest.mark.slow
def test_a_stopped_segment_can_be_drawn_again(pictures: list[Picture]) -> None:
    job = make_job(Pictures(pictures[:32]), segment_seconds=Fraction(16, 25))
    engine = LatentSync()
    try:
        run(engine.load(job, Devices()))
        stopped = engine.render(job.plan.segments[0])
        next(stopped)
        stopped.close()  # type: ignore[attr-defined]  # it is a generator
        again = images(engine.render(job.plan.segments[0]))
        later = images(engine.render(job.plan.segments[1]))
    finally:
        engine.close()
    for expected, found in zip(_rendered(job), [*again, *later], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_pictures_are_read_once_and_in_order(pictures: list[Picture]) -> None:
    source = Pictures(pictures[:36])
    job = make_job(source, segment_seconds=Fraction(16, 25))
    assert [segment.frame_count for segment in job.plan.segments] == [16, 16, 4]
    engine = LatentSync()
    try:
        run(engine.load(job, Devices()))
        source.asked.clear()
        for segment in job.plan.segments:
            assert len(images(engine.render(segment))) == segment.frame_count
    finally:
        engine.close()
    assert source.asked == list(range(36))

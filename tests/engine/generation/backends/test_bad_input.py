"""What people throw at the neural engines: a clip comes out, or a sentence that says what to do."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from engine.generation.backend import Devices, Picture, RenderJob
from engine.generation.backends import chosen_face
from engine.generation.backends.latentsync import files as latentsync_files
from engine.generation.backends.latentsync.drawing import Drawer, WindowPart
from engine.generation.backends.latentsync.files import Version
from engine.generation.backends.latentsync.unet import LatentSyncUNet
from engine.generation.events import Notice
from engine.generation.plan import FrameMap, make_plan
from engine.generation.registry import open_engine
from engine.generation.render import render
from engine.generation.report import RenderReport
from engine.generation.spec import LengthPolicy, RenderSpec
from engine.generation.storage import work_folder
from engine.jobs import Progress, run
from engine.media.frames import read_frames
from engine.media.probe import probe
from engine.refusal import Refusal, Refused
from tests.engine.generation.backends.conftest import NEURAL, WriteVideo
from tests.engine.generation.backends.draft.talk import drawn_face, sample_voice
from tests.engine.generation.backends.latentsync.checkpoints import write_checkpoints
from tests.engine.generation.in_memory import Pictures, RecordedVoice
from tests.media.voices import write_voice

pytestmark = pytest.mark.usefixtures("both")

each_engine = pytest.mark.parametrize("engine", NEURAL)

_QUICK = {"latentsync": {"steps": 1}, "musetalk": {}}
_RATE = 16_000


@pytest.fixture(scope="module")
def face() -> Picture:
    return drawn_face(3, (320, 240))


def job_of(engine: str, pictures: Sequence[Picture], fps: Fraction = Fraction(25), **choices: Any) -> RenderJob:
    """Return a job that shows each picture once."""
    source = Pictures([np.ascontiguousarray(picture) for picture in pictures])
    samples = FrameMap(fps).sample(len(pictures))
    spec = RenderSpec(Path("face.mp4"), Path("voice.wav"), Path("clip.mp4"), engine, _QUICK[engine], **choices)
    capabilities = open_engine(engine).capabilities()
    plan = make_plan(
        spec, fps=fps, size=source.size, frame_count=len(pictures), voice_samples=samples,
        block_frames=capabilities.block_frames,
    )  # fmt: skip
    return RenderJob(spec, plan, RecordedVoice(sample_voice(3)[:samples]), source, capabilities.values(spec))


def drawn(job: RenderJob) -> list[Picture]:
    engine = open_engine(job.spec.engine)
    run(engine.load(job, Devices()))
    try:
        items = [item for segment in job.plan.segments for item in engine.render(segment)]
    finally:
        engine.close()
    return [item for item in items if isinstance(item, np.ndarray)]


def rendered(engine: str, face: Path, voice: Path, tmp_path: Path, **choices: Any) -> RenderReport:
    spec = RenderSpec(face, voice, tmp_path / "clip.mp4", engine, _QUICK[engine], verify=False, **choices)
    report = run(render(spec))
    assert isinstance(report, RenderReport), report
    return report


def turned(picture: Picture, degrees: float) -> Picture:
    """Return a head turned to the side, as a cylinder around the middle of the picture would be."""
    height, width = picture.shape[:2]
    middle, radius = width / 2, 0.3 * height
    across = (np.arange(width) - middle) / radius
    angle = np.arcsin(across.clip(-1, 1)) - np.deg2rad(degrees)
    shown = np.where(np.abs(angle) < np.pi / 2, middle + radius * np.sin(angle), 0)
    columns = np.where(np.abs(across) < 1, shown, np.arange(width)).astype(np.float32)
    rows = np.arange(height, dtype=np.float32)
    return np.asarray(cv2.remap(picture, np.tile(columns, (height, 1)), np.tile(rows[:, None], width), 1), np.uint8)


# --- what the picture shows ------------------------------------------------------------------------------------------


@each_engine
def test_a_head_in_profile_throughout_is_told_before_anything_is_drawn(engine: str, face: Picture) -> None:
    with pytest.raises(Refused) as refused:
        drawn(job_of(engine, [turned(face, 80)] * 3))
    # Nothing of a profile may be left that the detector takes for a face.
    assert refused.value.refusal.code in {f"{engine}.side_face", f"{engine}.no_face"}


@each_engine
def test_a_head_turned_too_far_is_said_to_be_seen_from_the_side(
    engine: str, face: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen_face, "LARGEST_YAW", 10.0)  # a drawn face is lost long before a real one
    with pytest.raises(Refused) as refused:
        drawn(job_of(engine, [turned(face, 30)] * 3))
    assert refused.value.refusal.code == f"{engine}.side_face"
    assert "60" in str(refused.value.refusal.remedy)


@each_engine
def test_pictures_in_which_the_head_turns_away_stay_as_they_are(engine: str, face: Picture) -> None:
    shown = [face] * 3 + [turned(face, 80)] * 3
    found = drawn(job_of(engine, shown))
    assert all((after != before).any() for before, after in zip(shown[:3], found, strict=False))
    assert all((after == before).all() for before, after in zip(shown[3:], found[3:], strict=True))


@each_engine
def test_a_cut_inside_a_window_is_not_drawn_across(engine: str, face: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    other = np.ascontiguousarray(255 - drawn_face(5, (320, 240))[:, ::-1] // 2)
    parts: list[tuple[int, int]] = []
    draw = Drawer.draw

    def noting(self: Drawer, given: Sequence[WindowPart]) -> Any:
        parts.extend((part.first, len(part.faces)) for part in given)
        return draw(self, given)

    monkeypatch.setattr(Drawer, "draw", noting)
    shown = [face] * 5 + [other] * 2 + [face] * 4
    found = drawn(job_of(engine, shown))
    assert [after.shape for after in found] == [before.shape for before in shown]
    for number in (0, 4, 7, 10):
        assert (found[number] != shown[number]).any()
    if engine == "latentsync":
        assert (0, 5) in parts
        assert (7, 4) in parts


# --- kinds of video --------------------------------------------------------------------------------------------------


@each_engine
@pytest.mark.parametrize("fps", ["12", "120"])
def test_every_rate_keeps_its_pictures(engine: str, face: Picture, fps: str) -> None:
    shown = [np.roll(face, number % 3, axis=1) for number in range(4)]
    found = drawn(job_of(engine, shown, Fraction(fps)))
    assert len(found) == len(shown)
    assert all((after != before).any() for before, after in zip(shown, found, strict=True))


@each_engine
@pytest.mark.parametrize("size", [(320, 240), (180, 320), (321, 241)])
def test_every_shape_is_drawn_on(engine: str, size: tuple[int, int]) -> None:
    picture = np.full((size[1], size[0], 3), 60, np.uint8)
    head = cv2.resize(np.asarray(drawn_face(3, (320, 240)))[:, 60:260], (180, 216))
    picture[:216, (size[0] - 180) // 2 : (size[0] - 180) // 2 + 180] = head
    found = drawn(job_of(engine, [picture] * 2))
    for after in found:
        assert after.shape == picture.shape
        assert after.flags["C_CONTIGUOUS"]
        assert (after != picture).any()


@each_engine
def test_a_video_of_one_picture_is_a_still(engine: str, face: Picture, write_video: WriteVideo, tmp_path: Path) -> None:
    voice = write_voice(tmp_path / "voice.wav", seconds=0.4)
    report = rendered(engine, write_video([face]), voice, tmp_path)
    assert report.frames == 10
    assert len(list(read_frames(report.path))) == 10


@each_engine
def test_ten_bit_hdr_becomes_an_ordinary_clip(
    engine: str, face: Picture, write_video: WriteVideo, tmp_path: Path
) -> None:
    source = write_video([face] * 6, pixel_format="yuv420p10le", hdr=True)
    report = rendered(engine, source, write_voice(tmp_path / "voice.wav", seconds=0.2), tmp_path)
    info = probe(report.path)
    assert info.video is not None
    assert (info.video.display_width, info.video.display_height) == (320, 240)
    assert report.frames == 5


@each_engine
def test_a_variable_rate_is_followed_by_time(
    engine: str, face: Picture, write_video: WriteVideo, tmp_path: Path
) -> None:
    """Dark, middling and light pictures of 40, 160 and 80 ms; the clip shows each as long as the source does."""
    pictures = [np.clip(face.astype(int) + shade, 0, 255).astype(np.uint8) for shade in (-40, 0, 40, 0)]
    source = write_video(pictures, ticks=[0, 40, 200, 280], time_base=Fraction(1, 1000))
    report = rendered(
        engine, source, write_voice(tmp_path / "voice.wav", seconds=0.28), tmp_path, fps=Fraction(25), crf=4
    )
    corner = [float(frame.image[:20, :20].mean()) for frame in read_frames(report.path)]
    expected = [float(pictures[number][:20, :20].mean()) for number in (0, 1, 1, 1, 1, 2, 2)]
    assert corner == pytest.approx(expected, abs=4)  # levels: two encoders lie between


@pytest.mark.slow
@each_engine
@pytest.mark.parametrize(
    ("policy", "seconds", "frames"),
    [
        (LengthPolicy.END_WITH_VOICE, 0.16, 4),
        (LengthPolicy.END_WITH_VOICE, 0.32, 8),
        (LengthPolicy.CUT, 0.32, 5),
        (LengthPolicy.HOLD, 0.16, 5),
    ],
)
def test_voice_and_video_need_not_be_equally_long(
    engine: str, face: Picture, write_video: WriteVideo, tmp_path: Path, policy: LengthPolicy, seconds: float,
    frames: int,
) -> None:  # fmt: skip
    source = write_video([np.roll(face, number, axis=1) for number in range(5)])
    voice = write_voice(tmp_path / "voice.wav", seconds=seconds)
    assert rendered(engine, source, voice, tmp_path, length_policy=policy).frames == frames


@pytest.mark.slow
@each_engine
def test_8k_is_drawn_on_at_the_largest_size_of_a_clip(engine: str, write_video: WriteVideo, tmp_path: Path) -> None:
    large = np.asarray(cv2.resize(drawn_face(3, (640, 360)), (7680, 4320), interpolation=cv2.INTER_LINEAR))
    report = rendered(engine, write_video([large] * 2), write_voice(tmp_path / "voice.wav", seconds=0.08), tmp_path)
    assert report.size == (3840, 2160)
    assert report.frames == 2


# --- what may happen on the way --------------------------------------------------------------------------------------


def _full_once(right: Any, at: int) -> Any:
    """Return a function that once, when it is called the ``at``-th time, finds the memory full."""
    calls = iter(range(1_000_000))

    def full(*given: Any, **named: Any) -> Any:
        if next(calls) == at:
            raise torch.OutOfMemoryError("stub: out of memory")
        return right(*given, **named)

    return full


@pytest.mark.slow
@each_engine
def test_memory_that_runs_out_in_the_middle_costs_no_finished_window(
    engine: str, face: Picture, write_video: WriteVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = Fraction(16, 25) if engine == "latentsync" else Fraction(4, 25)
    frames = int(seconds * 25)
    firsts: Counter[int] = Counter()
    begun = Drawer.draw

    def noting(self: Drawer, given: Sequence[WindowPart]) -> Any:
        firsts.update(part.first for part in given)
        return begun(self, given)

    monkeypatch.setattr(Drawer, "draw", noting)
    # In the third segment: on a processor a window's step predicts twice, and a batch has two pictures.
    monkeypatch.setattr(LatentSyncUNet, "forward", _full_once(LatentSyncUNet.forward, 4))
    monkeypatch.setattr(UNet2DConditionModel, "forward", _full_once(UNet2DConditionModel.forward, 4))
    source = write_video([face] * 2)
    voice = write_voice(tmp_path / "voice.wav", seconds=float(3 * seconds))
    spec = RenderSpec(
        source, voice, tmp_path / "clip.mp4", engine, _QUICK[engine], verify=False, segment_seconds=seconds
    )
    job = render(spec)
    stored: list[int] = []
    notes: list[str] = []
    while True:
        try:
            progress = next(job)
        except StopIteration as end:
            report = end.value
            break
        if isinstance(progress.partial, Notice) and progress.partial.is_warning:
            notes.append(progress.partial.message.text())
            stored.append(len(list(work_folder(spec.target).rglob("*.mp4"))))
    assert isinstance(report, RenderReport), report
    assert report.frames == 3 * frames
    assert stored == [2]  # both segments before are kept
    assert len(notes) == 1
    assert "did not suffice" in notes[0]
    if engine == "latentsync":
        assert (firsts[0], firsts[16], firsts[32]) == (1, 1, 2)


@pytest.mark.slow
@each_engine
def test_a_process_that_dies_ends_the_render_with_a_sentence_and_keeps_what_is_finished(
    engine: str, face: Picture, write_video: WriteVideo, tmp_path: Path
) -> None:
    seconds = Fraction(16, 25) if engine == "latentsync" else Fraction(4, 25)
    spec = RenderSpec(
        write_video([face] * 2),
        write_voice(tmp_path / "voice.wav", seconds=float(3 * seconds)),
        tmp_path / "clip.mp4",
        engine,
        _QUICK[engine],
        verify=False,
        segment_seconds=seconds,
        devices=("cpu", "cpu"),
    )

    def finished() -> int:
        return len(list(work_folder(spec.target).rglob("segments/*.mp4")))

    answer: object = None
    with closing(render(spec)) as job:
        while True:
            try:
                next(job)
            except StopIteration as end:
                answer = end.value
                break
            if finished() == 1:
                for child in active_children():
                    child.kill()
    assert isinstance(answer, Refusal), answer
    assert answer.code == "workers.died"
    kept = finished()
    assert kept >= 1
    resumed: list[Progress] = []
    report = run(render(spec), resumed.append)
    assert isinstance(report, RenderReport), report
    assert report.resumed_segments == kept


def test_the_other_version_of_latentsync_is_not_used_at_the_wrong_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face: Picture
) -> None:
    """1.6 draws 512 pixels: asked for 1.5, which draws 256, the file is refused before it is read."""
    monkeypatch.setitem(latentsync_files.RESOLUTIONS, Version.V1_5, 256)
    monkeypatch.setenv("PLOSIVE_MODELS", str(write_checkpoints(tmp_path / "models", "1.6")))
    job = job_of("latentsync", [face])
    with pytest.raises(Refused) as refused:
        run(open_engine("latentsync").load(replace(job, parameters={**job.parameters, "version": "1.5"}), Devices()))
    sentence = str(refused.value.refusal)
    assert refused.value.refusal.code == "latentsync.other_version"
    assert "1.6" in sentence
    assert "512" in sentence
    assert "256" in sentence


def _items(job: RenderJob) -> Iterator[object]:
    engine = open_engine(job.spec.engine)
    run(engine.load(job, Devices()))
    try:
        for segment in job.plan.segments:
            yield from engine.render(segment)
    finally:
        engine.close()


@each_engine
def test_a_render_that_is_stopped_leaves_no_thread_behind(engine: str, face: Picture) -> None:
    before = set(threading.enumerate())
    with closing(_items(job_of(engine, [face] * 20))) as items:  # type: ignore[type-var]  # a generator
        assert isinstance(next(items), Progress | np.ndarray)
    left = [thread for thread in set(threading.enumerate()) - before if thread.is_alive()]
    assert [thread.name for thread in left if not thread.name.startswith("drawing")] == []

"""MuseTalk from a folder of checkpoints to a clip, on tiny networks with random weights."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.generation.backend import Devices, Host, Picture, RenderJob
from engine.generation.backends.musetalk import backend
from engine.generation.backends.musetalk.boxes import FacePoints, within
from engine.generation.backends.musetalk.faces import by_hand
from engine.generation.backends.musetalk.files import find_files
from engine.generation.backends.musetalk.settings import Version
from engine.generation.events import Notice
from engine.generation.plan import FrameMap, make_plan
from engine.generation.render import render
from engine.generation.report import RenderReport
from engine.generation.spec import Precision, RenderSpec, SilencePolicy
from engine.jobs import Progress, run
from engine.media.frames import read_frames
from engine.media.probe import probe
from engine.media.samples import read_samples
from engine.models.finder import library
from engine.models.places import remember_folders
from engine.refusal import Refusal, Refused
from engine.sample.clip import build_sample_clip
from tests.engine.generation.backends.draft.talk import drawn_face, sample_voice
from tests.engine.generation.backends.musetalk.checkpoints import write_checkpoints
from tests.engine.generation.in_memory import Pictures, RecordedVoice
from tests.media import make_clip
from tests.media.voices import write_voice

RATE = 16_000


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoints(tmp_path_factory.mktemp("MuseTalk") / "models")


@pytest.fixture(autouse=True)
def _own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    """Let the program know the small checkout and nothing else."""
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    remember_folders([checkout])


def job_of(pictures: list[Picture], samples: np.ndarray, fps: Fraction = Fraction(25), **choices: Any) -> RenderJob:
    source = Pictures(pictures)
    spec = RenderSpec(Path("face.png"), Path("voice.wav"), Path("clip.mp4"), engine="musetalk", fps=fps, **choices)
    frames = FrameMap(fps).frames_for(len(samples))
    plan = make_plan(spec, fps=fps, size=source.size, frame_count=frames, voice_samples=len(samples))
    return RenderJob(spec, plan, RecordedVoice(samples), source, backend().capabilities().values(spec))


def drawn(job: RenderJob, devices: Devices | None = None, segments: list[int] | None = None) -> list[Picture]:
    engine = backend()
    run(engine.load(job, devices or Devices()))
    try:
        wanted = job.plan.segments if segments is None else [job.plan.segments[number] for number in segments]
        return [picture for segment in wanted for picture in engine.render(segment) if isinstance(picture, np.ndarray)]
    finally:
        engine.close()


@pytest.fixture(scope="module")
def face() -> Picture:
    return drawn_face(3, (320, 240))


def same(first: list[Picture], second: list[Picture]) -> bool:
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_only_the_lower_half_of_the_face_changes_and_it_follows_the_voice(face: Picture) -> None:
    voice = sample_voice(3)[RATE // 2 : 4 * RATE // 5]
    pictures = drawn(job_of([face], voice))
    assert len(pictures) == 8  # 0.3 s at 25 fps, the last picture filled
    changed = np.any([np.any(picture != face, axis=2) for picture in pictures], axis=0)
    rows, columns = np.nonzero(changed)
    assert 0.002 < changed.mean() < 0.2
    assert rows.min() > face.shape[0] * 0.3
    assert columns.min() > face.shape[1] * 0.2
    assert columns.max() < face.shape[1] * 0.8
    silent = drawn(job_of([face], np.zeros_like(voice)))
    apart = [np.abs(a[changed].astype(float) - b[changed]).mean() for a, b in zip(pictures, silent, strict=True)]
    assert min(apart) > 1  # grey levels


@pytest.mark.slow
def test_any_number_of_processes_draws_the_same_pictures_as_one(face: Picture) -> None:
    job = job_of([face, np.roll(face, 2, axis=1)] * 4, sample_voice(3)[: RATE // 3])
    alone = drawn(job)
    for count in (2, 3):
        assert same(alone, drawn(job, Devices(("cpu",) * count)))


def test_a_render_that_is_taken_up_again_draws_the_same_pictures(face: Picture) -> None:
    other = np.roll(face, 2, axis=1)
    job = job_of([face, other] * 4, sample_voice(3)[: RATE // 4], segment_seconds=Fraction(4, 25))
    whole = drawn(job)
    last = job.plan.segments[-1]
    assert same(whole[last.first_frame :], drawn(job, segments=[last.index]))
    # The same picture with other randomness is another sample of what the network may be shown.
    reseeded = job_of([face, other] * 4, sample_voice(3)[: RATE // 4], segment_seconds=Fraction(4, 25), seed=1)
    assert not same(whole, drawn(reseeded))


def test_pictures_without_a_face_pass_through_untouched_and_are_counted(face: Picture) -> None:
    empty = np.full_like(face, 90)
    job = job_of([face, *[empty] * 4, face, face], sample_voice(3)[: RATE // 4])
    engine = backend()
    run(engine.load(job, Devices()))
    events = [event for segment in job.plan.segments for event in engine.render(segment)]
    engine.close()
    pictures = [event for event in events if isinstance(event, np.ndarray)]
    assert all(np.array_equal(picture, empty) for picture in pictures[1:5])
    assert not np.array_equal(pictures[0], face)
    assert not np.array_equal(pictures[-1], face)
    notes = [event.partial for event in events if isinstance(event, Progress) and isinstance(event.partial, Notice)]
    assert len(notes) == 1


def test_silence_keeps_the_original_where_that_is_wanted(face: Picture) -> None:
    job = job_of([face], np.zeros(RATE // 5, np.float32), silence_policy=SilencePolicy.ORIGINAL)
    assert all(np.array_equal(picture, face) for picture in drawn(job))


@pytest.mark.parametrize(
    "parameters", [{"version": "1.5", "extra_margin": 40}, {"bbox_shift": 12}, {"batch": 1}], ids=str
)
def test_parameters_change_what_they_say(face: Picture, parameters: dict[str, Any]) -> None:
    voice = sample_voice(3)[: RATE // 10]
    usual = drawn(job_of([face], voice))
    other = drawn(job_of([face], voice, parameters=parameters))
    if "batch" in parameters:  # only speed, up to the last bit of a sum
        assert max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(usual, other, strict=True)) <= 1
    else:
        assert not same(usual, other)


def test_half_precision_that_overflows_is_computed_again(face: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.generation.backends.musetalk.network import Networks

    right = Networks.predict
    precisions: list[torch.dtype] = []

    def overflowing(self: Networks, latents: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        answer = right(self, latents, tokens)
        precisions.append(answer.dtype)
        return answer if self.is_single_precision else answer * float("nan")

    monkeypatch.setattr(Networks, "predict", overflowing)
    job = job_of([face], sample_voice(3)[: RATE // 10])
    pictures = drawn(job, Devices(precision=Precision.BF16))
    assert precisions[:2] == [torch.bfloat16, torch.float32]
    assert not np.array_equal(pictures[0], face)

    monkeypatch.setattr(Networks, "predict", lambda *_: torch.full((2, 4, 32, 32), float("nan")))
    with pytest.raises(Refused) as refused:
        drawn(job)
    assert refused.value.refusal.code == "musetalk.not_a_number"


def test_a_face_that_was_pointed_out_by_hand_speaks() -> None:
    sketch = np.full((240, 320, 3), 200, np.uint8)  # nothing that a detector would take for a face
    points = ((0.4, 0.35), (0.6, 0.35), (0.43, 0.6), (0.57, 0.6))
    job = job_of([sketch], sample_voice(3)[: RATE // 10], face_points=points)
    changed = np.any(drawn(job)[0] != sketch, axis=2)
    rows, columns = np.nonzero(changed)
    assert changed.any()
    assert rows.min() > 0.4 * 240
    assert abs(columns.mean() - 160) < 16
    assert by_hand(points, (320, 240)).points.bottom < 240


@pytest.mark.parametrize(
    ("pictures", "code"),
    [([np.full((240, 320, 3), 90, np.uint8)], "no_face"), ([drawn_face(3, (64, 48))], "tiny_face")],
)
def test_a_source_that_cannot_speak_is_told_before_anything_is_drawn(pictures: list[Picture], code: str) -> None:
    with pytest.raises(Refused) as refused:
        run(backend().load(job_of(pictures, sample_voice(3)[:RATE]), Devices()))
    assert refused.value.refusal.code in {f"musetalk.{code}", "musetalk.no_face"}


def test_the_face_parsing_network_is_used_where_it_is(face: Picture, tmp_path: Path) -> None:
    voice = sample_voice(3)[: RATE // 10]
    without = drawn(job_of([face], voice))
    folder = write_checkpoints(tmp_path / "whole", parser=True)
    remember_folders([folder])
    engine = backend()
    assert "face-parsing" in engine.capabilities().version
    assert not same(without, drawn(job_of([face], voice)))


def test_versions_are_told_by_their_place(checkout: Path, tmp_path: Path) -> None:
    files = library([checkout])
    assert find_files(files, Version.AUTO).version is Version.V1_5
    assert find_files(files, Version.AUTO).parser is None
    with pytest.raises(Refused) as refused:
        find_files(files, Version.V1_0)
    assert refused.value.refusal.code == "musetalk.other_version"
    old = library([write_checkpoints(tmp_path / "old", version="1.0")])
    assert find_files(old, Version.AUTO).version is Version.V1_0
    (tmp_path / "flat").mkdir()
    for path in (tmp_path / "old").rglob("*.bin"):
        path.rename(tmp_path / "flat" / f"{path.parent.name}.bin")
    flat = library([tmp_path / "flat"])
    with pytest.raises(Refused) as refused:
        find_files(flat, Version.AUTO)
    assert refused.value.refusal.code == "musetalk.unknown_version"
    assert find_files(flat, Version.V1_0).version is Version.V1_0


def test_without_files_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, face: Picture) -> None:
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "none"))
    capabilities = backend().capabilities()
    assert not capabilities.is_ready
    assert [each.is_ready for each in capabilities.requirements] == [True, False, False, False]
    with pytest.raises(Refused) as refused:
        run(backend().load(job_of([face], sample_voice(3)[:RATE]), Devices()))
    assert refused.value.refusal.code == "models.needed"


def test_an_estimate_says_what_it_will_take(face: Picture) -> None:
    job = job_of([face], sample_voice(3)[:RATE])
    host = Host(cores=2, ram_bytes=8 << 30, free_ram_bytes=8 << 30, free_disk_bytes=1 << 40)
    estimate = backend().plan(job.spec, job.plan, host)
    assert not isinstance(estimate, Refusal)
    assert estimate.vram_bytes == 0
    assert estimate.seconds > 25  # without a card
    assert any(" min." in str(note) for note in estimate.notes)
    tight = Host(cores=2, ram_bytes=1 << 30, free_ram_bytes=1 << 28, free_disk_bytes=1 << 40)
    refusal = backend().plan(job.spec, job.plan, tight)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "musetalk.too_little_memory"


def test_boxes_stay_inside_of_the_picture() -> None:
    assert within((-5, -5, 10, 400), 320, 240) == (0, 0, 10, 240)
    assert within((330, 10, 340, 20), 320, 240) is None
    points = FacePoints(left=-4, right=50, bottom=90, bridge=30, middle=40, tip=50)
    assert points.box((1, 2, 3, 4)) == (1, 2, 3, 4)
    assert points.box() is None


@pytest.mark.slow
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001)], ids=str)
def test_from_a_checkout_to_a_clip(tmp_path: Path, rate: Fraction) -> None:
    """Find, load, render three seconds, and hold the file against what it was made of."""
    source = run(build_sample_clip(tmp_path / "face.mp4", offset_ms=0, seconds=3, rate=rate, size=(320, 240), seed=3))
    assert isinstance(source, Path)
    voice = write_voice(tmp_path / "voice.wav", seconds=3.0)
    spec = RenderSpec(source, voice, tmp_path / "clip.mp4", engine="musetalk", crf=0, verify=False)
    report = run(render(spec))
    assert isinstance(report, RenderReport), report
    info = probe(spec.target)
    assert info.video is not None
    assert info.audio is not None
    assert info.video.rate == rate
    assert info.video.frame_count == report.frames == FrameMap(rate).frames_for(3 * RATE)
    assert float(info.video.duration or 0) == pytest.approx(3.0, abs=1 / 25)
    heard = np.concatenate([block.data for block in read_samples(spec.target)])
    spoken = np.concatenate([block.data for block in read_samples(voice)])
    assert np.corrcoef(heard[: len(spoken)], spoken[: len(heard)])[0, 1] > 0.98
    # Brightness only: colours go through 4:2:0 a second time. The engine's own pictures are compared exactly above.
    before = [frame.image for frame in read_frames(source, pixel_format="gray")]
    after = [frame.image for frame in read_frames(spec.target, pixel_format="gray")]
    differences = [np.abs(a.astype(int) - b) for a, b in zip(before, after, strict=False)]
    assert max(int(each[: 240 * 2 // 5].max()) for each in differences) <= 4
    assert np.mean([each[120:].max() > 20 for each in differences]) > 0.9


def test_a_clip_without_a_face_is_refused_in_words(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "faceless.mp4", seconds=1)
    voice = write_voice(tmp_path / "voice.wav", seconds=1.0)
    answer = run(render(RenderSpec(clip.path, voice, tmp_path / "out.mp4", engine="musetalk", verify=False)))
    assert isinstance(answer, Refusal)
    assert answer.code == "musetalk.no_face"
    assert not (tmp_path / "out.mp4").exists()

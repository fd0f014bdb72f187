"""A render gives a clip with every picture and the voice in place; stopped anywhere, it goes on to the same file."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.generation import segment_runner
from engine.generation.backend import Demand, Devices, OutOfMemory, Requirement
from engine.generation.events import Notice, Preview, Reading
from engine.generation.face_source import PictureSource
from engine.generation.render import estimate, render
from engine.generation.report import RenderReport, SyncCheck
from engine.generation.spec import Offload, RenderSpec, spec_path
from engine.generation.storage import discard, locked, work_folder
from engine.jobs import Progress, run
from engine.media.frames import read_frames
from engine.media.probe import probe
from engine.media.samples import read_samples
from engine.refusal import Refusal, Refused
from engine.words import Message
from tests.engine.generation.conftest import make_spec
from tests.engine.generation.grey_engine import GreyEngine
from tests.media.voices import voice_samples, write_voice

COUNTS = (13, 13, 13, 11)
"""Pictures in the segments of the small render: half a second at 25 fps, rounded to whole pictures."""

LOUD = 70
"""Brightness that grey pictures have only while there is sound: silence gives at most 50."""


def rendered(spec: RenderSpec, **how: Any) -> RenderReport:
    result = run(render(spec, **how))
    assert isinstance(result, RenderReport), result
    return result


def refused(spec: RenderSpec, **how: Any) -> str:
    result = run(render(spec, **how))
    assert isinstance(result, Refusal), result
    assert str(result)
    assert result.sentence.text("zh_CN") != result.sentence.text("en")
    return result.code


def content(path: Path) -> str:
    """Return a digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def segments_and_clip(spec: RenderSpec) -> list[str]:
    """Render, and return the digests of all segments and of the clip."""
    digests: list[str] = []

    def watch(progress: Progress) -> None:
        if progress.stage == "joining" and not digests:
            digests.extend(content(file) for file in sorted((work_folder(spec.target) / "segments").glob("*.mp4")))

    report = run(render(spec), watch)
    assert isinstance(report, RenderReport), report
    assert len(digests) == report.segments
    return [*digests, content(report.path)]


def levels(path: Path) -> list[float]:
    """Return the mean of each picture's lower half."""
    return [float(frame.image[frame.image.shape[0] // 2 :].mean()) for frame in read_frames(path)]


def test_a_clip_has_every_picture_and_the_voice(spec: RenderSpec) -> None:
    report = rendered(spec)
    info = probe(spec.target)
    assert info.video is not None
    assert info.audio is not None
    assert (report.frames, report.fps, report.size) == (50, 25, (96, 64))
    assert (info.video.frame_count, info.video.rate, info.video.start) == (50, 25, 0)
    assert (info.audio.start, info.audio.sample_rate, info.audio.channels) == (0, 48_000, 1)
    assert report.segments == 4
    assert report.check is SyncCheck.SKIPPED
    assert not work_folder(spec.target).exists()
    assert RenderSpec.load(spec_path(spec.target)) == spec
    assert RenderSpec.from_json(report.to_json()["spec"]) == spec
    events = [json.loads(line)["event"] for line in report.log_file.read_text(encoding="ascii").splitlines()]
    assert {"run", "audio_load_time", "feature_extract_time", "frame_gen_time", "machine"} <= set(events)
    assert report.statistics.frames == 50
    assert report.statistics.peak_ram_bytes > 1 << 20


def test_loud_pictures_are_shown_while_the_voice_is_loud(spec: RenderSpec) -> None:
    """The driving voice, the pictures and the sound of the clip agree to the frame."""
    rendered(spec)
    shown = np.array(levels(spec.target)) > LOUD
    sound = np.concatenate([block.data for block in read_samples(spec.target)])
    heard = [np.abs(sound[frame * 640 : (frame + 1) * 640]).max() > 0.05 for frame in range(50)]
    assert 20 < shown.sum() < 35
    assert shown.tolist() == heard


@pytest.mark.parametrize(
    "fps", [Fraction(16), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(50), Fraction(60)]
)
def test_every_frame_rate_is_exact(spec: RenderSpec, fps: Fraction) -> None:
    report = rendered(replace(spec, fps=fps, target=spec.target.with_suffix(".mp4")))
    times = [frame.time.seconds for frame in read_frames(report.path)]
    assert report.frames == -(-2 * fps // 1)
    assert times == [n / fps for n in range(report.frames)]


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_pcm_is_copied_where_it_can_be(spec: RenderSpec, suffix: str) -> None:
    report = rendered(replace(spec, target=spec.target.with_suffix(suffix)))
    info = probe(report.path)
    assert info.audio is not None
    assert info.audio.codec == "pcm_s16le"
    got = np.concatenate([block.data for block in read_samples(report.path, sample_rate=None)])
    np.testing.assert_allclose(got[:90_000], voice_samples(2.0, 48_000)[:90_000], atol=1 / 32768)
    assert report.notes == ()


VOICES = [
    ("a.wav", {"rate": 8_000}),
    ("a.wav", {"rate": 11_025, "codec": "pcm_u8"}),
    ("a.wav", {"rate": 22_050, "codec": "pcm_s24le", "sample_format": "s32"}),
    ("a.wav", {"rate": 44_100, "channels": 2, "codec": "pcm_s32le", "sample_format": "s32"}),
    ("a.wav", {"rate": 96_000, "codec": "pcm_f32le", "sample_format": "flt"}),
    ("a.wav", {"channels": 6}),
    ("a.mp3", {"codec": "libmp3lame", "rate": 44_100, "channels": 2}),
    ("a.m4a", {"codec": "aac", "rate": 44_100}),
    ("a.opus", {"codec": "libopus"}),
    ("a.flac", {"codec": "flac", "rate": 96_000, "channels": 2, "sample_format": "s32"}),
]


@pytest.mark.parametrize(("name", "how"), VOICES, ids=[f"{name}-{how}" for name, how in VOICES])
def test_every_voice_is_heard_when_it_is_spoken(spec: RenderSpec, name: str, how: dict[str, Any]) -> None:
    voice = write_voice(spec.voice.with_name(name), **how)
    report = rendered(replace(spec, voice=voice))
    sound = probe(report.path).audio
    original = probe(voice).audio
    assert sound is not None
    assert original is not None
    assert sound.channels == original.channels
    assert sound.sample_rate == min(original.sample_rate, 96_000)
    got = np.concatenate([block.data for block in read_samples(report.path, sample_rate=16_000)])
    wanted = np.concatenate([block.data for block in read_samples(voice, sample_rate=16_000)])
    count = min(len(got), len(wanted), 24_000)
    lags = np.correlate(got[400 : count - 400], wanted[:count], "full")
    # A codec may blur, but the whole must lie within a tenth of a millisecond of where it was.
    best = int(np.argmax(lags)) - (count - 1)
    assert abs(best + 400) <= 2


@pytest.mark.parametrize(("seconds", "rate"), [(0.05, 48_000), (0.05, 8_000), (0.02, 44_100)])
def test_the_shortest_voices_are_rendered(spec: RenderSpec, seconds: float, rate: int) -> None:
    voice = write_voice(spec.voice.with_name("short.wav"), seconds=seconds, rate=rate)
    assert rendered(replace(spec, voice=voice)).frames == -(-seconds // 0.04)


def test_a_voice_of_nothing_is_refused(spec: RenderSpec) -> None:
    write_voice(spec.voice, seconds=0.0)
    assert refused(spec).startswith(("sound.", "media."))


def test_a_silent_voice_gives_a_still_clip(spec: RenderSpec) -> None:
    write_voice(spec.voice, level=0.0)
    assert rendered(spec).frames == 50
    assert max(levels(spec.target)) < 70


def test_negative_offsets_move_the_picture_earlier(spec: RenderSpec) -> None:
    rendered(spec)
    plain = np.array(levels(spec.target)) > LOUD
    rendered(replace(spec, audio_offset_ms=-80.0, overwrite=True))
    early = np.array(levels(spec.target)) > LOUD
    np.testing.assert_array_equal(early[:40], plain[2:42])
    rendered(replace(spec, audio_offset_steps=((Fraction(1), 80.0),), overwrite=True))
    mixed = np.array(levels(spec.target)) > LOUD
    np.testing.assert_array_equal(mixed[:24], plain[:24])
    np.testing.assert_array_equal(mixed[26:], plain[24:48])


def test_the_seed_decides(spec: RenderSpec) -> None:
    first = rendered(spec)
    kept = content(first.path)
    rendered(replace(spec, overwrite=True))
    assert content(spec.target) == kept
    rendered(replace(spec, overwrite=True, seed=1))
    assert content(spec.target) != kept


# --- stopping and going on -----------------------------------------------------------------------------------------


class Stopped(Exception):  # noqa: N818
    """The user had enough."""


def stop_at(share: float) -> Callable[[Progress], None]:
    def watch(progress: Progress) -> None:
        if progress.done >= share:
            raise Stopped

    return watch


@pytest.mark.parametrize("share", [0.01, 0.2, 0.45, 0.7, 0.87, 0.895])
def test_a_cancelled_render_goes_on_to_the_same_file(spec: RenderSpec, grey: GreyEngine, share: float) -> None:
    rendered(spec)
    whole = content(spec.target)
    spec.target.unlink()
    with pytest.raises(Stopped):
        run(render(spec), stop_at(share))
    assert not spec.target.exists()
    grey.drawn.clear()
    report = rendered(spec)
    assert content(spec.target) == whole
    assert len(grey.drawn) == sum(COUNTS[report.resumed_segments :])


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_same_render_gives_the_same_bytes(spec: RenderSpec, suffix: str) -> None:
    spec = replace(spec, target=spec.target.with_suffix(suffix))
    whole = segments_and_clip(spec)
    assert segments_and_clip(replace(spec, overwrite=True)) == whole
    spec.target.unlink()
    for share in (0.3, 0.6, 0.87):
        with pytest.raises(Stopped):
            run(render(spec), stop_at(share))
    assert segments_and_clip(spec) == whole


def test_without_resume_everything_is_drawn_again(spec: RenderSpec, grey: GreyEngine) -> None:
    with pytest.raises(Stopped):
        run(render(spec), stop_at(0.7))
    grey.drawn.clear()
    assert rendered(spec, resume=False).resumed_segments == 0
    assert grey.drawn == list(range(50))


@pytest.mark.parametrize("change", [{"seed": 3}, {"crf": 30}, {"parameters": {"gain": 2.0}}, {"fps": Fraction(30)}])
def test_another_spec_begins_anew(spec: RenderSpec, change: dict[str, Any]) -> None:
    with pytest.raises(Stopped):
        run(render(spec), stop_at(0.7))
    assert rendered(replace(spec, **change)).resumed_segments == 0


def test_what_changes_no_pixel_is_taken_up(spec: RenderSpec) -> None:
    with pytest.raises(Stopped):
        run(render(spec), stop_at(0.7))
    assert rendered(replace(spec, overwrite=True, correct_bias=False)).resumed_segments > 0


@pytest.mark.parametrize("damage", ["flip", "cut", "delete"])
def test_a_damaged_segment_is_done_again(spec: RenderSpec, grey: GreyEngine, damage: str) -> None:
    rendered(spec)
    whole = content(spec.target)
    spec.target.unlink()
    with pytest.raises(Stopped):
        run(render(spec), stop_at(0.85))
    file = work_folder(spec.target) / "segments" / "000001.mp4"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 255
    if damage == "delete":
        file.unlink()
    else:
        file.write_bytes(data if damage == "flip" else data[:-9])
    grey.drawn.clear()
    rendered(spec)
    assert grey.drawn[:13] == list(range(13, 26))
    assert 0 not in grey.drawn
    assert content(spec.target) == whole


def test_a_torn_manifest_is_believed_as_far_as_it_goes(spec: RenderSpec) -> None:
    with pytest.raises(Stopped):
        run(render(spec), stop_at(0.8))
    manifest = work_folder(spec.target) / "manifest.jsonl"
    lines = manifest.read_text(encoding="ascii")
    manifest.write_text(lines[:-20], encoding="ascii")
    assert rendered(spec).resumed_segments == lines.count("\n") - 2


def test_segments_that_build_upon_each_other_go_on_from_the_state(spec: RenderSpec, offer: Callable[..., None]) -> None:
    engine = GreyEngine(echoes=True)
    offer(grey=lambda: engine)
    rendered(spec)
    whole = content(spec.target)
    spec.target.unlink()
    with pytest.raises(Stopped):
        run(render(spec), stop_at(0.7))
    engine.drawn.clear()
    assert rendered(spec).resumed_segments == 3
    assert engine.drawn == list(range(39, 50))
    assert content(spec.target) == whole


def test_a_damaged_segment_in_a_chain_takes_what_follows_with_it(spec: RenderSpec, offer: Callable[..., None]) -> None:
    engine = GreyEngine(echoes=True)
    offer(grey=lambda: engine)
    rendered(spec)
    whole = content(spec.target)
    spec.target.unlink()
    with pytest.raises(Stopped):
        run(render(spec), stop_at(0.7))
    (work_folder(spec.target) / "segments" / "000000.mp4").unlink()
    engine.drawn.clear()
    rendered(spec)
    assert engine.drawn == list(range(50))
    assert content(spec.target) == whole


def test_two_renders_of_one_clip_do_not_meet(spec: RenderSpec) -> None:
    with locked(work_folder(spec.target)):
        assert refused(spec) == "generation.busy"
    discard(spec.target)


# --- what goes wrong -----------------------------------------------------------------------------------------------


def test_a_voice_deleted_on_the_way_is_missed_at_once(spec: RenderSpec, grey: GreyEngine) -> None:
    sound = spec.voice.read_bytes()
    status = spec.voice.stat()

    def watch(progress: Progress) -> None:
        if progress.done > 0.4:
            spec.voice.unlink(missing_ok=True)

    result = run(render(spec), watch)
    assert isinstance(result, Refusal)
    assert result.code == "generation.voice_gone"
    assert len(grey.drawn) < 50
    spec.voice.write_bytes(sound)
    os.utime(spec.voice, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert rendered(spec).resumed_segments > 0


def test_a_full_disk_keeps_what_is_finished(spec: RenderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        written = 0

        class FullDisk(segment_runner.SegmentWriter):
            def write(self, picture: Any) -> None:
                nonlocal written
                written += 1
                if written > 30:
                    raise OSError(errno.ENOSPC, "No space left on device")
                super().write(picture)

        patch.setattr(segment_runner, "SegmentWriter", FullDisk)
        assert refused(spec) == "generation.disk_full"
    assert not list(work_folder(spec.target).rglob("*.part"))
    assert rendered(spec).resumed_segments == 2


@pytest.mark.parametrize("fits", [0, 1, 3])
def test_memory_running_out_lowers_the_demands_and_says_so(
    tmp_path: Path, offer: Callable[..., None], fits: int
) -> None:
    ladder = [
        Devices(offload=Offload.NONE),
        Devices(offload=Offload.MODEL),
        Devices(offload=Offload.LAYERS),
        Devices(offload=Offload.LAYERS, chunk=8),
    ]
    engine = GreyEngine(fits=ladder[fits:])
    offer(grey=lambda: engine)
    spec = make_spec(tmp_path)
    heard: list[Notice] = []
    report = run(render(spec), lambda p: heard.append(p.partial) if isinstance(p.partial, Notice) else None)
    assert isinstance(report, RenderReport)
    assert engine.loaded == ladder[: fits + 1]
    assert len(report.notes) >= fits
    assert len([notice for notice in heard if notice.is_warning]) == fits


def test_memory_running_out_in_the_middle_loses_no_segment(
    tmp_path: Path, offer: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = GreyEngine(echoes=True)
    offer(grey=lambda: engine)
    spec = make_spec(tmp_path)
    rendered(spec)
    whole = content(spec.target)
    spec.target.unlink()
    engine.drawn.clear()
    original = engine.render
    fell: list[int] = []

    def render_or_fall(segment: Any) -> Any:
        for picture in original(segment):
            yield picture
            if segment.index == 2 and not fell:
                fell.append(len(engine.drawn))
                raise OutOfMemory("cuda:0")

    monkeypatch.setattr(engine, "render", render_or_fall)
    rendered(spec)
    assert fell
    assert content(spec.target) == whole
    assert len(engine.drawn) == 51


def test_when_nothing_fits_the_sentence_says_what_may_help(tmp_path: Path, offer: Callable[..., None]) -> None:
    engine = GreyEngine(fits=[])
    offer(grey=lambda: engine)
    assert refused(make_spec(tmp_path)) == "generation.out_of_memory_size"
    assert refused(make_spec(tmp_path, allow_smaller=True)) == "generation.out_of_memory"


def test_a_smaller_size_is_enlarged_again(
    tmp_path: Path, offer: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = GreyEngine()
    offer(grey=lambda: engine)
    sizes: list[tuple[int, int]] = []
    load = engine.load

    def picky(job: Any, devices: Devices) -> Any:
        sizes.append(job.plan.size)
        if job.plan.size[0] > 80:
            raise OutOfMemory("cpu")
        return (yield from load(job, devices))

    monkeypatch.setattr(engine, "load", picky)
    sized = replace(engine.capabilities(), lowers=(Demand.SIZE,))
    monkeypatch.setattr(engine, "capabilities", lambda: sized)
    closed: list[tuple[int, int]] = []
    monkeypatch.setattr(PictureSource, "close", lambda source: closed.append(source.size))
    assert rendered(make_spec(tmp_path, allow_smaller=True)).size == (96, 64)
    assert sizes == [(96, 64), (72, 48)]
    assert sorted(closed) == [(72, 48), (96, 64)]  # each source once
    assert {frame.image.shape for frame in read_frames(tmp_path / "clip.mp4")} == {(64, 96, 3)}


@pytest.mark.parametrize("count", [-1, 1])
def test_an_engine_that_cannot_count_is_told_apart(
    spec: RenderSpec, grey: GreyEngine, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    original = grey.render
    monkeypatch.setattr(
        grey, "render", lambda segment: original(replace(segment, frame_count=segment.frame_count + count))
    )
    assert refused(spec) == "generation.wrong_pictures"


def test_an_engine_that_lacks_something_says_what(tmp_path: Path, offer: Callable[..., None]) -> None:
    missing = Requirement("weights", is_ready=False, sentence=Message("generation.external.no_program", path="x.pth"))
    offer(grey=lambda: GreyEngine(requirements=(missing,)))
    result = run(render(make_spec(tmp_path)))
    assert isinstance(result, Refusal)
    assert result.code == "generation.not_ready"
    assert "x.pth" in str(result)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"target": "clip.avi"}, "generation.container"),
        ({"voice": "gone.wav"}, "media.missing"),
        ({"source": "gone.png"}, "media.missing"),
        ({"engine": "none"}, "generation.no_engine"),
        ({"parameters": {"gain": 9.0}}, "generation.parameter.range"),
        ({"parameters": {"pain": 1.0}}, "generation.parameter.unknown"),
        ({"devices": ["cuda:7"]}, "generation.no_device"),
        ({"fps": "1000"}, "generation.spec.fps"),
        ({"target": "no/clip.mp4"}, "export.no_folder"),
    ],
)
def test_what_cannot_be_rendered_is_refused_before_anything_is_written(
    tmp_path: Path, grey: GreyEngine, change: dict[str, Any], code: str
) -> None:
    placed = {
        name: str(tmp_path / value) if name in {"target", "voice", "source"} else value
        for name, value in change.items()
    }
    assert refused(make_spec(tmp_path, **placed)) == code
    assert grey.drawn == []


def test_a_clip_that_exists_is_not_replaced_unasked(spec: RenderSpec, grey: GreyEngine) -> None:
    spec.target.write_bytes(b"mine")
    assert refused(spec) == "export.exists"
    assert grey.drawn == []
    rendered(replace(spec, overwrite=True))
    assert spec.target.read_bytes()[:4] != b"mine"


def test_a_refusal_leaves_nothing_behind_if_nothing_was_drawn(spec: RenderSpec, grey: GreyEngine) -> None:
    spec.voice.write_bytes(spec.voice.read_bytes()[:44])  # a header, and no sound
    assert refused(spec)
    assert grey.loaded == []
    assert not work_folder(spec.target).exists()


def test_an_estimate_needs_no_work(spec: RenderSpec, grey: GreyEngine) -> None:
    found = run(estimate(spec))
    assert not isinstance(found, Refusal)
    assert found.seconds == pytest.approx(0.05)
    assert grey.loaded == []
    assert not work_folder(spec.target).exists()
    bad = run(estimate(replace(spec, parameters={"gain": -1.0})))
    assert isinstance(bad, Refusal)


def test_what_happens_is_told_while_it_happens(spec: RenderSpec) -> None:
    told: list[object] = []
    shares: list[float] = []

    def watch(progress: Progress) -> None:
        shares.append(progress.done)
        if progress.partial is not None:
            told.append(progress.partial)

    run(render(replace(spec, size=(1280, 720))), watch)
    assert shares == sorted(shares)
    assert shares[-1] <= 1
    previews = [each for each in told if isinstance(each, Preview)]
    assert previews[0].image.shape == (360, 640, 3)
    readings = [each for each in told if isinstance(each, Reading)]
    assert readings[-1].frame_count == 50
    assert readings[-1].ram_bytes > 0


def test_a_bug_of_an_engine_stays_one(spec: RenderSpec, grey: GreyEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grey, "render", lambda segment: iter([segment.nothing]))
    with pytest.raises(AttributeError):
        run(render(spec))
    with pytest.raises(Refused):
        raise Refused.because("generation.busy", path=spec.target)

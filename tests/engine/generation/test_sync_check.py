"""A finished clip is measured; a constant offset is taken out, and a correction that does not help is undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.generation import calibrate as calibrate_module
from engine.generation import sync_check
from engine.generation.backend import Host, Picture
from engine.generation.calibrate import calibrate
from engine.generation.machine import host
from engine.generation.plan import Segment, make_plan
from engine.generation.profiles import CalibrationProfile, forget, offered, profiles, profiles_path, remember
from engine.generation.render import estimate, render
from engine.generation.report import RenderReport, SyncCheck
from engine.generation.spec import RenderSpec
from engine.jobs import Job, Progress, run
from engine.media.samples import read_samples
from engine.refusal import Refusal
from engine.sample.clip import SamplePlan, plan_sample_clip
from engine.sync.result import Kind, Measurement
from engine.words import LANGUAGES, Message
from tests.engine.generation.conftest import make_spec
from tests.engine.generation.grey_engine import GreyEngine

VERDICT = Message("generation.verdict.skipped")


def found(offset_ms: float | None, kind: Kind = Kind.CONSTANT, confidence: float = 0.99) -> Measurement:
    return Measurement("clip.mp4", kind, VERDICT, offset_ms=offset_ms, uncertainty_ms=3.0, confidence=confidence)


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that decides what successive measurements say."""

    def decide(*results: Measurement | Refusal) -> None:
        waiting = iter(results)

        def measure(*_: object, **__: object) -> Job[Measurement | Refusal]:
            yield Progress("measuring", 0.5)
            return next(waiting)

        monkeypatch.setattr(sync_check, "measure", measure)
        monkeypatch.setattr(calibrate_module, "measure", measure)

    return decide


def checked(spec: RenderSpec) -> RenderReport:
    report = run(render(replace(spec, verify=True, overwrite=True)))
    assert isinstance(report, RenderReport), report
    for language in LANGUAGES:
        assert report.verdict.text(language)
    return report


def first_sound(path: Path) -> float:
    """Return when the first burst of the test voice begins, in milliseconds."""
    blocks = list(read_samples(path, sample_rate=48_000))
    sound = np.abs(np.concatenate([block.data for block in blocks]))
    return float(blocks[0].start) * 1000 + int(np.argmax(sound > 0.02)) / 48


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_late_sound_is_moved_earlier_and_told(spec: RenderSpec, finds: Callable[..., None], suffix: str) -> None:
    spec = replace(spec, target=spec.target.with_suffix(suffix))
    finds(found(2.0, Kind.IN_SYNC))
    plain = checked(spec)
    assert plain.check is SyncCheck.PASSED
    assert plain.shift_ms == 0
    # The sound begins before the picture now: its burst at zero is gone, the next one, 250 ms later, is the first.
    finds(found(80.0), found(1.0, Kind.IN_SYNC))
    report = checked(spec)
    assert report.check is SyncCheck.CORRECTED
    assert report.shift_ms == -80.0
    assert report.measured is not None
    assert report.measured.offset_ms == 80.0
    assert report.measured_after is not None
    assert report.measured_after.offset_ms == 1.0
    finds(found(-80.0), found(1.0, Kind.IN_SYNC))
    assert checked(spec).shift_ms == 80.0
    assert first_sound(spec.target) == pytest.approx(first_sound(plain.path), abs=0.1)
    assert first_sound(spec.target) == pytest.approx(80, abs=1.5)  # the AAC encoder blurs the edge


def test_a_correction_that_does_not_help_is_undone(spec: RenderSpec, finds: Callable[..., None]) -> None:
    finds(found(-80.0), found(-120.0))
    report = checked(spec)
    assert report.check is SyncCheck.OFF
    assert report.shift_ms == 0
    assert first_sound(spec.target) == pytest.approx(0, abs=1.5)
    assert profiles() == ()


@pytest.mark.parametrize(
    ("result", "check"),
    [
        (found(19.0), SyncCheck.PASSED),
        (found(-21.0, confidence=0.5), SyncCheck.OFF),
        (found(5.0, Kind.JITTER), SyncCheck.OFF),
        (found(50.0, Kind.DRIFT), SyncCheck.OFF),
        (found(None, Kind.UNMEASURABLE), SyncCheck.UNMEASURABLE),
        (Refusal.of("media.no_picture", path="x"), SyncCheck.UNMEASURABLE),
    ],
)
def test_only_a_sure_constant_offset_is_corrected(
    spec: RenderSpec, finds: Callable[..., None], result: Measurement | Refusal, check: SyncCheck
) -> None:
    finds(result)
    assert checked(spec).check is check


def test_correcting_can_be_switched_off(spec: RenderSpec, finds: Callable[..., None]) -> None:
    finds(found(80.0))
    report = checked(replace(spec, correct_bias=False))
    assert report.check is SyncCheck.OFF


# --- calibration ---------------------------------------------------------------------------------------------------


def test_what_was_corrected_is_offered_next_time(spec: RenderSpec, finds: Callable[..., None]) -> None:
    finds(found(-45.0), found(1.0, Kind.IN_SYNC))
    checked(spec)
    [profile] = profiles()
    assert (profile.engine, profile.audio_offset_ms, profile.fps) == ("grey", -45.0, "25")
    told = run(estimate(replace(spec, overwrite=True)))
    assert not isinstance(told, Refusal)
    assert [note.key for note in told.notes] == ["generation.note.profile"]
    assert "前移 45" in told.notes[0].text("zh_CN")
    other = run(estimate(replace(spec, parameters={"gain": 2.0}, overwrite=True)))
    assert not isinstance(other, Refusal)
    assert other.notes == ()
    forget(profile)
    assert profiles() == ()


def test_offsets_that_were_made_up_for_are_counted(tmp_path: Path) -> None:
    spec = RenderSpec(Path("f"), Path("v"), Path("c.mp4"), engine="grey", audio_offset_ms=40.0)
    capabilities = GreyEngine().capabilities()
    plan = make_plan(spec, fps=Fraction(25), size=(64, 64), frame_count=50, voice_samples=32_000)
    remember(spec, capabilities, plan, host(tmp_path), found(5.0))
    remember(spec, capabilities, plan, host(tmp_path), found(7.0))
    [profile] = profiles()
    assert profile.offset_ms == 47.0
    assert offered(spec, capabilities) is None
    assert offered(replace(spec, audio_offset_ms=0.0), capabilities) == profile
    assert remember(spec, capabilities, plan, host(tmp_path), found(None, Kind.UNMEASURABLE)) is None


def test_damaged_profiles_are_no_profiles() -> None:
    profiles_path().parent.mkdir(parents=True)
    for text in ("", "{}", '[{"engine": 1}]', "[3]"):
        profiles_path().write_text(text, encoding="utf-8")
        assert profiles() == ()


def test_calibrating_renders_measures_and_remembers(
    grey: GreyEngine, finds: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate_module, "SECONDS", Fraction(2))
    finds(found(-30.0))
    profile = run(calibrate("grey", {"gain": 2.0}))
    assert isinstance(profile, CalibrationProfile)
    assert profile.offset_ms == -30.0
    assert len(grey.drawn) >= 2 * 25
    finds(found(None, Kind.UNMEASURABLE))
    refused = run(calibrate("grey"))
    assert isinstance(refused, Refusal)
    assert refused.code == "generation.calibration_unmeasurable"
    assert isinstance(run(calibrate("nobody")), Refusal)


class Puppet(GreyEngine):
    """Draws the sample person saying what the voice says, its mouth later or earlier than that."""

    def __init__(self, plan: SamplePlan, late_ms: float) -> None:
        super().__init__()
        self._scene = plan.scene()
        self._late = Fraction(round(late_ms), 1000)

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """Yield the pictures of a segment."""
        assert self._job is not None
        for frame in range(segment.first_frame, segment.stop_frame):
            yield self._scene.frame(max(0.0, float(frame / self._job.plan.fps - self._late)))


@pytest.mark.slow
@pytest.mark.parametrize("late_ms", [100, -70])
def test_an_engine_with_an_offset_is_found_out(offer: Callable[..., None], late_ms: int, tmp_path: Path) -> None:
    """The whole way with the real detector, whose own error on so much speech is within 15 ms."""
    said = plan_sample_clip(size=(480, 480), seconds=16, text=calibrate_module.calibration_text())
    offer(grey=lambda: Puppet(said, late_ms))
    spec = make_spec(tmp_path, segment_seconds="5", verify=True, size=[480, 480])
    calibrate_module.write_voice(said.speech, spec.voice)
    report = run(render(spec))
    assert isinstance(report, RenderReport)
    assert report.check is SyncCheck.CORRECTED, report.verdict
    # A mouth that is late has a sound that is early, which is moved later.
    assert report.shift_ms == pytest.approx(late_ms, abs=15)
    [profile] = profiles()
    assert profile.audio_offset_ms == pytest.approx(-late_ms, abs=15)


def test_hosts_without_cards_name_the_processor(tmp_path: Path) -> None:
    here: Host = replace(host(tmp_path), gpus=())
    spec = RenderSpec(Path("f"), Path("v"), Path("c.mp4"), engine="grey")
    plan = make_plan(spec, fps=Fraction(25), size=(64, 64), frame_count=50, voice_samples=32_000)
    profile = remember(spec, GreyEngine().capabilities(), plan, here, found(30.0))
    assert profile is not None
    assert profile.device
    assert profile.driver

"""What fixing decides: when it refuses, what it asks of an export, and what it says about the copy."""

from __future__ import annotations

import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import fix as fixing
from engine import verbs
from engine.fix import SURE_ENOUGH, fix
from engine.fix_report import FixReport
from engine.jobs import Job, Progress, run
from engine.media.export.report import Mode
from engine.refusal import Refusal
from engine.sound.prepared import Prepared
from engine.sync.correction import correction_for
from engine.sync.result import Kind, Measurement, Reason, Step
from engine.sync.verdict import verdict
from engine.timing import Correction, DriftCorrection, Offset, StepCorrection
from tests.engine.conftest import CLIP_OFFSET_MS
from tests.media import Clip, beep_times, flash_times, make_clip


def measurement(kind: Kind, offset_ms: float | None, **more: Any) -> Measurement:
    offset = None if offset_ms is None else Offset(offset_ms, 5)
    said = verdict(
        kind, offset, drift_ppm=more.get("drift_ppm"), steps=len(more.get("steps", ())), reason=more.get("reason")
    )
    return Measurement("clip", kind, said, offset_ms, 5.0, more.pop("confidence", 0.99), **more)


Pretend = Callable[..., list[Path]]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Return a function that makes measuring give the answers named, in turn; it returns what was measured."""

    def install(*answers: Measurement | Refusal) -> list[Path]:
        measured: list[Path] = []
        left = iter(answers)

        def measure(path: str | Path, **_: object) -> Job[Measurement | Refusal]:
            measured.append(Path(path))
            yield Progress("looking", 0.5)
            return next(left)

        monkeypatch.setattr(fixing, "measure", measure)
        return measured

    return install


@pytest.fixture
def beeps(tmp_path: Path) -> Clip:
    """A clip in which flash and beep begin together."""
    return make_clip(tmp_path / "clip.mp4", seconds=4)


def fixed(job: Job[FixReport | Refusal]) -> FixReport:
    report = run(job)
    assert isinstance(report, FixReport), report
    return report


def shifts_ms(path: str | Path | None) -> list[float]:
    """How much later than its flash each beep of a clip is."""
    assert path is not None
    return [float(beep - flash) * 1000 for beep, flash in zip(beep_times(path), flash_times(path), strict=True)]


def test_a_real_late_clip_is_put_right(talking_clip: Path, tmp_path: Path) -> None:
    report = fixed(fix(talking_clip, tmp_path / "out.mp4"))
    assert report.before is not None
    assert report.after is not None
    assert report.before.offset_ms == pytest.approx(CLIP_OFFSET_MS, abs=25)  # accuracy has tests of its own
    assert report.after.kind is Kind.IN_SYNC
    assert report.export is not None
    assert report.export.mode is Mode.LOSSLESS
    assert report.export.got_ms == pytest.approx(-report.before.offset_ms, abs=0.05)  # two samples at 48 kHz


def test_a_constant_offset_is_shifted_losslessly(beeps: Clip, pretend: Pretend) -> None:
    measured = pretend(measurement(Kind.CONSTANT, 83.0), measurement(Kind.IN_SYNC, 0.4))
    report = fixed(fix(beeps.path))
    assert report.output == str(beeps.path.with_name("clip-insync.mp4"))
    assert measured == [beeps.path, Path(report.output)]
    assert report.correction == Correction(-83.0)
    assert shifts_ms(report.output) == pytest.approx([-83.0] * len(shifts_ms(report.output)), abs=0.05)
    assert "Corrected" in str(report.verdict)


def test_a_drift_is_stretched(beeps: Clip, pretend: Pretend) -> None:
    drifting = measurement(Kind.DRIFT, 20.0, drift_ppm=10_000.0, drift_offset_at_zero_ms=0.0)
    pretend(drifting, measurement(Kind.IN_SYNC, 0.0))
    report = fixed(fix(beeps.path))
    assert report.export is not None
    assert report.export.mode is Mode.STRETCH
    times = [float(flash) for flash in flash_times(beeps.path)]
    # 1 % faster sound: what belongs to video time t, and lay at 1.01 t, lies at t again; here it lay at t.
    assert shifts_ms(report.output) == pytest.approx([-1000 * time * 0.01 / 1.01 for time in times], abs=2)


def test_jumps_are_corrected_piece_by_piece(tmp_path: Path, pretend: Pretend) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=6)
    jumping = measurement(Kind.STEPS, 60.0, steps=(Step(0.0, 60.0), Step(3.0, -40.0)))
    pretend(jumping, measurement(Kind.IN_SYNC, 0.0))
    report = fixed(fix(clip.path))
    assert report.export is not None
    assert report.export.mode is Mode.PIECEWISE
    moved = shifts_ms(report.output)
    assert moved[0] == pytest.approx(-60, abs=1)
    assert moved[-1] == pytest.approx(40, abs=1)


def test_what_is_left_is_said(beeps: Clip, pretend: Pretend) -> None:
    pretend(measurement(Kind.CONSTANT, 83.0), measurement(Kind.CONSTANT, 30.0))
    report = fixed(fix(beeps.path))
    assert "something is left" in str(report.verdict)
    assert report.to_json()["left_ms"] == 30.0


def test_nothing_is_written_for_a_clip_in_sync(beeps: Clip, pretend: Pretend) -> None:
    pretend(measurement(Kind.IN_SYNC, 3.0))
    report = fixed(fix(beeps.path))
    assert report.output is None
    assert list(beeps.path.parent.iterdir()) == [beeps.path]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (measurement(Kind.UNMEASURABLE, None, reason=Reason.NO_FACE), "fix.unmeasurable"),
        (measurement(Kind.CONSTANT, 83.0, confidence=SURE_ENOUGH - 0.01), "fix.uncertain"),
        (measurement(Kind.JITTER, 20.0), "fix.jitter"),
        (Refusal.of("media.not_media", path="clip"), "media.not_media"),
    ],
)
def test_refuses_what_is_not_known_well_enough(
    beeps: Clip, pretend: Pretend, answer: Measurement | Refusal, code: str
) -> None:
    pretend(answer)
    refusal = run(fix(beeps.path))
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert list(beeps.path.parent.iterdir()) == [beeps.path]


def test_an_uncertain_result_says_what_to_type(beeps: Clip, pretend: Pretend) -> None:
    pretend(measurement(Kind.CONSTANT, 83.0, confidence=0.6))
    assert "--correction-ms -83" in str(run(fix(beeps.path)))


def test_a_correction_by_hand_measures_nothing(beeps: Clip, pretend: Pretend) -> None:
    measured = pretend()
    report = fixed(fix(beeps.path, correction=Correction(40.0)))
    assert measured == []
    assert shifts_ms(report.output) == pytest.approx([40.0] * len(shifts_ms(report.output)), abs=0.05)


def test_a_mode_that_does_not_suit_is_refused(beeps: Clip, pretend: Pretend) -> None:
    pretend(measurement(Kind.DRIFT, 20.0, drift_ppm=10_000.0, drift_offset_at_zero_ms=0.0))
    refusal = run(fix(beeps.path, mode=Mode.LOSSLESS))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "export.needs_stretch"


def test_a_target_that_exists_is_refused_before_the_long_work(beeps: Clip, pretend: Pretend) -> None:
    measured = pretend(measurement(Kind.CONSTANT, 83.0))
    target = beeps.path.with_name("mine.mp4")
    target.write_text("mine")
    refusal = run(fix(beeps.path, target))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "export.exists"
    assert measured == []


def test_the_sound_of_another_recording(beeps: Clip, pretend: Pretend, tmp_path: Path) -> None:
    other = make_clip(tmp_path / "recorder.wav", codec=None, audio_codec="pcm_s16le", seconds=4, offset_ms=100)
    pretend(measurement(Kind.CONSTANT, 100.0), measurement(Kind.IN_SYNC, 0.0))
    report = fixed(fix(beeps.path, audio=other.path))
    assert shifts_ms(report.output) == pytest.approx([0.0] * len(shifts_ms(report.output)), abs=0.1)


def test_another_recording_replaces_the_sound_even_when_in_sync(beeps: Clip, pretend: Pretend, tmp_path: Path) -> None:
    other = make_clip(tmp_path / "recorder.wav", codec=None, audio_codec="pcm_s16le", seconds=4)
    pretend(measurement(Kind.IN_SYNC, 0.0), measurement(Kind.IN_SYNC, 0.0))
    assert fixed(fix(beeps.path, audio=other.path)).output is not None


def test_stopping_leaves_nothing_behind(beeps: Clip) -> None:
    job = fix(beeps.path, correction=Correction(40.0), mode=Mode.COMPATIBLE)
    for _ in range(3):
        next(job)
    job.close()
    assert list(beeps.path.parent.iterdir()) == [beeps.path]


@given(st.floats(-2000, 2000), st.floats(-90_000, 90_000), st.floats(0, 7200))
def test_a_drift_correction_undoes_the_drift(at_zero: float, ppm: float, video_time: float) -> None:
    drifting = measurement(Kind.DRIFT, at_zero, drift_ppm=ppm, drift_offset_at_zero_ms=at_zero)
    correction = correction_for(drifting)
    assert isinstance(correction, DriftCorrection)
    offset_ms = at_zero + ppm * video_time / 1000
    sound_time = video_time + offset_ms / 1000
    assert sound_time + correction.at(sound_time) / 1000 == pytest.approx(video_time, abs=1e-6)


def test_steps_are_corrected_on_the_clock_of_the_sound() -> None:
    jumping = measurement(Kind.STEPS, 0.0, steps=(Step(0.0, 0.0), Step(10.0, 400.0), Step(20.0, -200.0)))
    assert correction_for(jumping) == StepCorrection(
        ((Fraction(0), 0.0), (Fraction(102, 10), -400.0), (Fraction(201, 10), 200.0))
    )


@pytest.mark.parametrize("kind", [Kind.JITTER, Kind.UNMEASURABLE])
def test_what_no_shift_corrects_has_no_correction(kind: Kind) -> None:
    with pytest.raises(ValueError, match="no correction"):
        correction_for(measurement(kind, None if kind is Kind.UNMEASURABLE else 3.0))


def two_recorders(tmp_path: Path, talking_clip: Path, late_ms: float) -> tuple[Path, Path]:
    """Return a clip with its camera's sound, and a second recording of it that began ``late_ms`` before the camera."""
    prepared = verbs.prepare(talking_clip, tmp_path / "voice.wav", trim=False)
    assert isinstance(prepared, Prepared), prepared
    with wave.open(str(prepared.path), "rb") as voice:
        samples = np.frombuffer(voice.readframes(voice.getnframes()), np.int16)
    recorder = tmp_path / "recorder.wav"
    with wave.open(str(recorder), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        lead = round(late_ms * 16) + round(prepared.source_start * 16_000)
        file.writeframes(np.concatenate([np.zeros(lead, np.int16), samples]).tobytes())
    return talking_clip, recorder


def test_a_second_recording_is_aligned_and_then_held_against_the_lips(talking_clip: Path, tmp_path: Path) -> None:
    clip, recorder = two_recorders(tmp_path, talking_clip, late_ms=2345)
    report = fixed(fix(clip, tmp_path / "out.mp4", audio=recorder))
    assert report.alignment is not None
    assert report.alignment.offset_ms == pytest.approx(2345, abs=2)
    assert report.before is not None
    assert report.before.offset_ms is not None
    assert isinstance(report.correction, Correction)
    assert report.correction.ms == pytest.approx(-2345 - report.before.offset_ms, abs=2)
    assert report.after is not None
    assert report.after.kind is Kind.IN_SYNC


def test_a_second_recording_of_something_else_is_not_put_anywhere(talking_clip: Path, tmp_path: Path) -> None:
    other = make_clip(tmp_path / "other.wav", codec=None, audio_codec="pcm_s16le", seconds=8)
    refusal = run(fix(talking_clip, tmp_path / "out.mp4", audio=other.path))
    assert isinstance(refusal, Refusal)
    assert refusal.code in {"fix.unmeasurable", "fix.uncertain"}
    assert not (tmp_path / "out.mp4").exists()

"""What the program puts right by itself: a copy in which the finding is gone and nothing has moved."""

from __future__ import annotations

import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.jobs import run
from engine.media.export.job import export
from engine.media.export.report import ExportReport, Mode
from engine.media.export.treatment import Treatment
from engine.media.samples import SampleBlock
from engine.refusal import Refusal
from engine.sound.cures import Copy, Move, Relabel, cure_for, treatment_for
from engine.sound.doctor import diagnose
from engine.sound.finding import Diagnosis, Finding, Severity
from engine.sound.relabel import relabel
from engine.timing import Correction
from tests.engine.media.export.measuring import moved_ms
from tests.engine.sound.recordings import read, write
from tests.media import Clip

MakeClip = Callable[..., Clip]
RATE = 48_000


def treated(treatment: Treatment, samples: np.ndarray, size: int = 1000) -> np.ndarray:
    blocks = (
        SampleBlock(Fraction(first, RATE), RATE, samples[first : first + size])
        for first in range(0, len(samples), size)
    )
    return np.concatenate([block.data for block in treatment.apply(blocks)])


def diagnosis(path: Path) -> Diagnosis:
    found = run(diagnose(path))
    assert isinstance(found, Diagnosis)
    return found


def tone(seconds: float = 2.0, level: float = 0.1) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * 440 * time)[:, None] * [1.0, 0.5]).astype(np.float32)


def test_gain_is_exact_and_nothing_else_changes() -> None:
    samples = tone()
    np.testing.assert_allclose(treated(Treatment(gain_db=20.0), samples), samples * 10, rtol=1e-6)
    np.testing.assert_array_equal(treated(Treatment(), samples), samples)


def test_one_channel_alone_is_heard_on_both() -> None:
    out = treated(Treatment(channel=1), tone())
    np.testing.assert_array_equal(out[:, 0], tone()[:, 1])
    np.testing.assert_array_equal(out[:, 1], tone()[:, 1])


def test_a_constant_goes_without_a_thump_and_the_sound_stays_where_it_is() -> None:
    samples = tone() + np.float32([0.2, -0.1])
    out = treated(Treatment(removes_constant=True), samples, RATE)
    # A filter of 7.6 Hz changes a tone of 440 Hz and level 0.1 by 0.0017, at its beginning by as much again.
    np.testing.assert_allclose(out, tone(), atol=0.0036)
    assert np.abs(out.mean(axis=0)).max() < 1e-4


def test_treatments_join_to_one() -> None:
    joined = Treatment(gain_db=6.0).joined(Treatment(removes_constant=True)).joined(Treatment(-2.0, channel=1))
    assert joined == Treatment(-2.0, True, 1)


def test_a_quiet_clip_with_a_constant_and_a_dead_channel_is_put_right(tmp_path: Path, clip: MakeClip) -> None:
    chance = np.random.default_rng(2)
    voice = 0.004 * chance.normal(0, 1, 10 * RATE)
    sound = write(
        tmp_path / "voice.wav", np.stack([voice + 0.03, np.zeros_like(voice)], axis=1).astype(np.float32), RATE
    )
    found = diagnosis(sound)
    codes = {finding.code for finding in found.findings}
    assert {"too_quiet", "dead_channel", "dc_offset"} <= codes
    treatment = treatment_for(found)
    assert treatment is not None
    assert treatment.channel == 0
    assert treatment.removes_constant
    picture = clip("silent.mov", seconds=10, audio_codec="pcm_s16le")
    target = tmp_path / "fixed.mov"
    report = run(export(picture.path, target, Correction(0.0), Mode.COMPATIBLE, audio=sound, treatment=treatment))
    assert isinstance(report, ExportReport)
    after = diagnosis(target)
    assert not {finding.code for finding in after.findings} & {"too_quiet", "dead_channel", "dc_offset"}
    assert report.error_ms is None or abs(report.error_ms) < 0.1


def test_a_treated_copy_moves_as_asked(tmp_path: Path, clip: MakeClip) -> None:
    source = clip("source.mp4")
    target = tmp_path / "louder.mp4"
    run(export(source.path, target, Correction(40.0), Mode.COMPATIBLE, treatment=Treatment(-6.0, True)))
    assert moved_ms(source.path, target) == pytest.approx(40.0, abs=0.2)
    with pytest.raises(ValueError, match="copied"):
        run(export(source.path, tmp_path / "no.mp4", Correction(0.0), Mode.LOSSLESS, treatment=Treatment(1.0)))


@pytest.mark.parametrize("channels", [1, 2])
def test_relabelled_sound_has_the_same_samples_at_another_rate(tmp_path: Path, channels: int) -> None:
    samples = np.random.default_rng(3).uniform(-1, 1, (RATE, channels)).astype(np.float32)
    samples = (np.round(samples * 32767) / 32768).astype(np.float32)
    source = write(tmp_path / "voice.wav", samples if channels > 1 else samples[:, 0], RATE, subtype="PCM_16")
    made = run(relabel(source, 44_100))
    assert isinstance(made, Path)
    assert made.name == "voice-44100.wav"
    back, rate = read(made)
    assert rate == 44_100
    np.testing.assert_array_equal(back.reshape(RATE, channels), samples)
    again = run(relabel(source, 44_100))
    assert isinstance(again, Path)
    assert again.name == "voice-44100-2.wav"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["voice-44100-2.wav", "voice-44100.wav", "voice.wav"]


def test_a_relabelling_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    source = write(tmp_path / "voice.wav", np.zeros(10 * RATE, np.float32), RATE)
    job = relabel(source, 44_100)
    next(job)
    job.close()
    assert [path.name for path in tmp_path.iterdir()] == ["voice.wav"]
    assert isinstance(run(relabel(tmp_path / "gone.wav", 44_100)), Refusal)


@pytest.mark.parametrize(
    ("finding", "cure"),
    [
        (Finding.of("encoder_padding", Severity.WARNING, value=21.33, ms=21.33), Move(-21.3)),
        (Finding.of("too_slow_rate", Severity.PROBLEM, value=0.5, true_rate=48_000), Relabel(48_000)),
        (Finding.of("too_slow", Severity.PROBLEM, value=0.5), None),
        (Finding.of("out_of_phase", Severity.WARNING, value=2.0, channel=2), Copy(Treatment(channel=1))),
        (Finding.of("dead_channel", Severity.NOTE, value=1.0, channel=1), Copy(Treatment(channel=1))),
        (Finding.of("hidden_priming", Severity.NOTE, ms=21.0), Copy(Treatment())),
        (Finding.of("sound_starts_late", Severity.NOTE, value=80.0, ms=80.0), Copy(Treatment())),
        (Finding.of("too_quiet", Severity.WARNING, value=-50.0, lufs=-50.0), Copy(Treatment(gain_db=27.0))),
        (Finding.of("over_full_scale", Severity.NOTE, value=2.0, db=2.0), Copy(Treatment(gain_db=29.0))),
        (Finding.of("clipping", Severity.WARNING, value=3.0, count=3), None),
        (Finding.of("variable_frame_rate", Severity.NOTE, value=25.0, rate=25.0), None),
        (Finding.of("leading_silence", Severity.NOTE, value=2.0, seconds=2.0), None),
    ],
)
def test_each_finding_has_its_cure(finding: Finding, cure: object) -> None:
    found = Diagnosis(
        Path("a.mp4"), (finding,), Fraction(1), 24_000, 2, {"loudness_lufs": -50.0, "true_peak_dbtp": -30.0}
    )
    assert cure_for(finding, found) == cure


def test_what_is_written_is_wave(tmp_path: Path) -> None:
    source = write(tmp_path / "voice.wav", np.zeros(100, np.float32), 8000)
    made = run(relabel(source, 16_000))
    assert isinstance(made, Path)
    with wave.open(str(made)) as wav:
        assert (wav.getframerate(), wav.getsampwidth(), wav.getnframes()) == (16_000, 3, 100)

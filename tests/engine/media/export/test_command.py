"""The ffmpeg command of a report works, and does the same."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import pytest

from engine.media.export.report import ExportReport, Mode
from engine.timing import DriftCorrection, StepCorrection
from tests.engine.media.export.measuring import beeps_at, exported, moved_ms, offsets_ms
from tests.media import Clip

MakeClip = Callable[..., Clip]


def executed(report: ExportReport) -> Path:
    """Run the command of a report in place of the export; return what it wrote."""
    report.target.unlink()
    name, *arguments = report.command
    assert name == "ffmpeg"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-nostdin", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return report.target


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
@pytest.mark.parametrize("mode", [Mode.LOSSLESS, Mode.COMPATIBLE])
@pytest.mark.parametrize("shift", [40, -83])
def test_command_moves_the_sound_alike(suffix: str, mode: Mode, shift: int, clip: MakeClip, tmp_path: Path) -> None:
    source = clip(f"source.{suffix}", audio_languages=("deu", "eng"))
    report = exported(source, tmp_path / f"target.{suffix}", shift, mode, verify=False)
    target = executed(report)
    # ffmpeg's own Matroska counts in milliseconds, and its AAC in MP4 begins with a rounded delay.
    tolerance = 0.7 if suffix == "mkv" else 0.05
    assert [moved_ms(source, target, stream) for stream in (0, 1)] == pytest.approx([shift, shift], abs=tolerance)


@pytest.mark.parametrize(("name", "target_name"), [("-dash.mp4", "-out.mp4"), ("a: b's “c”.mp4", "中 文.mp4")])
def test_command_holds_any_name(
    name: str, target_name: str, clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(clip("source.mp4").path.read_bytes())
    report = exported(Path(name), Path(target_name), 40, verify=False)
    assert moved_ms(tmp_path / name, executed(report)) == pytest.approx(40, abs=0.05)


def test_command_replaces_the_sound(clip: MakeClip, tmp_path: Path) -> None:
    source, sound = clip("source.mp4", offset_ms=200), clip("sound.m4a", codec=None)
    for mode in (Mode.LOSSLESS, Mode.COMPATIBLE):
        report = exported(source, tmp_path / f"{mode}.mp4", 40, mode, audio=sound.path, verify=False)
        assert offsets_ms(executed(report)) == pytest.approx([40] * 4, abs=0.05)


def test_command_stretches(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("long.mp4", seconds=12, noise=0.02)
    for ppm in (500, -3000):
        report = exported(source, tmp_path / f"{ppm}.mp4", DriftCorrection(30, ppm), Mode.STRETCH, verify=False)
        drift = DriftCorrection(30, ppm)
        expected = [float(beep) + drift.at(float(beep)) / 1000 for beep in beeps_at(source)]
        # ffmpeg's own stretching places a moment to some ten milliseconds.
        for beep in beeps_at(executed(report)):
            assert min(abs(float(beep) - time) for time in expected) < 0.04


def test_command_moves_pieces(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("long.mp4", seconds=12, noise=0.02)
    steps = StepCorrection(((Fraction(0), -40.0), (Fraction(4), 120.0), (Fraction(8), -60.0)))
    report = exported(source, tmp_path / "target.mp4", steps, Mode.PIECEWISE, verify=False)
    found = beeps_at(executed(report))
    for old in beeps_at(source):
        moved = float(old) + steps.at(float(old)) / 1000
        assert min(abs(float(new) - moved) for new in found) < 0.0001

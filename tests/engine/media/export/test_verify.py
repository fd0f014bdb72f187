"""The check after an export finds what is wrong, and nothing that is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import pytest

from engine.media.export import isobmff, job, matroska, verify
from engine.media.export.report import Check, Mode
from engine.media.export.verify import Comparison, compare
from engine.timing import DriftCorrection, StepCorrection
from tests.engine.media.export.measuring import exported
from tests.media import Clip

MakeClip = Callable[..., Clip]
# Perceptual noise substitution would decode to other noise each time.
NOISY = {"noise": 0.05, "audio_codec_options": {"aac_pns": "0"}}


def compared(source: Path, target: Path, asked_ms: float, **more: object) -> list[Check]:
    """Compare two files of four seconds."""
    return list(
        compare(
            Comparison(
                source=source,
                sound=source,
                stream=1,
                target=target,
                start=Fraction(0),
                stop=Fraction(4),
                asked=lambda _: Fraction(asked_ms) / 1000,
                **more,  # type: ignore[arg-type]
            )
        )
    )


@pytest.mark.parametrize("error_ms", [3, -3, 0.5, 120, -900])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_target_that_is_off_is_caught(
    suffix: str, error_ms: float, clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rewriter is sabotaged: it moves the sound by more than it was told."""
    rewriter = isobmff if suffix == "mp4" else matroska
    honest = rewriter.shift_sound

    def sabotaged(
        source: object, target: object, shift: Fraction, *rest: object, **options: object
    ) -> Iterator[object]:
        yield from honest(source, target, shift + Fraction(error_ms) / 1000, *rest, **options)  # type: ignore[arg-type]

    source = clip(f"noisy.{suffix}", **NOISY)
    assert exported(source, tmp_path / f"right.{suffix}", 40).error_ms == pytest.approx(0, abs=0.021)
    monkeypatch.setattr(rewriter, "shift_sound", sabotaged)
    report = exported(source, tmp_path / f"wrong.{suffix}", 40)
    assert report.error_ms == pytest.approx(error_ms, abs=0.021)
    assert report.got_ms == pytest.approx(40 + error_ms, abs=0.021)
    assert any(note.key == "export.note.missed" for note in report.notes) == (abs(error_ms) > 1)


def test_a_moved_picture_is_caught(clip: MakeClip) -> None:
    """Sound and picture both start where they did, but the picture's clock is 40 ms on."""
    source = clip("noisy.mp4", **NOISY)
    late = clip("late.mp4", **NOISY, picture_start_ms=40, sound_start_ms=40)
    later_picture = clip("picture.mp4", **NOISY, picture_start_ms=40, offset_ms=-40)
    assert [check.error_ms for check in compared(source.path, late.path, 0)] == pytest.approx([0] * 3, abs=0.021)
    checks = compared(source.path, later_picture.path, 0)
    assert checks
    assert [check.error_ms for check in checks] == pytest.approx([-40] * len(checks), abs=0.021)


def test_another_picture_or_silence_is_not_measured(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("noisy.mp4", **NOISY)
    other = clip("other.mp4", **NOISY, size=(160, 90))
    assert compared(source.path, other.path, 0) == []
    silent = clip("silent.mp4", offset_ms=60_000)
    report = exported(silent, tmp_path / "target.mp4", 40)
    assert (report.got_ms, report.error_ms) == (None, None)
    assert "export.note.not_measured" in [note.key for note in report.notes]


def test_wrong_drift_and_wrong_steps_are_caught(
    clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = clip("noisy12.mp4", **NOISY, seconds=12)
    asked = DriftCorrection(0, 500)
    honest = exported(source, tmp_path / "drift.mp4", asked, Mode.STRETCH)
    assert honest.error_ms == pytest.approx(0, abs=0.05)
    checks = list(
        compare(
            Comparison(
                source=source.path,
                sound=source.path,
                stream=1,
                target=tmp_path / "drift.mp4",
                start=Fraction(0),
                stop=Fraction(12),
                asked=lambda time: time * Fraction(900, 1_000_000),
                factor=Fraction(1_000_900, 1_000_000),
                likeness=verify.STRETCHED,
            )
        )
    )
    # 400 ppm too much: 0.4 ms more with every second, read off up to half a window (0.75 s) away from its middle.
    assert len(checks) >= 3
    assert [check.error_ms for check in checks] == pytest.approx([-0.4 * check.t for check in checks], abs=0.3)
    steps = StepCorrection(((Fraction(0), 0.0), (Fraction(6), 50.0)))
    monkeypatch.setattr(StepCorrection, "at", lambda _, seconds: 0.0 if seconds < 6 else 80.0)
    report = exported(source, tmp_path / "steps.mp4", steps, Mode.PIECEWISE)
    assert report.error_ms == pytest.approx(-30, abs=0.05)


def test_checks_are_spread_over_the_clip(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("noisy12.mp4", **NOISY, seconds=12)
    report = exported(source, tmp_path / "target.mp4", -83)
    times = [check.t for check in report.checks]
    assert times[0] < 2
    assert times[-1] > 10
    assert len(times) == 4


def test_checking_can_be_left_out(clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: Comparison) -> Iterator[Check]:
        raise AssertionError("compared all the same")

    monkeypatch.setattr(job, "compare", never)
    report = exported(clip("source.mp4"), tmp_path / "target.mp4", 40, verify=False)
    assert (report.got_ms, report.checks) == (None, ())
    assert verify.compare is not never


def damaged(path: Path, source: Path, what: str) -> None:
    """Copy a file with the name of its picture's track in no known letters, or with its second picture in pieces."""
    data = bytearray(source.read_bytes())
    if what == "name":
        place = data.index(b"VideoHandler")
        data[place + 10] = 0xE5
    else:
        with av.open(str(source)) as container:
            _, packet = islice(container.demux(video=0), 2)
        data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(data)


@pytest.mark.parametrize("what", ["name", "packet"])
def test_a_damaged_copy_is_compared_as_far_as_it_goes(what: str, clip: MakeClip, tmp_path: Path) -> None:
    source, target = tmp_path / "source.mp4", tmp_path / "target.mp4"
    damaged(source, clip("noisy.mp4", **NOISY).path, what)
    report = exported(source, target, 40, Mode.COMPATIBLE)
    assert report.error_ms == pytest.approx(0, abs=0.05)  # two samples at 48 kHz
    verify.moved_without_edit_lists(target, 1)

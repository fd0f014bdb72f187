"""Pictures of measurements: complete, legible in every language, and written whole or not at all."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import plot_style
from engine.jobs import run
from engine.plot import draw, draw_before_after, draw_report
from engine.plot_style import Lettering
from engine.refusal import Refusal
from engine.sync.correction import correction_for
from engine.sync.result import Kind, LagCurve, Measurement, MouthTrace, OffsetPoint, PlosivePair, Reason, Step
from engine.sync.verdict import verdict
from engine.timing import Correction, DriftCorrection, Offset
from engine.words import use_language
from tests.media import make_clip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("sound") / "talk & listen.mp4", seconds=8).path


def measurement(file: Path, kind: Kind, offset_ms: float = 80.0, **more: Any) -> Measurement:
    lags = np.arange(-1500, 1501, 10, dtype=np.float32)
    times = np.arange(0, 8, 0.04)
    opening = (0.2 + 0.2 * np.sin(9 * times)).astype(np.float32)
    opening[40:60] = np.nan
    said = verdict(kind, Offset(offset_ms, 6), drift_ppm=more.get("drift_ppm"), steps=2)
    return Measurement(
        str(file), kind, said, offset_ms, 6.0, 0.98,
        points=tuple(OffsetPoint(t, offset_ms, 0.9, 8.0, 5.0) for t in (1.0, 3.0, 5.0)),
        curves=tuple(LagCurve(t, lags, -np.abs(lags - offset_ms) / 50) for t in (1.0, 3.0)),
        plosives=(PlosivePair(2.0, 2.08), PlosivePair(2.5, 2.58), PlosivePair(7.9, 7.98)),
        mouth=MouthTrace(times, opening), faces=1, seconds_analysed=8.0, container_delay_ms=21.3, **more,
    )  # fmt: skip


def pixels(path: Path) -> np.ndarray:
    from matplotlib.image import imread

    return (np.asarray(imread(path))[..., :3] * 255).round().astype(np.uint8)


def has_colour(image: np.ndarray, colour: str) -> bool:
    wanted = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)])
    return bool((np.abs(image.astype(int) - wanted) <= 2).all(axis=-1).sum() > 100)


KINDS = [
    (Kind.IN_SYNC, {"offset_ms": 2.0}),
    (Kind.CONSTANT, {}),
    (Kind.CONSTANT, {"offset_ms": -1400.0}),
    (Kind.DRIFT, {"drift_ppm": 900.0, "drift_offset_at_zero_ms": 76.0}),
    (Kind.STEPS, {"steps": (Step(0.0, 80.0), Step(4.0, -40.0))}),
    (Kind.JITTER, {}),
]


@pytest.mark.parametrize(("kind", "more"), KINDS)
def test_every_kind_can_be_drawn(sound: Path, tmp_path: Path, kind: Kind, more: dict[str, Any]) -> None:
    target = run(draw(measurement(sound, kind, **more), tmp_path / "p.png"))
    assert target == tmp_path / "p.png"
    image = pixels(tmp_path / "p.png")
    assert image.shape[:2] == (1520, 2400)
    for colour in (plot_style.MOUTH, plot_style.SOUND, plot_style.KIND_COLOURS[kind]):
        assert has_colour(image, colour)
    # A margin of ground colour all around: nothing runs out of the picture.
    edges = [image[:12], image[-12:], image[:, :12], image[:, -12:]]
    assert all((edge == image[0, 0]).all() for edge in edges)
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]


def test_an_unmeasurable_clip_can_be_drawn(sound: Path, tmp_path: Path) -> None:
    nothing = Measurement(
        str(sound), Kind.UNMEASURABLE, verdict(Kind.UNMEASURABLE, None, reason=Reason.NO_FACE), reason=Reason.NO_FACE
    )
    assert run(draw(nothing, tmp_path / "p.png")) == tmp_path / "p.png"
    assert has_colour(pixels(tmp_path / "p.png"), plot_style.SOUND)


def test_a_clip_without_sound_can_be_drawn(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "a.mp4", audio_codec=None, seconds=2).path
    nothing = Measurement(
        str(silent), Kind.UNMEASURABLE, verdict(Kind.UNMEASURABLE, None, reason=Reason.NO_SOUND), reason=Reason.NO_SOUND
    )
    assert run(draw(nothing, tmp_path / "p.png")) == tmp_path / "p.png"


def test_before_and_after(sound: Path, tmp_path: Path) -> None:
    before, after = measurement(sound, Kind.CONSTANT), measurement(sound, Kind.IN_SYNC, 1.0)
    assert run(draw_before_after(before, after, tmp_path / "p.png")) == tmp_path / "p.png"
    image = pixels(tmp_path / "p.png")
    assert has_colour(image, plot_style.GOOD)
    assert has_colour(image, plot_style.BAD)


def test_a_report_shows_what_is_planned_until_there_is_a_copy(sound: Path, tmp_path: Path) -> None:
    before, after = measurement(sound, Kind.CONSTANT), measurement(sound, Kind.IN_SYNC, 0.0)
    planned, copied, alone = (tmp_path / f"{name}.png" for name in ("planned", "copied", "alone"))
    run(draw_report(before, planned, correction=Correction(-80.0)))
    run(draw_report(before, copied, correction=Correction(-80.0), after=after))
    run(draw_report(before, alone, correction=Correction(0.0)))
    assert has_colour(pixels(planned), plot_style.GOOD)
    # The plan is the sound of the picture above, moved: below, it differs from what is above.
    image = pixels(planned)
    assert (image[380:620] != image[800:1040]).any(axis=-1).mean() > 0.01
    assert planned.read_bytes() != copied.read_bytes()
    run(draw(before, tmp_path / "one.png"))
    assert (pixels(alone) == pixels(tmp_path / "one.png")).all()


def test_a_report_of_a_drift_is_written_as_pdf(sound: Path, tmp_path: Path) -> None:
    before = measurement(sound, Kind.DRIFT, drift_ppm=900.0, drift_offset_at_zero_ms=76.0)
    target = tmp_path / "report.PDF"
    assert run(draw_report(before, target, correction=DriftCorrection(-76.0, -900.0))) == target
    assert target.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(("kind", "more"), KINDS[3:5])
def test_a_plan_that_undoes_a_drift_or_jumps_ends_in_step(
    sound: Path, tmp_path: Path, kind: Kind, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = measurement(sound, kind, **more)
    drawn: list[str] = []
    real = Lettering.word
    monkeypatch.setattr(Lettering, "word", lambda *a, **v: (drawn.append(str(v.get("offset"))), real(*a, **v))[1])
    run(draw_report(before, tmp_path / "p.png", correction=correction_for(before)))
    assert "in step (±6 ms)" in drawn


def test_chinese_falls_back_to_english_without_a_font(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plot_style, "chinese_font", lambda: None)
    use_language("zh")
    assert Lettering("x").word("mouth") == "mouth"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every box it draws instead of a character
        run(draw(measurement(sound, Kind.CONSTANT), tmp_path / "p.png"))


def test_names_that_no_font_can_draw_are_told_apart_from_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot_style, "chinese_font", lambda: None)
    letters = Lettering("嘴唇.mp4")
    assert letters.file_name("folder/嘴唇.mp4") == "??.mp4"
    assert letters.file_name("a\nb.mp4") == "a\\nb.mp4"
    assert len(letters.file_name("n" * 300 + ".mp4")) <= 72


@pytest.mark.skipif(plot_style.chinese_font() is None, reason="no Chinese font is installed here")
def test_chinese_is_drawn_with_a_chinese_font(sound: Path, tmp_path: Path) -> None:
    use_language("zh")
    assert Lettering("x").word("mouth") == "嘴"
    run(draw(measurement(sound, Kind.CONSTANT), tmp_path / "p.png"))


def test_a_picture_that_cannot_be_written_is_refused(sound: Path, tmp_path: Path) -> None:
    refusal = run(draw(measurement(sound, Kind.CONSTANT), tmp_path / "none" / "p.png"))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "plot.unwritable"


def test_what_was_measured_is_never_drawn_over(sound: Path, tmp_path: Path) -> None:
    before = measurement(sound, Kind.CONSTANT)
    voice, copy = (make_clip(tmp_path / name, seconds=1).path for name in ("voice.mp4", "copy.mp4"))
    after = measurement(copy, Kind.IN_SYNC, 0.0)
    link = tmp_path / "link.png"
    link.symlink_to(sound)
    jobs = {
        sound: [draw(before, sound), draw_before_after(before, after, sound), draw_report(before, sound)],
        link: [draw_report(before, link, correction=Correction(-80.0))],
        voice: [draw(before, voice, audio=voice), draw_report(before, voice, after=after, audio=voice)],
        copy: [draw_before_after(before, after, copy)],
    }
    for target, drawn in jobs.items():
        content = target.read_bytes()
        for job in drawn:
            refusal = run(job)
            assert isinstance(refusal, Refusal)
            assert refusal.code == "export.same_file"
        assert target.read_bytes() == content


def test_an_old_picture_is_replaced_whole(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "p.png").write_text("old")
    job = draw(measurement(sound, Kind.CONSTANT), tmp_path / "p.png")
    next(job)
    job.close()
    assert (tmp_path / "p.png").read_text() == "old"
    run(draw(measurement(sound, Kind.CONSTANT), tmp_path / "p.png"))
    assert pixels(tmp_path / "p.png").size

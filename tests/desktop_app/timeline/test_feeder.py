"""The timeline filled from real files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from wave import open as open_wave

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop_app.document.corrections import moved
from desktop_app.document.document import Document
from desktop_app.timeline.feeder import Feeder
from desktop_app.timeline.file_sound import Detail, FileSound
from desktop_app.timeline.view import TimelineView
from engine.media.export.report import Mode
from engine.media.peaks import BIN_SAMPLES, PeakBlock, build_peaks
from engine.media.samples import read_samples
from engine.timing import Correction, StepCorrection
from tests.engine.media.export.measuring import exported
from tests.media import Clip

MakeClip = Callable[..., Clip]
RATE = 48_000


def hum(seconds: float) -> np.ndarray:
    return np.random.default_rng(5).uniform(-1, 1, round(seconds * RATE)).astype(np.float32)


def grown(values: np.ndarray, expected: float, block: int = 1000) -> FileSound:
    """Return the sound as it grows from extremes, ``block`` bins at a time."""
    sound = FileSound(expected)
    bins = values[: len(values) // BIN_SAMPLES * BIN_SAMPLES].reshape(-1, BIN_SAMPLES)
    extremes = np.stack([np.floor(bins.min(axis=1) * 32767), np.ceil(bins.max(axis=1) * 32767)], axis=1)
    for first in range(0, len(extremes), block):
        sound.add(PeakBlock(first, extremes[first : first + block].astype(np.int16), Fraction(1, 2), RATE))
    return sound


@pytest.mark.parametrize(("expected", "block"), [(60.0, 1000), (10.0, 777), (60.0, 5)])
def test_extremes_that_grow_are_those_of_the_sound(expected: float, block: int) -> None:
    values = hum(60)
    values[30 * RATE + 77] = 3.0
    sound = grown(np.clip(values, -1, 1), expected, block)
    assert sound.stop == pytest.approx(60.5, abs=0.01)
    for start, stop, columns in ((0.5, 60.5, 1000), (10.0, 40.0, 17), (30.4, 30.6, 10)):
        low, high = sound.window(start, stop, columns)
        assert np.all(low <= high)
        assert high.max() == pytest.approx(1.0, abs=1e-4)
    low, high = sound.window(30.45, 30.55, 3)
    assert np.argmax(high) == 1


def test_nothing_is_drawn_where_nothing_is_known() -> None:
    sound = grown(hum(10), 20.0)
    low, high = sound.window(0.0, 20.0, 200)
    known = np.isfinite(high)
    assert not known[:5].any()
    assert known[5:105].all()
    assert not known[106:].any()
    assert np.array_equal(known, np.isfinite(low))
    assert np.isnan(FileSound(5.0).window(0, 1, 4)[0]).all()


def test_samples_take_the_place_of_extremes_close_by() -> None:
    values = hum(10)
    sound = grown(values, 10.0)
    assert sound.samples(5.0, 5.1) is None
    assert sound.lacks_detail(5.0, 5.1)
    piece = values[4 * RATE : 6 * RATE]
    sound.set_detail(Detail(4.5, piece, piece, piece))
    assert not sound.lacks_detail(5.0, 5.1)
    assert sound.lacks_detail(6.0, 7.0)
    found = sound.samples(5.0, 5.1)
    assert found is not None
    assert found[0] == pytest.approx(5.0)
    assert np.array_equal(found[1], values[round(4.5 * RATE) : round(4.6 * RATE)])
    low, high = sound.window(5.0, 5.01, 48)
    tens = values[round(4.5 * RATE) : round(4.51 * RATE)].reshape(48, 10)
    assert np.all(low <= tens.min(axis=1))
    assert np.all(high >= tens.max(axis=1))


def test_beyond_the_ends_no_samples_are_missing() -> None:
    sound = grown(hum(10), 10.0)
    assert not sound.lacks_detail(-5.0, 0.4)
    assert not sound.lacks_detail(11.0, 12.0)


@pytest.fixture
def document() -> Document:
    return Document()


@pytest.fixture
def view(qtbot: QtBot, document: Document) -> TimelineView:
    view = TimelineView(document)
    qtbot.addWidget(view)
    view.resize(1200, 460)
    with qtbot.waitExposed(view):
        view.show()
    return view


@pytest.fixture
def feeder(document: Document, view: TimelineView) -> Iterator[Feeder]:
    feeder = Feeder(document, view)
    yield feeder
    feeder.close()


def test_a_clip_fills_the_lanes(
    feeder: Feeder, view: TimelineView, document: Document, clip: MakeClip, qtbot: QtBot
) -> None:
    made = clip("fill.mp4", seconds=12, size=(160, 90), channels=2)
    with qtbot.waitSignal(feeder._peaks.finished, timeout=20_000):
        document.open(made.path)
    sound = view._sound
    assert isinstance(sound, FileSound)
    assert sound.stop == pytest.approx(12, abs=0.05)
    _, high = sound.window(0, 12, 1200)
    for beep in made.beeps:
        column = int(float(beep) * 100)
        assert np.nanmax(high[column - 1 : column + 3]) > 0.3
    qtbot.waitUntil(lambda: not view._strip._stopgaps and len(view._strip.cache) > 5, timeout=20_000)
    view.set_span(float(made.beeps[0]) - 0.01, float(made.beeps[0]) + 0.01)
    qtbot.waitUntil(lambda: sound.samples(*view.span) is not None, timeout=20_000)
    view._canvas.grab()
    assert view._waves[0].drawn == "line"


def test_the_cached_waveform_is_the_same(
    feeder: Feeder, view: TimelineView, document: Document, clip: MakeClip, qtbot: QtBot
) -> None:
    made = clip("fill.mp4", seconds=12, size=(160, 90), channels=2)
    windows = []
    for _ in range(2):
        with qtbot.waitSignal(feeder._peaks.finished, timeout=20_000):
            document.open(made.path)
        assert view._sound is not None
        windows.append(view._sound.window(0, 12, 333))
    assert np.array_equal(windows[0], windows[1], equal_nan=True)


def test_samples_are_fetched_where_a_correction_has_moved_them(
    feeder: Feeder, view: TimelineView, document: Document, clip: MakeClip, qtbot: QtBot
) -> None:
    made = clip("fill.mp4", seconds=12, size=(160, 90), channels=2)
    with qtbot.waitSignal(feeder._peaks.finished, timeout=20_000):
        document.open(made.path)
    view.set_span(5.0, 5.02)
    document.correct(Correction(-4000.0), "moved")
    sound = view._sound
    assert sound is not None
    qtbot.waitUntil(lambda: sound.samples(9.0, 9.02) is not None, timeout=20_000)


def test_the_second_track_is_drawn_instead_of_the_first(
    feeder: Feeder, view: TimelineView, document: Document, clip: MakeClip, qtbot: QtBot
) -> None:
    made, voice = clip("fill.mp4", seconds=12), clip("voice.wav", seconds=5, codec=None, audio_codec="pcm_s16le")
    with qtbot.waitSignal(feeder._peaks.finished, timeout=20_000):
        document.open(made.path, voice.path)
    assert view._sound is not None
    assert view._sound.stop == pytest.approx(5.0, abs=0.01)


def test_another_clip_while_one_is_read_leaves_nothing_of_the_first(
    feeder: Feeder, view: TimelineView, document: Document, clip: MakeClip, qtbot: QtBot
) -> None:
    first, second = clip("fill.mp4", seconds=12), clip("short.mp4", seconds=3)
    document.open(first.path)
    with qtbot.waitSignal(feeder._peaks.finished, timeout=20_000):
        document.open(second.path)
    qtbot.waitUntil(lambda: view._sound is not None and 2.9 < view._sound.stop < 3.1, timeout=20_000)


def test_a_sound_that_vanished_is_refused(
    feeder: Feeder, document: Document, clip: MakeClip, qtbot: QtBot, tmp_path: Path
) -> None:
    document.open(clip("short.mp4", seconds=3).path)
    assert document.info is not None
    with qtbot.waitSignal(feeder.refused, timeout=20_000) as refused:
        document.set_media(replace(document.info, path=tmp_path / "gone.mp4"))
    assert refused.args is not None
    assert refused.args[0].code == "media.missing"


def test_a_silent_clip_has_no_sound(feeder: Feeder, view: TimelineView, document: Document, clip: MakeClip) -> None:
    document.open(clip("silent.mp4", seconds=2, audio_codec=None).path)
    assert view._sound is None
    assert feeder._sound is None


def test_the_final_pyramid_draws_what_the_growing_one_drew(clip: MakeClip) -> None:
    made = clip("fill.mp4", seconds=12, size=(160, 90), channels=2)
    sound, job = FileSound(12.0), build_peaks(made.path)
    while True:
        try:
            sound.add(next(job).partial)  # type: ignore[arg-type]
        except StopIteration as end:
            peaks = end.value
            break
    growing = [sound.window(a, b, n) for a, b, n in ((0, 12, 700), (3, 4, 100))]
    sound.finish(peaks)
    for before, (a, b, n) in zip(growing, ((0, 12, 700), (3, 4, 100)), strict=True):
        assert np.array_equal(before, sound.window(a, b, n), equal_nan=True)


STEPS = StepCorrection(((Fraction(0), -40.0), (Fraction(3), 310.0), (Fraction(5), -90.0)))
"""First 350 ms are put in, then 400 ms are left out."""


def test_steps_are_drawn_where_the_exported_file_is_joined(
    document: Document, view: TimelineView, feeder: Feeder, clip: MakeClip, qtbot: QtBot, tmp_path: Path
) -> None:
    del feeder
    made = clip("steps.mov", seconds=8, noise=0.05, audio_codec="pcm_s16le")
    document.open(made.path)
    document.correct(STEPS, "jumps")
    nominal = [wave.stretch for wave in view._waves]
    qtbot.waitUntil(lambda: [wave.stretch for wave in view._waves] != nominal)
    target = tmp_path / "target.mov"
    exported(made.path, target, STEPS, Mode.PIECEWISE, verify=False)
    source, written = samples_of(made.path), samples_of(target)
    for stretch in (wave.stretch for wave in view._waves):
        # But for the cross-fade of 8 ms, which begins where a stretch ends or the next one does.
        first = max(0.0, stretch.start + stretch.shift) + 0.01
        last = min(len(written) / RATE, stretch.stop + stretch.shift)
        shown = np.arange(round(first * RATE), round(last * RATE) - 1)
        heard = shown - round(stretch.shift * RATE)
        assert len(shown) > RATE
        np.testing.assert_allclose(written[shown], source[heard], atol=1 / 32_768)
    first, second, third = (wave.stretch for wave in view._waves)
    assert second.start == first.stop
    assert third.start + third.shift == pytest.approx(second.stop + second.shift, abs=1 / RATE)
    # The same stretches lie at other times once the whole is moved; nothing has to be looked for again.
    document.correct(moved(STEPS, 25.0), "later")
    assert [wave.stretch.start for wave in view._waves] == [first.start, second.start, third.start]
    assert view._waves[1].stretch.shift == pytest.approx(second.shift + 0.025)


def test_steps_that_are_being_changed_stay_where_they_were_joined(
    document: Document, view: TimelineView, feeder: Feeder, clip: MakeClip, qtbot: QtBot
) -> None:
    del feeder
    document.open(clip("steps.mov", seconds=8, noise=0.05, audio_codec="pcm_s16le").path)
    document.correct(STEPS, "jumps")
    nominal = [wave.stretch for wave in view._waves]
    qtbot.waitUntil(lambda: [wave.stretch for wave in view._waves] != nominal)
    before = [wave.stretch for wave in view._waves]
    document.correct(StepCorrection((*STEPS.steps[:2], (Fraction(5), -95.0))), "dragged")
    first, second, third = (wave.stretch for wave in view._waves)
    assert (first, second) == (before[0], before[1])
    assert (third.start, third.shift) == pytest.approx((before[2].start + 0.005, -0.095))
    # Another clip is joined elsewhere.
    document.open(clip("other.mov", seconds=8, audio_codec="pcm_s16le").path)
    document.correct(STEPS, "jumps")
    assert [wave.stretch for wave in view._waves] == nominal


def samples_of(path: Path) -> np.ndarray:
    """Return all samples of a file that begins at zero."""
    blocks = read_samples(path, sample_rate=None, channels=1, start=Fraction(0))
    return np.concatenate([block.data for block in blocks])


@pytest.mark.parametrize(("peak", "drawn"), [(0.5, 1.0), (0.02, 40.0), (0.0001, 64.0), (0.0, 1.0)])
def test_quiet_sound_is_drawn_higher_unless_somebody_chose_a_height(
    document: Document, view: TimelineView, feeder: Feeder, qtbot: QtBot, tmp_path: Path, peak: float, drawn: float
) -> None:
    path = tmp_path / "voice.wav"
    with open_wave(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.sin(np.arange(2 * RATE) / 20) * peak * 32_767).round().astype(np.int16).tobytes())
    with qtbot.waitSignal(feeder._peaks.finished):
        document.open(path)
    # Extremes are kept in 16 bits.
    assert view.amplitude == pytest.approx(drawn, rel=0.01)
    with qtbot.waitSignal(feeder._peaks.finished):
        document.open(path)
        view.set_amplitude(3.0)
    assert view.amplitude == 3.0

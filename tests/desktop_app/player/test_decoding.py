"""Pictures and sound for the player, from real files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from desktop_app.player.clock import Loop, Moment
from desktop_app.player.film import Film
from desktop_app.player.scrubber import Scrubber
from desktop_app.player.sound_feed import Piece, SoundFeed
from desktop_app.player.walker import FrameWalker
from engine.refusal import Refused
from tests.media import Clip, frame_number

MakeClip = Callable[..., Clip]
PATIENCE = 20.0
"""Seconds: a busy computer is no failure."""


def number(image: QImage) -> int:
    """Return the frame number drawn into a picture."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return frame_number(rows[:, : grey.width()])


@pytest.fixture
def ntsc(clip: MakeClip) -> Clip:
    return clip("ntsc.mp4", rate=Fraction(30_000, 1001), seconds=4, gop=48)


def test_steps_go_to_the_true_presentation_times(ntsc: Clip) -> None:
    with FrameWalker(ntsc.path) as walker:
        seconds, pixels = walker.at(1.0)
        assert frame_number(pixels) == 29
        for wanted in (30, 31, 32, 31, 30, 29, 28, 27):
            before = frame_number(pixels)
            seconds, pixels = walker.step(wanted - before)
            assert frame_number(pixels) == wanted
            assert seconds == pytest.approx(float(ntsc.frame_times[wanted]), abs=1e-9)


def test_stepping_back_over_key_frames_and_what_is_remembered(ntsc: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop_app.player.walker.HISTORY_BYTES", 6 * 320 * 180 * 3 // 2)
    with FrameWalker(ntsc.path) as walker:
        _, pixels = walker.at(3.5)
        for wanted in range(frame_number(pixels) - 1, -1, -1):
            _, pixels = walker.step(-1)
            assert frame_number(pixels) == wanted
        assert frame_number(walker.step(-1)[1]) == 0


def test_steps_stop_at_the_last_picture(ntsc: Clip) -> None:
    last = len(ntsc.frame_times) - 1
    with FrameWalker(ntsc.path) as walker:
        assert frame_number(walker.at(1e6)[1]) == last
        assert frame_number(walker.step(3)[1]) == last
        assert frame_number(walker.step(-1)[1]) == last - 1


def test_a_presentation_time_leads_back_to_its_own_picture(clip: MakeClip) -> None:
    made = clip("vfr.mkv", seconds=2, frame_ticks=(4, 2, 7, 3))
    with FrameWalker(made.path) as walker:
        for wanted, seconds in enumerate(made.frame_times):
            # Matroska rounds to milliseconds, so the file's own times are asked for.
            found, pixels = walker.at(float(seconds) + 0.001)
            assert frame_number(pixels) == wanted
            assert frame_number(walker.at(found)[1]) == wanted


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        FrameWalker(tmp_path / "missing.mp4")


@pytest.fixture
def scrubber() -> Iterator[Scrubber]:
    scrubber = Scrubber()
    yield scrubber
    scrubber.close()


def test_the_scrubber_shows_the_newest_wish(scrubber: Scrubber, ntsc: Clip, qtbot: QtBot) -> None:
    shown: list[int] = []
    scrubber.shown.connect(lambda image, _: shown.append(number(image)))
    scrubber.open(ntsc.path)
    for seconds in np.linspace(0, 3.9, 40):
        scrubber.show(float(seconds))
    scrubber.show(2.0)
    qtbot.waitUntil(lambda: bool(shown) and shown[-1] == 59, timeout=20_000)
    assert len(shown) < 40


def test_steps_that_wait_add_up(scrubber: Scrubber, ntsc: Clip, qtbot: QtBot) -> None:
    shown: list[int] = []
    scrubber.stepped.connect(lambda image, _: shown.append(number(image)))
    scrubber.open(ntsc.path)
    for _ in range(7):
        scrubber.step(1.0, 1)
    qtbot.waitUntil(lambda: bool(shown) and shown[-1] == 36, timeout=20_000)


def test_a_file_that_is_gone_is_refused_once_and_another_one_shown(
    scrubber: Scrubber, ntsc: Clip, tmp_path: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(scrubber.failed, timeout=20_000) as failed:
        scrubber.open(tmp_path / "gone.mp4")
        scrubber.show(0.0)
    assert failed.args is not None
    assert failed.args[0].code == "media.missing"
    with qtbot.waitSignal(scrubber.shown, timeout=20_000):
        scrubber.open(ntsc.path)
        scrubber.show(0.0)


@pytest.fixture
def film() -> Iterator[Film]:
    film = Film()
    yield film
    film.close()


def shown(film: Film, now: Moment) -> int:
    assert film.wait_for(now, 0.004, PATIENCE)
    picture = film.picture(now, 0.004)
    assert picture is not None
    return number(picture.image)


def test_the_film_has_the_picture_of_every_moment(film: Film, ntsc: Clip) -> None:
    film.start(ntsc.path, 1.0)
    for wanted in range(29, 120, 7):
        assert shown(film, Moment(0, float(ntsc.frame_times[wanted]) + 0.01)) == wanted
    assert shown(film, Moment(0, 99.0)) == 119


def test_a_looping_film_begins_anew(film: Film, ntsc: Clip) -> None:
    film.start(ntsc.path, 1.0, Loop(0.51, 1.2))
    assert shown(film, Moment(0, 1.19)) == 35
    for lap in (1, 2, 3):
        # The picture on screen at the beginning of the loop began before it.
        assert shown(film, Moment(lap, 0.51)) == 15
        assert shown(film, Moment(lap, 1.19)) == 35


def test_memory_of_the_film_is_bounded(film: Film, ntsc: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_bytes = 320 * 180 * 4
    monkeypatch.setattr("desktop_app.player.film.AHEAD_BYTES", 5 * picture_bytes)
    monkeypatch.setattr("desktop_app.player.film.BEHIND_BYTES", 5 * picture_bytes)
    film.start(ntsc.path, 0.0)
    for wanted in range(100):
        assert shown(film, Moment(0, float(ntsc.frame_times[wanted]))) == wanted
        assert len(film._pictures) <= 12
    assert film.covers(Moment(0, float(ntsc.frame_times[97])))
    assert not film.covers(Moment(0, float(ntsc.frame_times[50])))


def test_a_new_wish_replaces_a_film_that_waits(film: Film, ntsc: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop_app.player.film.AHEAD_BYTES", 1)
    film.start(ntsc.path, 0.0)
    assert shown(film, Moment(0, 0.0)) == 0
    film.start(ntsc.path, 3.0)
    assert shown(film, Moment(0, 2.99)) == 89


@pytest.fixture
def feed() -> Iterator[SoundFeed]:
    feed = SoundFeed(48_000)
    yield feed
    feed.close()


def taken(feed: SoundFeed, count: int) -> list[Piece]:
    """Return exactly so many samples, waiting for the thread."""
    pieces: list[Piece] = []
    while (missing := count - sum(len(piece.samples) for piece in pieces)) > 0:
        with feed._condition:
            assert feed._condition.wait_for(lambda: bool(feed._pieces), PATIENCE)
        pieces += feed.take(missing)
    return pieces


def loudest(pieces: list[Piece]) -> float:
    """Return the moment of the file at the middle of the loudest 30 ms."""
    samples = np.concatenate([piece.samples[:, 0] for piece in pieces])
    times = np.concatenate([piece.source + np.arange(len(piece.samples)) * piece.pace for piece in pieces])
    power = np.convolve(samples**2, np.ones(1440), mode="same")
    return float(times[int(np.argmax(power))])


def test_the_feed_gives_the_moments_it_says(feed: SoundFeed, clip: MakeClip) -> None:
    made = clip("beeps.mp4", seconds=4)
    feed.open(made.path)
    first = float(made.beeps[2])
    feed.start(first - 0.4, 1.0, None)
    pieces = taken(feed, 48_000)
    assert pieces[0].source == first - 0.4
    # The middle of a 30 ms beep; AAC smears its edges by a few ms.
    assert loudest(pieces) == pytest.approx(first + 0.015, abs=0.005)


def test_slow_sound_keeps_its_moments(feed: SoundFeed, clip: MakeClip) -> None:
    made = clip("beeps.mp4", seconds=4)
    feed.open(made.path)
    first = float(made.beeps[2])
    feed.start(first - 0.2, 0.5, None)
    # Half speed, and a stretcher may stray by its search of 8 ms.
    assert loudest(taken(feed, 48_000)) == pytest.approx(first + 0.015, abs=0.015)


def test_before_and_after_the_sound_there_is_silence(feed: SoundFeed, clip: MakeClip) -> None:
    made = clip("beeps.mp4", seconds=4)
    feed.open(made.path)
    feed.start(-0.5, 1.0, None)
    samples = np.concatenate([piece.samples for piece in taken(feed, 48_000)])
    assert not samples[:24_000].any()
    assert samples[24_000:].any()
    feed.start(100.0, 1.0, None)
    assert not np.concatenate([piece.samples for piece in taken(feed, 24_000)]).any()
    feed.open(None)
    feed.start(0.0, 1.0, None)
    assert not np.concatenate([piece.samples for piece in taken(feed, 24_000)]).any()


@pytest.mark.parametrize("speed", [1.0, 0.5])
def test_laps_of_a_loop_are_exactly_as_long_as_the_loop(feed: SoundFeed, clip: MakeClip, speed: float) -> None:
    feed.open(clip("beeps.mp4", seconds=4).path)
    feed.start(1.0, speed, Loop(0.5, 1.1))
    lengths = dict.fromkeys(range(9), 0)
    for piece in taken(feed, 3 * 48_000):
        lengths[piece.lap] += len(piece.samples)
        assert 0.5 <= piece.source < 1.1
    assert lengths[0] == round(0.1 * 48_000 / speed)
    assert lengths[1] == round(0.6 * 48_000 / speed)


def test_a_grain_is_short_and_fades(feed: SoundFeed, clip: MakeClip) -> None:
    made = clip("beeps.mp4", seconds=4)
    feed.open(made.path)
    feed.grain(float(made.beeps[1]) + 0.015)
    samples = np.concatenate([piece.samples for piece in taken(feed, 2880)])
    assert np.abs(samples[1000:2000]).max() > 0.05
    assert np.abs(samples[[0, -1]]).max() < 0.001
    assert feed.take(100) == []


def test_far_seeks_leave_nothing_out_that_is_shown(clip: MakeClip) -> None:
    made = clip("long_gop.mp4", seconds=8, gop=250, bframes=3)
    with FrameWalker(made.path) as walker:
        for wanted in (190, 60, 130, 199, 25, 110):
            seconds, pixels = walker.at(float(made.frame_times[wanted]) + 0.01)
            assert frame_number(pixels) == wanted
            assert seconds == pytest.approx(float(made.frame_times[wanted]))
            for back in range(1, 24):
                assert frame_number(walker.step(-1)[1]) == wanted - back
            assert frame_number(walker.step(2)[1]) == wanted - 21


def test_pictures_before_the_known_ones_are_there_before_they_are_wanted(
    ntsc: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop_app.player.walker.HISTORY_BYTES", 12 * 320 * 180 * 3 // 2)
    with FrameWalker(ntsc.path) as walker:
        _, pixels = walker.at(3.5)
        seeks = 0
        seek = walker._source._from

        def counted(target: int) -> object:
            nonlocal seeks
            seeks += 1
            return seek(target)

        monkeypatch.setattr(walker._source, "_from", counted)
        for wanted in range(frame_number(pixels) - 1, 20, -1):
            before = seeks
            _, pixels = walker.step(-1)
            assert frame_number(pixels) == wanted
            assert seeks == before
            while walker.look_back():
                pass
            assert len(walker._known) <= 12
        seeks = 0
        # And on again, past what was dropped for them.
        for wanted in range(22, 60):
            _, pixels = walker.step(1)
            assert frame_number(pixels) == wanted
        assert seeks == 1


def test_looking_back_ends_at_the_beginning_and_is_given_up_for_a_new_place(ntsc: Clip) -> None:
    with FrameWalker(ntsc.path) as walker:
        walker.at(0.5)
        walker.step(-5)
        while walker.look_back():
            pass
        assert walker._known[0][0] == walker._beginning or walker._known[0][0] == 0
        assert not walker.look_back()
        assert frame_number(walker.at(3.0)[1]) == 89
        walker.step(-1)
        walker.look_back()
        assert frame_number(walker.at(0.1)[1]) == 2
        while walker.look_back():
            pass
        assert frame_number(walker.step(-1)[1]) == 1


def test_a_step_on_while_looking_back_comes_back_to_the_same_place(ntsc: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop_app.player.walker.HISTORY_BYTES", 12 * 320 * 180 * 3 // 2)
    with FrameWalker(ntsc.path) as walker:
        last = frame_number(walker.at(100.0)[1])
        for looks in (1, 3, 50):
            assert frame_number(walker.step(-9)[1]) == last - 9
            assert walker.look_back()
            for _ in range(looks):
                walker.look_back()
            for wanted in range(last - 8, last + 1):
                assert frame_number(walker.step(1)[1]) == wanted
            assert frame_number(walker.step(1)[1]) == last


def test_pictures_of_a_file_that_takes_the_place_are_not_mixed_in(
    ntsc: Clip, clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop_app.player.walker.HISTORY_BYTES", 12 * 320 * 180 * 3 // 2)
    path = Path(shutil.copy(ntsc.path, tmp_path / "open.mp4"))
    with FrameWalker(path) as walker:
        walker.at(3.0)
        walker.step(-1)
        shutil.copy(clip("other.mp4", seconds=4).path, tmp_path / "other.mp4").replace(path)
        # The file that is still open is asked.
        for wanted in range(88, 70, -1):
            assert frame_number(walker.step(-1)[1]) == wanted - 1
            while walker.look_back():
                pass


def test_after_a_rest_steps_go_on_from_the_same_place(scrubber: Scrubber, ntsc: Clip, qtbot: QtBot) -> None:
    scrubber.open(ntsc.path)
    for rests in (False, True):
        if rests:
            qtbot.waitUntil(lambda: scrubber.is_idle)
            scrubber.rest()
        with qtbot.waitSignal(scrubber.stepped, timeout=20_000) as stepped:
            scrubber.step(2.0, -1)
        assert stepped.args is not None
        assert number(stepped.args[0]) == 58


def test_the_scrubber_looks_back_by_itself(
    scrubber: Scrubber, ntsc: Clip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop_app.player.walker.HISTORY_BYTES", 12 * 320 * 180 * 3 // 2)
    shown: list[int] = []
    scrubber.stepped.connect(lambda image, _: shown.append(number(image)))
    scrubber.open(ntsc.path)
    seconds = 3.5
    for _ in range(60):
        before = len(shown)
        with qtbot.waitSignal(scrubber.stepped, timeout=20_000) as stepped:
            scrubber.step(seconds, -1)
        assert stepped.args is not None
        seconds = stepped.args[1]
        assert len(shown) == before + 1
    assert shown == list(range(shown[0], shown[0] - 60, -1))

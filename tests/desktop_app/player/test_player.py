"""The player on real files with a clock that the test turns: nothing waits for real time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from desktop_app.document.document import Document
from desktop_app.player.clock import Moment
from desktop_app.player.loudspeaker import FIRST_VOLUME
from desktop_app.player.output import SilentOutput
from desktop_app.player.player import Player
from engine.timing import Correction, DriftCorrection, StepCorrection
from tests.desktop_app.player.test_decoding import PATIENCE, number
from tests.media import Clip

MakeClip = Callable[..., Clip]


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Bench:
    """A player with everything it showed.

    Attributes:
        shown: ``(frame number, its presentation time, where the clock was)`` of every picture while playing.
    """

    def __init__(self, player: Player, document: Document, clock: Clock) -> None:
        self.player, self.document, self.clock = player, document, clock
        self.shown: list[tuple[int, float, float]] = []
        player.frame_ready.connect(self._remember)

    def _remember(self, image: QImage, seconds: float) -> None:
        self.shown.append((number(image), seconds, self.player.position))

    def run(self, seconds: float, tick: float = 0.008) -> None:
        """Let the clock run; pictures that are still being decoded are waited for, as a fast computer would have."""
        end = self.clock.seconds + seconds
        while self.clock.seconds < end and self.player.is_playing:
            self.clock.seconds += tick
            output = self.player._output()
            heard = output.moment()
            if self.player._running and heard is not None and not self.player._winds():
                now = Moment(heard.lap, self.player.picture_of(heard.seconds))
                self.player._film.wait_for(now, 0.004, PATIENCE)
            elif not self.player._winds():
                self.player._film.wait_for(Moment(0, self.player.position), 0.0, PATIENCE)
            self.player.tick()


@pytest.fixture
def bench(qtbot: QtBot, clip: MakeClip) -> Iterator[Bench]:
    clock, document = Clock(), Document()
    player = Player(document, now=clock, output=SilentOutput(clock))
    bench = Bench(player, document, clock)
    with qtbot.waitSignal(player.frame_ready, timeout=20_000):
        document.open(clip("play.mp4", seconds=6, gop=50).path)
    # The test's clock takes the place of the timer.
    player._timer.setInterval(1_000_000)
    bench.shown.clear()
    yield bench
    player.close()


def test_every_picture_is_shown_when_its_sound_is_heard(bench: Bench) -> None:
    bench.player.play()
    bench.run(4.0)
    assert [shown[0] for shown in bench.shown] == list(range(len(bench.shown)))
    assert len(bench.shown) >= 99
    assert max(abs(seconds - clock) for _, seconds, clock in bench.shown[1:]) <= 0.0081


def test_a_correction_while_playing_changes_the_picture_and_not_the_clock(bench: Bench) -> None:
    bench.player.play()
    bench.run(2.0)
    heard = bench.player._output().moment()
    films = bench.player._film._wishes
    bench.document.correct(Correction(400.0), "moved")
    assert bench.player._output().moment() == heard
    bench.run(0.02)
    assert bench.player.position == pytest.approx(2.4, abs=0.03)
    assert bench.shown[-1][1] == pytest.approx(2.4, abs=0.05)
    bench.document.correct(Correction(-200.0), "moved")
    bench.run(0.02)
    assert bench.shown[-1][1] == pytest.approx(1.8, abs=0.06)
    assert bench.player._film._wishes == films


def test_a_correction_beyond_what_is_kept_fetches_pictures_and_never_stops_the_sound(bench: Bench) -> None:
    bench.player.play()
    bench.run(0.5)
    bench.document.correct(Correction(4000.0), "moved")
    bench.player.tick()
    bench.run(0.5)
    assert bench.player.is_playing
    assert bench.shown[-1][1] == pytest.approx(bench.player.position, abs=0.05)
    assert bench.player.position == pytest.approx(5.0, abs=0.05)
    assert bench.player._output().moment() == Moment(0, pytest.approx(1.0, abs=0.05))


def test_drift_is_followed(bench: Bench) -> None:
    bench.document.correct(DriftCorrection(0.0, 100_000.0), "fitted")
    bench.player.play()
    bench.run(2.0)
    assert bench.player.position == pytest.approx(2.2, abs=0.03)


def test_standing_still_a_correction_moves_nothing(bench: Bench) -> None:
    bench.player.seek(2.0)
    bench.document.correct(Correction(-83.0), "moved")
    assert bench.player.position == 2.0


def test_it_stops_at_the_end_and_begins_anew(bench: Bench) -> None:
    bench.player.seek(5.5)
    bench.player.play()
    bench.run(2.0)
    assert not bench.player.is_playing
    assert bench.player.position == pytest.approx(6.0, abs=0.05)
    bench.player.play()
    bench.run(0.1)
    assert bench.player.position == pytest.approx(0.1, abs=0.02)


def test_a_loop_goes_round(bench: Bench) -> None:
    bench.player.set_loop(1.0, 1.4)
    bench.player.play()
    bench.run(1.3)
    assert bench.player.is_playing
    numbers = [shown[0] for shown in bench.shown]
    assert set(numbers) == set(range(25, 35))
    assert numbers[:12] == [*range(25, 35), 25, 26]


def test_half_speed_shows_every_picture_twice_as_long(bench: Bench) -> None:
    bench.player.set_speed(0.5)
    bench.player.play()
    bench.run(2.0)
    assert bench.player.position == pytest.approx(1.0, abs=0.02)
    assert [shown[0] for shown in bench.shown] == list(range(len(bench.shown)))


def test_speed_is_limited_to_what_can_be_understood(bench: Bench) -> None:
    bench.player.set_speed(9)
    assert bench.player.speed == 2.0
    bench.player.set_speed(0)
    assert bench.player.speed == 0.25


def test_steps_are_pictures_and_stop_playing(bench: Bench, qtbot: QtBot) -> None:
    bench.player.play()
    bench.run(1.0)
    before = bench.shown[-1][0]
    bench.player.step(1)
    assert not bench.player.is_playing
    for _ in range(3):
        bench.player.step(-1)
    qtbot.waitUntil(lambda: bool(bench.shown) and bench.shown[-1][0] == before - 2, timeout=20_000)
    assert bench.player.position == pytest.approx((before - 2) / 25, abs=1e-6)


def test_j_k_l(bench: Bench, qtbot: QtBot) -> None:
    player = bench.player
    player.faster()
    assert (player.is_playing, player.speed) == (True, 1.0)
    for wanted in (2.0, 4.0, 8.0, 8.0):
        player.faster()
        assert player.speed == wanted
    player.slower()
    assert player.speed == 4.0
    player.pause()
    assert not player.is_playing
    player.seek(3.0)
    player.slower()
    assert player.speed == -1.0
    bench.run(1.0)
    assert player.position == pytest.approx(2.0, abs=0.02)

    def shows_where_it_is() -> bool:
        player.tick()
        return bool(bench.shown) and abs(bench.shown[-1][1] - 2.0) < 0.05

    qtbot.waitUntil(shows_where_it_is, timeout=20_000)
    bench.run(3.0)
    assert not player.is_playing
    assert player.position == 0.0
    player.toggle()
    assert player.speed == 1.0


def test_seeking_while_playing_goes_on_from_there(bench: Bench) -> None:
    bench.player.play()
    bench.run(0.5)
    bench.player.seek(4.0)
    bench.run(0.5)
    assert bench.player.position == pytest.approx(4.5, abs=0.03)
    assert bench.shown[-1][1] == pytest.approx(4.5, abs=0.05)


def test_the_blind_test_plays_another_correction_than_the_document_has(bench: Bench) -> None:
    bench.document.correct(Correction(500.0), "moved")
    bench.player.set_override(Correction(0.0))
    bench.player.play()
    bench.run(1.0)
    assert bench.player._output().moment() == Moment(0, pytest.approx(1.0, abs=0.02))
    assert bench.player.position == pytest.approx(1.0, abs=0.02)
    bench.player.set_override(None)
    assert bench.document.correction == Correction(500.0)


def test_volume_begins_low(bench: Bench) -> None:
    assert bench.player.volume == FIRST_VOLUME == 0.3
    bench.player.set_volume(7)
    assert bench.player.volume == 1.0


def test_sound_alone_plays_too(bench: Bench, clip: MakeClip) -> None:
    bench.document.open(clip("sound.m4a", seconds=3, codec=None).path)
    bench.player.play()
    bench.run(1.0)
    assert bench.player.position == pytest.approx(1.0, abs=0.02)
    assert bench.shown == []


def test_nothing_open_nothing_played(bench: Bench) -> None:
    bench.document.close()
    bench.player.play()
    bench.player.seek(3.0)
    bench.player.step(1)
    assert not bench.player.is_playing


def test_a_file_that_vanished_is_refused_with_a_reason(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    assert bench.document.info is not None
    with qtbot.waitSignal(bench.player.refused, timeout=20_000) as refused:
        bench.document.set_media(replace(bench.document.info, path=tmp_path / "gone.mp4"))
    assert refused.args is not None
    assert refused.args[0].code == "media.missing"
    assert not bench.player.is_playing


def test_true_times_of_variable_rate(qtbot: QtBot, clip: MakeClip) -> None:
    clock, document = Clock(), Document()
    player = Player(document, now=clock, output=SilentOutput(clock))
    made = clip("vfr.mp4", seconds=3, rate=Fraction(25), frame_ticks=(4, 2, 7, 3))
    with qtbot.waitSignal(player.frame_ready, timeout=20_000):
        document.open(made.path)
    player._timer.setInterval(1_000_000)
    bench = Bench(player, document, clock)
    player.play()
    bench.run(2.5)
    player.close()
    for found, seconds, at in bench.shown[1:]:
        assert seconds == pytest.approx(float(made.frame_times[found]), abs=1e-6)
        assert abs(seconds - at) <= 0.0081


def test_while_the_playhead_is_held_each_moment_is_heard(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[float] = []
    monkeypatch.setattr(SilentOutput, "grain", lambda _, source: heard.append(source))
    bench.document.correct(Correction(-200.0), "moved")
    bench.player.seek(1.0)
    assert heard == []
    bench.player.start_scrub()
    for seconds in (1.5, 1.6):
        bench.player.seek(seconds)
    bench.player.finish_scrub()
    bench.player.seek(2.0)
    # Sound that is moved 200 ms earlier lies 200 ms later in the file.
    assert heard == pytest.approx([1.7, 1.8])


def test_steps_of_a_correction_are_followed_while_playing(bench: Bench) -> None:
    bench.document.correct(StepCorrection(((Fraction(0), 0.0), (Fraction(2), 400.0))), "jumps")
    bench.player.seek(1.5)
    bench.player.play()
    bench.run(1.5)
    strays = [seconds - position for _, seconds, position in bench.shown[1:]]
    assert max(abs(stray) for stray in strays) <= 0.0201
    assert [seconds for _, seconds, _ in bench.shown][-1] > 2.4


@contextmanager
def opened(qtbot: QtBot, path: Path) -> Iterator[Bench]:
    """Yield a player of a clip."""
    clock, document = Clock(), Document()
    player = Player(document, now=clock, output=SilentOutput(clock))
    with qtbot.waitSignal(player.frame_ready, timeout=20_000):
        document.open(path)
    player._timer.setInterval(1_000_000)
    yield Bench(player, document, clock)
    player.close()


def test_a_picture_that_goes_on_after_the_sound_is_shown_to_its_end(qtbot: QtBot, clip: MakeClip) -> None:
    with opened(qtbot, clip("short_sound.mp4", seconds=4, sound_seconds=1.5).path) as bench:
        bench.player.play()
        bench.run(6.0)
        assert not bench.player.is_playing
        assert bench.player.position == pytest.approx(4.0, abs=0.05)
        assert [shown for shown, _, _ in bench.shown] == list(range(100))


def test_sound_that_goes_on_after_the_picture_is_played_to_its_end(qtbot: QtBot, clip: MakeClip) -> None:
    with opened(qtbot, clip("long_sound.mp4", seconds=2, sound_seconds=5).path) as bench:
        bench.player.play()
        bench.run(7.0)
        assert not bench.player.is_playing
        assert bench.player.position == pytest.approx(5.0, abs=0.05)
        # The last picture stays.
        assert [shown for shown, _, _ in bench.shown] == list(range(50))
        bench.player.seek(4.0)
        qtbot.waitUntil(lambda: bench.shown[-1][0] == 49 and bench.player._scrubber.is_idle, timeout=20_000)


@pytest.mark.parametrize("speed", [0.25, 2.0])
def test_at_any_speed_each_picture_of_variable_rate_comes_when_it_is_due(
    qtbot: QtBot, clip: MakeClip, speed: float
) -> None:
    made = clip("vfr.mp4", seconds=3, rate=Fraction(25), frame_ticks=(4, 2, 7, 3))
    with opened(qtbot, made.path) as bench:
        bench.player.set_speed(speed)
        bench.player.play()
        bench.run(2.4 / speed)
        assert bench.player.position == pytest.approx(2.4, abs=0.03)
        # At most half the time between two looks early, and a whole one late.
        for found, seconds, at in bench.shown[1:]:
            assert seconds == pytest.approx(float(made.frame_times[found]), abs=1e-6)
            assert abs(seconds - at) <= 0.0081 * max(speed, 1.0)


def test_a_file_that_is_replaced_while_it_plays_plays_on_and_is_refused_when_it_is_opened_again(
    qtbot: QtBot, clip: MakeClip, tmp_path: Path
) -> None:
    path = Path(shutil.copy(clip("play.mp4", seconds=6, gop=50).path, tmp_path / "open.mp4"))
    with opened(qtbot, path) as bench:
        bench.player.play()
        bench.run(1.0)
        (tmp_path / "broken.mp4").write_bytes(b"not a clip")
        (tmp_path / "broken.mp4").replace(path)
        bench.run(2.0)
        # What is open stays open.
        assert [shown for shown, _, _ in bench.shown] == list(range(75))
        bench.player.seek(0.5)
        bench.run(0.5)
        # The sound's clock goes on; there is no picture to be had.
        assert bench.player.is_playing
        assert bench.player.position == pytest.approx(1.0, abs=0.05)
        with qtbot.waitSignal(bench.player.refused, timeout=20_000) as refused:
            bench.player.pause()
        assert refused.args is not None
        assert refused.args[0].code.startswith("media.")


def test_a_longer_clip_in_the_place_of_the_open_one_is_shown_after_a_seek(
    qtbot: QtBot, clip: MakeClip, tmp_path: Path
) -> None:
    path = Path(shutil.copy(clip("play.mp4", seconds=6, gop=50).path, tmp_path / "open.mp4"))
    with opened(qtbot, path) as bench:
        bench.player.play()
        bench.run(0.5)
        shutil.copy(clip("fast.mp4", seconds=6, rate=50).path, tmp_path / "other.mp4").replace(path)
        bench.run(0.5)
        assert bench.shown[-1][0] in {24, 25}
        bench.player.seek(2.0)
        bench.run(1.0)
        assert bench.shown[-1][0] == 149
        assert bench.shown[-1][1] == pytest.approx(2.98, abs=1e-6)


def test_in_silence_nothing_is_skipped_while_the_computer_sleeps() -> None:
    clock = Clock()
    output = SilentOutput(clock)
    output.start(1.0, 1.0, None)
    output.begin()
    clock.seconds += 0.5
    assert output.moment() == Moment(0, pytest.approx(1.5))
    clock.seconds += 3600
    assert output.moment() == Moment(0, pytest.approx(1.5))
    clock.seconds += 0.5
    assert output.moment() == Moment(0, pytest.approx(2.0))

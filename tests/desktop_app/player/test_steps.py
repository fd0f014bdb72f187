"""Playing over the steps of a correction: what is seen and heard is what the exported file has there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QThread
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from desktop_app.document.corrections import moved
from desktop_app.document.document import Document
from desktop_app.document.moving import arrangement
from desktop_app.player.clock import Loop, Moment
from desktop_app.player.output import DeviceOutput
from desktop_app.player.player import Player
from desktop_app.player.sound_feed import SoundFeed
from engine.media.export.report import Mode
from engine.media.samples import read_samples
from engine.timing import Correction, StepCorrection
from tests.desktop_app.player.test_decoding import PATIENCE, loudest, number, taken
from tests.desktop_app.player.test_device import Sink, float_format
from tests.desktop_app.player.test_player import Clock
from tests.engine.media.export.measuring import beeps_at, exported
from tests.media import Clip

MakeClip = Callable[..., Clip]
Floats = npt.NDArray[np.float32]
RATE = 48_000
STEPS = StepCorrection(((Fraction(0), -40.0), (Fraction(3), 310.0), (Fraction(5), -90.0)))
"""First 350 ms are put in, then 400 ms are left out."""


class Desk:
    """A player with a sound device that the test lets play.

    Attributes:
        pictures: ``(frame number, position)`` of all that were shown.
        positions: where the player was, a hundredth of a second after the other.
    """

    def __init__(self, player: Player, document: Document, clock: Clock, qtbot: QtBot) -> None:
        self.player, self.document, self.clock = player, document, clock
        self._qtbot = qtbot
        self.pictures: list[tuple[int, float]] = []
        self.positions: list[float] = []
        player.frame_ready.connect(self._remember)

    def _remember(self, image: QImage, seconds: float) -> None:
        del seconds
        self.pictures.append((number(image), self.player.position))

    def begin(self) -> None:
        """Play, and wait until the device is full for the first time."""
        self.player.play()
        self._qtbot.waitUntil(lambda: self._ticks() and bool(Sink.made) and bool(Sink.made[-1].data), timeout=20_000)

    def _ticks(self) -> bool:
        self.player.tick()
        return True

    def run(self, seconds: float) -> None:
        """Let the device play; what is being decoded is waited for."""
        for _ in range(round(seconds * 100)):
            self.clock.seconds += 0.01
            sink = Sink.made[-1]
            self._qtbot.waitUntil(lambda sink=sink: sink.bytesFree() == 0, timeout=20_000)
            heard = self.player._output().moment()
            if heard is not None:
                now = Moment(heard.lap, self.player.picture_of(heard.seconds))
                self.player._film.wait_for(now, 0.004, PATIENCE)
            self.player.tick()
            self.positions.append(self.player.position)

    @property
    def heard(self) -> Floats:
        """All samples that the device was given, of its left channel."""
        return np.frombuffer(bytes(Sink.made[-1].data), np.float32).reshape(-1, 2)[:, 0]


@pytest.fixture
def made(clip: MakeClip) -> Clip:
    return clip("steps.mov", seconds=8, noise=0.05, audio_codec="pcm_s16le", gop=50)


@pytest.fixture
def desk(qtbot: QtBot, made: Clip, sound_thread: QThread, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr("PySide6.QtMultimedia.QAudioSink", Sink)
    monkeypatch.setattr(Sink, "made", [])
    monkeypatch.setattr(Sink, "broken", False)
    clock, document = Clock(), Document()
    Sink.clock = clock
    output = DeviceOutput(None, float_format(), sound_thread, clock)  # type: ignore[arg-type]
    player = Player(document, now=clock, output=output)
    with qtbot.waitSignal(player.frame_ready, timeout=20_000):
        document.open(made.path)
    output.open(made.path)
    # The test's clock takes the place of the timer.
    player._timer.setInterval(1_000_000)
    yield Desk(player, document, clock, qtbot)
    player.close()


def in_file(path: Path, start: float | Fraction, count: int) -> Floats:
    """Return samples of a file from a time on."""
    blocks = read_samples(path, sample_rate=None, channels=1, start=Fraction(start), stop=Fraction(start) + count)
    return np.concatenate([block.data for block in blocks])[:count]


def test_what_is_played_over_steps_is_what_the_exported_file_has(desk: Desk, made: Clip, tmp_path: Path) -> None:
    target = tmp_path / "target.mov"
    exported(made, target, STEPS, Mode.PIECEWISE, verify=False)
    desk.document.correct(STEPS, "jumps")
    desk.player.seek(2.0)
    desk.begin()
    desk.run(4.5)
    heard = desk.heard
    assert len(heard) > 4.5 * RATE
    # The file holds whole numbers of 16 bits; the fades lie between them.
    np.testing.assert_allclose(heard, in_file(target, 2.0, len(heard)), atol=1 / 32_768)
    # Both joins are in it: as it is in the source, the sound would fit nowhere behind them.
    untouched = in_file(made.path, Fraction("2.04"), len(heard))
    assert np.abs(heard[: RATE // 4] - untouched[: RATE // 4]).max() <= 1 / 32_768
    assert np.abs(heard[-RATE:] - untouched[-RATE:]).max() > 0.1


def test_over_steps_the_picture_goes_on_evenly(desk: Desk) -> None:
    desk.document.correct(STEPS, "jumps")
    desk.player.seek(2.0)
    desk.begin()
    desk.run(4.0)
    # 100 ms until the device begins; it is read off every 10 ms.
    forward = np.diff(desk.positions[15:])
    assert forward.min() >= 0.005
    assert forward.max() <= 0.015
    numbers = [shown for shown, _ in desk.pictures]
    assert numbers[-40:] == list(range(numbers[-1] - 39, numbers[-1] + 1))
    assert max(abs(shown / 25 - position) for shown, position in desk.pictures[-40:]) <= 0.015


def test_changed_steps_are_followed_by_the_picture_at_once_and_heard_soon(
    desk: Desk, made: Clip, tmp_path: Path, qtbot: QtBot
) -> None:
    desk.document.correct(STEPS, "jumps")
    desk.player.seek(5.8)
    desk.begin()
    desk.run(0.5)
    before = desk.player.position
    arranged = desk.player._arranged
    changed = StepCorrection((*STEPS.steps[:2], (Fraction(5), 110.0)))
    desk.document.correct(changed, "dragged")
    desk.player.tick()
    assert desk.player.position - before == pytest.approx(0.2, abs=0.02)
    assert desk.player._arranged == arranged
    given = len(desk.heard)
    place = desk.player.position
    qtbot.waitUntil(lambda: desk.player._arranged != arranged, timeout=20_000)
    desk.begin()
    desk.run(0.5)
    assert desk.player.position == pytest.approx(place + 0.5, abs=0.15)
    target = tmp_path / "target.mov"
    exported(made, target, changed, Mode.PIECEWISE, verify=False)
    # Somewhere in what the device was given since begins the new sound, at the place where the picture was.
    played = desk.heard[given:]
    wanted = in_file(target, place + 0.1, RATE // 10)
    likeness = np.correlate(played, wanted, mode="valid")
    best = int(np.argmax(likeness))
    np.testing.assert_allclose(played[best : best + len(wanted)], wanted, atol=1 / 32_768)


def test_a_shift_of_the_whole_leaves_the_sound_alone(desk: Desk) -> None:
    desk.document.correct(STEPS, "jumps")
    desk.player.seek(5.8)
    desk.begin()
    desk.run(0.3)
    heard, position = desk.player._output().moment(), desk.player.position
    desk.document.correct(moved(STEPS, 123.4), "nudged")
    desk.player.tick()
    assert desk.player._output().moment() == heard
    assert desk.player.position - position == pytest.approx(0.1234, abs=1e-6)
    assert not desk.player._settling.isActive()


def test_without_steps_again_the_file_is_heard_as_it_is(desk: Desk, made: Clip, qtbot: QtBot) -> None:
    desk.document.correct(STEPS, "jumps")
    desk.player.seek(6.0)
    desk.begin()
    desk.run(0.2)
    desk.document.correct(Correction(0.0), "put back")
    qtbot.waitUntil(lambda: desk.player._arranged is None, timeout=20_000)
    given = len(desk.heard)
    desk.begin()
    desk.run(0.4)
    wanted = in_file(made.path, desk.player.position - 0.2, RATE // 10)
    played = desk.heard[given:]
    best = int(np.argmax(np.correlate(played, wanted, mode="valid")))
    np.testing.assert_allclose(played[best : best + len(wanted)], wanted, atol=1e-6)


@pytest.mark.parametrize("speed", [0.25, 2.0])
def test_at_any_speed_the_picture_goes_on_evenly_over_a_step(desk: Desk, speed: float) -> None:
    desk.document.correct(STEPS, "jumps")
    desk.player.set_speed(speed)
    desk.player.seek(3.0 - 0.5 * speed)
    desk.begin()
    desk.run(1.2)
    # 100 ms until the device begins; it is read off every 10 ms.
    forward = np.diff(desk.positions[15:]) / speed
    assert forward.min() >= 0.005
    assert forward.max() <= 0.015
    assert desk.positions[-1] > 3.0 + 0.4 * speed


def test_a_device_that_is_lost_while_playing_leaves_silence_at_the_same_place(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    # The player finds its device itself, as in the window.
    monkeypatch.setattr("desktop_app.player.loudspeaker.find_device", lambda: (None, float_format()))
    player = Player(desk.document, now=desk.clock)
    player._timer.setInterval(1_000_000)
    lost: list[str] = []
    player.problem.connect(lost.append)
    found = Desk(player, desk.document, desk.clock, qtbot)
    desk.document.correct(STEPS, "jumps")
    player.seek(2.5)
    found.begin()
    assert player.has_device
    found.run(0.5)
    before = player.position
    monkeypatch.setattr(Sink, "broken", True)
    qtbot.waitUntil(lambda: bool(lost), timeout=20_000)
    assert "goes on in silence" in lost[0]
    assert not player.has_device
    assert player.is_playing
    qtbot.waitUntil(lambda: player._film.is_ready, timeout=20_000)
    player.tick()
    for _ in range(100):
        desk.clock.seconds += 0.01
        player.tick()
    # The computer's clock goes on over the step, evenly and from the same place.
    assert player.position == pytest.approx(before + 1.0, abs=0.05)
    assert len(lost) == 1
    player.close()


@pytest.fixture
def feed(made: Clip) -> Iterator[SoundFeed]:
    feed = SoundFeed(RATE)
    feed.open(made.path)
    yield feed
    feed.close()


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.5, 2.0])
def test_at_any_speed_beeps_behind_steps_come_when_they_are_due(
    feed: SoundFeed, made: Clip, tmp_path: Path, speed: float
) -> None:
    target = tmp_path / "target.mov"
    exported(made, target, STEPS, Mode.PIECEWISE, verify=False)
    beep = float(next(at for at in beeps_at(target) if at > 5.6))
    # The sound's own clock goes on from what lies before the first step: 40 ms of it are left out in the file.
    feed.arrange(arrangement(STEPS))
    feed.start(beep + 0.04 - 0.3 * speed, speed, None)
    # The stretching may stray by its search, 8 ms, and fades over 12; in a beep of 30 ms that became longer or shorter
    # the loudest 30 ms are somewhere, or around it.
    assert loudest(taken(feed, round(0.6 * RATE))) == pytest.approx(beep + 0.055, abs=0.012 + 0.015 * abs(speed - 1))


def test_a_loop_over_a_step_is_as_long_as_its_picture(feed: SoundFeed) -> None:
    feed.arrange(STEPS)
    feed.start(2.5, 1.0, Loop(2.5, 3.5))
    pieces = taken(feed, 3 * RATE)
    laps = [np.concatenate([piece.samples for piece in pieces if piece.lap == lap]) for lap in (0, 1)]
    assert [len(lap) for lap in laps] == [RATE, RATE]
    np.testing.assert_array_equal(laps[0], laps[1])

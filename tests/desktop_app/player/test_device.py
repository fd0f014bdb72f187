"""The sound device: which moment is heard, with a device that the test lets play."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QThread
from PySide6.QtMultimedia import QAudioFormat, QtAudio
from pytestqt.qtbot import QtBot

from desktop_app.player.clock import Moment
from desktop_app.player.output import DeviceOutput
from tests.desktop_app.player.test_player import Clock
from tests.media import Clip

MakeClip = Callable[..., Clip]
RATE = 48_000


def float_format() -> QAudioFormat:
    """Return what the device takes."""
    sample_format = QAudioFormat()
    sample_format.setSampleRate(RATE)
    sample_format.setChannelCount(2)
    sample_format.setSampleFormat(QAudioFormat.SampleFormat.Float)
    return sample_format


class Sink:
    """A device of 120 ms that plays what it was given as its clock goes on, and begins 100 ms late."""

    clock: Clock
    made: list[Sink] = []  # noqa: RUF012 - one list for all, emptied by the fixture
    broken = False

    def __init__(self, device: object, sample_format: QAudioFormat) -> None:
        del device
        self.width = sample_format.bytesPerFrame()
        self.began = self.clock() + 0.1
        self.data = bytearray()
        Sink.made.append(self)

    def setBufferSize(self, size: int) -> None:
        self.size = size

    def setVolume(self, volume: float) -> None:
        self.volume = volume

    def start(self) -> Sink:
        return self

    def reset(self) -> None:
        self.data.clear()

    def error(self) -> QtAudio.Error:
        return QtAudio.Error.FatalError if self.broken else QtAudio.Error.NoError

    def bufferSize(self) -> int:
        return self.size

    def played(self) -> int:
        due = max(0, round((self.clock() - self.began) * RATE)) * self.width
        return min(due, len(self.data))

    def bytesFree(self) -> int:
        return self.size - (len(self.data) - self.played())

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def output(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, clip: MakeClip, sound_thread: QThread
) -> Iterator[DeviceOutput]:
    monkeypatch.setattr("PySide6.QtMultimedia.QAudioSink", Sink)
    monkeypatch.setattr(Sink, "made", [])
    monkeypatch.setattr(Sink, "broken", False)
    Sink.clock = clock
    output = DeviceOutput(None, float_format(), sound_thread, clock)  # type: ignore[arg-type]
    output.open(clip("device.mp4", seconds=4).path)
    yield output
    output.close()


def play(clock: Clock, qtbot: QtBot, seconds: float) -> None:
    """Let the device play, a hundredth of a second at a time, filled in between."""
    for _ in range(round(seconds * 100)):
        clock.seconds += 0.01
        sink = Sink.made[-1] if Sink.made else None
        qtbot.waitUntil(lambda sink=sink: sink is None or sink.bytesFree() == 0 or not sink.data, timeout=20_000)


def begin(output: DeviceOutput, qtbot: QtBot, source: float, speed: float = 1.0) -> None:
    output.start(source, speed, None)
    qtbot.waitUntil(lambda: output.is_ready, timeout=20_000)
    output.begin()


def heard(output: DeviceOutput) -> float:
    moment = output.moment()
    assert moment is not None
    return moment.seconds


def test_no_time_passes_before_the_device_begins(output: DeviceOutput, clock: Clock, qtbot: QtBot) -> None:
    begin(output, qtbot, 1.0)
    qtbot.waitUntil(lambda: bool(Sink.made) and bool(Sink.made[0].data), timeout=20_000)
    clock.seconds += 0.05
    assert output.moment() is None
    play(clock, qtbot, 1.0)
    # It began 100 ms late, of which 50 had passed.
    assert heard(output) == pytest.approx(1.95, abs=0.02)
    assert Sink.made[0].volume == pytest.approx(0.3)


def test_what_is_heard_is_what_the_moment_says(
    output: DeviceOutput, clock: Clock, clip: MakeClip, qtbot: QtBot
) -> None:
    made = clip("device.mp4", seconds=4)
    begin(output, qtbot, float(made.beeps[1]) - 0.3)
    qtbot.waitUntil(lambda: bool(Sink.made) and bool(Sink.made[0].data), timeout=20_000)
    play(clock, qtbot, 0.6)
    samples = np.frombuffer(bytes(Sink.made[0].data), np.float32).reshape(-1, 2)[:, 0]
    power = np.convolve(samples**2, np.ones(1440), mode="same")
    assert np.argmax(power) / RATE == pytest.approx(0.315, abs=0.005)


def test_a_seek_goes_on_with_the_same_device(output: DeviceOutput, clock: Clock, qtbot: QtBot) -> None:
    begin(output, qtbot, 0.0)
    qtbot.waitUntil(lambda: bool(Sink.made) and bool(Sink.made[0].data), timeout=20_000)
    play(clock, qtbot, 0.5)
    begin(output, qtbot, 2.0)
    play(clock, qtbot, 0.5)
    assert len(Sink.made) == 1
    # What the device still held of the old place, at most 120 ms and a filling of silence, is heard first.
    assert 2.3 < heard(output) <= 2.51


def test_speakers_that_are_late_are_reckoned_with(output: DeviceOutput, clock: Clock, qtbot: QtBot) -> None:
    begin(output, qtbot, 1.0)
    qtbot.waitUntil(lambda: bool(Sink.made) and bool(Sink.made[0].data), timeout=20_000)
    play(clock, qtbot, 1.0)
    before = heard(output)
    output.set_delay(0.2)
    assert heard(output) == pytest.approx(before - 0.2, abs=1e-6)


def test_a_device_that_fails_says_so(output: DeviceOutput, qtbot: QtBot) -> None:
    begin(output, qtbot, 1.0)
    qtbot.waitUntil(lambda: bool(Sink.made) and bool(Sink.made[0].data), timeout=20_000)
    failures: list[bool] = []
    output.on_failure(lambda: failures.append(True))
    Sink.broken = True
    qtbot.waitUntil(lambda: bool(failures), timeout=20_000)
    assert output.moment() in (None, Moment(0, 1.0))

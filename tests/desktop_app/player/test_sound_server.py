"""The sound server: what is known about Qt's connections to it, and what the player does when it comes and goes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QObject, QThread, Signal
from pytestqt.qtbot import QtBot

from desktop_app.document.document import Document
from desktop_app.player.output import DeviceOutput
from desktop_app.player.player import Player
from desktop_app.player.sound_server import Connection
from tests.desktop_app.player.test_device import Sink, float_format
from tests.desktop_app.player.test_player import Clock
from tests.media import Clip

MakeClip = Callable[..., Clip]


class Server:
    """What Linux would list of this process's threads.

    Args:
        tasks: the folder.
    """

    def __init__(self, tasks: Path) -> None:
        self.tasks = tasks
        self._last = 10
        tasks.mkdir()
        self.begin("python")

    def begin(self, name: str = "QPulseAudioEngi") -> None:
        """Let a thread begin."""
        self._last += 1
        (self.tasks / str(self._last)).mkdir()
        (self.tasks / str(self._last) / "comm").write_text(f"{name}\n")

    def end(self) -> None:
        """Let all connections be lost."""
        for task in self.tasks.iterdir():
            if "Pulse" in (task / "comm").read_text():
                shutil.rmtree(task)


class Device:
    """A sound device, as far as the player asks it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def id(self) -> QByteArray:
        return QByteArray(self._name.encode())


class Devices(QObject):
    """Tells when the devices are others."""

    audioOutputsChanged = Signal()  # noqa: N815 - Qt's name
    last: Devices

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        Devices.last = self


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A sound server that lists devices; what plays connects once more."""
    made = Server(tmp_path / "task")
    made.begin()
    monkeypatch.setattr("desktop_app.player.output.Connection", lambda: Connection(made.tasks))
    monkeypatch.setattr("PySide6.QtMultimedia.QAudioSink", Sink)
    monkeypatch.setattr("PySide6.QtMultimedia.QMediaDevices", Devices)
    monkeypatch.setattr(Sink, "made", [])
    monkeypatch.setattr(Sink, "broken", False)
    Sink.clock = Clock()
    return made


@pytest.fixture
def default(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the system's default device is called: the last one."""
    names = ["speakers"]
    monkeypatch.setattr("desktop_app.player.loudspeaker.find_device", lambda: (Device(names[-1]), float_format()))
    return names


@pytest.fixture
def player(server: Server, default: list[str], clip: MakeClip, qtbot: QtBot) -> Iterator[Player]:
    """A player of four seconds that finds its device itself."""
    del server, default, qtbot
    document = Document()
    document.open(clip("device.mp4", seconds=4).path)
    made = Player(document)
    yield made
    made.close()


def test_without_a_server_nothing_can_be_lost(tmp_path: Path) -> None:
    for tasks in (tmp_path / "missing", Server(tmp_path / "task").tasks):
        connection = Connection(tasks)
        assert not connection.is_lost
        assert not connection.is_renewed


def test_a_connection_is_lost_with_one_of_its_threads_and_renewed_with_all(tmp_path: Path) -> None:
    server = Server(tmp_path / "task")
    server.begin()
    connection = Connection(server.tasks)
    server.begin()
    connection.look_again()
    assert not connection.is_lost
    server.end()
    assert connection.is_lost
    assert not connection.is_renewed
    server.begin()
    assert not connection.is_renewed
    server.begin()
    assert connection.is_renewed
    assert not Connection(server.tasks).is_lost


def test_nothing_is_started_on_a_connection_that_is_lost(
    server: Server, clip: MakeClip, sound_thread: QThread, qtbot: QtBot
) -> None:
    output = DeviceOutput(None, float_format(), sound_thread)  # type: ignore[arg-type]
    failures: list[bool] = []
    output.on_failure(lambda: failures.append(True))
    output.open(clip("device.mp4", seconds=4).path)
    server.end()
    output.start(0.0, 1.0, None)
    output.begin()
    qtbot.waitUntil(lambda: bool(failures), timeout=20_000)
    assert Sink.made == []
    output.close()


def test_playing_goes_on_in_silence_without_the_server_and_is_heard_again_with_it(
    player: Player, server: Server, qtbot: QtBot
) -> None:
    said: list[str] = []
    player.problem.connect(said.append)
    player.play()
    qtbot.waitUntil(lambda: bool(Sink.made) and bool(Sink.made[0].data), timeout=20_000)
    assert player.has_device
    server.end()
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert player.is_playing
    assert not player.has_device
    player.pause()
    player.play()
    assert not player.has_device
    assert len(said) == 1  # what is known is not said again
    player.pause()
    server.begin()
    player.play()
    assert player.has_device
    qtbot.waitUntil(lambda: len(Sink.made) == 2, timeout=20_000)
    assert len(said) == 1


def test_what_plays_goes_over_to_the_device_that_is_the_default_now(
    player: Player, default: list[str], qtbot: QtBot
) -> None:
    changes: list[bool] = []
    player.device_changed.connect(lambda: changes.append(True))
    player.play()
    qtbot.waitUntil(lambda: bool(Sink.made) and bool(Sink.made[0].data), timeout=20_000)
    Devices.last.audioOutputsChanged.emit()
    assert changes == []
    default.append("headphones")
    Devices.last.audioOutputsChanged.emit()
    assert changes == [True]
    assert player.is_playing
    qtbot.waitUntil(lambda: len(Sink.made) == 2 and bool(Sink.made[1].data), timeout=20_000)
    player.pause()
    # Systems that say nothing are asked when something is played.
    default.append("speakers")
    player.play()
    assert len(changes) == 2

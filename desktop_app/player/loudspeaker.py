"""Where the player's sound goes: to the system's device, whichever that is now, or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from desktop_app.player.output import DeviceOutput, Output, SilentOutput, find_device
from desktop_app.player.sound_server import Connection

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QAudioDevice, QAudioFormat, QMediaDevices

FIRST_VOLUME = 0.3
"""Loud enough to hear, not to frighten."""


class Loudspeaker(QObject):
    """The sound device, looked for when it is first needed; while there is none, silence that keeps the time.

    Attributes:
        found: signal: it is known now whether there is a device.
        replaced: signal: what is played has to be started again, on another device or on none.
        missing: signal: no device was found.
        lost: signal: the device has stopped, and there is no other.

    Args:
        now: returns seconds that never run backwards.
        output: where the sound goes; by default the system's device.
    """

    found = Signal()
    replaced = Signal()
    missing = Signal()
    lost = Signal()

    def __init__(self, now: Callable[[], float], output: Output | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now = now
        self._output = output
        self._has_device = output is not None and not isinstance(output, SilentOutput)
        self._follows_system = output is None
        self._device_id: bytes | None = None
        self._connection: Connection | None = None
        self._devices: QMediaDevices | None = None
        self._thread: QThread | None = None
        self._file: Path | None = None
        self._volume = FIRST_VOLUME
        self._delay = 0.0

    @property
    def has_device(self) -> bool:
        """Whether something is heard; known once something was played."""
        return self._has_device

    @property
    def volume(self) -> float:
        """Amplitude, 0 to 1."""
        return self._volume

    def output(self) -> Output:
        """Return where the sound goes, looking for the device the first time."""
        if self._output is None:
            self._output = self._opened(self._look())
            if not self._has_device:
                self.missing.emit()
            self.found.emit()
        return self._output

    def open(self, file: Path | None) -> None:
        """Play another file's sound, or none."""
        self._file = file
        if self._output is not None:
            self._output.open(file)

    def stop(self) -> None:
        """Be quiet."""
        if self._output is not None:
            self._output.stop()

    def set_volume(self, volume: float) -> None:
        """Play at this amplitude, 0 to 1."""
        self._volume = min(max(volume, 0.0), 1.0)
        if self._output is not None:
            self._output.set_volume(self._volume)

    def set_delay(self, seconds: float) -> None:
        """Take into account that the loudspeakers sound this much later than the device says."""
        self._delay = seconds
        if self._output is not None:
            self._output.set_delay(seconds)

    def follow_system(self) -> None:
        """Go over to the device that is the system's default now, or that is there again."""
        if self._output is None or not self._follows_system:
            return
        found = self._look()
        is_lost = self._connection is not None and self._connection.is_lost
        if _id_of(found) == self._device_id and (found is None or not is_lost):
            return
        self._replace(self._opened(found))
        if found is None:
            self.lost.emit()

    def close(self) -> None:
        """Give the device back and end its thread."""
        if self._output is not None:
            self._output.close()
        if self._thread is not None:
            self._thread.quit()
            self._thread.wait()

    def _look(self) -> tuple[QAudioDevice, QAudioFormat] | None:
        """Return the system's default device, and hear from then on when that is another one."""
        lost = self._connection
        if lost is not None and lost.is_lost and not lost.is_renewed:
            return None  # what Qt lists is what there was
        found = find_device()
        if found is not None and found[0] is not None and self._devices is None:
            from PySide6.QtMultimedia import QMediaDevices

            self._devices = QMediaDevices(self)
            self._devices.audioOutputsChanged.connect(self.follow_system)
        return found

    def _opened(self, found: tuple[QAudioDevice, QAudioFormat] | None) -> Output:
        """Return where the sound goes with what was found."""
        self._has_device = found is not None
        self._device_id = _id_of(found)
        output: Output = SilentOutput(self._now)
        if found is not None:
            if self._thread is None:
                self._thread = QThread()
                self._thread.start(QThread.Priority.TimeCriticalPriority)
            output = device = DeviceOutput(*found, self._thread, self._now)
            device.on_failure(self._lose)
            self._connection = device.connection
        output.set_volume(self._volume)
        output.set_delay(self._delay)
        output.open(self._file)
        return output

    def _lose(self) -> None:
        """Go on in silence."""
        if self._output is None or not self._has_device:
            return
        self._replace(self._opened(None))
        self.lost.emit()

    def _replace(self, output: Output) -> None:
        before, self._output = self._output, output
        if before is not None:
            before.close()
        self.replaced.emit()


def _id_of(found: tuple[QAudioDevice, QAudioFormat] | None) -> bytes | None:
    """Return what tells devices apart, ``None`` without one."""
    return None if found is None or found[0] is None else bytes(found[0].id().data())

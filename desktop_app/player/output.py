"""Where sound goes: to a device that keeps the time, or nowhere, with the computer's clock keeping it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, Qt, QThread, QTimer, Signal, Slot

from desktop_app.player.clock import Ledger, Loop, Moment, Running, Steady
from desktop_app.player.reel import CHANNELS, Samples
from desktop_app.player.sound_feed import SoundFeed
from desktop_app.player.sound_server import Connection
from engine.timing import StepCorrection

if TYPE_CHECKING:
    from PySide6.QtCore import QIODevice
    from PySide6.QtMultimedia import QAudioDevice, QAudioFormat, QAudioSink

_BUFFER_SECONDS = 0.12
_PUMP_MILLISECONDS = 10
_LEAST_BUFFERED_SECONDS = 0.04
"""With less than this in the device, silence is put in: some devices never recover from running dry."""

_ASLEEP_SECONDS = 2.0
"""A clock that is asked at each picture was not asked for this long: not the window was busy, the computer slept."""


class Output(Protocol):
    """Plays sound, or only tells the time of it."""

    def open(self, file: Path | None) -> None:
        """Play another file's sound."""
        ...

    def arrange(self, steps: StepCorrection | None) -> None:
        """From the next start on, play the sound joined at steps; its moments are then those of the joined sound."""
        ...

    def start(self, source: float, speed: float, loop: Loop | None) -> None:
        """Get ready to play from a moment of the sound on."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether :meth:`begin` can begin at once."""
        ...

    def begin(self) -> None:
        """Let what was got ready run."""
        ...

    def stop(self) -> None:
        """Be quiet."""
        ...

    def moment(self) -> Moment | None:
        """Return which moment of the sound is heard now, ``None`` before it has begun."""
        ...

    def grain(self, source: float) -> None:
        """Play a moment's sound once."""
        ...

    def set_volume(self, volume: float) -> None:
        """Play at this amplitude, 0 to 1."""
        ...

    def set_delay(self, seconds: float) -> None:
        """Take into account that loudspeakers sound this much later than the device says."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


class SilentOutput:
    """The computer's clock.

    Args:
        now: returns seconds that never run backwards.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._ready: tuple[float, float, Loop | None] | None = None
        self._running: Running | None = None
        self._asked = 0.0

    def open(self, file: Path | None) -> None:  # noqa: ARG002
        """Forget where it was."""
        self.stop()

    def arrange(self, steps: StepCorrection | None) -> None:
        """Nothing is to be heard."""

    def start(self, source: float, speed: float, loop: Loop | None) -> None:
        """Get ready to run from a moment on."""
        self._ready = (source, speed, loop)
        self._running = None

    @property
    def is_ready(self) -> bool:
        """Always."""
        return True

    def begin(self) -> None:
        """Run."""
        if self._ready is not None:
            source, speed, loop = self._ready
            self._asked = self._now()
            self._running = Running(self._asked, source, speed, loop)

    def stop(self) -> None:
        """Stand still."""
        self._ready = self._running = None

    def moment(self) -> Moment | None:
        """Return where the clock is; while the computer slept, it stood as a device would have."""
        if self._running is None:
            return None
        now = self._now()
        if now - self._asked > _ASLEEP_SECONDS:
            self._running = replace(self._running, since=self._running.since + now - self._asked)
        self._asked = now
        return self._running.at(now)

    def grain(self, source: float) -> None:
        """Nothing is to be heard."""

    def set_volume(self, volume: float) -> None:
        """Nothing is to be heard."""

    def set_delay(self, seconds: float) -> None:
        """Nothing is to be heard."""

    def close(self) -> None:
        """Nothing is held."""


class DeviceOutput:
    """A sound device, filled by a thread of its own so that a busy window does not make it stutter.

    Attributes:
        connection: to the sound server, as it was when the device was opened.

    Args:
        device: the device.
        sample_format: what it takes: floats or 16-bit integers.
        thread: fills it. It runs, and outlives all devices: in the thread that first starts one Qt keeps the
            connection to the sound server, and cannot renew it once that thread has ended.
        now: returns seconds that never run backwards.
    """

    def __init__(
        self,
        device: QAudioDevice,
        sample_format: QAudioFormat,
        thread: QThread,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._feed = SoundFeed(sample_format.sampleRate())
        self.connection = Connection()
        self._pump = _Pump(device, sample_format, self._feed, now, self.connection)
        self._pump.moveToThread(thread)
        self._now = now
        self._delay = 0.0
        self._begun = False

    def on_failure(self, receiver: Callable[[], object]) -> None:
        """Have something called, in the thread of whoever owns it, when the device does not play (any more)."""
        self._pump.failed.connect(receiver)

    def open(self, file: Path | None) -> None:
        """Play another file's sound."""
        self.stop()
        self._feed.open(file)

    def arrange(self, steps: StepCorrection | None) -> None:
        """Join the sound at steps from the next start on."""
        self._feed.arrange(steps)

    def start(self, source: float, speed: float, loop: Loop | None) -> None:
        """Decode from a moment of the sound on; a device that runs goes on, as starting one takes its time."""
        self._begun = False
        self._feed.start(source, speed, loop)
        self._pump.renewed.emit()

    @property
    def is_ready(self) -> bool:
        """Whether the first block is decoded."""
        return self._feed.is_ready

    def begin(self) -> None:
        """Let the device run."""
        self._begun = True
        self._pump.begun.emit()

    def stop(self) -> None:
        """Be quiet at once."""
        self._begun = False
        self._feed.stop()
        self._pump.ended.emit()

    def moment(self) -> Moment | None:
        """Return which moment is heard now."""
        return self._pump.moment(self._now(), self._delay) if self._begun else None

    def grain(self, source: float) -> None:
        """Play a moment's sound once."""
        self._feed.grain(source)
        self._pump.begun.emit()

    def set_volume(self, volume: float) -> None:
        """Play at this amplitude, 0 to 1."""
        self._pump.volume_set.emit(volume)

    def set_delay(self, seconds: float) -> None:
        """Take the loudspeakers' delay into account."""
        self._delay = seconds

    def close(self) -> None:
        """Stop decoding and give the device back."""
        self._feed.close()
        self._pump.closed.emit()


class _Pump(QObject):
    """Moves samples from the feed to the device; lives in its own thread."""

    begun = Signal()
    renewed = Signal()
    ended = Signal()
    closed = Signal()
    volume_set = Signal(float)
    failed = Signal()

    def __init__(
        self,
        device: QAudioDevice,
        sample_format: QAudioFormat,
        feed: SoundFeed,
        now: Callable[[], float],
        connection: Connection,
    ) -> None:
        super().__init__()
        self._device = device
        self._format = sample_format
        self._feed = feed
        self._now = now
        self._connection = connection
        self._lock = threading.Lock()
        self._ledger = Ledger()
        self._steady: Steady | None = None
        self._valid_from = 0
        self._volume = 0.3
        self._sink: QAudioSink | None = None
        self._stream: QIODevice | None = None
        self._timer: QTimer | None = None
        queued = Qt.ConnectionType.QueuedConnection
        self.begun.connect(self._begin, queued)
        self.renewed.connect(self._renew, queued)
        self.ended.connect(self._end, queued)
        self.volume_set.connect(self._set_volume, queued)
        # The sink has to go in the thread that made it.
        self.closed.connect(self._close, Qt.ConnectionType.BlockingQueuedConnection)

    def moment(self, now: float, delay: float) -> Moment | None:
        """Return which moment is heard at a time; from any thread."""
        with self._lock:
            played = None if self._steady is None else self._steady.at(now) - delay * self._feed.rate
            if played is None or played < self._valid_from:
                return None
            return self._ledger.at(played)

    @Slot()
    def _renew(self) -> None:
        """What was handed over so far is no longer what is wanted."""
        with self._lock:
            self._valid_from = self._ledger.handed

    @Slot()
    def _begin(self) -> None:
        from PySide6.QtMultimedia import QAudioSink

        if self._stream is not None:
            return
        if self._connection.is_lost:
            self.failed.emit()
            return
        sink = QAudioSink(self._device, self._format)
        sink.setBufferSize(round(_BUFFER_SECONDS * self._format.sampleRate()) * self._format.bytesPerFrame())
        sink.setVolume(self._volume)
        stream: QIODevice | None = sink.start()
        self._connection.look_again()
        self._sink, self._stream = sink, stream
        if stream is None:
            self.failed.emit()
            return
        if self._timer is None:
            self._timer = QTimer(self)
            self._timer.setTimerType(Qt.TimerType.PreciseTimer)
            self._timer.timeout.connect(self._fill)
        self._timer.start(_PUMP_MILLISECONDS)
        self._fill()

    @Slot()
    def _end(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self._sink is not None:
            self._sink.reset()
        self._sink = self._stream = None
        with self._lock:
            self._ledger, self._steady, self._valid_from = Ledger(), None, 0

    @Slot()
    def _close(self) -> None:
        self._end()
        if self._timer is not None:
            # A timer has to go in its own thread, not whenever somebody forgets the pump.
            self._timer.setParent(None)
        self._timer = None
        # Whoever forgets the pump does so in the window's thread.
        self.moveToThread(_application().thread())

    @Slot(float)
    def _set_volume(self, volume: float) -> None:
        self._volume = volume
        if self._sink is not None:
            self._sink.setVolume(volume)

    def _fill(self) -> None:
        """Hand over as much as the device takes, and read off how much it has played."""
        from PySide6.QtMultimedia import QtAudio

        sink, width = self._sink, self._format.bytesPerFrame()
        if sink is None or self._stream is None:
            return
        is_fine = sink.error() in {QtAudio.Error.NoError, QtAudio.Error.UnderrunError}
        if self._connection.is_lost or not is_fine:
            self._end()
            self.failed.emit()
            return
        room = sink.bytesFree() // width
        for piece in self._feed.take(room):
            room -= self._hand_over(piece.samples, piece.lap, piece.source, piece.pace)
        buffered = sink.bufferSize() // width - room
        lacking = round(_LEAST_BUFFERED_SECONDS * self._feed.rate) - buffered
        if lacking > 0:
            heard = self._ledger.at(self._ledger.handed)
            place = heard or Moment(0, 0.0)
            self._hand_over(np.zeros((min(lacking, room), CHANNELS), np.float32), place.lap, place.seconds, 0.0)
        now = self._now()
        waiting = (sink.bufferSize() - sink.bytesFree()) // width
        with self._lock:
            played = float(self._ledger.handed - waiting)
            if self._steady is None:
                # A device takes up to half a second to begin; until then no time passes.
                if played > 0:
                    self._steady = Steady(now, played, float(self._feed.rate))
            else:
                self._steady = self._steady.pulled(now, played)

    def _hand_over(self, samples: Samples, lap: int, source: float, pace: float) -> int:
        with self._lock:
            self._ledger.add(len(samples), lap, source, pace)
        if self._stream is not None:
            self._stream.write(_encoded(samples, self._format))
        return len(samples)


def _application() -> QCoreApplication:
    application = QCoreApplication.instance()
    assert application is not None  # threads of Qt's are there only with it
    return application


def _encoded(samples: Samples, sample_format: QAudioFormat) -> bytes:
    """Return the bytes for the device."""
    from PySide6.QtMultimedia import QAudioFormat

    channels = sample_format.channelCount()
    if channels == 1:
        samples = samples.mean(axis=1, keepdims=True)
    elif channels > CHANNELS:
        samples = np.pad(samples, ((0, 0), (0, channels - CHANNELS)))
    if sample_format.sampleFormat() is QAudioFormat.SampleFormat.Int16:
        return bytes((np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes())
    return bytes(samples.astype(np.float32).tobytes())


def find_device() -> tuple[QAudioDevice, QAudioFormat] | None:
    """Return the default sound device and what to send to it, ``None`` where there is none or Qt cannot use it."""
    try:
        from PySide6.QtMultimedia import QAudioFormat, QMediaDevices
    except ImportError:
        # QtMultimedia needs shared libraries (PulseAudio's on Linux) that not every system has.
        return None
    device = QMediaDevices.defaultAudioOutput()
    if device.isNull():
        return None
    wanted = device.preferredFormat()
    wanted.setChannelCount(max(1, min(2, device.maximumChannelCount())))
    for kind in (QAudioFormat.SampleFormat.Float, QAudioFormat.SampleFormat.Int16):
        wanted.setSampleFormat(kind)
        if device.isFormatSupported(wanted):
            return device, wanted
    return None

"""The player: where it is, what is on screen and what is heard. Changing the correction never interrupts it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage

from desktop_app.document.corrections import AnyCorrection
from desktop_app.document.document import Document
from desktop_app.document.moving import arrangement, file_time, picture_time, played_time, shown_time, sound_time
from desktop_app.player.clock import Loop, Moment
from desktop_app.player.compared import Compared
from desktop_app.player.film import Film
from desktop_app.player.loudspeaker import Loudspeaker
from desktop_app.player.output import Output, SilentOutput
from desktop_app.player.scrubber import Scrubber
from engine.refusal import Refusal
from engine.timing import StepCorrection

SLOWEST, FASTEST = 0.25, 2.0
"""Speeds at which sound can still be understood; outside, and backwards, the player winds in silence."""
SHUTTLE_SPEEDS = (-8.0, -4.0, -2.0, -1.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

_TICK_MILLISECONDS = 8
"""Twice per refresh of a 60 Hz screen, so that pictures come at most 4 ms early or late."""
_PATIENCE_SECONDS = 2.0
"""How long the clock waits for the first picture and the first sound."""
_SETTLING_MILLISECONDS = 250
"""How long steps have to stay as they are until the sound is joined anew: not at each move of the mouse."""


class Player(QObject):
    """Plays the open clip with its correction.

    Times are those of the picture's clock; the sound of a moment is heard when the correction says so. While playing,
    sound leads: its clock says which moment is heard, the correction where that belongs, and the picture of that place
    is shown. So a changed correction only changes which picture is due, and nothing restarts. Only steps change what is
    heard: the sound is joined there as in the exported file, anew a moment after they were changed.

    Attributes:
        position_changed: signal, seconds.
        frame_ready: signal ``(image, seconds)``: a picture and its presentation time.
        before_ready: signal ``(image, seconds)``: while comparing, the picture that the present sound had before the
            correction.
        state_changed: signal: playing, speed, volume, loop or device changed.
        device_changed: signal: what is played comes out of another device from now on, or out of none.
        problem: signal, a sentence: the sound device failed.
        refused: signal ``(Refusal)``: the picture cannot be shown.

    Args:
        document: what is open.
        now: returns seconds that never run backwards.
        output: where the sound goes; by default the system's device, found when it is first needed.
    """

    position_changed = Signal(float)
    frame_ready = Signal(QImage, float)
    before_ready = Signal(QImage, float)
    state_changed = Signal()
    device_changed = Signal()
    problem = Signal(str)
    refused = Signal(Refusal)

    def __init__(
        self,
        document: Document,
        parent: QObject | None = None,
        *,
        now: Callable[[], float] = time.perf_counter,
        output: Output | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._now = now
        self._wind = SilentOutput(now)
        self._speaker = Loudspeaker(now, output, self)
        self._override: AnyCorrection | None = None
        self._arranged: StepCorrection | None = None
        self._position = document.start
        self._frame_at: float | None = None
        self._speed = 1.0
        self._loop: Loop | None = None
        self._playing = False
        self._running = False
        self._waiting_since = 0.0
        self._scrubbing = False
        self._height: int | None = None
        self._film = Film()
        self._scrubber = Scrubber(self)
        self._compared: Compared | None = None
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._timer.timeout.connect(self.tick)
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLING_MILLISECONDS)
        self._settling.timeout.connect(self._rearrange)
        self._scrubber.shown.connect(self._show_still)
        self._scrubber.stepped.connect(self._show_step)
        self._scrubber.failed.connect(self._refuse)
        self._speaker.found.connect(self.state_changed)
        self._speaker.replaced.connect(self._change_device)
        self._speaker.missing.connect(self._say_missing)
        self._speaker.lost.connect(self._say_lost)
        document.media_changed.connect(self._open)
        document.correction_changed.connect(self._follow_correction)
        self._open()

    # What it does.

    @property
    def position(self) -> float:
        """Where it is, in seconds of the picture's clock."""
        return self._position

    @property
    def is_playing(self) -> bool:
        """Whether it runs, in whatever direction."""
        return self._playing

    @property
    def speed(self) -> float:
        """Seconds per second; negative backwards."""
        return self._speed

    @property
    def volume(self) -> float:
        """Amplitude, 0 to 1."""
        return self._speaker.volume

    @property
    def loop(self) -> tuple[float, float] | None:
        """The stretch that is repeated."""
        return None if self._loop is None else (self._loop.start, self._loop.stop)

    @property
    def has_device(self) -> bool:
        """Whether something is heard; known once something was played."""
        return self._speaker.has_device

    @property
    def correction(self) -> AnyCorrection:
        """How the sound is moved in what is played now."""
        return self._document.correction if self._override is None else self._override

    # What it can be told.

    def play(self) -> None:
        """Play on from where it is; from the end, from the beginning."""
        if self._document.info is None or self._document.duration <= 0:
            return
        if self._speed > 0 and self._position >= self._end() - 1e-3 and self._loop is None:
            self._position = self._document.start
        self._speaker.follow_system()
        self._playing = True
        self._start()
        self._timer.start()
        self.state_changed.emit()

    def pause(self) -> None:
        """Stay where it is."""
        if not self._playing:
            return
        self._halt()
        self._scrubber.show(self._position)
        self.state_changed.emit()

    def toggle(self) -> None:
        """Play at normal speed, or stay."""
        if self._playing:
            self.pause()
        else:
            if not SLOWEST <= self._speed <= FASTEST:
                self._speed = 1.0
            self.play()

    def seek(self, seconds: float) -> None:
        """Go to a moment and go on as before."""
        self._move(min(max(seconds, self._document.start), self._end()))
        self._frame_at = None
        if self._playing:
            self._start()
            return
        self._scrubber.show(self._position)
        if self._scrubbing:
            self._speaker.output().arrange(arrangement(self.correction))
            self._speaker.output().grain(played_time(self.correction, self._position))

    def step(self, frames: int) -> None:
        """Stop and go some pictures on, or back."""
        if self._playing:
            self._halt()
            self.state_changed.emit()
        # A picture may have come a little early: the next one is the one after what is on screen.
        self._scrubber.step(self._position if self._frame_at is None else self._frame_at, frames)

    def shuttle(self, speed: float) -> None:
        """Play at a speed: negative is backwards, 0 is a stop."""
        if speed == 0:
            self.pause()
            return
        self._speed = speed
        self.play()

    def faster(self) -> None:
        """What the L key does: play, or one speed further forwards."""
        self.shuttle(self._next_speed(1) if self._playing else 1.0)

    def slower(self) -> None:
        """What the J key does: play backwards, or one speed further backwards."""
        self.shuttle(self._next_speed(-1) if self._playing else -1.0)

    def set_speed(self, speed: float) -> None:
        """Play at another speed, from a quarter to twice; goes on if it plays."""
        self._speed = min(max(speed, SLOWEST), FASTEST)
        if self._playing:
            self._start()
        self.state_changed.emit()

    def set_volume(self, volume: float) -> None:
        """Play at this amplitude, 0 to 1."""
        self._speaker.set_volume(volume)
        self.state_changed.emit()

    def set_speaker_delay(self, seconds: float) -> None:
        """Say how much later these loudspeakers sound than the system knows; never part of the clip's correction."""
        self._speaker.set_delay(seconds)

    def set_loop(self, start: float | None, stop: float | None) -> None:
        """Repeat a stretch; ``None`` for either end repeats nothing."""
        self._loop = Loop(start, stop) if start is not None and stop is not None and stop > start else None
        if self._playing:
            self._start()
        self.state_changed.emit()

    def set_override(self, correction: AnyCorrection | None) -> None:
        """Play with another correction than the document's, for comparing; ``None`` ends that."""
        self._override = correction
        self._follow_correction()

    def set_picture_height(self, height: int | None) -> None:
        """Decode pictures at most this high, because no more is shown."""
        if height == self._height:
            return
        self._height = height
        self._scrubber.set_max_height(height)
        if self._compared is not None:
            self._compared.set_max_height(height)
        if self._playing:
            self._start_film(self._position)
        elif self._document.info is not None:
            self._scrubber.show(self._position)

    def set_compare(self, on: bool) -> None:
        """Also show the picture that belongs to the present sound as it is in the file, or not."""
        if self._compared is not None:
            self._compared.close()
            self._compared.deleteLater()
        self._compared = None
        if on:
            self._compared = Compared(self._document, self)
            self._compared.shown.connect(self.before_ready)
            self._compared.set_max_height(self._height)
            self._compare()

    def start_scrub(self) -> None:
        """From now on let every moment that is sought be heard."""
        self._scrubbing = True

    def finish_scrub(self) -> None:
        """Seek silently again."""
        self._scrubbing = False
        if not self._playing:
            self._speaker.stop()

    def close(self) -> None:
        """Stop, end all threads and give the device back."""
        self._halt()
        self._film.close()
        self._scrubber.close()
        if self._compared is not None:
            self._compared.close()
        self._speaker.close()

    # How it runs.

    def tick(self) -> None:
        """Look at the clock and show what is due; called by a timer while playing."""
        if not self._playing:
            return
        if not self._running and not self._begin():
            return
        heard = self._output().moment()
        if heard is None:
            return
        shown = self.picture_of(heard.seconds)
        if self._loop is None and not self._document.start <= shown < self._end():
            self._finish(shown)
            return
        self._move(shown)
        if self._winds():
            if self._scrubber.is_idle:
                self._scrubber.show(shown)
            return
        self._show_due(Moment(heard.lap, shown))
        if self._compared is not None:
            self._compared.play(Moment(heard.lap, file_time(self._arranged, heard.seconds)), self._early())

    def picture_of(self, heard: float) -> float:
        """Return which moment of the picture belongs to a moment of what is played."""
        if arrangement(self.correction) == self._arranged:
            return picture_time(self.correction, heard)
        # Until the sound is joined anew the picture follows the stretch that is heard.
        return shown_time(self.correction, file_time(self._arranged, heard))

    def _show_due(self, now: Moment) -> None:
        if not self._has_picture():
            return
        picture = self._film.picture(now, self._early())
        if picture is not None:
            if picture.moment.seconds != self._frame_at:
                self._frame_at = picture.moment.seconds
                self.frame_ready.emit(picture.image, picture.moment.seconds)
        elif not self._film.covers(now):
            # The correction was changed by more than is kept: only the pictures start anew, the sound goes on.
            self._start_film(now.seconds)

    def _early(self) -> float:
        """Return by how many seconds a picture may come early: half the time between two looks at the clock."""
        return _TICK_MILLISECONDS / 2000 * self._speed

    def _begin(self) -> bool:
        """Let the clock run once there is something to show and to hear."""
        output = self._output()
        waited = self._now() - self._waiting_since
        ready = output.is_ready and (self._winds() or not self._has_picture() or self._film.is_ready)
        if not ready and waited < _PATIENCE_SECONDS:
            return False
        output.begin()
        self._running = True
        return True

    def _start(self) -> None:
        """Get sound and pictures ready from where it is."""
        self._running = False
        self._waiting_since = self._now()
        self._frame_at = None
        loop = self._loop if self._speed > 0 else None
        if loop is not None and not loop.start <= self._position < loop.stop:
            self._move(loop.start)
        correction = self.correction
        if self._winds():
            self._film.stop()
            self._speaker.stop()
        else:
            self._wind.stop()
            self._start_film(self._position)
        heard_loop = loop and Loop(played_time(correction, loop.start), played_time(correction, loop.stop))
        self._arranged = arrangement(correction)
        output = self._output()
        output.arrange(self._arranged)
        output.start(played_time(correction, self._position), self._speed, heard_loop)

    def _start_film(self, seconds: float) -> None:
        path = self._document.path
        if path is not None and self._has_picture():
            rested = self._scrubber.rest()
            self._film.start(path, seconds, self._loop, self._height, rested)

    def _finish(self, shown: float) -> None:
        """Stop at the end, or going backwards at the beginning."""
        self._halt()
        self._move(min(max(shown, self._document.start), self._end()))
        self._scrubber.show(self._position)
        self.state_changed.emit()

    def _halt(self) -> None:
        self._playing = self._running = False
        self._timer.stop()
        self._settling.stop()
        self._film.stop()
        self._wind.stop()
        if self._compared is not None:
            self._compared.stop()
        self._speaker.stop()

    def _winds(self) -> bool:
        """Whether it runs too fast, too slow or backwards, so that single pictures are shown in silence."""
        return not SLOWEST <= self._speed <= FASTEST

    def _output(self) -> Output:
        return self._wind if self._winds() else self._speaker.output()

    def _change_device(self) -> None:
        if self._playing:
            self._start()
        self.device_changed.emit()
        self.state_changed.emit()

    def _say_missing(self) -> None:
        self.problem.emit(self.tr("No sound device was found: the clip plays in silence."))

    def _say_lost(self) -> None:
        self.problem.emit(
            self.tr(
                "The sound device has stopped: the clip goes on in silence. Once the device is back, play again; "
                "if it stays silent, start Plosive anew."
            )
        )

    # What is open.

    def _open(self) -> None:
        self._halt()
        document = self._document
        self._loop = None
        self._override = None
        self._scrubber.open(document.path if self._has_picture() else None)
        self._speaker.open(self._sound_file())
        self._move(document.start)
        if self._has_picture():
            self._scrubber.show(self._position)
        self.state_changed.emit()

    def _sound_file(self) -> Path | None:
        info = self._document.sound_info
        return info.path if info is not None and info.audio is not None else None

    def _compare(self) -> None:
        """While it stands, show what the sound of this moment had before; while it plays, each look does."""
        if self._compared is not None and not self._playing:
            self._compared.stay(sound_time(self.correction, self._position))

    def _follow_correction(self) -> None:
        """While it plays, the next look at the clock sees the new correction; while it stands, nothing moves."""
        self._compare()
        if self._playing and self._loop is not None and not self._winds():
            # The loop is a stretch of the picture: the sound that belongs to it is another one now.
            self._start()
        elif self._playing and arrangement(self.correction) != self._arranged:
            self._settling.start()

    def _rearrange(self) -> None:
        """Join the sound at steps that were changed while it plays."""
        if self._playing and arrangement(self.correction) != self._arranged:
            self._start()

    def _has_picture(self) -> bool:
        return self._document.info is not None and self._document.info.video is not None

    def _end(self) -> float:
        return self._document.start + self._document.duration

    def _move(self, seconds: float) -> None:
        if seconds != self._position:
            self._position = seconds
            self.position_changed.emit(seconds)
            self._compare()

    def _show_still(self, image: QImage, seconds: float) -> None:
        if not self._playing or self._winds():
            self._frame_at = seconds
            self.frame_ready.emit(image, seconds)

    def _show_step(self, image: QImage, seconds: float) -> None:
        if not self._playing:
            self._move(seconds)
            self._show_still(image, seconds)

    def _refuse(self, refusal: Refusal) -> None:
        self._halt()
        self.refused.emit(refusal)
        self.state_changed.emit()

    def _next_speed(self, way: int) -> float:
        further = [speed for speed in SHUTTLE_SPEEDS if (speed - self._speed) * way > 0]
        if not further:
            return self._speed
        return min(further, key=lambda speed: math.fabs(speed - self._speed))

"""Pictures while playing: decoded ahead with all threads, kept for a moment after they were shown."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from desktop_app.images import to_image
from desktop_app.player.clock import Loop, Moment
from desktop_app.player.pictures import MOST_THREADS, Picture
from desktop_app.player.schedule import due
from engine.media.frames import Converter, VideoSource
from engine.refusal import Refused

AHEAD_BYTES = 16 << 20
BEHIND_BYTES = 16 << 20
"""Pictures already shown are kept so that a correction changed while playing finds them: half a second of 25 frames/s
where they are shown 440 pixels high. A larger change decodes anew."""
_LEAST_AHEAD = 4
_PATIENCE_SECONDS = 2.0
"""As long as the player's clock waits for the first picture: until then two decoders with all that they keep would take
their memory at once."""


class Film:
    """Decodes a stretch of a file in a thread of its own; newer wishes replace older ones."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._pictures: deque[Picture] = deque()
        self._shown = 0
        self._wish: tuple[Path, float, Loop | None, int | None] | None = None
        self._wishes = 0
        self._ended = True
        self._late: Moment | None = None
        self._after: threading.Event | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="film", daemon=True)
        self._thread.start()

    def start(
        self,
        file: Path,
        seconds: float,
        loop: Loop | None = None,
        height: int | None = None,
        after: threading.Event | None = None,
    ) -> None:
        """Decode from the picture on screen at a time on, round and round in a loop.

        Args:
            file: a local file.
            seconds: the time.
            loop: what is repeated.
            height: greatest height of the pictures.
            after: wait for this first, but not for long: somebody else gives memory back.
        """
        with self._condition:
            self._after = after
            self._wish = (file, seconds, loop, height)
            self._wishes += 1
            self._forget()
            self._ended = False
            self._condition.notify_all()

    def stop(self) -> None:
        """Decode no more and forget all pictures."""
        with self._condition:
            self._wish = None
            self._wishes += 1
            self._forget()
            self._ended = True
            self._condition.notify_all()

    def close(self) -> None:
        """End the thread."""
        with self._condition:
            self._closing = True
            self._wishes += 1
            self._condition.notify_all()
        self._thread.join()

    @property
    def is_ready(self) -> bool:
        """Whether there is a picture to begin with, or will never be one."""
        with self._condition:
            return bool(self._pictures) or self._ended

    def picture(self, now: Moment, early: float) -> Picture | None:
        """Return the picture for a moment of the picture's clock, ``None`` when none is decoded for it."""
        with self._condition:
            index = due(self._pictures, now, early)
            self._late = now
            if index < 0:
                return None
            picture = self._pictures[index]
            self._shown = index
            behind = sum(old.bytes for old in list(self._pictures)[:index])
            while self._shown > 0 and behind > BEHIND_BYTES:
                behind -= self._pictures.popleft().bytes
                self._shown -= 1
            self._condition.notify_all()
            return picture

    def covers(self, now: Moment) -> bool:
        """Return whether the picture for a moment is decoded or will be soon."""
        with self._condition:
            if not self._pictures:
                return not self._ended
            first, last = self._pictures[0].moment, self._pictures[-1].moment
            if (now.lap, now.seconds) < (first.lap, first.seconds):
                return False
            return self._ended or now.lap != last.lap or now.seconds <= last.seconds + 1.0

    def wait_for(self, now: Moment, early: float, timeout: float) -> bool:
        """Wait until a picture later than a moment is decoded, so that the one for the moment is known; for tests.

        Returns:
            Whether it is.
        """

        def known() -> bool:
            return self._ended or (
                bool(self._pictures)
                and (self._pictures[-1].moment.lap, self._pictures[-1].moment.seconds) > (now.lap, now.seconds + early)
            )

        with self._condition:
            return self._condition.wait_for(known, timeout)

    def _forget(self) -> None:
        self._pictures.clear()
        self._shown = 0
        self._late = None

    def _work(self) -> None:
        while True:
            with self._condition:
                while self._wish is None and not self._closing:
                    self._condition.wait()
                if self._closing:
                    return
                assert self._wish is not None
                (file, seconds, loop, height), number = self._wish, self._wishes
                after = self._after
            if after is not None:
                after.wait(_PATIENCE_SECONDS)
            try:
                for picture in _decoded(file, seconds, loop, height, self._is_late):
                    if not self._add(picture, number):
                        break
            except Refused:
                # The scrubber says why; what was decoded stays on screen.
                pass
            with self._condition:
                if number == self._wishes:
                    self._wish = None
                    self._ended = True
                    self._condition.notify_all()

    def _add(self, picture: Picture, number: int) -> bool:
        """Keep a picture, waiting until there is room; returns whether more are wanted."""
        with self._condition:
            if number == self._wishes:
                self._pictures.append(picture)
                self._condition.notify_all()
            while number == self._wishes and self._is_full():
                self._condition.wait()
            return number == self._wishes

    def _is_full(self) -> bool:
        ahead = list(self._pictures)[self._shown + 1 :]
        return len(ahead) >= _LEAST_AHEAD and sum(picture.bytes for picture in ahead) >= AHEAD_BYTES

    def _is_late(self, moment: Moment) -> bool:
        """Whether a picture would come too late to be shown, so that converting it can be saved."""
        with self._condition:
            late = self._late
        return late is not None and (moment.lap, moment.seconds + 0.25) < (late.lap, late.seconds)


def _decoded(
    file: Path, seconds: float, loop: Loop | None, height: int | None, is_late: Callable[[Moment], bool]
) -> Iterator[Picture]:
    """Yield pictures from a time on; in a loop, for ever."""
    with VideoSource(file, None, "frame", most_threads=MOST_THREADS) as source:
        convert = Converter(height, "rgb24", source.sample_aspect)
        lap, begin = 0, seconds
        while True:
            waiting = None
            for pts, picture in source.pictures(begin):
                at = float(pts * source.time_base)
                if at <= begin:
                    # The one on screen at the beginning is known when the next one is.
                    waiting = (at, picture)
                    continue
                if waiting is not None:
                    yield Picture(Moment(lap, begin if lap else waiting[0]), to_image(convert(waiting[1])))
                    waiting = None
                if loop is not None and at >= loop.stop:
                    break
                moment = Moment(lap, at)
                if not is_late(moment):
                    yield Picture(moment, to_image(convert(picture)))
            if waiting is not None:
                yield Picture(Moment(lap, begin if lap else waiting[0]), to_image(convert(waiting[1])))
            if loop is None:
                return
            lap, begin = lap + 1, loop.start

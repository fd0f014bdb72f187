"""Sound for the device: decoded ahead in a thread, at the wanted speed, round and round in a loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from desktop_app.player.clock import Loop
from desktop_app.player.reel import Reel, Samples
from desktop_app.player.stretching import Stretcher
from engine.timing import StepCorrection

_AHEAD_SECONDS = 0.5
_GRAIN_SECONDS = 0.06
_GRAIN_FADE_SECONDS = 0.012
"""Grains of 40 to 80 ms let a syllable be recognised while scrubbing; faded ends keep them from clicking."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of sound for the device.

    Attributes:
        samples: shape ``(n, 2)``, full scale 1.
        lap: how many times the loop has begun anew.
        source: moment of the file that its first sample is from, seconds.
        pace: seconds of the file per sample.
    """

    samples: Samples
    lap: int
    source: float
    pace: float


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be decoded; a grain where ``speed`` is 0."""

    source: float
    speed: float
    loop: Loop | None


class SoundFeed:
    """Decodes one file's sound in a thread of its own; newer wishes replace older ones.

    Args:
        rate: samples per second that the device takes.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._condition = threading.Condition()
        self._reel = Reel(None, None, rate)
        self._pieces: deque[Piece] = deque()
        self._wish: _Wish | None = None
        self._wishes = 0
        self._begun = True
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="sound feed", daemon=True)
        self._thread.start()

    def open(self, file: Path | None) -> None:
        """Play another file's sound, as it is; ``None`` is silence."""
        with self._condition:
            self._reel = Reel(file, None, self.rate)
        self.stop()

    def arrange(self, steps: StepCorrection | None) -> None:
        """From the next wish on, join the sound at steps; moments are then those of :class:`Reel`."""
        with self._condition:
            if steps != self._reel.steps:
                self._reel = Reel(self._reel.file, steps, self.rate)

    def start(self, source: float, speed: float, loop: Loop | None) -> None:
        """Decode from a moment of the file on.

        Args:
            source: seconds; before the first sample there is silence.
            speed: positive.
            loop: stretch of the file that is repeated.
        """
        self._ask(_Wish(source, speed, loop))

    def grain(self, source: float) -> None:
        """Have the moment's sound ready, faded in and out."""
        self._ask(_Wish(source - _GRAIN_SECONDS / 2, 0.0, None))

    def stop(self) -> None:
        """Decode no more and forget what was decoded."""
        self._ask(None)

    def close(self) -> None:
        """End the thread."""
        with self._condition:
            self._closing = True
            self._wishes += 1
            self._condition.notify_all()
        self._thread.join()

    @property
    def is_ready(self) -> bool:
        """Whether the beginning of what was wished for is decoded."""
        with self._condition:
            return self._begun

    def take(self, count: int) -> list[Piece]:
        """Return the next ``count`` samples, fewer when fewer are decoded."""
        taken: list[Piece] = []
        with self._condition:
            while count > 0 and self._pieces:
                piece = self._pieces.popleft()
                if len(piece.samples) > count:
                    rest = Piece(piece.samples[count:], piece.lap, piece.source + count * piece.pace, piece.pace)
                    self._pieces.appendleft(rest)
                    piece = Piece(piece.samples[:count], piece.lap, piece.source, piece.pace)
                taken.append(piece)
                count -= len(piece.samples)
            self._condition.notify_all()
        return taken

    def _ask(self, wish: _Wish | None) -> None:
        with self._condition:
            self._wish = wish
            self._wishes += 1
            self._pieces.clear()
            self._begun = wish is None
            self._condition.notify_all()

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._wish is not None or self._closing)
                if self._closing:
                    return
                assert self._wish is not None
                wish, reel, number = self._wish, self._reel, self._wishes
            pieces = _grain(reel, wish.source) if wish.speed == 0 else _played(reel, wish)
            for piece in pieces:
                if not self._add(piece, number):
                    break
            with self._condition:
                if number == self._wishes:
                    self._wish = None
                    self._begun = True

    def _add(self, piece: Piece, number: int) -> bool:
        """Keep a piece, waiting until there is room; returns whether more are wanted."""

        def is_wanted() -> bool:
            held = sum(len(old.samples) for old in self._pieces)
            return number != self._wishes or held < _AHEAD_SECONDS * self.rate

        with self._condition:
            if number == self._wishes:
                self._pieces.append(piece)
                self._begun = True
                self._condition.notify_all()
            self._condition.wait_for(is_wanted)
            return number == self._wishes


def _played(reel: Reel, wish: _Wish) -> Iterator[Piece]:
    """Yield the sound from a moment on; in a loop, for ever, else with silence without end after the last sample."""
    lap, begin, rate = 0, wish.source, reel.rate
    while True:
        stretcher = Stretcher(rate, wish.speed)
        source, pace = begin, wish.speed / rate
        wanted = None if wish.loop is None else max(1, round((wish.loop.stop - begin) / pace))
        for block in reel.blocks(begin, None if wish.loop is None else wish.loop.stop):
            samples = stretcher.feed(block)[:wanted]
            if len(samples):
                yield Piece(samples, lap, source, pace)
                source += len(samples) * pace
                wanted = None if wanted is None else wanted - len(samples)
            if wanted == 0:
                break
        assert wish.loop is not None
        lap, begin = lap + 1, wish.loop.start


def _grain(reel: Reel, source: float) -> Iterator[Piece]:
    """Yield one grain."""
    rate = reel.rate
    count, fade = round(_GRAIN_SECONDS * rate), round(_GRAIN_FADE_SECONDS * rate)
    sound = next(reel.blocks(source, source + _GRAIN_SECONDS))[:count]
    ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))[:, None] ** 2
    shaped = sound.copy()
    shaped[:fade] *= ramp[: len(shaped)]
    shaped[-fade:] *= ramp[::-1][-len(shaped) :]
    yield Piece(shaped, 0, source, 1 / rate)

"""Pictures while nothing plays: the newest wish is fulfilled, those before it are forgotten."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from desktop_app.images import to_image
from desktop_app.player.walker import FrameWalker
from engine.refusal import Refused


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be shown.

    Attributes:
        seconds: the moment.
        steps: pictures to go on from there (back, if negative); ``None`` where the moment itself is wanted.
    """

    seconds: float
    steps: int | None = None


class Scrubber(QObject):
    """Decodes single pictures in a thread of its own.

    Attributes:
        shown: signal ``(image, seconds)``: the picture that was wished for last, and its presentation time.
        stepped: signal ``(image, seconds)``: the same after a wish with steps.
        failed: signal ``(Refusal)``: the file cannot be shown (any more).
    """

    shown = Signal(QImage, float)
    stepped = Signal(QImage, float)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._condition = threading.Condition()
        self._file: Path | None = None
        self._height: int | None = None
        self._wish: Wish | None = None
        self._doing: Wish | None = None
        self._closing = False
        self._rests: threading.Event | None = None
        self._thread = threading.Thread(target=self._work, name="scrubber", daemon=True)
        self._thread.start()

    @property
    def is_idle(self) -> bool:
        """Whether every wish is fulfilled."""
        with self._condition:
            return self._wish is None and self._doing is None

    def open(self, file: Path | None) -> None:
        """Show another file; wishes for the one before are forgotten."""
        with self._condition:
            self._file, self._wish = file, None
            self._condition.notify()

    def set_max_height(self, height: int | None) -> None:
        """Show pictures at most this high."""
        with self._condition:
            self._height = height

    def show(self, seconds: float) -> None:
        """Wish for the picture on screen at a time."""
        self._ask(Wish(seconds))

    def step(self, seconds: float, count: int) -> None:
        """Wish for the picture ``count`` after the one on screen at a time; steps not yet done add up."""
        with self._condition:
            before = self._wish or self._doing
        if before is not None and before.steps is not None:
            self._ask(Wish(before.seconds, before.steps + count))
        else:
            self._ask(Wish(seconds, count))

    def rest(self) -> threading.Event:
        """Forget wishes and give memory back: for a while other pictures are shown.

        Returns:
            What is set once that is done.
        """
        with self._condition:
            self._wish = None
            self._rests = self._rests or threading.Event()
            self._condition.notify()
            return self._rests

    def close(self) -> None:
        """End the thread; waits for the picture in work."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()

    def _ask(self, wish: Wish) -> None:
        with self._condition:
            if self._file is not None:
                self._wish = wish
                self._condition.notify()

    def _work(self) -> None:
        walker: FrameWalker | None = None
        opened: Path | None = None
        looks_back = False
        while True:
            with self._condition:
                self._doing = None
                while not (self._wish or self._rests or looks_back or self._closing or self._file != opened):
                    self._condition.wait()
                if self._closing:
                    break
                file, wish, height = self._file, self._wish, self._height
                self._wish, self._doing = None, wish
                rests, self._rests = self._rests, None
            try:
                if file != opened:
                    opened = file
                    if walker is not None:
                        walker.close()
                    walker = None
                    walker = FrameWalker(file) if file is not None else None
                if walker is not None and rests is not None:
                    walker.forget()
                if walker is not None and wish is not None:
                    self._fulfil(walker, wish, height)
                    looks_back = True
                elif looks_back:
                    # Nothing is wished for: there is time to prepare what may be wished next.
                    looks_back = walker is not None and walker.look_back()
            except Refused as refused:
                looks_back = False
                self.failed.emit(refused.refusal)
            if rests is not None:
                rests.set()
        if walker is not None:
            walker.close()

    def _fulfil(self, walker: FrameWalker, wish: Wish, height: int | None) -> None:
        walker.set_max_height(height)
        seconds, pixels = walker.at(wish.seconds)
        if wish.steps is None:
            self.shown.emit(to_image(pixels), seconds)
            return
        seconds, pixels = walker.step(wish.steps)
        self.stepped.emit(to_image(pixels), seconds)

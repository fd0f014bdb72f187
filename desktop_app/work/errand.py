"""Reading files in a thread: only the newest wish counts."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from engine.refusal import Refusal, Refused


class Errand(QObject):
    """One thread that always does the newest thing it was asked for; a base class.

    Attributes:
        refused: signal ``(Refusal)``: a file cannot be read.
    """

    refused = Signal(Refusal)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._condition = threading.Condition()
        self._task: Callable[[int], None] | None = None
        self._newest = 0
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=type(self).__name__, daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Forget what was asked for."""
        with self._condition:
            self._newest += 1
            self._task = None

    def close(self) -> None:
        """End the thread; waits until its present task looks up."""
        with self._condition:
            self._newest += 1
            self._closing = True
            self._condition.notify()
        self._thread.join()

    def is_current(self, number: int) -> bool:
        """Return whether a task is still the newest one; called by tasks as often as they can."""
        with self._condition:
            return number == self._newest

    def _ask(self, task: Callable[[int], None]) -> None:
        with self._condition:
            self._newest += 1
            self._task = task
            self._condition.notify()

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._task is not None or self._closing)
                if self._closing:
                    return
                task, number = self._task, self._newest
                self._task = None
            try:
                if task is not None:
                    task(number)
            except Refused as refused:
                if self.is_current(number):
                    self.refused.emit(refused.refusal)
            except OSError:
                # The file went away between being opened and being read: whoever opens it next says so.
                continue

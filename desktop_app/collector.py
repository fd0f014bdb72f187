"""Where Python's cyclic garbage is collected: in the window's thread, and nowhere else."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_INTERVAL_MS = 500


class Collector(QObject):
    """Collects garbage from the event loop for as long as it lives.

    Python collects in whatever thread happens to pass the limit, and decoders run Python in threads of their own. A
    QObject that dies in a thread that is not its own takes the process along.

    What exists when this is made, modules and the window, is never looked at again: that would take 30 ms each time.

    Args:
        parent: lives at least as long as this.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        gc.freeze()
        self._timer = QTimer(self)
        self._timer.timeout.connect(collect_what_is_due)
        self._timer.start(_INTERVAL_MS)

    def stop(self) -> None:
        """Let Python collect by itself again."""
        self._timer.stop()
        gc.enable()


def collect_what_is_due() -> None:
    """Collect the generations that have passed Python's own limits, the oldest of them only once."""
    counts, limits = gc.get_count(), gc.get_threshold()
    due = [generation for generation in range(3) if counts[generation] > limits[generation]]
    if due:
        gc.collect(max(due))

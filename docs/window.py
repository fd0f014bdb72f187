"""Make the README's picture of the window: the program itself, with its own sample, measured and corrected.

``make picture`` writes it to ``docs/window.png``. Nothing in it is drawn for the picture.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TARGET = Path(__file__).with_name("window.png")
WIDTH, HEIGHT = 1280, 800
SHOWN_SECONDS = 4.0
"""How much of the clip the timeline shows."""
_PATIENCE_SECONDS = 300.0


def main() -> None:
    """Open the sample, measure it, correct it, and take the picture."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"PLOSIVE_HOME": home, "PLOSIVE_CACHE": home, "PLOSIVE_LANG": "en", "QT_SCALE_FACTOR": "2"}
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        take()


def take() -> None:
    """Take the picture with the settings of the environment."""
    from PySide6.QtCore import QEventLoop, QTimer

    from desktop_app.application import Program, make_application

    program = Program(make_application())
    program.settings["theme"] = "dark"
    program.settings["measure_on_open"] = False
    program.open([])
    window, studio = program.window, program.studio
    window.resize(WIDTH, HEIGHT)

    beat = QTimer()
    beat.start(50)  # wakes who waits below: given a limit of time Qt would turn in circles

    def until(condition: Callable[[], bool]) -> None:
        begin = time.monotonic()
        while not condition():
            if time.monotonic() - begin > _PATIENCE_SECONDS:
                raise TimeoutError(studio.document.path, studio.measuring.refusal)
            program.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    studio.open_sample()
    until(lambda: studio.document.path is not None)
    studio.measuring.start()
    until(lambda: not studio.measuring.is_running)
    found = studio.document.measurement
    if found is None:
        raise RuntimeError(studio.measuring.refusal)
    middle = found.plosives[len(found.plosives) // 3].seen
    window.timeline.set_span(middle - SHOWN_SECONDS / 2, middle + SHOWN_SECONDS / 2)
    window.player.seek(middle)
    window.actions_["landmarks"].trigger()
    begin = time.monotonic()
    until(lambda: not window.toasts.texts and time.monotonic() - begin > 3)
    window.grab().save(str(TARGET))
    window.close()
    program.close()


if __name__ == "__main__":
    main()

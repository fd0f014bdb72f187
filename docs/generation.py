"""Make the README's picture of the generation page: the program's own drawn person says the sample's words again.

``make picture`` writes it to ``docs/generation.png``. Nothing in it is drawn for the picture.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

TARGET = Path(__file__).with_name("generation.png")
WIDTH, HEIGHT = 1280, 800
SECONDS = Fraction(12)
"""How much of the sample's voice is said."""
_PATIENCE_SECONDS = 300.0


def main() -> None:
    """Make a face and a voice, render them, and take the picture."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"PLOSIVE_HOME": home, "PLOSIVE_CACHE": home, "PLOSIVE_LANG": "en", "QT_SCALE_FACTOR": "2"}
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        take(*made(Path(home)))


def made(folder: Path) -> tuple[Path, Path]:
    """Draw the face and speak the voice."""
    from engine.generation.calibrate import draw_face, write_voice
    from engine.sample.text import sample_text
    from engine.sample.voice import speak

    face, voice = folder / "portrait.png", folder / "greeting.wav"
    draw_face(face)
    write_voice(speak(sample_text("sentences"), at_least=SECONDS), voice)
    return face, voice


def take(face: Path, voice: Path) -> None:
    """Take the picture with the settings of the environment."""
    from PySide6.QtCore import QEventLoop, QTimer

    from desktop_app.application import Program, make_application

    program = Program(make_application())
    program.settings["theme"] = "dark"
    program.open([])
    window, page, rendering = program.window, program.window.generation, program.studio.rendering
    window.resize(WIDTH, HEIGHT)

    beat = QTimer()
    beat.start(50)  # wakes who waits below: given a limit of time Qt would turn in circles

    def until(condition: Callable[[], bool]) -> None:
        begin = time.monotonic()
        while not condition():
            if time.monotonic() - begin > _PATIENCE_SECONDS:
                raise TimeoutError(rendering.items)
            program.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    window.open_paths([face, voice])
    until(lambda: page.can_render and bool(page.inputs.voice_well.facts) and bool(page.inputs.face_well.facts))
    page.render_now()
    until(lambda: not rendering.is_running)
    if rendering.items[0].report is None:
        raise RuntimeError(rendering.items[0].refusal)
    program.app.processEvents()  # what the end of the render shows is laid out
    window.grab().save(str(TARGET))
    window.close()
    program.close()


if __name__ == "__main__":
    main()

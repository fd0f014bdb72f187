"""``--self-test``: does the main job from the first step to the last, by itself, and says whether it worked.

It is for whoever has just packaged or installed the program: all that can be missing from a package is used once,
the window, the engine's process, faces, the export and both languages.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable

from PySide6.QtCore import QEventLoop, QTimer

from desktop_app.application import Program, make_application
from desktop_app.translation import speak
from engine.media.export.report import ExportReport
from engine.refusal import Refusal
from engine.sync.result import Kind, Measurement

_LATE_MS = 80.0
"""How late the sound of the sample is."""
_NEAR_MS = 20.0
"""How near the answer has to be; how near it gets is what the tests of measuring look at."""
_PATIENCE_SECONDS = 300.0
_BEAT_MILLISECONDS = 50


class Failed(Exception):  # noqa: N818 - an answer, not an error
    """A step did not work; why."""


def self_test() -> int:
    """Measure, correct, export and measure the sample clip in a real window; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        # Settings, logs, caches and the sample of the user stay out of this.
        os.environ |= {"PLOSIVE_HOME": folder, "PLOSIVE_CACHE": folder}
        program = Program(make_application())
        if sys.stdout is not None:
            logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
        program.open([])
        try:
            _do(program)
        except Failed as failed:
            _say(f"FAILED: {failed}")
            return 1
        finally:
            program.window.close()
            program.close()
    _say("passed")
    return 0


def _do(program: Program) -> None:
    studio, document = program.studio, program.studio.document
    refusals: list[Refusal] = []
    studio.refused.connect(refusals.append)
    studio.measuring.failed.connect(lambda refusal, _details: refusals.append(refusal))

    beat = QTimer()
    beat.start(_BEAT_MILLISECONDS)  # wakes who waits below: given a limit of time Qt would turn in circles

    def until(what: str, condition: Callable[[], bool]) -> None:
        begin = time.monotonic()
        while not condition():
            if refusals:
                raise Failed(f"{what}: {refusals[0]}")
            if time.monotonic() - begin > _PATIENCE_SECONDS:
                raise Failed(f"{what}: nothing came in {_PATIENCE_SECONDS:.0f} s")
            program.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        _say(f"{what} ({time.monotonic() - begin:.1f} s)")

    for language in ("zh_CN", "en"):
        if missing := speak(language):
            raise Failed(f"no texts in {', '.join(missing)}")
    studio.settings["measure_on_open"] = False
    studio.open_sample()
    until("made and opened the sample", lambda: document.path is not None)
    studio.measuring.start()
    until("measured it", lambda: not studio.measuring.is_running)
    _expect(document.measurement, studio.measuring.refusal, _LATE_MS)
    studio.apply_measured()
    program.window.export()
    until("exported it, and measured the copy", lambda: not studio.exporting.is_running)
    if not isinstance(studio.exporting.report, ExportReport):
        raise Failed(str(studio.exporting.refusal))
    _expect(studio.exporting.after, studio.exporting.refusal, 0.0)


def _expect(found: Measurement | None, refusal: Refusal | None, late_ms: float) -> None:
    if found is None:
        raise Failed(str(refusal))
    _say(f"  {found.verdict}")
    wanted = Kind.CONSTANT if late_ms else Kind.IN_SYNC
    if found.kind is not wanted or found.offset_ms is None or abs(found.offset_ms - late_ms) > _NEAR_MS:
        raise Failed(f"expected {late_ms:.0f} ms late")


def _say(text: str) -> None:
    # A program without a console has no standard output on Windows.
    if sys.stdout is not None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

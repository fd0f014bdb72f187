"""The engine's process, seen from the window: jobs go in, signals come out, and it is replaced when it dies."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QThread, QTimer, Signal, Slot

from desktop_app.work import process_tree
from desktop_app.work.jobs import Ending, EngineJob, Outcome
from engine.wire import Unreadable, from_line, to_line
from engine.words import current_language
from engine.worker_messages import PROTOCOL, Request

CANCEL_SECONDS = 3.0
"""How long a job may take to stop by itself before its process is killed."""
SILENCE_SECONDS = 30.0
"""Without a sign of life for this long the process hangs, and is killed. Imports and native code on a busy machine keep
it silent for seconds."""
_MOST_FAILED_STARTS = 3

ROOT = Path(__file__).resolve().parents[2]


def worker_command() -> tuple[str, ...]:
    """Return the command that starts the engine's process, from the sources or from the packaged program."""
    if getattr(sys, "frozen", False):
        # Beside the window's program, which has no standard input and output on Windows (see engine/packaged.py).
        window = Path(sys.executable)
        return (str(window.with_name(f"plosive-cli{window.suffix}")), "--worker")
    return (sys.executable, "-m", "engine.worker")


@cache
def cli_program() -> str:
    """Return what a terminal calls the commands by: their name, or where they are if it would not find that."""
    if getattr(sys, "frozen", False):
        return worker_command()[0]
    beside = Path(sys.executable).with_name(f"plosive{Path(sys.executable).suffix}")
    return str(beside) if shutil.which("plosive") is None and beside.exists() else "plosive"


class EngineProcess(QObject):
    """Does jobs one after the other in a child process.

    A job that does not stop when asked takes the process along; a process that dies is replaced. The job that it died
    over ends as lost, those that waited are asked for again.

    Args:
        log_path: where the process's own words go.
        command: starts the process; by default :func:`worker_command`.
        cancel_seconds: see :data:`CANCEL_SECONDS`.
        silence_seconds: see :data:`SILENCE_SECONDS`.
    """

    died = Signal(str)
    """A process ended without being asked to; how."""
    unavailable = Signal(str)
    """Processes cannot be started; why. Jobs end as lost from now on, until one is asked for again."""

    def __init__(
        self,
        log_path: Path,
        command: Sequence[str] | None = None,
        *,
        cancel_seconds: float = CANCEL_SECONDS,
        silence_seconds: float = SILENCE_SECONDS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._log_path = log_path
        self._command = tuple(command or worker_command())
        self._cancel_seconds = cancel_seconds
        self._silence_seconds = silence_seconds
        self._jobs: OrderedDict[int, EngineJob] = OrderedDict()
        self._cancelled: dict[int, EngineJob] = {}
        self._pump: _Pump | None = None
        self._failed_starts = 0
        self._is_ready = False
        self._killed_for: int | None = None
        self._last_sign = 0.0
        self._watch = QTimer(self)
        self._watch.setInterval(max(50, round(silence_seconds * 250)))
        self._watch.timeout.connect(self._look_for_signs)

    @property
    def pid(self) -> int | None:
        """Id of the process, ``None`` while there is none."""
        return self._pump.process.pid if self._pump and self._is_ready else None

    @property
    def jobs(self) -> tuple[EngineJob, ...]:
        """Jobs that have not ended; the first one is being done."""
        return tuple(self._jobs.values())

    def submit(self, request: Request) -> EngineJob:
        """Ask for something; the process is started if it is not there."""
        job = EngineJob(request, self)
        self._jobs[job.number] = job
        if self._pump is None:
            self._failed_starts = 0
            self._start()
        elif self._is_ready:
            self._ask(job)
        return job

    def cancel(self, job: EngineJob) -> None:
        """Stop a job. It ends as cancelled within :data:`CANCEL_SECONDS`, or its process is killed."""
        if job.number not in self._jobs:
            return
        if self._is_ready:  # it may be done already, and its result on the way
            self._cancelled[job.number] = job
        if not self._is_ready or next(iter(self._jobs)) != job.number:
            self._say("cancel", job=job.number)  # it is not being done: nothing has to stop
            self._end(job.number, Outcome(Ending.CANCELLED))
            return
        self._say("cancel", job=job.number)
        QTimer.singleShot(round(self._cancel_seconds * 1000), self, lambda: self._kill_for(job.number))

    def say_language(self) -> None:
        """Tell the process which language sentences are said in."""
        self._say("language", code=current_language())

    def stop(self) -> None:
        """Cancel everything and end the process; returns when it is gone."""
        self._watch.stop()
        for number in list(self._jobs):
            self._end(number, Outcome(Ending.CANCELLED))
        self._forget_all()
        pump, self._pump, self._is_ready = self._pump, None, False
        if pump is None:
            return
        pump.came.disconnect(self._hear)
        pump.ended.disconnect(self._mourn)
        pump.say("leave")
        try:
            pump.process.wait(self._cancel_seconds)
        except subprocess.TimeoutExpired:
            process_tree.kill(pump.process)
        pump.wait()

    def _start(self) -> None:
        try:
            self._log_path.parent.mkdir(parents=True, exist_ok=True)
            with self._log_path.open("ab") as log:
                folder = None if getattr(sys, "frozen", False) else ROOT
                process = process_tree.start(self._command, folder, log)
        except OSError as error:
            self._give_up(str(error))
            return
        self._is_ready = False
        self._killed_for = None
        self._last_sign = time.monotonic()
        self._pump = _Pump(process, self)
        self._pump.came.connect(self._hear)
        self._pump.ended.connect(self._mourn)
        self._pump.start()
        self._watch.start()

    def _ask(self, job: EngineJob) -> None:
        self._say("do", job=job.number, request=job.request)

    def _say(self, what: str, **more: object) -> None:
        if self._pump is not None:
            self._pump.say(what, **more)

    @Slot(object)
    def _hear(self, message: dict[str, Any]) -> None:
        self._last_sign = time.monotonic()
        match message["say"]:
            case "hello" if message["protocol"] == PROTOCOL:
                self._failed_starts = 0
                self._is_ready = True
                self.say_language()
                for job in self._jobs.values():
                    self._ask(job)
            case "hello":
                self._failed_starts = _MOST_FAILED_STARTS
                self._kill()
            case "progress" if message["job"] in self._jobs:
                self._jobs[message["job"]].progress(message["stage"], message["done"], message["partial"])
            case "result" if (late := self._cancelled.get(message["job"])) is not None:
                self._end(late.number, Outcome(Ending.CANCELLED))
                late.came_late.emit(message["value"])
                self._forget(late.number)
            case "result":
                self._end(message["job"], Outcome.of(message["value"]))
            case "fault":
                self._end(message["job"], Outcome(Ending.FAULT, details=message["details"]))
                self._forget(message["job"])
            case "cancelled":
                self._end(message["job"], Outcome(Ending.CANCELLED))
                self._forget(message["job"])

    def _end(self, number: int | None, outcome: Outcome) -> None:
        job = self._jobs.pop(number, None) if number is not None else None
        if job is not None:
            job.end(outcome)
            if number not in self._cancelled:
                job.deleteLater()

    def _forget(self, number: int) -> None:
        """Expect no answer any more for a job that was cancelled."""
        job = self._cancelled.pop(number, None)
        if job is not None and number not in self._jobs:
            job.deleteLater()

    @Slot(str)
    def _mourn(self, how: str) -> None:
        """The process is gone: end the job that it was doing, and start another one for the rest."""
        self._watch.stop()
        was_ready, self._is_ready = self._is_ready, False
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.wait()
            pump.deleteLater()
        if was_ready and self._jobs:
            number = next(iter(self._jobs))
            cancelled = number == self._killed_for
            self._end(number, Outcome(Ending.CANCELLED if cancelled else Ending.LOST, details=how))
        self._forget_all()
        if not was_ready:
            self._failed_starts += 1
        if self._killed_for is None:
            self.died.emit(how)
        if self._failed_starts >= _MOST_FAILED_STARTS:
            self._give_up(how)
        elif self._pump is None:  # whoever heard of the end may have asked for more, which started one
            self._start()

    def _forget_all(self) -> None:
        for number in list(self._cancelled):
            self._forget(number)

    def _give_up(self, why: str) -> None:
        self.unavailable.emit(why)
        for number in list(self._jobs):
            self._end(number, Outcome(Ending.LOST, details=why))

    def _kill_for(self, number: int) -> None:
        if number in self._jobs:
            self._killed_for = number
            self._kill()

    def _look_for_signs(self) -> None:
        if time.monotonic() - self._last_sign > self._silence_seconds:
            self._kill()

    def _kill(self) -> None:
        if self._pump is not None:
            process_tree.kill(self._pump.process)


class _Pump(QThread):
    """Reads the lines of one process until it is gone."""

    came = Signal(object)
    ended = Signal(str)

    def __init__(self, process: subprocess.Popen[bytes], parent: QObject) -> None:
        super().__init__(parent)
        self.process = process
        self._writing = threading.Lock()

    def say(self, what: str, **more: object) -> None:
        """Send a line; a process that is gone is no error, :attr:`ended` says so."""
        assert self.process.stdin is not None
        with self._writing:
            try:
                self.process.stdin.write(to_line({"say": what, **more}))
                self.process.stdin.flush()
            except (OSError, ValueError):
                return

    def run(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        for line in self.process.stdout:
            try:
                self.came.emit(from_line(line))
            except Unreadable:
                continue  # a line cut short by the end
        # What a dead process had started may still run, holding files open.
        process_tree.kill(self.process)
        code = self.process.wait()
        self.process.stdout.close()
        with self._writing, contextlib.suppress(OSError):
            self.process.stdin.close()
        self.ended.emit(f"exit code {code}")

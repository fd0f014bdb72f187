"""The engine as a child process: requests come in as lines, events go out as lines, one job at a time.

``python -m engine.worker`` speaks the language of :mod:`engine.worker_messages` over its standard input and output.
When its input ends it stops what it does and leaves, so that it never outlives the program that started it.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.jobs import Job, Progress, run
from engine.refusal import Refusal, Refused
from engine.wire import Unreadable, from_line, to_line
from engine.words import use_language
from engine.worker_messages import (
    HEARTBEAT_SECONDS,
    PROTOCOL,
    Calibrate,
    CheckModel,
    CheckPrompt,
    Doctor,
    DownloadModel,
    Draw,
    Engines,
    Export,
    FindModels,
    ImportModels,
    Measure,
    PlanRender,
    Prepare,
    Relabel,
    Render,
    Request,
    Sample,
    Warm,
    WriteEdit,
)

if TYPE_CHECKING:
    from engine.generation.prompts import PromptAdvice
    from engine.generation.registry import EngineStatus

_REPORT_SECONDS = 0.05
"""Progress without a partial result is sent at most this often."""
_LEAVE_SECONDS = 2.0
"""How long the running job may take to stop when the input has ended."""


class _Cancelled(BaseException):
    """Raised inside a job to close it; not an ``Exception``, so that nobody takes it for a failure."""


def start(request: Request) -> Job[Any]:
    """Return the job that answers a request; heavy rooms are imported here and not before."""
    match request:
        case Measure():
            from engine.sync.measure import measure

            return measure(
                request.path,
                audio=request.audio,
                thorough=request.thorough,
                face=request.face,
                start=request.start,
                stop=request.stop,
            )
        case Export():
            from engine.media.export.job import export

            arguments = {each.name: getattr(request, each.name) for each in fields(request)}
            return export(**arguments)
        case WriteEdit():
            from engine.media.interchange.job import write_edit

            return write_edit(
                request.clip,
                request.target,
                request.correction,
                request.form,
                audio=request.audio,
                overwrite=request.overwrite,
            )
        case Draw():
            from engine.plot import draw_report

            return draw_report(
                request.before,
                request.target,
                correction=request.correction,
                after=request.after,
                audio=request.audio,
            )
        case Doctor():
            from engine.sound.doctor import diagnose

            return diagnose(request.path)
        case Prepare():
            return _prepare(request)
        case Relabel():
            from engine.sound.relabel import relabel

            return relabel(request.path, request.rate)
        case Sample():
            from engine.sample.clip import build_sample_clip

            return build_sample_clip(request.target, offset_ms=request.offset_ms)
        case Warm():
            return _warm()
        case Engines():
            return _engines()
        case PlanRender():
            from engine.generation.render import estimate

            return estimate(request.spec)
        case Render():
            from engine.generation.render import render

            return render(request.spec, resume=request.resume)
        case Calibrate():
            from engine.generation.calibrate import calibrate

            return calibrate(request.engine, request.parameters)
        case CheckPrompt():
            return _check_prompt(request)
        case FindModels():
            from engine.models.finder import find

            return find()
        case CheckModel():
            from engine.models.checking import check

            return check(request.path)
        case ImportModels():
            from engine.models.importing import import_models

            return import_models(request.folder)
        case DownloadModel():
            from engine.models.catalog import entry
            from engine.models.downloading import download

            return download(entry(request.name))


def _prepare(request: Prepare) -> Job[Path | Refusal]:
    from engine.sound.prepare import prepare

    prepared = yield from prepare(request.path, request.target)
    return prepared if isinstance(prepared, Refusal) else prepared.path


def _warm() -> Job[None]:
    yield Progress("importing", 0.0)
    import_module("engine.sync.measure")


def _engines() -> Job[tuple[EngineStatus, ...]]:
    from engine.generation.registry import engine_list

    yield Progress("looking_around", 0.0)
    return engine_list()


def _check_prompt(request: CheckPrompt) -> Job[PromptAdvice | Refusal]:
    from engine.generation.prompts import check_prompt, listen

    heard = yield from listen(request.voice)
    return heard if isinstance(heard, Refusal) else check_prompt(request.prompt, heard)


class Worker:
    """Reads requests, does them in order, and reports.

    Args:
        lines: where requests come from.
        out: where events go.
        start: turns a request into its job.
    """

    def __init__(self, lines: BinaryIO, out: BinaryIO, start: Callable[[Request], Job[Any]] = start) -> None:
        self._lines = lines
        self._out = out
        self._start = start
        self._writing = threading.Lock()
        self._waiting: queue.Queue[tuple[int, Request] | None] = queue.Queue()
        self._cancelled: set[int] = set()
        self._paused: set[int] = set()
        self._told = threading.Condition()
        self._leaving = threading.Event()

    def serve(self) -> None:
        """Work until asked to leave, or until the input ends."""
        self._say("hello", protocol=PROTOCOL)
        for target in (self._read, self._beat):
            threading.Thread(target=target, daemon=True).start()
        while (item := self._waiting.get()) is not None:
            self._do(*item)

    def _do(self, job: int, request: Request) -> None:
        reported = -_REPORT_SECONDS

        def report(progress: Progress) -> None:
            nonlocal reported
            self._wait_while_paused(job, progress)
            if job in self._cancelled or self._leaving.is_set():
                raise _Cancelled
            if progress.partial or (time.monotonic() - reported) >= _REPORT_SECONDS:
                reported = time.monotonic()
                self._say("progress", job=job, stage=progress.stage, done=progress.done, partial=progress.partial)

        try:
            report(Progress("starting", 0.0))
            value = run(self._start(request), report)
            self._say("result", job=job, value=value)
        except _Cancelled:
            self._say("cancelled", job=job)
        except Refused as refused:
            self._say("result", job=job, value=refused.refusal)
        except Exception:  # noqa: BLE001 - a bug in one job is reported as such, the next one is served
            self._say("fault", job=job, details=traceback.format_exc())

    def _wait_while_paused(self, job: int, progress: Progress) -> None:
        """Hold a job at its yield until it is told to continue, or to end."""
        if job not in self._paused:
            return
        self._say("progress", job=job, stage="paused", done=progress.done, partial=None)
        with self._told:
            self._told.wait_for(lambda: job not in self._paused or job in self._cancelled or self._leaving.is_set())

    def _say(self, what: str, **more: object) -> None:
        line = to_line({"say": what, **more})
        with self._writing:
            try:
                self._out.write(line)
                self._out.flush()
            except OSError:
                self._leaving.set()  # nobody listens any more

    def _read(self) -> None:
        for line in self._lines:
            try:
                message = from_line(line)
            except Unreadable as error:
                self._say("fault", job=None, details=str(error))
                continue
            match message["say"]:
                case "do":
                    self._waiting.put((message["job"], message["request"]))
                case "cancel":
                    self._tell(self._cancelled.add, message["job"])
                case "pause":
                    self._tell(self._paused.add, message["job"])
                case "continue":
                    self._tell(self._paused.discard, message["job"])
                case "language":
                    use_language(message["code"])
                case "leave":
                    break
        with self._told:
            self._leaving.set()
            self._told.notify_all()
        self._waiting.put(None)
        # The main thread leaves at its job's next yield; native code that never comes back must not keep us alive.
        timer = threading.Timer(_LEAVE_SECONDS, os._exit, [0])
        timer.daemon = True
        timer.start()

    def _tell(self, change: Callable[[int], None], job: int) -> None:
        """Change what is wanted of a job, and wake it up if it waits."""
        with self._told:
            change(job)
            self._told.notify_all()

    def _beat(self) -> None:
        while not self._leaving.wait(HEARTBEAT_SECONDS):
            self._say("alive")


def main() -> None:
    """Serve on standard input and output, and leave without unloading native libraries."""
    # Whatever native code prints must not get between the lines: standard output becomes the log.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Worker(sys.stdin.buffer, out).serve()
    os._exit(0)


if __name__ == "__main__":
    main()

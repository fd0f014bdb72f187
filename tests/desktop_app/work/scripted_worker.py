"""A worker whose jobs do what the path of the request says, for tests of whoever drives one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from engine.jobs import Job, Progress
from engine.refusal import Refusal
from engine.sync.result import OffsetPoint
from engine.worker import Worker
from engine.worker_messages import Measure, Request

FOREVER = threading.Event()


def scripted(request: Request) -> Job[object]:
    assert isinstance(request, Measure)
    match request.path.name:
        case "points":
            for number in range(5):
                point = OffsetPoint(t=number, offset_ms=80.0, confidence=0.9, uncertainty_ms=5.0, seconds=4.0)
                yield Progress("looking", number / 5, (point,))
            return (80.0, str(request.path))
        case "refuse":
            return Refusal.of("media.no_sound", path=request.path)
        case "bug":
            raise ZeroDivisionError("scripted")
        case "die":
            yield Progress("looking", 0.5)
            os.abort()
        case "patient":
            while True:
                yield Progress("looking", 0.1)
                FOREVER.wait(0.01)
        case "stuck":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            request.path.with_suffix(".pid").write_text(str(child.pid))
            yield Progress("looking", 0.1, "stuck now")
            FOREVER.wait()
        case "silent":
            yield Progress("looking", 0.1, "silent now")
            os.kill(os.getpid(), 19)  # SIGSTOP
        case "prints":
            os.write(1, b"native code talks to standard output\n")
            print("and so does python")  # noqa: T201
    yield Progress("looking", 1.0)
    return None


if __name__ == "__main__":
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Worker(sys.stdin.buffer, output, scripted).serve()
    os._exit(0)

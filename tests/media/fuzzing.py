"""Read damaged files in another process, so that neither a crash of libav nor a hang takes the tests along.

Run as a module it is that process: it reads file names from its input, one JSON string per line, and answers each with
one line: ``ok``, ``refused <code>`` or ``error <traceback>``.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.media.frames import read_frames
from engine.media.probe import probe
from engine.media.samples import read_samples
from engine.refusal import Refused

START_SECONDS = 120
ROOT = Path(__file__).resolve().parent.parent.parent


def outcomes(files: Iterable[Path], limit_seconds: float) -> Iterator[tuple[Path, str]]:
    """Yield ``(file, outcome)``; besides the child's answers, ``hung`` and ``crashed <exit status>`` are outcomes."""
    child = _start()
    try:
        for file in files:
            child.stdin.write(json.dumps(os.fspath(file)) + "\n")
            child.stdin.flush()
            outcome = _answer(child, limit_seconds)
            if outcome is None:
                child.kill()
                outcome = "hung"
            elif not outcome:
                outcome = f"crashed {child.wait()}"
            yield file, outcome
            if outcome.split()[0] in {"hung", "crashed"}:
                _stop(child)
                child = _start()
    finally:
        _stop(child)


def _start() -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.media.fuzzing"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        bufsize=1,
    )
    # Importing everything takes seconds on a busy machine, which is not the file's fault.
    if _answer(child, START_SECONDS) != "ready":
        raise RuntimeError("the reading process did not start")
    return child


def _stop(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()


def _answer(child: subprocess.Popen[str], limit_seconds: float) -> str | None:
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        if not selector.select(limit_seconds):
            return None
    return child.stdout.readline().strip()


def read_everything(file: str) -> str:
    """Probe a file and read all its frames and samples; return the outcome. Having no sound or picture is none."""
    refused = set()
    for look in (
        lambda: probe(file),
        lambda: probe(file, full=True),
        lambda: [None for _ in read_frames(file, max_height=90)],
        lambda: [None for _ in read_frames(file, start=0.5)],
        lambda: [None for _ in read_samples(file)],
        lambda: [None for _ in read_samples(file, start=0.5, sample_rate=None, channels=None)],
    ):
        try:
            look()
        except Refused as refusal:
            refused.add(refusal.refusal.code)
        except Exception:  # noqa: BLE001 - whatever it is, it is what the test is after
            return "error " + json.dumps(traceback.format_exc())
    refused -= {"media.no_picture", "media.no_sound"}
    return " ".join(["refused", *sorted(refused)]) if refused else "ok"


if __name__ == "__main__":
    print("ready", flush=True)  # noqa: T201 - the answer to the parent
    for line in sys.stdin:
        print(read_everything(json.loads(line)), flush=True)  # noqa: T201 - the answer to the parent

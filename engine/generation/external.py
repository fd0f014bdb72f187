r"""Engines that the user has installed in an environment of their own, run through a command.

Each is a TOML file in the folder :func:`external_folder`; the file's name is the engine's:

    title = "Wav2Lip"
    command = ["/opt/wav2lip/bin/python", "inference.py", "--face", "{source}", "--audio", "{voice}",
               "--outfile", "{output}"]
    folder = "/opt/wav2lip"            # where the command runs; optional
    takes = ["picture", "video"]       # optional
    fps = ["25"]                       # optional: rates that it makes, the first one by default
    progress = '(\d+)%'               # optional: what its output says about progress

``{source}``, ``{voice}`` (16 kHz, mono, offsets applied), ``{output}``, ``{prompt}``, ``{seed}``, ``{fps}``,
``{width}`` and ``{height}`` are replaced inside arguments; there is no shell. The clip that it makes is taken apart and
put together, given its voice and measured like any other.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from engine.generation.backend import (
    Capabilities,
    Devices,
    Estimate,
    Host,
    Picture,
    RenderJob,
    Requirement,
    SourceKind,
)
from engine.generation.plan import Plan, Segment
from engine.generation.spec import RenderSpec
from engine.jobs import Job, Progress
from engine.places import data_folder
from engine.refusal import Refusal, Refused
from engine.words import Message

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")
_WAIT_SECONDS = 0.2
_LINES_KEPT = 4
_FAREWELL_SECONDS = 3.0
_BYTES_PER_PIXEL = 0.2


def external_folder() -> Path:
    """Return where external engines are described."""
    return data_folder() / "engines"


def external_names() -> tuple[str, ...]:
    """Return the names of all external engines."""
    folder = external_folder()
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.stem for path in folder.glob("*.toml") if _NAME.fullmatch(path.stem)))


def open_external(name: str) -> ExternalEngine:
    """Return an external engine.

    Raises:
        Refused: ``generation.external_unreadable`` if its file makes no sense.
    """
    path = external_folder() / f"{name}.toml"
    try:
        return ExternalEngine(name, _Command.of(tomllib.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, re.error) as error:
        raise Refused.because(
            "generation.external_unreadable", path=path, why=f"{type(error).__name__}: {error}"
        ) from error


@dataclass(frozen=True, slots=True)
class _Command:
    """What the file of an external engine says."""

    title: str
    arguments: tuple[str, ...]
    folder: Path | None
    takes: tuple[SourceKind, ...]
    fps: tuple[Fraction, ...]
    progress: re.Pattern[str] | None

    @classmethod
    def of(cls, data: dict[str, Any]) -> _Command:
        arguments = tuple(data["command"])
        if not arguments or not all(isinstance(each, str) for each in arguments):
            raise ValueError("command has to be a list of texts")
        if not any("{output}" in each for each in arguments):
            raise ValueError("no argument holds {output}")
        unknown = data.keys() - {"title", "command", "folder", "takes", "fps", "progress"}
        if unknown:
            raise ValueError(f"not known: {', '.join(sorted(unknown))}")
        return cls(
            title=str(data["title"]),
            arguments=arguments,
            folder=Path(data["folder"]) if "folder" in data else None,
            takes=tuple(SourceKind(each) for each in data.get("takes", [kind.value for kind in SourceKind])),
            fps=tuple(Fraction(str(each)) for each in data.get("fps", [])),
            progress=re.compile(data["progress"]) if "progress" in data else None,
        )


class ExternalEngine:
    """Runs the command once for the whole clip, then hands out the pictures of what it made."""

    def __init__(self, name: str, command: _Command) -> None:
        self._name = name
        self._command = command
        self._job: RenderJob | None = None
        self._reader: Any = None

    def capabilities(self) -> Capabilities:
        """Say what the file says; ready if the program to run is there."""
        program = self._command.arguments[0]
        is_there = shutil.which(program) is not None
        key = "program" if is_there else "no_program"
        return Capabilities(
            name=self._name,
            title=Message("generation.external.title", title=self._command.title),
            about=Message("generation.external.about", program=program),
            version="\n".join(self._command.arguments),
            takes=self._command.takes,
            fps=self._command.fps,
            default_fps=self._command.fps[0] if self._command.fps else Fraction(25),
            requirements=(Requirement(program, is_there, Message(f"generation.external.{key}", path=program)),),
            reads_prompt=any("{prompt}" in each for each in self._command.arguments),
            lowers=(),
        )

    def plan(self, spec: RenderSpec, plan: Plan, host: Host) -> Estimate | Refusal:  # noqa: ARG002 - cannot be known
        """Estimate the disk; time and memory are the other program's own."""
        pixels = plan.size[0] * plan.size[1] * plan.frame_count
        return Estimate(0, 0, round(2 * _BYTES_PER_PIXEL * pixels), 0.0, (Message("generation.external.unknown_cost"),))

    def load(self, job: RenderJob, devices: Devices) -> Job[None]:  # noqa: ARG002 - it chooses its own
        """Run the command, unless an earlier run has left its result; open what it made.

        Raises:
            Refused: ``generation.external_not_started``, ``generation.external_failed``,
                ``generation.external_made_nothing``, or as :class:`engine.media.frames.FrameReader`.
        """
        from engine.media.frames import FrameReader

        self._job = job
        output = job.folder / "made.mp4"
        done = job.folder / "made.done"
        if not done.exists():
            yield from self._run(job, output)
            if not output.is_file() or not output.stat().st_size:
                raise Refused.because("generation.external_made_nothing", title=self._command.title)
            done.touch()
        self._reader = FrameReader(output)

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """Yield the pictures on screen at the segment's times."""
        from engine.generation.face_source import fitted

        assert self._job is not None
        for frame in range(segment.first_frame, segment.stop_frame):
            shown = self._reader.frame_at(frame / self._job.plan.fps)
            yield fitted(shown.image, self._job.plan.size)

    def state(self) -> bytes | None:
        """Return ``None``: segments stand by themselves."""
        return None

    def restore(self, state: bytes) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Close what the command made."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _arguments(self, job: RenderJob, output: Path) -> list[str]:
        values = {
            "source": str(job.source.path.absolute()),
            "voice": str(job.voice.path.absolute()),
            "output": str(output.absolute()),
            "prompt": job.spec.prompt,
            "seed": str(job.spec.seed),
            "fps": f"{float(job.plan.fps):g}",
            "width": str(job.plan.size[0]),
            "height": str(job.plan.size[1]),
        }
        pattern = re.compile("|".join(r"\{" + name + r"\}" for name in values))
        return [pattern.sub(lambda found: values[found[0][1:-1]], each) for each in self._command.arguments]

    def _run(self, job: RenderJob, output: Path) -> Job[None]:
        """Run the command; leaving this ends it with everything that it started."""
        try:
            process = subprocess.Popen(
                self._arguments(job, output),
                cwd=self._command.folder,
                env=_users_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:  # its folder is gone, or the program is none for this machine
            raise Refused.because(
                "generation.external_not_started", title=self._command.title, why=_why(error)
            ) from error
        assert process.stdout is not None
        said: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=_read, args=(process.stdout, said), daemon=True)
        reader.start()
        last: list[str] = []
        share = 0.0
        try:
            while process.poll() is None or reader.is_alive() or not said.empty():
                try:
                    line = said.get(timeout=_WAIT_SECONDS)
                except queue.Empty:
                    line = ""
                if line.strip():
                    last = [*last, line.strip()][-_LINES_KEPT:]
                    share = self._share(line, share)
                yield Progress("running", share)
        finally:
            _end(process)
            reader.join(_FAREWELL_SECONDS)
            process.stdout.close()
        if process.returncode:
            raise Refused.because(
                "generation.external_failed",
                title=self._command.title,
                exit_code=process.returncode,
                said=" / ".join(last) or "–",
            )

    def _share(self, line: str, share: float) -> float:
        found = self._command.progress.search(line) if self._command.progress else None
        if found is None or not found.groups():
            return share
        try:
            return min(1.0, max(share, float(found[1]) / 100))
        except ValueError:
            return share


def _why(error: OSError) -> str:
    """Return what the system says, and of which file."""
    return ": ".join(str(each) for each in (error.filename, error.strerror) if each) or type(error).__name__


def _users_environment() -> dict[str, str]:
    """Return the environment as the user has it: a packaged program's own libraries are no good to other programs.

    PyInstaller's loader puts its folder first and keeps what stood there under another name (its manual, "Launching
    external programs from the frozen application").
    """
    environment = dict(os.environ)
    if getattr(sys, "frozen", False) and sys.platform == "linux":
        before = environment.pop("LD_LIBRARY_PATH_ORIG", None)
        environment.pop("LD_LIBRARY_PATH", None)
        if before is not None:
            environment["LD_LIBRARY_PATH"] = before
    return environment


def _read(stream: IO[str], said: queue.Queue[str]) -> None:
    """Pass lines on; a progress bar's carriage returns end lines, too."""
    for line in stream:
        said.put(line)


def _end(process: subprocess.Popen[str]) -> None:
    """End a command and what it started, first kindly."""
    if process.poll() is not None:
        return
    if os.name != "posix":
        process.kill()
        process.wait()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < 0.5:
            threading.Event().wait(0.02)
        if process.poll() is not None:
            break
    process.wait()

"""What a person sees in the terminal: results on standard output, progress and failures on standard error."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from engine.cli.sentences import say
from engine.generation.events import Notice, Reading
from engine.jobs import Progress
from engine.refusal import Refusal
from engine.sync.result import Kind
from engine.words import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

KIND_STYLES = {
    Kind.IN_SYNC: "bold green",
    Kind.CONSTANT: "bold red",
    Kind.DRIFT: "bold red",
    Kind.STEPS: "bold red",
    Kind.JITTER: "bold yellow",
    Kind.UNMEASURABLE: "bold yellow",
}


class Terminal:
    """Both streams of the process; results are kept free of everything else.

    Args:
        as_json: write results as one JSON object per line, and nothing else, on standard output.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError):
                # A name or a sentence that the terminal's encoding lacks must not end the program.
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        self.as_json = as_json
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def json(self, record: dict[str, Any]) -> None:
        """Write one JSON object on a line of its own, in ASCII, so that any file name survives."""
        sys.stdout.write(json.dumps(record, ensure_ascii=True, allow_nan=False) + "\n")
        sys.stdout.flush()

    def print(self, text: str = "", style: str = "") -> None:
        """Write text to standard output; square brackets mean nothing in it."""
        self.out.print(escape(text), style=style or None)

    def title(self, file: str) -> None:
        """Write the name of the file that the following lines are about."""
        self.print(printable(file), "bold cyan")

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Write names and values in two columns."""
        width = max((cell_len(name) for name, _ in rows), default=0)
        for name, value in rows:
            padding = " " * (width - cell_len(name) + 2)
            self.out.print(f"  [dim]{escape(name)}[/]{padding}{escape(printable(value))}")

    def refused(self, file: str, refusal: Refusal) -> None:
        """Say why a file could not be dealt with, and what to do about it."""
        if self.as_json:
            self.json({"file": file, "error": refusal_record(refusal)})
            return
        self.err.print(f"[bold red]✗[/] {escape(str(refusal.sentence))}")
        self.err.print(f"  [dim]{escape(str(refusal.remedy))}[/]")

    def fault(self, file: str, details: str) -> None:
        """Say that Plosive itself failed, with what a developer needs to know."""
        sentence = say("fault", file=file)
        if self.as_json:
            self.json({"file": file, "error": {"code": "cli.fault", "sentence": sentence, "remedy": details}})
            return
        self.err.print(f"[bold red]✗[/] {escape(sentence)}")
        self.err.print(escape(details), style="dim")


def refusal_record(refusal: Refusal) -> dict[str, str]:
    """Return a refusal as plain data."""
    return {"code": refusal.code, "sentence": refusal.sentence.text(), "remedy": refusal.remedy.text()}


class ProgressBars:
    """One bar for each file that is being worked on; nothing at all where standard error is no terminal.

    Args:
        terminal: where to draw.
        names: the files, by their number.
    """

    def __init__(self, terminal: Terminal, names: list[str]) -> None:
        self._terminal = terminal
        self._names = names
        self._bars: Bars | None = None
        self._tasks: dict[int, TaskID] = {}
        self._readings: dict[int, Reading] = {}

    def __enter__(self) -> Self:
        if self._terminal.err.is_terminal:
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bars

            stage = TextColumn("{task.fields[stage]}", style="dim", markup=False)
            columns = (TextColumn("{task.description}"), BarColumn(), stage)
            self._bars = Bars(*columns, console=self._terminal.err, transient=True, redirect_stdout=False)
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def update(self, number: int, progress: Progress) -> None:
        """Show how far a file is; what a person should know is said whether anybody watches or a log is written."""
        if isinstance(progress.partial, Notice):
            self._terminal.err.print(f"{progress.partial.message}", markup=False)
        if self._bars is None:
            return
        if number not in self._tasks:
            name = printable(self._names[number])
            shown = escape(name if len(name) <= 40 else f"…{name[-39:]}")
            self._tasks[number] = self._bars.add_task(shown, total=1.0, stage="")
        if isinstance(progress.partial, Reading):
            self._readings[number] = progress.partial
        reading = self._readings.get(number)
        if reading is not None and reading.stage != progress.stage:
            reading = None
        stage = " · ".join([say(f"stage.{progress.stage}"), *_pace(reading)])
        self._bars.update(self._tasks[number], completed=progress.done, stage=stage)

    def finished(self, number: int) -> None:
        """Take a file's bar away, and the others too until the next update, so that a result can be written."""
        if self._bars is None:
            return
        if number in self._tasks:
            self._bars.remove_task(self._tasks.pop(number))
        self._bars.stop()

    def resume(self) -> None:
        """Draw again, after a result was written."""
        if self._bars is not None:
            self._bars.start()


def _pace(reading: Reading | None) -> list[str]:
    """Return how far a render is, how fast, and how long it will still take, as far as that can be said."""
    if reading is None or reading.frame_gen_ms is None or reading.encode_ms is None:
        return []
    each = reading.frame_gen_ms + reading.encode_ms
    said = [say("pace.pictures", done=reading.frame, all=reading.frame_count)]
    if each > 0:
        said.append(say("pace.per_second", pace=1000 / each))
    if reading.eta_seconds is not None:
        said.append(say("pace.left", time=_clock(reading.eta_seconds)))
    return said


def _clock(seconds: float) -> str:
    """Return a duration as ``m:ss``, or ``h:mm:ss`` from an hour on."""
    whole = math.ceil(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"

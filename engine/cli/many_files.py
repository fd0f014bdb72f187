"""One command over many files: which files, where the results go, and the worst outcome as exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from engine.cli.batch import Fault, Task, run_all
from engine.cli.exit_codes import ExitCode
from engine.cli.sentences import say
from engine.cli.terminal import ProgressBars, Terminal
from engine.folders import expand
from engine.refusal import Refusal, Refused

Show = Callable[[Terminal, str, Any], int]
"""Shows one result of one file and returns its exit code."""

_REFUSALS = {
    "fix.unmeasurable": ExitCode.UNMEASURABLE,
    "fix.uncertain": ExitCode.UNMEASURABLE,
    "fix.jitter": ExitCode.OUT_OF_SYNC,
}
"""Exit codes of refusals that are not about bad input."""


class Work:
    """The files of one command, and what is common to doing something with all of them."""

    def __init__(self, paths: Sequence[str], jobs: int | None, *, as_json: bool) -> None:
        self.terminal = Terminal(as_json=as_json)
        self.files = expand(paths)
        cores = os.cpu_count() or 1
        # Looking at faces keeps about two cores busy, so half as many processes as cores by default.
        self.processes = jobs or max(1, min(cores // 2, 4))

    def targets(self, target: str | None, suffix: str | None = None) -> dict[str, str]:
        """Return where each file's result goes: the target itself for a single file, else names in that folder.

        Args:
            target: a file, or a folder that exists or whose name ends with a slash, or is needed for several files;
                ``None`` gives an empty answer.
            suffix: appended to the names in a folder.

        Raises:
            Refused: ``cli.folder`` if the folder cannot be made.
        """
        if target is None:
            return {}
        if len(self.files) == 1 and not target.endswith(("/", os.sep)) and not Path(target).is_dir():
            return {self.files[0]: target}
        try:
            Path(target).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused.because("cli.folder", path=target, why=error.strerror or str(error)) from error
        taken: dict[str, str] = {}
        for file in self.files:
            name, count = f"{Path(file).name}{suffix or ''}", 1
            while name in taken.values():
                count += 1
                stem = Path(file).name if suffix else Path(file).stem
                name = f"{stem}-{count}{suffix or Path(file).suffix}"
            taken[file] = name
        return {file: os.path.join(target, name) for file, name in taken.items()}  # noqa: PTH118 - a plain string

    def do(self, tasks: Sequence[Task], show: Show) -> int:
        """Run the tasks, show their results in the order of the files, and return the worst exit code."""
        codes: list[int] = []
        early: dict[int, Any] = {}
        with (
            ProgressBars(self.terminal, self.files) as bars,
            closing(run_all(tasks, self.processes, bars.update)) as results,
        ):
            for number, result in results:
                early[number] = result
                bars.finished(number)
                while len(codes) in early:
                    file = self.files[len(codes)]
                    codes.append(self._show(file, early.pop(len(codes)), show))
                bars.resume()
        if len(self.files) > 1 and not self.terminal.as_json:
            self._sum_up(codes)
        return max(codes)

    def _show(self, file: str, result: Any, show: Show) -> int:
        if isinstance(result, Fault):
            self.terminal.fault(file, result.details)
            return ExitCode.FAULT
        if isinstance(result, Refusal):
            self.terminal.refused(file, result)
            return _REFUSALS.get(result.code, ExitCode.BAD_INPUT)
        return show(self.terminal, file, result)

    def _sum_up(self, codes: Sequence[int]) -> None:
        counts = [(code, codes.count(code)) for code in ExitCode if code in codes]
        parts = [say(f"count.{code.name.lower()}", count=count) for code, count in counts]
        self.terminal.print(say("count.files", files=len(codes), parts=say("count.between").join(parts)), "bold")

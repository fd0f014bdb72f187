"""What ``make demo`` shows: a clip with known timing is made, measured, explained, fixed losslessly, and proved."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from engine.cli.answers import fix_facts, show_measurement
from engine.cli.batch import Fault, Task, run_all
from engine.cli.exit_codes import ExitCode
from engine.cli.terminal import KIND_STYLES, ProgressBars, Terminal
from engine.fix import fix
from engine.fix_report import FixReport
from engine.jobs import Job, part_of
from engine.plot import draw_before_after
from engine.refusal import Refusal, Refused
from engine.sample.clip import build_sample_clip
from engine.sync.result import Kind
from engine.timing import Offset
from engine.words import Message, system_language, use_language

OFFSET_MS = 80.0
"""How late the sound of the sample clip is made."""

FOLDER = Path("out")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo found.

    Attributes:
        report: the fix of the sample clip.
        picture: the timeline before and after.
    """

    report: FixReport
    picture: Path


def show(folder: Path) -> Job[Shown | Refusal]:
    """Do the main job on the sample clip; the clip is made once and then reused.

    Args:
        folder: where clip, copy and picture go; made if missing.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clip = folder / "sample.mp4"
        if not _is_current(clip):
            yield from part_of(build_sample_clip(clip, offset_ms=OFFSET_MS), 0.0, 0.5)
            _mark_path(clip).write_text(_maker_digest(), encoding="utf-8")
        report = yield from part_of(fix(clip, folder / "sample-insync.mp4", overwrite=True), 0.5, 0.95)
        if isinstance(report, Refusal):
            return report
        drawn: Path | Refusal = folder / "demo.png"
        if report.before is not None and report.after is not None:
            drawn = yield from part_of(draw_before_after(report.before, report.after, folder / "demo.png"), 0.95, 1.0)
        return drawn if isinstance(drawn, Refusal) else Shown(report, drawn)
    except Refused as refused:
        return refused.refusal


def _is_current(clip: Path) -> bool:
    mark = _mark_path(clip)
    return clip.exists() and mark.exists() and mark.read_text(encoding="utf-8") == _maker_digest()


def _mark_path(clip: Path) -> Path:
    return clip.with_suffix(".made-by")


def _maker_digest() -> str:
    """Return a digest of what draws and speaks: when that changes, the clip is made again."""
    digest = hashlib.sha256(str(OFFSET_MS).encode())

    def add(entry: Traversable) -> None:
        if entry.is_dir():
            for child in sorted(entry.iterdir(), key=lambda child: child.name):
                add(child)
        elif not entry.name.endswith(".pyc"):
            digest.update(entry.read_bytes())

    add(files("engine.sample"))
    add(files("resources").joinpath("sample"))
    return digest.hexdigest()


def main() -> int:
    """Run the demo in a terminal and return the exit code."""
    use_language(system_language())
    terminal = Terminal()
    terminal.print(_say("intro"), "bold")
    with (
        ProgressBars(terminal, ["sample.mp4"]) as bars,
        closing(run_all([Task(show, {"folder": FOLDER})], 1, bars.update)) as results,
    ):
        result = next(results)[1]
        bars.finished(0)
    if isinstance(result, Fault):
        terminal.fault("sample.mp4", result.details)
        return ExitCode.FAULT
    if isinstance(result, Refusal):
        terminal.refused("sample.mp4", result)
        return ExitCode.BAD_INPUT
    return _tell(terminal, result)


def _tell(terminal: Terminal, shown: Shown) -> int:
    """Print the story and return the exit code: 0 only if the late sound was found and put right."""
    report = shown.report
    if report.before is None or report.after is None:
        terminal.print(str(report.verdict))
        return ExitCode.OUT_OF_SYNC
    after = report.after
    show_measurement(terminal, report.file, (report.before, None))
    terminal.print()
    terminal.print(_say("results"), "bold")
    terminal.facts(
        [(_say("made"), str(Offset(OFFSET_MS).words())), *fix_facts(report), (_say("picture"), str(shown.picture))]
    )
    terminal.print(f"  {after.verdict}", KIND_STYLES[after.kind])
    terminal.print()
    if _can_open_window():
        terminal.print(_say("window"))
        own = {name: value for name, value in os.environ.items() if name not in _OPENCV_QT}
        subprocess.Popen([sys.executable, "-m", "desktop_app", report.file], env=own, start_new_session=True)
    else:
        terminal.print(_say("next"), "dim")
    return ExitCode.DONE if after.kind is Kind.IN_SYNC else ExitCode.OUT_OF_SYNC


_OPENCV_QT = {"QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"}
"""Set by OpenCV's wheel when it is imported, for a Qt of its own; another Qt does not start with them."""


def _say(key: str, **values: object) -> str:
    return Message(f"demo.{key}", **values).text()


def _can_open_window() -> bool:
    """Whether there is a screen to open the window on, and the window with what it needs is installed."""
    has_screen = sys.platform in {"darwin", "win32"} or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return has_screen and all(importlib.util.find_spec(name) for name in ("desktop_app", "PySide6"))


if __name__ == "__main__":
    sys.exit(main())

"""How the answers of the commands look in the terminal, and the exit code each of them stands for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from engine.exit_codes import ExitCode
from engine.refusal import Refusal
from engine.sound.finding import Diagnosis, Severity
from engine.sync.result import Kind, Measurement
from engine.terminal import KIND_STYLES, Terminal, say
from engine.timing import Offset

if TYPE_CHECKING:
    from engine.fix import FixReport


def _code_of(measurement: Measurement) -> ExitCode:
    special = {Kind.IN_SYNC: ExitCode.DONE, Kind.UNMEASURABLE: ExitCode.UNMEASURABLE}
    return special.get(measurement.kind, ExitCode.OUT_OF_SYNC)


def show_measurement(terminal: Terminal, file: str, result: tuple[Measurement, Refusal | None]) -> int:
    """Show a measurement, and why its picture could not be written, if so."""
    measurement, unplotted = result
    if terminal.as_json:
        terminal.json(measurement.to_json())
    else:
        terminal.title(file)
        terminal.print(f"  {measurement.verdict}", KIND_STYLES[measurement.kind])
        facts: list[tuple[str, str]] = []
        if measurement.kind is not Kind.UNMEASURABLE:
            percent = math.floor(100 * measurement.confidence)
            facts.append((say("fact.certainty"), say("fact.percent", percent=percent)))
        if measurement.seconds_analysed:
            seconds, faces = measurement.seconds_analysed, measurement.faces
            facts.append((say("fact.looked_at"), say("fact.seconds_and_faces", seconds=seconds, faces=faces)))
        if measurement.drift_cause is not None:
            facts.append((say("fact.cause"), str(measurement.drift_cause)))
        facts += [(say("fact.from", seconds=step.t), str(Offset(step.offset_ms).words())) for step in measurement.steps]
        facts += [(say("fact.note"), str(note)) for note in measurement.notes]
        terminal.facts(facts)
    if unplotted is not None:
        # The measurement stands; only its picture could not be written.
        terminal.err.print(f"{unplotted}", markup=False)
        return ExitCode.BAD_INPUT
    return _code_of(measurement)


def show_fix(terminal: Terminal, file: str, report: FixReport) -> int:
    """Show what was done to a clip."""
    if terminal.as_json:
        terminal.json(report.to_json())
    else:
        terminal.title(file)
        terminal.print(f"  {report.verdict}", "bold green" if report.is_in_sync else "bold red")
        terminal.facts(report.facts())
    last = report.after or report.before
    return ExitCode.DONE if last is None else _code_of(last)


def show_diagnosis(terminal: Terminal, file: str, diagnosis: Diagnosis) -> int:
    """Show what the doctor found."""
    if terminal.as_json:
        terminal.json(diagnosis.to_json())
    else:
        terminal.title(file)
        if not diagnosis.findings:
            terminal.print(f"  {say('doctor.nothing')}", "bold green")
        styles = {Severity.PROBLEM: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold"}
        for finding in diagnosis.findings:
            terminal.print(f"  {finding.sentence}", styles[finding.severity])
            terminal.print(f"    {finding.consequence}")
            terminal.print(f"    → {finding.remedy}", "dim")
    return ExitCode.DONE if diagnosis.worst in {None, Severity.NOTE} else ExitCode.OUT_OF_SYNC


def show_sample(terminal: Terminal, _file: str, target: Path) -> int:
    """Show where the sample clip is."""
    terminal.print(say("sample.done", path=target))
    return ExitCode.DONE

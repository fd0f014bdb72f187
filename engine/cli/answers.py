"""How the answers of the commands look in the terminal, and the exit code each of them stands for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.exit_codes import ExitCode
from engine.cli.sentences import say
from engine.cli.terminal import KIND_STYLES, Terminal
from engine.fix_report import FixReport
from engine.media.interchange.formats import EditFile
from engine.refusal import Refusal
from engine.sound.finding import Diagnosis, Severity
from engine.sync.result import Kind, Measurement
from engine.timing import Correction, Offset

if TYPE_CHECKING:
    from engine.sound.prepared import Prepared
    from engine.sync.syncnet.result import SyncNetMeasurement


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


def show_syncnet(terminal: Terminal, file: str, result: SyncNetMeasurement) -> int:
    """Show what SyncNet, or StableSyncNet, says."""
    if terminal.as_json:
        terminal.json(result.to_json())
    else:
        terminal.title(file)
        terminal.print(f"  {result.verdict}", KIND_STYLES[result.kind])
        is_stable = result.detector != "syncnet"
        facts = [(say("fact.detector"), "StableSyncNet" if is_stable else "SyncNet v2")]
        if result.confidence is not None and result.distance is not None:
            facts.append((say("fact.confidence"), f"{result.confidence:.2f}" + ("" if is_stable else " (LSE-C)")))
            facts.append((say("fact.distance"), f"{result.distance:.2f}" + ("" if is_stable else " (LSE-D)")))
        facts.append((say("fact.looked_at"), say("fact.seconds", seconds=result.seconds_analysed)))
        facts += [(say("fact.note"), str(note)) for note in result.notes]
        terminal.facts(facts)
    special = {Kind.IN_SYNC: ExitCode.DONE, Kind.UNMEASURABLE: ExitCode.UNMEASURABLE}
    return special.get(result.kind, ExitCode.OUT_OF_SYNC)


def show_fix(terminal: Terminal, file: str, report: FixReport) -> int:
    """Show what was done to a clip."""
    last = report.after or report.before
    # A second recording was put in its place, although no lips could be measured.
    is_done = report.alignment is not None and report.after is None
    if terminal.as_json:
        terminal.json(report.to_json())
    else:
        terminal.title(file)
        terminal.print(f"  {report.verdict}", KIND_STYLES[last.kind] if last and not is_done else "bold green")
        terminal.facts(fix_facts(report))
    return ExitCode.DONE if last is None or is_done else _code_of(last)


def fix_facts(report: FixReport) -> list[tuple[str, str]]:
    """Return names and values of what was measured, asked for, got, and left."""
    from engine.sync.correction import asked_words

    facts: list[tuple[str, str]] = []
    if report.before is not None and report.before.offset is not None:
        facts.append((say("fact.before"), str(report.before.offset.words())))
    if report.alignment is not None:
        facts.append((say("fact.second"), str(report.alignment.verdict)))
    if report.export is None or report.correction is None or report.output is None:
        return facts
    facts.append((say("fact.asked"), str(asked_words(report.correction))))
    if (got := report.export.found) is not None and report.export.error_ms is not None:
        constant = isinstance(report.correction, Correction)
        said = say("fact.got_and_error", got=got, error=abs(report.export.error_ms)) if constant else str(got)
        facts.append((say("fact.got"), said))
    if report.after is not None and report.after.offset is not None:
        facts.append((say("fact.after"), str(report.after.offset.words())))
    facts.append((say("fact.copy"), report.output))
    return [*facts, *((say("fact.note"), str(note)) for note in report.export.notes)]


def show_edit(terminal: Terminal, file: str, done: EditFile) -> int:
    """Show what was written for an editor."""
    if terminal.as_json:
        notes = [note.text() for note in done.notes]
        terminal.json({"file": file, "output": str(done.target), "format": done.format.value, "notes": notes})
        return ExitCode.DONE
    terminal.title(file)
    terminal.facts(
        [(say("fact.copy"), str(done.target)), *((say("fact.note"), str(note)) for note in done.notes)],
    )
    return ExitCode.DONE


def show_prepared(terminal: Terminal, file: str, prepared: Prepared) -> int:
    """Show what became of a recording that was prepared."""
    if terminal.as_json:
        terminal.json({**prepared.to_json(), "source": file, "file": str(prepared.path)})
        return ExitCode.DONE
    terminal.title(file)
    facts = [
        (say("fact.copy"), str(prepared.path)),
        (say("fact.length"), say("fact.seconds", seconds=float(prepared.seconds))),
        (
            say("fact.trimmed"),
            say("fact.head_and_tail", head=float(prepared.trimmed_head), tail=float(prepared.trimmed_tail)),
        ),
        (say("fact.gain"), say("fact.decibels", gain=prepared.gain_db)),
    ]
    if prepared.delay_samples is not None:
        facts.append((say("fact.delay"), say("fact.samples", samples=abs(prepared.delay_samples))))
    terminal.facts([*facts, *((say("fact.note"), str(note)) for note in prepared.notes)])
    return ExitCode.DONE


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

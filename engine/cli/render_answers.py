"""How the answers of the rendering commands look in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from engine.cli.exit_codes import ExitCode
from engine.cli.sentences import say
from engine.cli.terminal import Terminal, refusal_record
from engine.timing import Correction, Offset

if TYPE_CHECKING:
    from engine.generation.backend import Capabilities
    from engine.generation.profiles import CalibrationProfile
    from engine.generation.registry import EngineStatus
    from engine.generation.report import RenderReport

_STYLES = {"passed": "bold green", "corrected": "bold green", "off": "bold red", "unmeasurable": "bold yellow"}
_CODES = {"off": ExitCode.OUT_OF_SYNC, "unmeasurable": ExitCode.UNMEASURABLE}


def show_render(terminal: Terminal, file: str, report: RenderReport) -> int:
    """Show what a render made, and how it went."""
    if terminal.as_json:
        terminal.json(report.to_json())
        return _CODES.get(report.check.value, ExitCode.DONE)
    terminal.title(file)
    terminal.print(f"  {report.verdict}", _STYLES.get(report.check.value, "bold"))
    pace = report.frames / report.render_seconds if report.render_seconds else 0.0
    facts = [
        (say("fact.written"), str(report.path)),
        (say("fact.length"), say("fact.seconds", seconds=float(report.seconds))),
        (
            say("fact.pictures"),
            say(
                "fact.pictures_of",
                count=report.frames,
                fps=float(report.fps),
                width=report.size[0],
                height=report.size[1],
            ),
        ),
        (say("fact.took"), say("fact.took_pace", seconds=report.render_seconds, pace=pace)),
    ]
    if report.resumed_segments:
        facts.append((say("fact.resumed"), say("fact.resumed_of", done=report.resumed_segments, all=report.segments)))
    if report.shift_ms:
        facts.append((say("fact.asked"), str(Correction(report.shift_ms).words())))
    facts += [(say("fact.note"), str(note)) for note in report.notes]
    facts += [(say("fact.advice"), str(each)) for each in report.advice]
    terminal.facts(facts)
    return _CODES.get(report.check.value, ExitCode.DONE)


def show_engines(terminal: Terminal, engines: Sequence[EngineStatus]) -> int:
    """Show which engines there are, what each lacks, and its parameters."""
    for engine in engines:
        if terminal.as_json:
            terminal.json(_engine_record(engine))
            continue
        if engine.capabilities is None:
            terminal.title(engine.name)
            terminal.print(f"  {engine.problem}", "bold red")
            continue
        capabilities = engine.capabilities
        terminal.title(f"{engine.name} – {capabilities.title}")
        terminal.print(f"  {capabilities.about}")
        terminal.print(f"  {say('engines.ready' if engine.is_ready else 'engines.not_ready')}", _state_style(engine))
        terminal.facts(_engine_facts(capabilities))
    return ExitCode.DONE


def _state_style(engine: EngineStatus) -> str:
    return "bold green" if engine.is_ready else "bold yellow"


def _engine_facts(capabilities: Capabilities) -> list[tuple[str, str]]:
    missing = [each for each in capabilities.requirements if not each.is_ready]
    facts = [(say("engines.missing"), str(each.sentence)) for each in missing]
    return facts + [
        (f"--set {each.name}={each.default}", f"{each.title}: {each.help}") for each in capabilities.parameters
    ]


def _engine_record(engine: EngineStatus) -> dict[str, object]:
    capabilities = engine.capabilities
    if capabilities is None:
        return {
            "engine": engine.name,
            "ready": False,
            "error": None if engine.problem is None else refusal_record(engine.problem),
        }
    return {
        "engine": engine.name,
        "title": capabilities.title.text(),
        "ready": engine.is_ready,
        "needs_gpu": capabilities.needs_gpu,
        "takes": [kind.value for kind in capabilities.takes],
        "fps": [str(rate) for rate in capabilities.fps],
        "requirements": [
            {"name": each.name, "ready": each.is_ready, "sentence": each.sentence.text()}
            for each in capabilities.requirements
        ],
        "parameters": [
            {
                "name": each.name,
                "kind": each.kind.value,
                "default": each.default,
                "minimum": each.minimum,
                "maximum": each.maximum,
                "choices": list(each.choices),
                "help": each.help.text(),
            }
            for each in capabilities.parameters
        ],
    }


def show_calibration(terminal: Terminal, file: str, profile: CalibrationProfile) -> int:
    """Show an engine's own offset."""
    offset = Offset(profile.offset_ms, profile.uncertainty_ms)
    if terminal.as_json:
        record = {
            "engine": profile.engine,
            "offset_ms": profile.offset_ms,
            "uncertainty_ms": profile.uncertainty_ms,
            "audio_offset_ms": profile.audio_offset_ms if profile.is_known else 0.0,
            "fps": profile.fps,
            "device": profile.device,
            "driver": profile.driver,
            "date": profile.date,
        }
        terminal.json(record)
        return ExitCode.DONE
    terminal.title(file)
    terminal.print(f"  {say('calibrate.done', offset=offset.words())}", "bold")
    next_time = f"--audio-offset-ms {profile.audio_offset_ms:g}" if profile.is_known else say("calibrate.nothing")
    terminal.facts(
        [
            (say("calibrate.next_time"), next_time),
            (say("fact.pictures"), say("calibrate.per_second", fps=float(Fraction(profile.fps)))),
            (say("calibrate.device"), f"{profile.device}, {profile.driver}"),
        ]
    )
    return ExitCode.DONE

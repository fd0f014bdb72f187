"""The commands of ``plosive``: what is asked, and how the answers are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from importlib.metadata import version
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import TyperException

from engine.cli.exit_codes import ExitCode
from engine.cli.help import CommandGroup, NoSuchCommandError
from engine.cli.liveavatar_commands import app as liveavatar_app
from engine.cli.model_commands import app as models_app
from engine.cli.options import Action, AsJson, Audio, Jobs, Lang, Overwrite, Paths
from engine.cli.options import help_text as _help
from engine.cli.options import option as _option
from engine.cli.prompt_commands import app as prompt_app
from engine.cli.render_commands import app as render_app
from engine.cli.sentences import say as _say
from engine.cli.trace_commands import app as trace_app

if TYPE_CHECKING:
    from engine.media.export.report import AnyCorrection


class ModeName(StrEnum):
    """The ways to write a corrected copy, as ``--mode`` takes them."""

    LOSSLESS = "lossless"
    COMPATIBLE = "compatible"
    STRETCH = "stretch"
    PIECEWISE = "piecewise"


class DetectorName(StrEnum):
    """What measures, as ``--detector`` takes it."""

    PLOSIVE = "plosive"
    SYNCNET = "syncnet"
    STABLE_SYNCNET = "stable-syncnet"


class FormatName(StrEnum):
    """The formats for editors, as ``--format`` takes them."""

    OTIO = "otio"
    FCPXML = "fcpxml"
    EDL = "edl"
    SIDECAR = "sidecar"


app = CommandGroup(
    name="plosive",
    help=_help("help"),
    epilog=_help("exit_codes"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(models_app, name="models")
app.add_typer(liveavatar_app, name="liveavatar")
app.add_typer(render_app)
app.add_typer(prompt_app)
app.add_typer(trace_app)


def _frame_rate(text: str | None) -> str | None:
    """Refuse what is no positive number or fraction."""
    if text is None or re.fullmatch(r"0*[1-9]\d*(/0*[1-9]\d*)?|\d*[1-9]\d*\.\d+|0*\.\d*[1-9]\d*", text):
        return text
    raise typer.BadParameter(_say("prepare.not_a_rate"))


_TIME, _MILLISECONDS = r"(?:\d+(?:\.\d*)?|\d+/0*[1-9]\d*)", r"-?\d+(?:\.\d*)?"


def _steps(text: str | None) -> str | None:
    """Refuse what is no list of times and shifts with ascending times."""
    if text is None:
        return None
    if re.fullmatch(rf"{_TIME}:{_MILLISECONDS}(,{_TIME}:{_MILLISECONDS})*", text):
        times = [Fraction(part.partition(":")[0]) for part in text.split(",")]
        if all(earlier < later for earlier, later in pairwise(times)):
            return text
    raise typer.BadParameter(_say("fix.not_steps"))


CorrectionMs = Annotated[float | None, _option("--correction-ms", text="fix.correction_ms", metavar="N")]
DriftPpm = Annotated[float | None, _option("--drift-ppm", text="fix.drift_ppm", metavar="N")]
Steps = Annotated[str | None, _option("--steps", text="fix.steps", metavar="T:N,...", callback=_steps)]


def _correction(ms: float | None, drift_ppm: float | None, steps: str | None) -> AnyCorrection | None:
    """Return the correction that the options ask for, ``None`` for what is measured."""
    from engine.timing import Correction, DriftCorrection, StepCorrection

    if steps is not None:
        pairs = (part.split(":") for part in steps.split(","))
        return StepCorrection(tuple((Fraction(time), float(shift)) for time, shift in pairs))
    if drift_ppm is not None:
        return DriftCorrection(ms or 0.0, drift_ppm)
    return None if ms is None else Correction(ms)


def _refuse_both(ms: float | None, drift_ppm: float | None, steps: str | None) -> None:
    if steps is not None and (ms, drift_ppm) != (None, None):
        raise typer.BadParameter(_say("fix.steps_alone"), param_hint="--steps")


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        answer = app(list(arguments), prog_name="plosive", standalone_mode=False)
    except TyperException as error:
        from engine.cli.terminal import Terminal

        if error.format_message():  # else the help was shown instead
            Terminal().err.print(_usage_sentence(error), markup=False)
        return ExitCode.BAD_INPUT
    if not callable(answer):
        return int(answer or ExitCode.DONE)
    from engine.refusal import Refused

    try:
        return int(answer())
    except Refused as refused:
        from engine.cli.terminal import Terminal

        Terminal().refused("", refused.refusal)
        return ExitCode.BAD_INPUT


def _usage_sentence(error: TyperException) -> str:
    """Say what is wrong with a command line in the user's language."""
    if isinstance(error, NoSuchCommandError):
        return error.format_message()
    kind = type(error).__name__
    context = getattr(error, "ctx", None)
    parameter = getattr(error, "param", None)
    values = {
        "option": getattr(error, "option_name", ""),
        "name": "" if parameter is None else _name_of(parameter),
        "detail": error.format_message(),
        "command": context.command_path if context else "plosive",
    }
    known = {"NoSuchOption", "MissingParameter", "BadParameter", "BadOptionUsage"}
    return _say(f"usage.{kind if kind in known else 'other'}", **values)


def _name_of(parameter: Any) -> str:
    """Return a parameter's name as it stands in the help: ``--jobs``, or ``PATH``."""
    option: str = parameter.opts[0]
    return option if option.startswith("-") else str(parameter.metavar)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"plosive {version('plosive')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _plosive(
    context: typer.Context,
    show_version: Annotated[bool, _option("--version", text="version", is_eager=True, callback=_show_version)] = False,
    lang: Lang = None,
) -> None:
    """Hold what stands before the command; ``--lang`` was obeyed before anything was said."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitCode.BAD_INPUT)


@app.command("measure", help=_help("measure.help"), epilog=_help("exit_codes"), no_args_is_help=True)
def _measure(
    paths: Paths,
    audio: Audio = None,
    as_json: AsJson = False,
    plot: Annotated[str | None, _option("--plot", text="measure.plot", metavar="PNG")] = None,
    thorough: Annotated[bool, _option("--thorough", text="measure.thorough")] = False,
    face: Annotated[int | None, _option("--face", text="measure.face", min=1, metavar="N")] = None,
    start: Annotated[float | None, _option("--from", text="measure.from", min=0, metavar="T")] = None,
    stop: Annotated[float | None, _option("--to", text="measure.to", min=0, metavar="T")] = None,
    detector: Annotated[
        DetectorName, _option("--detector", text="measure.detector", metavar="NAME")
    ] = DetectorName.PLOSIVE,
    overwrite: Overwrite = False,
    jobs: Jobs = None,
    lang: Lang = None,
) -> Action:
    if detector is not DetectorName.PLOSIVE and plot is not None:
        raise typer.BadParameter(_say("measure.no_plot"), param_hint="--plot")
    if detector is DetectorName.SYNCNET and (start, stop) != (None, None):
        raise typer.BadParameter(_say("measure.no_range"), param_hint="--from/--to")

    def act() -> int:
        from engine.cli.answers import show_measurement, show_syncnet
        from engine.cli.batch import Task
        from engine.cli.file_jobs import measure_file, syncnet_file
        from engine.cli.many_files import Work

        work = Work(paths, jobs, as_json=as_json)
        if detector is not DetectorName.PLOSIVE:
            more = {"detector": detector.value, "audio": audio, "thorough": thorough, "face": face}
            return work.do([Task(syncnet_file, {"path": file, **more}) for file in work.files], show_syncnet)
        pictures = work.targets(plot, ".png")
        more = {"audio": audio, "thorough": thorough, "face": face}
        part = {"start": start, "stop": stop, "overwrite": overwrite}
        return work.do(
            [Task(measure_file, {"path": file, "plot": pictures.get(file), **more, **part}) for file in work.files],
            show_measurement,
        )

    return act


@app.command("fix", help=_help("fix.help"), epilog=_help("exit_codes"), no_args_is_help=True)
def _fix(
    paths: Paths,
    output: Annotated[str | None, _option("--output", "-o", text="fix.output", metavar="OUT")] = None,
    auto: Annotated[bool, _option("--auto", text="fix.auto")] = False,
    correction_ms: CorrectionMs = None,
    drift_ppm: DriftPpm = None,
    steps: Steps = None,
    mode: Annotated[ModeName | None, _option("--mode", text="fix.mode", metavar="MODE")] = None,
    audio: Audio = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    jobs: Jobs = None,
    lang: Lang = None,
) -> Action:
    if auto and (correction_ms, drift_ppm, steps) != (None, None, None):
        raise typer.BadParameter(_say("fix.auto_or_given"), param_hint="--auto")
    _refuse_both(correction_ms, drift_ppm, steps)

    def act() -> int:
        from engine.cli.answers import show_fix
        from engine.cli.batch import Task
        from engine.cli.file_jobs import fix_file
        from engine.cli.many_files import Work

        work = Work(paths, jobs, as_json=as_json)
        outputs = work.targets(output)
        more = {
            "correction": _correction(correction_ms, drift_ppm, steps),
            "mode": None if mode is None else mode.value,
            "audio": audio,
            "overwrite": overwrite,
        }
        return work.do(
            [Task(fix_file, {"path": file, "output": outputs.get(file), **more}) for file in work.files], show_fix
        )

    return act


@app.command("export-edit", help=_help("edit.help"), epilog=_help("exit_codes"), no_args_is_help=True)
def _export_edit(
    paths: Paths,
    output: Annotated[str | None, _option("--output", "-o", text="edit.output", metavar="OUT")] = None,
    form: Annotated[FormatName | None, _option("--format", text="edit.format", metavar="FORMAT")] = None,
    correction_ms: CorrectionMs = None,
    drift_ppm: DriftPpm = None,
    steps: Steps = None,
    audio: Audio = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    jobs: Jobs = None,
    lang: Lang = None,
) -> Action:
    _refuse_both(correction_ms, drift_ppm, steps)

    def act() -> int:
        from engine.cli.answers import show_edit
        from engine.cli.batch import Task
        from engine.cli.file_jobs import edit_file
        from engine.cli.many_files import Work
        from engine.media.interchange.formats import EditFormat

        work = Work(paths, jobs, as_json=as_json)
        outputs = work.targets(output, EditFormat(form or FormatName.OTIO).suffix)
        more = {
            "form": None if form is None else form.value,
            "correction": _correction(correction_ms, drift_ppm, steps),
            "audio": audio,
            "overwrite": overwrite,
        }
        return work.do(
            [Task(edit_file, {"path": file, "output": outputs.get(file), **more}) for file in work.files], show_edit
        )

    return act


@app.command("doctor", help=_help("doctor.help"), epilog=_help("exit_codes"), no_args_is_help=True)
def _doctor(paths: Paths, as_json: AsJson = False, jobs: Jobs = None, lang: Lang = None) -> Action:
    def act() -> int:
        from engine.cli.answers import show_diagnosis
        from engine.cli.batch import Task
        from engine.cli.file_jobs import examine_file
        from engine.cli.many_files import Work

        work = Work(paths, jobs, as_json=as_json)
        return work.do([Task(examine_file, {"path": file}) for file in work.files], show_diagnosis)

    return act


@app.command("prepare", help=_help("prepare.help"), no_args_is_help=True)
def _prepare(
    paths: Paths,
    output: Annotated[str | None, _option("--output", "-o", text="prepare.output", metavar="OUT")] = None,
    fps: Annotated[str | None, _option("--fps", text="prepare.fps", metavar="N", callback=_frame_rate)] = None,
    no_trim: Annotated[bool, _option("--no-trim", text="prepare.no_trim")] = False,
    keep_level: Annotated[bool, _option("--keep-level", text="prepare.keep_level")] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    jobs: Jobs = None,
    lang: Lang = None,
) -> Action:
    def act() -> int:
        from engine.cli.answers import show_prepared
        from engine.cli.batch import Task
        from engine.cli.file_jobs import prepare_file
        from engine.cli.many_files import Work

        work = Work(paths, jobs, as_json=as_json)
        outputs = work.targets(output, ".16k.wav")
        more = {"fps": fps, "trim": not no_trim, "normalise": not keep_level, "overwrite": overwrite}
        return work.do(
            [Task(prepare_file, {"path": file, "output": outputs.get(file), **more}) for file in work.files],
            show_prepared,
        )

    return act


@app.command("sample", help=_help("sample.help"), no_args_is_help=True)
def _sample(
    output: Annotated[
        str, typer.Argument(metavar="OUT", help=_help("sample.output"), rich_help_panel=_say("arguments"))
    ],
    offset_ms: Annotated[float, _option("--offset-ms", text="sample.offset_ms", metavar="N")] = 80.0,
    overwrite: Overwrite = False,
    lang: Lang = None,
) -> Action:
    def act() -> int:
        from engine.cli.answers import show_sample
        from engine.cli.batch import Task
        from engine.cli.file_jobs import sample_file
        from engine.cli.many_files import Work

        work = Work([output], 1, as_json=False)
        arguments = {"target": output, "offset_ms": offset_ms, "overwrite": overwrite}
        return work.do([Task(sample_file, arguments)], show_sample)

    return act

"""The commands that render: what is asked."""

from __future__ import annotations

import re
from enum import StrEnum
from fractions import Fraction
from typing import Annotated

import typer

from engine.cli.help import CommandGroup
from engine.cli.options import Action, AsJson, Lang, Overwrite, help_text, option
from engine.cli.sentences import say

app = CommandGroup()
"""Its commands are added to the program's."""


class LengthName(StrEnum):
    """The length policies, as ``--length`` takes them."""

    END_WITH_VOICE = "end_with_voice"
    HOLD = "hold"
    LOOP = "loop"
    PING_PONG = "ping_pong"
    CUT = "cut"


class SilenceName(StrEnum):
    """The silence policies, as ``--silence`` takes them."""

    CLOSED = "closed"
    ORIGINAL = "original"


class OffloadName(StrEnum):
    """Where weights wait, as ``--offload`` takes it."""

    AUTO = "auto"
    NONE = "none"
    MODEL = "model"
    LAYERS = "layers"


class PrecisionName(StrEnum):
    """Number formats, as ``--precision`` takes them."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"


def _number(text: str | None) -> str | None:
    """Refuse what is no positive number or fraction."""
    try:
        if text is None or Fraction(text) > 0:
            return text
    except (ValueError, ZeroDivisionError):
        pass
    raise typer.BadParameter(say("prepare.not_a_rate"))


def _size(text: str | None) -> str | None:
    if text is None or re.fullmatch(r"\d{2,5}x\d{2,5}", text):
        return text
    raise typer.BadParameter(say("render.not_a_size"))


def _settings(values: list[str] | None) -> list[str] | None:
    if all("=" in each for each in values or ()):
        return values
    raise typer.BadParameter(say("render.not_a_setting"))


_ARGUMENTS = say("arguments")
Engine = Annotated[str, option("--engine", "-e", text="render.engine", metavar="NAME")]
Settings = Annotated[list[str] | None, option("--set", text="render.set", metavar="NAME=VALUE", callback=_settings)]
Devices = Annotated[list[str] | None, option("--device", text="render.device", metavar="NAME")]


@app.command("render", help=help_text("render.help"), epilog=help_text("exit_codes"), no_args_is_help=True)
def _render(
    source: Annotated[str, typer.Argument(metavar="FACE", help=help_text("render.source"), rich_help_panel=_ARGUMENTS)],
    voice: Annotated[str, typer.Argument(metavar="VOICE", help=help_text("render.voice"), rich_help_panel=_ARGUMENTS)],
    output: Annotated[str | None, option("--output", "-o", text="render.output", metavar="OUT")] = None,
    engine: Engine = "draft",
    preset: Annotated[str, option("--preset", text="render.preset", metavar="NAME")] = "balanced",
    settings: Settings = None,
    prompt: Annotated[list[str] | None, option("--prompt", text="render.prompt", metavar="TEXT")] = None,
    fps: Annotated[str | None, option("--fps", text="render.fps", metavar="N", callback=_number)] = None,
    size: Annotated[str | None, option("--size", text="render.size", metavar="WxH", callback=_size)] = None,
    seed: Annotated[int, option("--seed", text="render.seed", min=0, metavar="N")] = 0,
    audio_offset_ms: Annotated[
        float | None, option("--audio-offset-ms", text="render.audio_offset_ms", metavar="N")
    ] = None,
    length: Annotated[LengthName, option("--length", text="render.length", metavar="POLICY")] = (
        LengthName.END_WITH_VOICE
    ),
    frames: Annotated[int | None, option("--frames", text="render.frames", min=1, metavar="N")] = None,
    silence: Annotated[SilenceName, option("--silence", text="render.silence", metavar="POLICY")] = (
        SilenceName.CLOSED
    ),
    segment_seconds: Annotated[
        str | None, option("--segment-seconds", text="render.segment_seconds", metavar="N", callback=_number)
    ] = None,
    face: Annotated[int | None, option("--face", text="render.face", min=1, metavar="N")] = None,
    lead_in: Annotated[int | None, option("--lead-in", text="render.lead_in", min=0, metavar="N")] = None,
    online_decode: Annotated[bool, option("--online-decode", text="render.online_decode")] = False,
    online_decode_chunk: Annotated[
        int | None, option("--online-decode-chunk", text="render.online_decode_chunk", min=1, metavar="N")
    ] = None,
    device: Devices = None,
    offload: Annotated[OffloadName, option("--offload", text="render.offload", metavar="WHAT")] = OffloadName.AUTO,
    precision: Annotated[PrecisionName, option("--precision", text="render.precision", metavar="FORMAT")] = (
        PrecisionName.AUTO
    ),
    allow_smaller: Annotated[bool, option("--allow-smaller", text="render.allow_smaller")] = False,
    resume: Annotated[bool, option("--resume/--no-resume", text="render.resume")] = True,
    no_verify: Annotated[bool, option("--no-verify", text="render.no_verify")] = False,
    no_correct: Annotated[bool, option("--no-correct", text="render.no_correct")] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Action:
    def act() -> int:
        from engine.cli.batch import Task
        from engine.cli.many_files import Work
        from engine.cli.render_answers import show_render
        from engine.cli.render_jobs import render_file
        from engine.generation.events import Notice, Reading

        prompts = prompt or []
        fields = {
            "fps": fps,
            "size": None if size is None else [int(side) for side in size.split("x")],
            "seed": seed,
            "prompt": prompts[0] if len(prompts) == 1 else "",
            "prompts": prompts if len(prompts) > 1 else [],
            "audio_offset_ms": audio_offset_ms,
            "length_policy": length.value,
            "most_frames": frames,
            "silence_policy": silence.value,
            "segment_seconds": segment_seconds,
            "face": face,
            "lead_in": lead_in,
            "online_decode": online_decode,
            "online_decode_chunk": online_decode_chunk,
            "devices": device or ["auto"],
            "offload": offload.value,
            "precision": precision.value,
            "allow_smaller": allow_smaller,
            "verify": not no_verify,
            "correct_bias": not no_correct,
            "overwrite": overwrite,
        }
        arguments = {
            "source": source,
            "voice": voice,
            "output": output,
            "engine": engine,
            "preset": preset,
            "settings": settings or [],
            "fields": fields,
            "resume": resume,
        }
        return Work([source], 1, as_json=as_json).do([Task(render_file, arguments, (Reading, Notice))], show_render)

    return act


@app.command("engines", help=help_text("engines.help"))
def _engines(as_json: AsJson = False, lang: Lang = None) -> Action:
    def act() -> int:
        from engine.cli.render_answers import show_engines
        from engine.cli.terminal import Terminal
        from engine.generation.registry import engine_list

        return show_engines(Terminal(as_json=as_json), engine_list())

    return act


@app.command("calibrate", help=help_text("calibrate.help"))
def _calibrate(
    engine: Engine = "draft",
    settings: Settings = None,
    fps: Annotated[str | None, option("--fps", text="render.fps", metavar="N", callback=_number)] = None,
    device: Devices = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Action:
    def act() -> int:
        from engine.cli.batch import Task
        from engine.cli.many_files import Work
        from engine.cli.render_answers import show_calibration
        from engine.cli.render_jobs import calibrate_engine
        from engine.generation.events import Notice, Reading

        arguments = {"engine": engine, "settings": settings or [], "fps": fps, "devices": device or ["auto"]}
        work = Work([], 1, as_json=as_json)
        work.files = [engine]
        return work.do([Task(calibrate_engine, arguments, (Reading, Notice))], show_calibration)

    return act

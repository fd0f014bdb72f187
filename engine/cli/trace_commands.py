"""The command that writes what a measurement looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from engine.cli.help import CommandGroup
from engine.cli.options import Action, AsJson, Audio, Lang, Overwrite, argument, help_text, option
from engine.jobs import Job
from engine.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path

app = CommandGroup()
"""Its command is added to the program's."""


@app.command("traces", help=help_text("traces.help"), no_args_is_help=True)
def _traces(
    clip: Annotated[str, argument("CLIP", "traces.clip")],
    output: Annotated[str, option("--output", "-o", text="traces.output", metavar="OUT")],
    audio: Audio = None,
    plot: Annotated[str | None, option("--plot", text="measure.plot", metavar="PNG")] = None,
    face: Annotated[int | None, option("--face", text="measure.face", min=1, metavar="N")] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Action:
    def act() -> int:
        from engine.cli.answers import show_sample
        from engine.cli.batch import Task
        from engine.cli.many_files import Work

        arguments = {"path": clip, "output": output, "audio": audio, "plot": plot, "face": face, "overwrite": overwrite}
        return Work([clip], 1, as_json=as_json).do([Task(trace_file, arguments)], show_sample)

    return act


def trace_file(
    path: str, *, output: str, audio: str | None, plot: str | None, face: int | None, overwrite: bool
) -> Job[Path | Refusal]:
    """Measure all of a clip, and write what was looked at; draw it, too, if asked to."""
    from pathlib import Path

    from engine.cli.file_jobs import refusal_of_target
    from engine.jobs import part_of
    from engine.plot import draw
    from engine.sync.measure import measure
    from engine.traces import write_traces

    for target in (output, plot):
        refusal = None if target is None else refusal_of_target(target, path, audio, overwrite=overwrite)
        if refusal is not None:
            return refusal
    measurement = yield from part_of(measure(path, audio=audio, thorough=True, face=face), 0.0, 0.8)
    if isinstance(measurement, Refusal):
        return measurement
    sound = None if audio is None else Path(audio)
    written = yield from part_of(write_traces(measurement, Path(output), audio=sound, overwrite=overwrite), 0.8, 0.9)
    if plot is not None and not isinstance(written, Refusal):
        drawn = yield from part_of(draw(measurement, plot, audio=audio), 0.9, 1.0)
        if isinstance(drawn, Refusal):
            return drawn
    return written

"""``plosive liveavatar``: what people have of the published program, in Plosive's words."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from engine.cli.exit_codes import ExitCode
from engine.cli.help import CommandGroup
from engine.cli.options import Action, AsJson, Lang, argument, help_text, option

if TYPE_CHECKING:
    from engine.cli.terminal import Terminal
    from engine.generation.backends.liveavatar.importing import Imported

app = CommandGroup(help=help_text("liveavatar.help"), no_args_is_help=True, epilog=help_text("exit_codes"))

_STANDARD_INPUT = "-"
_MOST_BYTES = 1 << 20
"""A longer file is no script that somebody wrote."""


@app.callback()
def _liveavatar() -> None:
    """Keep ``import`` a word of its own, although it is the only one."""


@app.command("import", help=help_text("liveavatar.import"), epilog=help_text("exit_codes"), no_args_is_help=True)
def _import(
    text: Annotated[str, argument("FILE", "liveavatar.file")],
    face: Annotated[str, option("--face", text="liveavatar.face", metavar="FILE")] = "FACE",
    voice: Annotated[str, option("--voice", text="liveavatar.voice", metavar="FILE")] = "VOICE",
    output: Annotated[str | None, option("--output", "-o", text="liveavatar.output", metavar="OUT")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Action:
    def act() -> int:
        from dataclasses import replace

        from engine.cli.render_jobs import default_output
        from engine.cli.terminal import Terminal
        from engine.generation.backends.liveavatar.importing import import_settings
        from engine.generation.spec import RenderSpec

        # Not known before the text is read, as it is named after what stands there.
        nowhere = Path()
        base = RenderSpec(Path(face), Path(voice), nowhere if output is None else Path(output), crf=_usual_crf())
        imported = import_settings(_read(text), base)
        if imported.spec.target == nowhere:
            named = replace(imported.spec, target=default_output(imported.spec.source, imported.spec.voice))
            imported = replace(imported, spec=named)
        return show_imported(Terminal(as_json=as_json), text, imported)

    return act


def show_imported(terminal: Terminal, file: str, imported: Imported) -> int:
    """Show what became of every setting, what is different here, and the same render for this terminal."""
    from engine.cli.render_line import render_line
    from engine.cli.sentences import say

    line = shlex.join(render_line(imported.spec))
    if terminal.as_json:
        settings = [
            {
                "name": each.name,
                "value": each.value,
                "here": each.here or None,
                "becomes": each.becomes,
                "why_not": None if each.why_not is None else each.why_not.text(),
            }
            for each in imported.settings
        ]
        notes = [note.text() for note in imported.notes]
        record = {"file": file, "settings": settings, "notes": notes, "command": line}
        terminal.json({**record, "spec": imported.spec.to_json()})
        return ExitCode.DONE
    terminal.title(say("liveavatar.standard_input") if file == _STANDARD_INPUT else file)
    taken = [
        (f"{each.name} = {each.value}", f"{each.here} = {_shown(each.becomes)}")
        for each in imported.settings
        if each.here
    ]
    if taken:
        terminal.print(f"  {say('liveavatar.understood')}", "bold")
        terminal.facts(taken)
    reasons = {each.why_not.key for each in imported.settings if each.why_not is not None}
    for title, is_left_out in (("liveavatar.left_out", True), ("fact.note", False)):
        notes = [str(note) for note in imported.notes if (note.key in reasons) is is_left_out]
        if notes:
            terminal.print(f"  {say(title)}", "bold")
            terminal.facts([("", note) for note in notes])
    terminal.print(f"  {say('liveavatar.command')}", "bold")
    terminal.print(line)
    return ExitCode.DONE


def _shown(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)


def _usual_crf() -> int:
    """Return the quality that ``plosive render`` has without ``--preset``, so that the printed command is the same."""
    from engine.generation.presets import preset

    crf: int = preset("balanced").values["crf"]
    return crf


def _read(name: str) -> str:
    """Return the text of a file, or of standard input.

    Raises:
        Refused: ``cli.liveavatar.unreadable``.
    """
    from engine.media.opening import local_file
    from engine.refusal import Refused

    if name == _STANDARD_INPUT:
        return sys.stdin.read(_MOST_BYTES)
    try:
        with local_file(Path(name)).open(encoding="utf-8-sig") as file:
            return file.read(_MOST_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused.because("cli.liveavatar.unreadable", path=name) from error

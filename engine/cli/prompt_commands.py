"""The command that checks a prompt against a voice."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from engine.cli.exit_codes import ExitCode
from engine.cli.help import CommandGroup
from engine.cli.options import Action, AsJson, Lang, argument, help_text, option
from engine.jobs import Job
from engine.refusal import Refusal

if TYPE_CHECKING:
    from engine.cli.terminal import Terminal
    from engine.generation.prompts import PromptAdvice, VoiceTraits

app = CommandGroup()
"""Its command is added to the program's."""


class PromptLanguage(StrEnum):
    """The languages that prompts are proposed in, as ``--language`` takes them."""

    EN = "en"
    ZH = "zh"


@app.command("prompt", help=help_text("prompt.help"), no_args_is_help=True)
def _prompt(
    voice: Annotated[str, argument("VOICE", "prompt.voice")],
    prompt: Annotated[str, option("--prompt", text="prompt.prompt", metavar="TEXT")] = "",
    language: Annotated[PromptLanguage | None, option("--language", text="prompt.language", metavar="en|zh")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Action:
    def act() -> int:
        from engine.cli.batch import Task
        from engine.cli.many_files import Work

        arguments = {"voice": voice, "prompt": prompt, "language": None if language is None else language.value}
        work = Work([voice], 1, as_json=as_json)
        return work.do([Task(check_prompt_file, arguments)], show_prompt)

    return act


def check_prompt_file(
    voice: str, *, prompt: str, language: str | None
) -> Job[tuple[VoiceTraits, PromptAdvice] | Refusal]:
    """Hear a voice, and say what of a prompt does not fit it and how it is better said.

    Args:
        voice: a file with sound.
        prompt: may be empty.
        language: of what is proposed, ``en`` or ``zh``; ``None`` for the prompt's own, or the program's where there is
            no prompt.
    """
    from pathlib import Path

    from engine.generation.prompts import check_prompt, listen
    from engine.words import current_language

    heard = yield from listen(Path(voice))
    if isinstance(heard, Refusal):
        return heard
    wanted = "zh_CN" if language == PromptLanguage.ZH else language
    return heard, check_prompt(prompt, heard, wanted if wanted or prompt.strip() else current_language())


def show_prompt(terminal: Terminal, file: str, result: tuple[VoiceTraits, PromptAdvice]) -> int:
    """Show what was heard, what does not fit, and what is proposed."""
    from dataclasses import asdict

    from engine.cli.sentences import say

    traits, advice = result
    if terminal.as_json:
        terminal.json(
            {
                "file": file,
                "voice": asdict(traits),
                "findings": [{"code": each.key, "sentence": each.text()} for each in advice.findings],
                "proposal": advice.proposal,
                "parts": list(advice.parts),
            }
        )
        return ExitCode.DONE
    terminal.title(file)
    for finding in advice.findings:
        terminal.print(f"  {finding}", "bold yellow")
    if not advice.findings:
        terminal.print(f"  {say('prompt.fits')}", "bold green")
    facts = [
        (say("fact.length"), say("fact.seconds", seconds=traits.seconds)),
        (say("prompt.speech"), say("fact.seconds", seconds=traits.speech)),
    ]
    if traits.loudness is not None:
        facts.append((say("prompt.loudness"), f"{traits.loudness:.1f} LUFS"))
    facts.append((say("prompt.rate"), say("prompt.syllables", syllables=traits.syllables)))
    facts.append((say("prompt.proposal"), advice.proposal))
    if len(advice.parts) > 1:
        facts += [(say("prompt.part", number=number), part) for number, part in enumerate(advice.parts, 1)]
    terminal.facts(facts)
    return ExitCode.DONE

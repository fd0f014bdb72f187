"""What the commands of ``plosive`` share: how options look, and those that several of them have."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

import typer

from engine.cli.sentences import say


def help_text(key: str) -> str:
    """Return a help text whose lines can be broken: Chinese has no spaces, and typer's table cuts long words."""
    return re.sub(r"([\uff0c\u3002\uff1b\uff1a\u3001])(?=\S)", r"\1 ", say(key))


_PANEL = say("options")


def option(*names: str, text: str, **more: Any) -> Any:
    """Return an option whose help is a catalogue entry."""
    # An empty place for the value: that a switch is a "bool" tells nobody anything, and the text wants the room.
    more.setdefault("metavar", " ")
    return typer.Option(*names, help=help_text(text), rich_help_panel=_PANEL, show_default=False, **more)


def argument(metavar: str, text: str) -> Any:
    """Return an argument whose help is a catalogue entry."""
    return typer.Argument(metavar=metavar, help=help_text(text), rich_help_panel=say("arguments"), show_default=False)


# Plain strings, not Path: "http://host" must not become "http:/host" before it is refused.
Paths = Annotated[list[str], argument("PATH", "paths")]
Audio = Annotated[str | None, option("--audio", text="audio", metavar="FILE")]
AsJson = Annotated[bool, option("--json", text="json")]
Overwrite = Annotated[bool, option("--overwrite", text="overwrite")]
Jobs = Annotated[int | None, option("--jobs", text="jobs", min=1, metavar="N")]
Lang = Annotated[str | None, option("--lang", text="lang", metavar="en|zh")]

Action = Callable[[], int]
"""What a command hands back to be done outside of typer, which gives Ctrl-C and a closed pipe meanings of its own."""

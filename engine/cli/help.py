"""Help, and a wrong command's name, in the user's language: what typer itself says is English."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup
from typer.exceptions import TyperException

from engine.cli.sentences import say

if TYPE_CHECKING:
    from typer.core import TyperOption


Function = TypeVar("Function", bound=Callable[..., Any])


class _Help:
    """What commands and groups of commands have in common: a mixin before typer's own class."""

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """Return ``--help``, among the other options, without a type."""
        option: TyperOption | None = super().get_help_option(ctx)  # type: ignore[misc]  # of typer's class
        if option is not None:
            option.help, option.metavar, option.rich_help_panel = say("show_help"), " ", say("options")
        return option

    def get_params(self, ctx: Any) -> list[Any]:
        """Return all parameters; that a file is a ``str`` tells nobody anything."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if isinstance(param, TyperArgument):
                param.display_type_rich = _no_type  # type: ignore[method-assign]
        return params

    def get_usage(self, ctx: Any) -> str:
        """Return the line that shows how a command is put together."""
        line: str = super().get_usage(ctx)  # type: ignore[misc]
        return line.replace("Usage: ", f"{say('usage_line')} ", 1)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        from typer import rich_utils

        # Typer looks these up in a catalogue of the system's that nobody has.
        rich_utils.COMMANDS_PANEL_TITLE = say("commands")
        rich_utils.REQUIRED_LONG_STRING = say("required")
        super().format_help(ctx, formatter)  # type: ignore[misc]


def _no_type(ctx: Any) -> None:
    """Leave the place for a type empty."""


class HelpfulCommand(_Help, TyperCommand):
    """A command."""


class NoSuchCommandError(TyperException):
    """Somebody typed a command that there is not.

    Args:
        name: what was typed.
        known: all commands of the group.
        group: how the group is called, such as ``plosive models``.
    """

    def __init__(self, name: str, known: list[str], group: str) -> None:
        super().__init__(name)
        self._near = get_close_matches(name, known, n=1)
        self._values = {"name": name, "command": group}

    def format_message(self) -> str:
        """Return what is wrong and what to do, in the user's language."""
        if self._near:
            return say("usage.similar_command", near=self._near[0], **self._values)
        return say("usage.no_command", **self._values)


class HelpfulGroup(_Help, TyperGroup):
    """A group of commands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is meant.

        Raises:
            NoSuchCommandError: if there is none of that name.
        """
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise NoSuchCommandError(args[0], self.list_commands(ctx), ctx.command_path)
        return super().resolve_command(ctx, args)


class CommandGroup(typer.Typer):
    """Commands under one name, all of them with help in the user's language."""

    def __init__(self, **more: Any) -> None:
        super().__init__(cls=HelpfulGroup, **more)

    def command(self, name: str | None = None, **more: Any) -> Callable[[Function], Function]:
        """Add a command; see :meth:`typer.Typer.command`."""
        return super().command(name, cls=HelpfulCommand, **more)

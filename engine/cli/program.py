"""The program ``plosive``: language, Ctrl-C and exit codes; the commands are in :mod:`engine.cli.commands`."""

from __future__ import annotations

import signal
import sys
import traceback
from types import FrameType

from engine.cli.exit_codes import ExitCode


def main() -> None:
    """Run the command line and end the process with the exit code of the README's table."""
    interrupted = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    try:
        # SIGTERM too must end the work, not only the process: half-written files go away on the way out.
        signal.signal(signal.SIGTERM, interrupt)
        signal.signal(signal.SIGINT, interrupt)
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone (`plosive ... | head`); say nothing more, not even at the end.
        sys.stdout = None
        code = ExitCode.DONE
    except Exception:  # noqa: BLE001 - Python would end with 1, which means "out of sync" here
        # An interrupt in the middle of an import can come out as another exception.
        code = ExitCode.INTERRUPTED if interrupted else ExitCode.FAULT
        if not interrupted:
            traceback.print_exc()
    sys.exit(int(code))


def _run(arguments: list[str]) -> int:
    from engine.words import system_language, use_language

    # Before the commands are made: their help is text, too.
    use_language(_language_asked_for(arguments) or system_language())
    from engine.cli.commands import run_command

    return run_command(arguments)


def _language_asked_for(arguments: list[str]) -> str | None:
    """Return the value of ``--lang``, wherever it stands before a lone ``--``."""
    for number, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--lang":
            return arguments[number + 1] if number + 1 < len(arguments) else None
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
    return None

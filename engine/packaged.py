"""The packaged program for terminals: ``plosive-cli`` is ``plosive``, and with ``--worker`` the engine of the window.

The window has a program of its own because on Windows a program either has a console or has no standard input and
output, which the engine speaks through.
"""

from __future__ import annotations

import sys
from multiprocessing import freeze_support


def main() -> None:
    """Do what the arguments say."""
    freeze_support()  # processes for several files, or several graphics cards, begin here, too
    if sys.argv[1:] == ["--worker"]:
        from engine.worker import main as work

        work()
    else:
        from engine.cli.program import main as run

        run()


if __name__ == "__main__":
    main()

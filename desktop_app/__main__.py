"""``python -m desktop_app [FILE...]`` opens the window; the packaged program starts its worker here, too."""

from __future__ import annotations

import sys


def main() -> int:
    """Open the window with the files that are named, and return the exit code."""
    if "--worker" in sys.argv[1:]:
        from engine.worker import main as work

        work()
    from desktop_app.application import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

"""``python -m desktop_app [FILE...]`` opens the window.

``--self-test`` lets the program do its main job by itself and say whether that worked.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Open the window with the files that are named, and return the exit code."""
    arguments = sys.argv[1:]
    if "--self-test" in arguments:
        from desktop_app.self_test import self_test

        return self_test()
    from desktop_app.application import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())

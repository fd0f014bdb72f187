"""Run a command and print its exit code, its seconds, and its peak memory in the unit of this system's ``getrusage``.

``python -I -S alone.py COMMAND...``. Linux hands the peak of a process on to the programs that it starts (the memory
that ``exec`` replaces counts), so that a child of a large benchmark appears as large as that. This script imports next
to nothing: what it starts can appear no smaller than about 10 MB.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Run the command of this process's arguments without letting it write where the figures go."""
    with Path(os.devnull).open("wb") as nowhere:
        outputs = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), stream) for stream in (1, 2)]
        begin = time.perf_counter()
        child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=outputs)
        _, status, usage = os.wait4(child, 0)
    print(os.waitstatus_to_exitcode(status), time.perf_counter() - begin, usage.ru_maxrss)


if __name__ == "__main__":
    main()

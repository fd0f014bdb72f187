"""Whether the sound server through which Qt plays is still there.

Qt 6.11 does not say when PulseAudio, or what stands in for it, ends: a device that plays stands still without an error,
the list of devices stays as it was, and to start a device then ends the whole process, by an assertion of PulseAudio's
library. What goes with its connections are the threads that serve them, and those have a name.
"""

from __future__ import annotations

from pathlib import Path

TASKS = Path("/proc/self/task")
"""Where Linux lists the threads of this process; other systems have neither this nor PulseAudio."""
_NAME = "QPulseAudioEngi"
"""What Qt calls these threads, as much of it as Linux keeps."""


def _server_threads(tasks: Path) -> frozenset[Path]:
    """Return the threads that talk to the sound server; none where none is needed."""
    found = set()
    for task in tasks.glob("[0-9]*"):
        try:
            if (task / "comm").read_text(encoding="utf-8", errors="replace").strip() == _NAME:
                found.add(task)
        except OSError:  # a thread that has just ended
            continue
    return frozenset(found)


class Connection:
    """How Qt is connected to the sound server when this is made, or when it is looked at again.

    Args:
        tasks: where the threads are listed.
    """

    def __init__(self, tasks: Path = TASKS) -> None:
        self._tasks = tasks
        self._threads = _server_threads(tasks)

    def look_again(self) -> None:
        """Take note of what was connected meanwhile: one connection lists the devices, another one plays."""
        self._threads = _server_threads(self._tasks)

    @property
    def is_lost(self) -> bool:
        """Whether it was there and is no longer: nothing that was opened through it may be started or waited for."""
        return not all(thread.exists() for thread in self._threads)

    @property
    def is_renewed(self) -> bool:
        """Whether Qt has connected again after it was lost: three seconds later, if the server was back by then."""
        return self.is_lost and len(_server_threads(self._tasks)) >= len(self._threads)

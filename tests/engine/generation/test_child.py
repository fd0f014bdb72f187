"""A child process ends with its parent, whatever it waits for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Connection

import pytest

PARENT = """
from engine.generation.child import Child
from tests.engine.generation.test_child import deaf
child = Child(deaf)
child.received()
print(child.pid, flush=True)
child.received()
"""


def deaf(line: Connection) -> None:
    """Begin, and never listen: as one that waits for a card that another process has left."""
    line.send("begun")
    threading.Event().wait()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are not killed by signals here")
def test_a_child_that_does_not_listen_ends_with_a_killed_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    try:
        assert parent.communicate(timeout=30)[0] == ""  # what they print to is closed when both are gone
    except subprocess.TimeoutExpired:
        os.kill(child, signal.SIGKILL)
        parent.communicate()
        raise

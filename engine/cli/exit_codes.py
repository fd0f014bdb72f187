"""What the exit code of the command line says; the README and ``--help`` carry the same table."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """One number per outcome; of several files the highest wins."""

    DONE = 0
    """In sync, or the work is done."""
    OUT_OF_SYNC = 1
    """Sound and lips are apart, or what was examined has a fault."""
    UNMEASURABLE = 2
    """There is no evidence for a number."""
    BAD_INPUT = 3
    """A file or the command line itself cannot be used, or the result cannot be written."""
    FAULT = 70
    """Plosive itself failed (``EX_SOFTWARE`` of sysexits.h)."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C (128 + SIGINT, as shells count)."""

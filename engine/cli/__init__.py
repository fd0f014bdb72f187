"""The program ``plosive`` for a terminal: the verbs of :mod:`engine.verbs`, over files and folders."""

from engine.cli.program import main

__all__ = ["main"]

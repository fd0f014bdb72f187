"""The command line's own sentences. Light: ``--help`` is made of them."""

from __future__ import annotations

from engine.words import Message


def say(key: str, **values: object) -> str:
    """Return a sentence of the command line's own catalogue."""
    return Message(f"cli.{key}", **values).text()

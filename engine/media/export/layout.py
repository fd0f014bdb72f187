"""What the container rewriters have in common."""

from __future__ import annotations


class UnsupportedLayout(Exception):  # noqa: N818 - a kind of file, not an error
    """The file is laid out in a way a rewriter does not touch; another path has to write it."""


class NothingLeft(Exception):  # noqa: N818 - an answer, not an error
    """The sound is moved so far that nothing of it would be heard."""

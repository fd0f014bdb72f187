"""Which files of a folder are meant when a command is given the folder."""

from __future__ import annotations

import os
from collections.abc import Iterable

MEDIA_SUFFIXES = (
    ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".asf", ".avi", ".dv", ".f4v", ".flac", ".flv", ".m2t", ".m2ts", ".m2v",
    ".m4a", ".m4v", ".mka", ".mkv", ".mov", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".oga", ".ogg", ".ogv",
    ".opus", ".ts", ".vob", ".wav", ".webm", ".wma", ".wmv",
)  # fmt: skip
"""Suffixes, in lower case, of files taken from a folder; a file that is named itself is always tried."""


def expand(paths: Iterable[str]) -> list[str]:
    """Return the files that are meant, each once: named ones as they are, folders as the media files below them.

    Hidden files and folders are left out, links to folders are not followed. A folder without media stays in the list,
    so that it is refused by name rather than passed over in silence.
    """
    files: list[str] = []
    for path in paths:
        files += (_media_below(path) or [path]) if os.path.isdir(path) else [path]  # noqa: PTH112 - see commands.Paths
    return list(dict.fromkeys(files))


def _media_below(folder: str) -> list[str]:
    found: list[str] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            os.path.join(place, name)  # noqa: PTH118 - keeps "./" and bytes that are no text
            for name in sorted(names)
            if not name.startswith(".") and name.lower().endswith(MEDIA_SUFFIXES)
        ]
    return found

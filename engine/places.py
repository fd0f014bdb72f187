"""Where the program keeps its own files. ``PLOSIVE_HOME`` puts all of them into one folder. Light."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

NAME = "Plosive"
"""What the program's folders are called among those of others."""


def own_folder(name: str, usual: str) -> Path:
    """Return a folder of the program's own.

    Args:
        name: what it is called in ``PLOSIVE_HOME``, if that is set.
        usual: where it is otherwise.
    """
    home = os.environ.get("PLOSIVE_HOME")
    return Path(home) / name if home else Path(usual)


def data_folder() -> Path:
    """Return where model files, own engines and the engines' measured offsets are kept."""
    return own_folder("data", platformdirs.user_data_dir(NAME, appauthor=False))


def cache_folder() -> Path:
    """Return where what can be made again is kept: ``PLOSIVE_CACHE`` moves it by itself."""
    chosen = os.environ.get("PLOSIVE_CACHE")
    return Path(chosen) if chosen else own_folder("cache", platformdirs.user_cache_dir(NAME, appauthor=False))

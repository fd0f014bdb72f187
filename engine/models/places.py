"""Where model files are kept, and which folders are looked through for them. Light."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from engine.places import data_folder
from engine.refusal import Refused

_FOLDERS = "folders.json"


def models_folder() -> Path:
    """Return where imported and downloaded files go: ``PLOSIVE_MODELS``, else in the data folder."""
    chosen = os.environ.get("PLOSIVE_MODELS")
    return Path(chosen) if chosen else data_folder() / "models"


def hub_cache() -> Path:
    """Return where the Hugging Face libraries keep what they download, as their documentation defines it."""
    if chosen := os.environ.get("HF_HUB_CACHE"):
        return Path(chosen)
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(home) / "hub"


def remembered_folders() -> tuple[Path, ...]:
    """Return the folders that the user pointed to, those that still exist."""
    try:
        listed = json.loads((models_folder() / _FOLDERS).read_text(encoding="utf-8"))
        folders = [Path(each) for each in listed if isinstance(each, str)]
    except (OSError, ValueError, TypeError):
        return ()
    return tuple(folder for folder in folders if folder.is_dir())


def remember_folders(folders: Iterable[Path]) -> None:
    """Look into these folders from now on, too.

    Raises:
        Refused: ``models.unwritable`` if the list cannot be written.
    """
    known = dict.fromkeys([*remembered_folders(), *(folder.absolute() for folder in folders)])
    target = models_folder() / _FOLDERS
    partial = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps([str(folder) for folder in known], indent=1), encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):  # where nothing can be written, nothing can be removed
            partial.unlink()
        raise Refused.because("models.unwritable", path=target.parent, why=error.strerror or str(error)) from error


def search_folders() -> tuple[Path, ...]:
    """Return all folders that are looked through: the program's own, the user's, the Hugging Face cache."""
    places = dict.fromkeys([models_folder(), *remembered_folders(), hub_cache()])
    return tuple(place for place in places if place.is_dir())

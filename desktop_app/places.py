"""Where the window keeps its own files. ``PLOSIVE_HOME`` puts all of them into one folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_NAME = "Plosive"


def config_folder() -> Path:
    """Return where settings are kept."""
    return _own("config") or Path(platformdirs.user_config_dir(_NAME, appauthor=False))


def state_folder() -> Path:
    """Return where autosaves, logs and the queue are kept."""
    return _own("state") or Path(platformdirs.user_state_dir(_NAME, appauthor=False))


def log_folder() -> Path:
    """Return where logs are kept."""
    return state_folder() / "logs"


def sample_folder() -> Path:
    """Return where the sample project is made."""
    return _own("sample") or Path(platformdirs.user_documents_dir()) / _NAME


def _own(name: str) -> Path | None:
    home = os.environ.get("PLOSIVE_HOME")
    return Path(home) / name if home else None

"""Where the window keeps its own files."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from engine.places import NAME, own_folder


def config_folder() -> Path:
    """Return where settings are kept."""
    return own_folder("config", platformdirs.user_config_dir(NAME, appauthor=False))


def state_folder() -> Path:
    """Return where autosaves, logs and the queue are kept."""
    return own_folder("state", platformdirs.user_state_dir(NAME, appauthor=False))


def log_folder() -> Path:
    """Return where logs are kept."""
    return state_folder() / "logs"


def sample_folder() -> Path:
    """Return where the sample project is made."""
    return own_folder("sample", str(Path(platformdirs.user_documents_dir()) / NAME))

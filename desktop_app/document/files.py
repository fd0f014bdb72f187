"""Write small files so that there is always a whole one."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def write_json(path: Path, data: Any, *, keep_backup: bool = False) -> None:
    """Replace a file by JSON, through a temporary file beside it.

    Args:
        path: the file; its folder is made if it is not there.
        data: what :mod:`json` takes.
        keep_backup: leave the file before as ``<name>.bak``.

    Raises:
        OSError: if it cannot be written; the file before is untouched then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=True, indent=1)
            file.flush()
            os.fsync(file.fileno())
        if keep_backup and path.exists():
            path.replace(backup_of(path))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def backup_of(path: Path) -> Path:
    """Return where the version before is kept."""
    return path.with_name(f"{path.name}.bak")

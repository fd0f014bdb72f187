"""Write small files so that there is always a whole one."""

from __future__ import annotations

import json
import os
import secrets
import shutil
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
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        # Not a file of tempfile's, which nobody else may read: projects lie in folders that people share.
        with temporary.open("x", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=True, indent=1)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
            if keep_backup:
                _back_up(path)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def backup_of(path: Path) -> Path:
    """Return where the version before is kept."""
    return path.with_name(f"{path.name}.bak")


def _back_up(path: Path) -> None:
    """Keep a file as the version before, without taking it away for a moment: that may be the one of a crash."""
    kept = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        try:
            kept.hardlink_to(path)
        except OSError:  # disks of cameras and sticks know no links
            shutil.copy2(path, kept)
        kept.replace(backup_of(path))
    finally:
        kept.unlink(missing_ok=True)

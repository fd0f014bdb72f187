"""A folder of things that can be made again: bounded, never trusted, shared by all processes of the user."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from engine.places import cache_folder

_ENDS_BYTES = 1 << 16
_PARTIAL = ".part"


def content_key(file: Path, *parts: object) -> str:
    """Return a name for what is made from a file: other content, other name, wherever the file lies.

    Size, time of change and the first and last 64 KiB stand for the content: hashing a whole film takes too long.

    Args:
        file: an existing file.
        parts: what else the result depends on, such as a stream number and a version.
    """
    status = file.stat()
    digest = hashlib.sha256(repr((status.st_size, status.st_mtime_ns, parts)).encode())
    with file.open("rb") as stream:
        digest.update(stream.read(_ENDS_BYTES))
        stream.seek(max(0, status.st_size - _ENDS_BYTES))
        digest.update(stream.read(_ENDS_BYTES))
    return digest.hexdigest()[:40]


class Cache:
    """Files by key in one folder, of which the least recently used are removed.

    A cache that cannot be written (full disk, read-only home) is no failure: nothing is kept.

    Args:
        name: sub-folder of :func:`cache_folder`.
        limit_bytes: total size that is kept.
    """

    def __init__(self, name: str, limit_bytes: int) -> None:
        self._folder = cache_folder() / name
        self._limit = limit_bytes

    def find(self, key: str) -> Path | None:
        """Return the file under a key and mark it as just used, or ``None``."""
        path = self._folder / key
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def forget(self, key: str) -> None:
        """Remove what is under a key, if anything."""
        with contextlib.suppress(OSError):
            (self._folder / key).unlink()

    def keep(self, key: str, write: Callable[[IO[bytes]], object]) -> None:
        """Let ``write`` fill a file and put it under a key at once, then make room."""
        partial = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=_PARTIAL, delete=False) as stream:
                partial = Path(stream.name)
                write(stream)
            partial.replace(self._folder / key)
        except OSError:
            if partial is not None:
                with contextlib.suppress(OSError):
                    partial.unlink()
            return
        self._make_room(key)

    def _make_room(self, newest: str) -> None:
        entries = []
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                with contextlib.suppress(OSError):
                    status = path.stat()
                    entries.append((path.name == newest, status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, _, size, _ in entries)
        for is_newest, _, size, path in sorted(entries):
            if total <= self._limit or is_newest:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size

"""What somebody wants who drops or names some files: told by the names alone, because ten thousand may come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QUrl

from desktop_app.document.project import project_of

_SOUNDS = frozenset({".wav", ".mp3", ".m4a", ".aac", ".flac", ".ogg", ".opus", ".aif", ".aiff", ".wma", ".ac3", ".mka"})
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".heic"})
_LOGS = frozenset({".jsonl", ".log", ".txt"})


@dataclass(frozen=True, slots=True)
class Drop:
    """Files, sorted by what they seem to be.

    Attributes:
        clips: everything that may have a moving picture, also files with unknown names.
        sounds: recordings.
        pictures: still pictures.
        projects: project files.
        folders: folders.
        logs: what a render or a run of a model wrote down.
    """

    clips: tuple[Path, ...] = ()
    sounds: tuple[Path, ...] = ()
    pictures: tuple[Path, ...] = ()
    projects: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()

    @property
    def is_batch(self) -> bool:
        """Whether these are more than one window can show: they go to the queue."""
        return bool(self.folders) or len(self.clips) > 1

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do with them."""
        return not (self.clips or self.sounds or self.pictures or self.projects or self.folders or self.logs)


def sort(paths: Iterable[Path]) -> Drop:
    """Sort files by their names; only folders are looked at."""
    names = ("clips", "sounds", "pictures", "projects", "folders", "logs")
    sorted_paths: dict[str, list[Path]] = {name: [] for name in names}
    for path in paths:
        sorted_paths[_kind(path)].append(path)
    return Drop(**{name: tuple(found) for name, found in sorted_paths.items()})


def pasted(text: str) -> list[Path]:
    """Return the existing files that a text from the clipboard names: one per line, quoted or not, or as a URL."""
    lines = (line.strip().strip("\"'") for line in text.splitlines()[:1000])
    paths = (_path(line) for line in lines if line)
    return [path for path in paths if len(str(path)) < 4096 and path.is_absolute() and path.exists()]


def _path(line: str) -> Path:
    if not line.startswith("file:"):
        return Path(line).expanduser()
    # What a file manager copies: spaces and other letters are escaped.
    return Path(QUrl(line).toLocalFile())


def _kind(path: Path) -> str:
    if project_of(path) is not None:
        return "projects"
    suffix = path.suffix.lower()
    if suffix in _SOUNDS:
        return "sounds"
    if suffix in _PICTURES:
        return "pictures"
    if suffix in _LOGS:
        return "logs"
    return "folders" if path.is_dir() else "clips"

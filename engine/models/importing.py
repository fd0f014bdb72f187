"""Copy the official files out of a folder (another program's, a stick) into the program's own. Light."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from engine.jobs import Job, Progress
from engine.models.catalog import entry
from engine.models.finder import find
from engine.models.places import models_folder
from engine.refusal import Refusal, Refused

_BLOCK = 8 << 20


def import_models(folder: Path) -> Job[tuple[Path, ...] | Refusal]:
    """Copy what is found; files that are there already, with the same length, are left alone.

    Args:
        folder: where to look.

    Returns:
        Where the files are now; or a refusal, if there is nothing to copy or no room for it.
    """
    try:
        return (yield from _import(folder))
    except Refused as refused:
        return refused.refusal


def _import(folder: Path) -> Job[tuple[Path, ...]]:
    if not folder.is_dir():
        raise Refused.because("models.no_folder", path=folder)
    found = yield from find([folder])
    chosen: dict[str, Path] = {}
    for each in found.found:
        if len(each.names) == 1:
            chosen.setdefault(each.names[0], each.path)
    if not chosen:
        for each in found.found:
            if len(each.names) > 1:
                titles = " / ".join(entry(name).title for name in each.names)
                raise Refused.because("models.uncertain", path=each.path, titles=titles)
        raise found_nothing(folder, found.problems)
    jobs = [(path, models_folder() / entry(name).place) for name, path in chosen.items()]
    missing = [(path, target) for path, target in jobs if not _same(path, target)]
    total = sum(path.stat().st_size for path, _ in missing)
    require_room(models_folder(), total)
    done = 0
    for path, target in missing:
        for copied in _copied(path, target):
            yield Progress("copying", (done + copied) / max(1, total))
        done += path.stat().st_size
    return tuple(target for _, target in jobs)


def found_nothing(folder: Path, problems: tuple[Refusal, ...]) -> Refused:
    """Return why nothing of a folder can be used: the first problem in it, or that there is nothing."""
    return Refused(problems[0]) if problems else Refused.because("models.nothing_found", path=folder)


def require_room(folder: Path, size: int) -> None:
    """Refuse what does not fit on the disk.

    Raises:
        Refused: ``models.disk``, ``models.unwritable``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise Refused.because("models.unwritable", path=folder, why=error.strerror or str(error)) from error
    if size > free:
        raise Refused.because("models.disk", path=folder, needed=size / 1e9, free=free / 1e9)


def _same(path: Path, target: Path) -> bool:
    return target.exists() and target.stat().st_size == path.stat().st_size


def _copied(path: Path, target: Path) -> Iterable[int]:
    """Copy through a temporary name and yield how many bytes are there."""
    partial = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as source, partial.open("wb") as copy:
            while block := source.read(_BLOCK):
                copy.write(block)
                yield copy.tell()
        partial.replace(target)
    except OSError as error:
        raise Refused.because("models.unwritable", path=target, why=error.strerror or str(error)) from error
    finally:
        with suppress(OSError):  # where nothing can be written, nothing can be removed
            partial.unlink()

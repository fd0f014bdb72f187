"""Find the official files in any folder, whatever they are called there. Light.

What a file is, is told by its tensors; which version of it, by its size; and only where neither decides, by the names
of the file and the folders around it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.jobs import Job, Progress, run
from engine.models.catalog import Entry, catalog
from engine.models.headers import read_header
from engine.models.identify import kind_named, kind_of_header, looks_like
from engine.models.places import search_folders
from engine.refusal import Refusal, Refused

_SUFFIXES = (".bin", ".ckpt", ".model", ".pt", ".pth", ".safetensors")
_PASSED_OVER = {".git", "__pycache__", "node_modules", "site-packages", ".venv", "venv", "blobs", ".no_exist"}
"""Folders without models of their own; ``blobs`` of a Hugging Face cache are reached through ``snapshots``."""
_DEEPEST = 8
_EVERYBODYS = {
    "diffusion_pytorch_model.bin", "diffusion_pytorch_model.safetensors", "model.safetensors", "pytorch_model.bin",
}  # fmt: skip
"""What libraries call the weights of any network: only the folder says which one belongs there."""
_EVERY_PIPELINE = "vae/"
"""A folder that every picture generator has, each with another autoencoder."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is in the catalog.

    Attributes:
        path: where it is.
        names: which files of the catalog it can be; several when its version cannot be told.
        is_official_size: whether its length is that of the official file.
    """

    path: Path
    names: tuple[str, ...]
    is_official_size: bool


@dataclass(frozen=True, slots=True)
class Library:
    """What was found.

    Attributes:
        found: files of the catalog, the folders searched first coming first.
        problems: files that stand where an official one belongs and cannot be it.
    """

    found: tuple[Found, ...] = ()
    problems: tuple[Refusal, ...] = ()

    def path(self, *names: str) -> Path | None:
        """Return where a file of the catalog is, or ``None``.

        Official files come before others of the same kind, which may have been trained for something else; a file
        whose version is uncertain is the last resort.

        Args:
            names: catalog names in order of preference.
        """
        fitting = [
            (len(each.names) > 1, not each.is_official_size, order, each.path)
            for order, name in enumerate(names)
            for each in self.found
            if name in each.names
        ]
        return min(fitting, key=lambda one: one[:3])[3] if fitting else None

    def certain(self, name: str) -> Path | None:
        """Return where the file is that is surely this one of the catalog, an official one first, or ``None``."""
        found = [each for each in self.found if each.names == (name,)]
        return min(found, key=lambda each: not each.is_official_size).path if found else None


def library(folders: Iterable[Path] | None = None) -> Library:
    """Search at once; see :func:`find`."""
    return run(find(folders))


def find(folders: Iterable[Path] | None = None) -> Job[Library]:
    """Search folders, and the folders in them.

    Args:
        folders: where to look; by default everywhere the user has pointed to.
    """
    found: list[Found] = []
    problems: list[Refusal] = []
    places = tuple(search_folders() if folders is None else folders)
    for number, folder in enumerate(places):
        for path in _files_below(folder, problems):
            yield Progress("searching", number / len(places), path)
            if path is None:
                continue
            try:
                if (each := identify(path)) is not None:
                    found.append(each)
                    problems.extend(_misplaced(each))
            except Refused as refused:
                problems.append(refused.refusal)
    return Library(tuple(found), tuple(problems))


_known: dict[tuple[Path, int, int], Found | Refusal | None] = {}
"""What files were, by path, size and time of change: looking again takes no time."""


def identify(path: Path) -> Found | None:
    """Return which official file this is, or ``None`` if it is something else.

    Raises:
        Refused: if it stands where an official file belongs, and is damaged or something else.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:  # also a link to nowhere
        raise Refused.because("models.missing", path=path) from error
    except OSError as error:
        raise Refused.because("models.unreadable", path=path, why=error.strerror or str(error)) from error
    key = (path, status.st_size, status.st_mtime_ns)
    if key not in _known:
        try:
            _known[key] = _identify(path, status.st_size)
        except Refused as refused:
            _known[key] = refused.refusal
    answer = _known[key]
    if isinstance(answer, Refusal):
        raise Refused(answer)
    return answer


def _identify(path: Path, size: int) -> Found | None:
    placed = _by_place(path)
    if path.suffix not in _SUFFIXES or (placed is not None and not placed.kind):
        return None if placed is None else Found(path, (placed.name,), size == placed.size)
    try:
        kind = kind_of_header(read_header(path))
    except Refused:
        if placed is None:
            return None  # somebody else's file, whatever it is
        raise
    candidates = [each for each in catalog() if kind is not None and each.kind == kind.name]
    if not candidates:
        if placed is not None and _is_at_home(path, placed):
            raise Refused.because("models.wrong", path=path, wanted=placed.title, looks_like=looks_like(kind))
        return None
    chosen = (
        [each for each in candidates if each.size == size]
        or [each for each in candidates if each is placed and _is_telling(each, candidates)]
        or [each for each in candidates if _hints_at(path, each)]
        or candidates
    )
    return Found(path, tuple(each.name for each in chosen), any(each.size == size for each in chosen))


def _misplaced(found: Found) -> Iterator[Refusal]:
    """Yield that a file of the catalog stands where one of another kind belongs: both are told, what it is and that."""
    placed = _by_place(found.path)
    if placed is None or not placed.kind or not _is_at_home(found.path, placed):
        return
    kinds_found = {each.kind for each in catalog() if each.name in found.names}
    if placed.kind not in kinds_found:
        like = looks_like(kind_named(min(kinds_found)))
        yield Refusal.of("models.wrong", path=found.path, wanted=placed.title, looks_like=like)


def _is_at_home(path: Path, placed: Entry) -> bool:
    """Return whether a path says by itself that this file belongs there, and no other network of any program."""
    if path.name not in _EVERYBODYS:
        return True
    whole = path.as_posix()
    telling = [each for each in placed.endings if "/" in each and not each.startswith(_EVERY_PIPELINE)]
    return "/snapshots/" in whole or any(whole.endswith("/" + ending) for ending in telling)


def _by_place(path: Path) -> Entry | None:
    """Return the file of the catalog that belongs where this one is: in a Hugging Face cache, or an official folder."""
    parts = path.parts
    for number, part in enumerate(parts):
        if part.startswith("models--") and parts[number + 1 : number + 2] == ("snapshots",):
            repository, remote = part[len("models--") :].replace("--", "/"), "/".join(parts[number + 3 :])
            return next((e for e in catalog() if (e.repository, e.remote) == (repository, remote)), None)
    whole = "/" + "/".join(parts[1:])
    fitting = [
        (len(ending), each) for each in catalog() for ending in each.endings if whole.endswith("/" + ending)
    ]  # longer endings say more
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _is_telling(entry: Entry, rivals: Iterable[Entry]) -> bool:
    """Return whether the place of a file tells its version: not where all versions have the same."""
    return all(each is entry or not set(each.endings) & set(entry.endings) for each in rivals)


def _hints_at(path: Path, entry: Entry) -> bool:
    """Return whether the folders around a file name its version, as ``LatentSync-1.6/`` does."""
    version = next((part for part in entry.name.split("-") if part[:1].isdigit() and "." in part), None)
    folders = "/".join(path.parts[:-1]).lower()
    return version is not None and version in folders


def _files_below(folder: Path, problems: list[Refusal]) -> Iterator[Path | None]:
    """Yield the files that may be models; links are followed, each folder is entered once.

    Args:
        folder: where to begin.
        problems: what cannot be looked into is added here.

    Yields:
        A file; or ``None`` for each folder, a place to stop in those that hold none.
    """

    def tell(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            why = error.strerror or str(error)
            problems.append(Refusal.of("models.unreadable_folder", path=error.filename, why=why))

    entered: set[tuple[int, int]] = set()
    start = len(folder.parts)
    names = {each.place.name for each in catalog()}
    for place, folders, files in os.walk(folder, onerror=tell, followlinks=True):
        yield None
        path = Path(place)
        try:
            status = path.stat()
        except OSError:
            folders.clear()
            continue
        if (status.st_dev, status.st_ino) in entered or len(path.parts) - start >= _DEEPEST:
            folders.clear()
        if (status.st_dev, status.st_ino) in entered:
            continue
        entered.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if name not in _PASSED_OVER)
        yield from (path / name for name in sorted(files) if name.endswith(_SUFFIXES) or name in names)

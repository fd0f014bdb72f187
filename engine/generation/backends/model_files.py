"""What engines on networks of PyTorch ask of the model files that were found. Light."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.generation.backend import Requirement
from engine.models.catalog import entry
from engine.models.finder import Library
from engine.models.packages import missing_packages
from engine.refusal import Refused
from engine.words import Message


def requirements(library: Library, *groups: Sequence[str]) -> tuple[Requirement, ...]:
    """Return that the neural packages have to be there and a file of each group, and whether they are.

    Args:
        library: what was found on disk.
        groups: catalog names, of which one suffices; the first one is told where none is there.
    """
    packages = Requirement("PyTorch", not missing_packages(), Message("models.needs_packages"))
    files = (
        Requirement(
            entry(names[0]).title,
            library.path(*names) is not None,
            Message("models.needs_file", title=entry(names[0]).title, name=names[0]),
            entry(names[0]).size or None,
        )
        for names in groups
    )
    return (packages, *files)


def needed(library: Library, *names: str) -> Path:
    """Return where a file is, of several the one that comes first.

    Args:
        library: what was found on disk.
        names: catalog names in order of preference.

    Raises:
        Refused: ``models.needed`` if none of them is there.
    """
    found = library.path(*names)
    if found is None:
        raise missing(names[0])
    return found


def missing(name: str) -> Refused:
    """Return the refusal for a file of the catalog that is not there: ``models.needed``."""
    return Refused.because("models.needed", title=entry(name).title, name=name)

"""The official model files as data: ``resources/models/catalog.toml``. Light."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of network, told by marks that only its files have.

    Attributes:
        name: short name in the catalog.
        title: what people call it.
        marks: tensor names with shapes; a 0 stands for any length.
    """

    name: str
    title: str
    marks: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One official file.

    Attributes:
        name: the catalog's name for it, such as ``latentsync-1.6-unet``.
        title: what people call it.
        engines: which engines cannot do without it.
        useful_to: which engines do something better with it.
        kind: name of its :class:`Kind`; empty for files without tensors, which are known by their place alone.
        place: where it lies below the folder of models, and how it ends in the official folders.
        also: other endings of its path, for other official layouts.
        size: bytes, or 0 when not known.
        sha256: checksum in hexadecimal, or empty when not known.
        licence: short name of the terms of the weights.
        repository: where the Hugging Face hub has it; empty when it is not there.
        remote: its path in that repository.
        source: who made it public, in words or as an address.
        instead_of: the catalog's name of the file whose place this one can take; empty for none.
    """

    name: str
    title: str
    engines: tuple[str, ...]
    useful_to: tuple[str, ...]
    kind: str
    place: PurePosixPath
    also: tuple[str, ...]
    size: int
    sha256: str
    licence: str
    repository: str
    remote: str
    source: str
    instead_of: str = ""

    @property
    def endings(self) -> tuple[str, ...]:
        """Endings of paths under which this file is found in official folders.

        A file without tensors needs the name of the folder, too: nothing else tells it from others of its name.
        """
        _, _, inside = str(self.place).partition("/")
        return (str(self.place), *([inside] if self.kind else []), *self.also)


@cache
def catalog() -> tuple[Entry, ...]:
    """Return all official files."""
    return tuple(
        Entry(
            name=each["name"],
            title=each["title"],
            engines=tuple(each.get("engines", ())),
            useful_to=tuple(each.get("useful_to", ())),
            kind=each.get("kind", ""),
            place=PurePosixPath(each["place"]),
            also=tuple(each.get("also", ())),
            size=each.get("size", 0),
            sha256=each.get("sha256", ""),
            licence=each["licence"],
            repository=each.get("repository", ""),
            remote=each.get("remote", ""),
            source=each["source"],
            instead_of=each.get("instead_of", ""),
        )
        for each in _table()["file"]
    )


@cache
def kinds() -> tuple[Kind, ...]:
    """Return all sorts of networks, the ones with more special marks first."""
    return tuple(
        Kind(each["name"], each["title"], tuple((mark, tuple(shape)) for mark, shape in each["marks"].items()))
        for each in _table()["kind"]
    )


def entry(name: str) -> Entry:
    """Return one file of the catalog.

    Raises:
        KeyError: if there is none of that name.
    """
    found = next((each for each in catalog() if each.name == name), None)
    if found is None:
        raise KeyError(name)
    return found


def serving(wanted: Entry) -> tuple[str, ...]:
    """Return the names of the files that serve where one is needed: itself, and those that can take its place."""
    return (wanted.name, *(each.name for each in catalog() if each.instead_of == wanted.name))


def engines() -> tuple[str, ...]:
    """Return the engines that need files, in the order of the catalog."""
    return tuple(dict.fromkeys(engine for each in catalog() for engine in (*each.engines, *each.useful_to)))


@cache
def _table() -> dict[str, Any]:
    text = files("resources").joinpath("models", "catalog.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)

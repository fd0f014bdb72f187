"""Whether a model file is the official one, whole and unchanged. Light."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.jobs import Job, Progress
from engine.models.catalog import Entry, entry
from engine.models.finder import identify
from engine.models.headers import read_header
from engine.models.identify import kind_of_header, looks_like
from engine.refusal import Refusal, Refused
from engine.words import Message

_BLOCK = 8 << 20


class State(StrEnum):
    """How a file stands to the official one."""

    OFFICIAL = "official"
    """The checksum is the published one."""
    FITTING = "fitting"
    """Content and size are right; no checksum is known."""
    OTHER_SIZE = "other_size"
    """The right network, but not the official file: converted, pruned or trained further."""
    CHANGED = "changed"
    """The right size, but another checksum: damaged or changed."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a file is.

    Attributes:
        path: the file.
        names: which files of the catalog it can be.
        state: how it stands to the official one.
        sha256: its checksum in hexadecimal.
        verdict: that as a sentence.
    """

    path: Path
    names: tuple[str, ...]
    state: State
    sha256: str
    verdict: Message

    @property
    def is_good(self) -> bool:
        """Whether it can be used without a second thought."""
        return self.state in {State.OFFICIAL, State.FITTING}

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "file": str(self.path),
            "models": list(self.names),
            "state": self.state.value,
            "sha256": self.sha256,
            "verdict": self.verdict.text(),
        }


def check(path: Path) -> Job[Checked | Refusal]:
    """Read a file from beginning to end and compare it with what is known of the official ones.

    Returns:
        What it is; or a refusal if it cannot be used at all.
    """
    try:
        found = identify(path)
        if found is None:
            raise Refused.because("models.unknown", path=path, looks_like=looks_like(kind_of_header(read_header(path))))
        digest = yield from sha256_of(path)
    except Refused as refused:
        return refused.refusal
    known = [entry(name) for name in found.names]
    state = _state(path.stat().st_size, digest, known)
    titles = " / ".join(each.title for each in known)
    return Checked(path, found.names, state, digest, Message(f"models.state.{state}", title=titles))


def _state(size: int, digest: str, known: list[Entry]) -> State:
    if any(digest == each.sha256 for each in known):
        return State.OFFICIAL
    if any(each.size == size for each in known):
        return State.CHANGED if all(each.sha256 for each in known if each.size == size) else State.FITTING
    return State.OTHER_SIZE if any(each.size for each in known) else State.FITTING


def sha256_of(path: Path) -> Job[str]:
    """Return the SHA-256 of a file in hexadecimal.

    Raises:
        Refused: ``models.unreadable``.
    """
    digest = hashlib.sha256()
    try:
        size = max(1, path.stat().st_size)
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
                yield Progress("proving", stream.tell() / size)
    except OSError as error:
        raise Refused.because("models.unreadable", path=path, why=error.strerror or str(error)) from error
    return digest.hexdigest()

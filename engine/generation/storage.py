"""Finished segments on disk, with a manifest that says which of them can be trusted after a cancel or a power cut.

The folder lies beside the clip, on the same disk, under a hidden name. It goes away when the clip is finished; until
then the same render takes up its work from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.generation.plan import Segment
from engine.refusal import Refused

_VERSION = 1
_NAME_BYTES = 200
_BLOCK = 1 << 20


def work_folder(target: Path) -> Path:
    """Return where a clip is kept while it is not finished."""
    name = target.name.encode()[:_NAME_BYTES].decode(errors="ignore")
    return target.absolute().with_name(f".{name}.render")


def discard(target: Path) -> None:
    """Throw away what an unfinished render of a clip has left; harmless if there is nothing."""
    shutil.rmtree(work_folder(target), ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A finished segment: its place in the clip, and what its file has to be."""

    index: int
    first_frame: int
    frame_count: int
    size: int
    sha256: str
    state: str | None


class SegmentStore:
    """The segments of one render.

    The manifest is one line per finished segment, behind a line that says what is rendered. A line is written after its
    file is under its name, so a line that can be read names a file that was whole; a last line torn by a power cut is
    no line.

    Args:
        folder: see :func:`work_folder`; made if missing.
        digest: of everything the pictures depend on. What is there for another digest is thrown away.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        self.folder = folder
        self._manifest = folder / "manifest.jsonl"
        self._entries: dict[int, _Entry] = {}
        lines = self._lines()
        if not lines or lines[0] != {"version": _VERSION, "digest": digest}:
            for part in (self._segments, self.scratch):
                shutil.rmtree(part, ignore_errors=True)
            for stale in folder.glob("*.wav*"):
                stale.unlink()
            self._manifest.unlink(missing_ok=True)
            self._append({"version": _VERSION, "digest": digest})
        for line in lines[1:]:
            with contextlib.suppress(TypeError):
                entry = _Entry(**line)
                self._entries[entry.index] = entry
        self._segments.mkdir(exist_ok=True)
        self.scratch.mkdir(exist_ok=True)

    @property
    def _segments(self) -> Path:
        return self.folder / "segments"

    @property
    def scratch(self) -> Path:
        """A folder for the engine."""
        return self.folder / "engine"

    @property
    def is_empty(self) -> bool:
        """Whether no segment is finished."""
        return not self._entries

    def path(self, segment: Segment) -> Path:
        """Return the file of a segment."""
        return self._segments / f"{segment.index:06d}.mp4"

    def has(self, segment: Segment) -> bool:
        """Whether a segment is finished, and its file is still what was written."""
        entry = self._entries.get(segment.index)
        if entry is None or (entry.first_frame, entry.frame_count) != (segment.first_frame, segment.frame_count):
            return False
        path = self.path(segment)
        try:
            return path.stat().st_size == entry.size and _digest(path) == entry.sha256
        except OSError:
            return False

    def state_after(self, segment: Segment) -> bytes | None:
        """Return what the engine left after a segment, ``None`` if that is not there or damaged."""
        entry = self._entries.get(segment.index)
        if entry is None or entry.state is None:
            return None
        try:
            state = self._state_path(segment.index).read_bytes()
        except OSError:
            return None
        return state if hashlib.sha256(state).hexdigest() == entry.state else None

    def is_stateful(self) -> bool:
        """Whether the engine left something after any segment."""
        return any(entry.state is not None for entry in self._entries.values())

    def part(self, segment: Segment) -> Path:
        """Return the file to write a segment to before it is finished."""
        return self.path(segment).with_suffix(".part")

    def finish(self, segment: Segment, state: bytes | None) -> None:
        """Put the part under its name and note it in the manifest, in this order.

        Args:
            segment: what was written to :meth:`part`.
            state: what the engine needs for the next one.
        """
        part, path = self.part(segment), self.path(segment)
        size, digest = part.stat().st_size, _digest(part)
        if state is not None:
            state_part = self._state_path(segment.index).with_suffix(".state.part")
            state_part.write_bytes(state)
            state_part.replace(self._state_path(segment.index))
        part.replace(path)
        entry = _Entry(
            segment.index,
            segment.first_frame,
            segment.frame_count,
            size,
            digest,
            None if state is None else hashlib.sha256(state).hexdigest(),
        )
        self._append(asdict(entry))
        self._entries[segment.index] = entry
        # Two states are enough: that of the last segment, and that of the one before in case the last is damaged.
        self._state_path(segment.index - 2).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _state_path(self, index: int) -> Path:
        return self._segments / f"{index:06d}.state"

    def _append(self, line: dict[str, Any]) -> None:
        with self._manifest.open("a", encoding="ascii") as file:
            # A line that a power cut tore is ended first, so that it does not spoil this one.
            start = "\n" if file.tell() and not self._ends_with_newline() else ""
            file.write(start + json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _ends_with_newline(self) -> bool:
        with self._manifest.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def _lines(self) -> list[dict[str, Any]]:
        lines = []
        try:
            text = self._manifest.read_text(encoding="ascii", errors="replace")
        except OSError:
            return []
        for line in text.splitlines():
            with contextlib.suppress(ValueError):
                value = json.loads(line)
                if isinstance(value, dict):
                    lines.append(value)
        return lines


@contextmanager
def removed_if_refused(store: SegmentStore) -> Iterator[None]:
    """Return a context out of which a refusal takes the work folder along, if there is nothing to go on from."""
    try:
        yield
    except Refused:
        if store.is_empty:
            store.remove()
        raise


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a work folder for this process alone; the system gives it free when the process ends, however it ends.

    Raises:
        Refused: ``generation.busy`` if another process renders the same clip.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            _lock(file.fileno())
        except OSError:
            raise Refused.because("generation.busy", path=folder.parent) from None
        yield


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()

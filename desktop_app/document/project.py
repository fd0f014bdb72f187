"""The project file: what was decided about a clip, as JSON that finds its media again after both were moved."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from desktop_app.document.anchors import Anchor, Anchors, Between
from desktop_app.document.document import Document, Marker, State
from desktop_app.document.files import backup_of, write_json
from engine.media.export.report import AnyCorrection
from engine.refusal import Refused
from engine.sync.result import Measurement
from engine.timing import Correction, DriftCorrection, StepCorrection
from engine.wire import Unreadable, dump, load

SUFFIX = ".plosive"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Project:
    """What a project file holds.

    Attributes:
        path: the clip.
        sound_path: the file whose sound replaces the clip's, or ``None``.
        state: correction, markers, range and anchors.
        face: the chosen person, or ``None``.
        measurement: what was found, or ``None``.
    """

    path: Path
    sound_path: Path | None = None
    state: State = field(default_factory=State)
    face: int | None = None
    measurement: Measurement | None = None

    @classmethod
    def of(cls, document: Document) -> Project:
        """Return what is to be kept of an open document.

        Raises:
            ValueError: if nothing is open.
        """
        if document.path is None:
            raise ValueError("nothing is open")
        found = None if document.is_partial else document.measurement
        return cls(document.path, document.sound_path, document.state, document.face, found)

    def is_same(self, other: Project) -> bool:
        """Whether both hold the same; measurements are compared by identity, for they hold arrays."""
        return self.measurement is other.measurement and replace(self, measurement=None) == replace(
            other, measurement=None
        )

    @property
    def missing(self) -> tuple[Path, ...]:
        """Media that are not where they were."""
        return tuple(path for path in (self.path, self.sound_path) if path is not None and not path.is_file())

    def relinked(self, old: Path, new: Path) -> Project:
        """Return the project with one medium elsewhere; others that moved along to the same folder follow."""

        def followed(path: Path) -> Path:
            if path == old:
                return new
            beside = new.parent / path.name
            return beside if not path.is_file() and beside.is_file() else path

        sound = None if self.sound_path is None else followed(self.sound_path)
        return replace(self, path=followed(self.path), sound_path=sound)


def project_of(path: Path) -> Path | None:
    """Return the project that a file is, or whose version before it is; ``None`` for any other file."""
    if path.suffix.lower() == SUFFIX:
        return path
    before = path.with_suffix("")
    return before if path == backup_of(before) and before.suffix.lower() == SUFFIX else None


def save(project: Project, path: Path) -> None:
    """Write a project file; the one before stays as ``.bak``.

    Raises:
        Refused: ``window.not_saved``.
    """
    state = project.state
    data = {
        "plosive": VERSION,
        "media": _place(project.path, path),
        "sound": _place(project.sound_path, path) if project.sound_path else None,
        "correction": dump(state.correction),
        "markers": [[marker.t, marker.text] for marker in state.markers],
        "range": [state.in_point, state.out_point],
        "anchors": {
            "between": state.anchors.between.value,
            "points": [[point.heard, point.ms] for point in state.anchors.points],
        },
        "face": project.face,
        "measurement": dump(project.measurement),
    }
    try:
        write_json(path, data, keep_backup=True)
    except OSError as error:
        raise Refused.because("window.not_saved", path=path, reason=os.strerror(error.errno or 0)) from error


def read(path: Path) -> Project:
    """Read a project file. Its media are looked for beside it first, then where they were.

    Raises:
        Refused: ``window.project_newer``, ``window.project_broken`` (the version before is there),
            ``window.project_damaged`` (it is not), ``window.project_unreadable``.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = data["plosive"]
        if not isinstance(version, int):
            raise Unreadable("no version")
        if version > VERSION:
            raise Refused.because("window.project_newer", path=path)
        return _project(data, path)
    except OSError as error:
        raise Refused.because("window.project_unreadable", path=path, reason=os.strerror(error.errno or 0)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        has_backup = path.suffix.lower() == SUFFIX and backup_of(path).is_file()
        raise Refused.because(f"window.project_{'broken' if has_backup else 'damaged'}", path=path) from error


def _project(data: dict[str, Any], path: Path) -> Project:
    sound = data["sound"]
    correction: AnyCorrection = load(data["correction"])
    measurement = load(data["measurement"])
    face = data["face"]
    if not isinstance(correction, Correction | DriftCorrection | StepCorrection):
        raise Unreadable("no correction")
    if not isinstance(measurement, Measurement | None) or not isinstance(face, int | None):
        raise Unreadable("no measurement")
    begin, end = data["range"]
    state = State(
        correction,
        tuple(sorted(Marker(float(t), str(text)) for t, text in data["markers"])),
        None if begin is None else float(begin),
        None if end is None else float(end),
        _anchors(data["anchors"]).on(correction) if "anchors" in data else Anchors(),
    )
    return Project(_found(data["media"], path), _found(sound, path) if sound else None, state, face, measurement)


def _anchors(data: dict[str, Any]) -> Anchors:
    points = tuple(Anchor(float(heard), float(ms)) for heard, ms in data["points"])
    if any(later.heard <= earlier.heard for earlier, later in pairwise(points)):
        raise Unreadable("anchors out of order")
    return Anchors(points, Between(data["between"]))


def _place(media: Path, project: Path) -> dict[str, str]:
    """Say where a medium is: from the project, and absolutely."""
    absolute = media.absolute()
    try:
        relative = os.path.relpath(absolute, project.absolute().parent)
    except ValueError:  # another drive of Windows
        relative = str(absolute)
    return {"relative": Path(relative).as_posix(), "absolute": str(absolute)}


def _found(place: dict[str, str], project: Path) -> Path:
    beside = Path(os.path.normpath(project.absolute().parent / place["relative"]))
    absolute = Path(place["absolute"])
    return beside if beside.is_file() or not absolute.is_file() else absolute

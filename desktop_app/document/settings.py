"""What the user can choose, each choice declared once: its type, its default and its sentence."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop_app.document.files import backup_of, write_json
from desktop_app.marking import QT_TRANSLATE_NOOP

VERSION = 1
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setting:
    """One choice.

    Attributes:
        key: its name in the file.
        default: decides the type, too.
        label: what the dialog calls it; empty for choices that are made elsewhere.
        sentence: what it does.
        choices: allowed values with their labels, for a list to choose from.
    """

    key: str
    default: Any
    label: str = ""
    sentence: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    def accepts(self, value: object) -> bool:
        """Whether a value has the right type and is one of the choices."""
        if isinstance(self.default, float) and isinstance(value, int | float) and not isinstance(value, bool):
            return True
        return type(value) is type(self.default) and (not self.choices or value in dict(self.choices))


DECLARED: tuple[Setting, ...] = (
    Setting(
        "language",
        "system",
        QT_TRANSLATE_NOOP("Settings", "Language"),
        QT_TRANSLATE_NOOP("Settings", "Takes effect at once."),
        (
            ("system", QT_TRANSLATE_NOOP("Settings", "As the system")),
            ("en", "English"),
            ("zh_CN", "简体中文"),
        ),
    ),
    Setting(
        "theme",
        "system",
        QT_TRANSLATE_NOOP("Settings", "Colours"),
        QT_TRANSLATE_NOOP("Settings", "Dark suits a dim room, light a bright one."),
        (
            ("system", QT_TRANSLATE_NOOP("Settings", "As the system")),
            ("dark", QT_TRANSLATE_NOOP("Settings", "Dark")),
            ("light", QT_TRANSLATE_NOOP("Settings", "Light")),
        ),
    ),
    Setting(
        "measure_on_open",
        True,
        QT_TRANSLATE_NOOP("Settings", "Measure after opening"),
        QT_TRANSLATE_NOOP("Settings", "Every clip is measured in the background as soon as it is open."),
    ),
    Setting(
        "thorough",
        False,
        QT_TRANSLATE_NOOP("Settings", "Look at the whole clip"),
        QT_TRANSLATE_NOOP("Settings", "Slower. Otherwise a long clip is sampled until the result is certain."),
    ),
    Setting(
        "measure_export",
        True,
        QT_TRANSLATE_NOOP("Settings", "Measure the exported file"),
        QT_TRANSLATE_NOOP("Settings", "After an export the new file is measured again from its picture."),
    ),
    Setting(
        "remember_corrections",
        True,
        QT_TRANSLATE_NOOP("Settings", "Remember corrections"),
        QT_TRANSLATE_NOOP("Settings", "A clip that is opened again has the correction it had last time."),
    ),
    Setting(
        "notify",
        True,
        QT_TRANSLATE_NOOP("Settings", "Tell when work is done"),
        QT_TRANSLATE_NOOP("Settings", "By a message of the system, when this window is not the one in front."),
    ),
    Setting("render_engine", "draft"),
    Setting("snapping", True),
    Setting("spectrogram", False),
    Setting("volume", 0.3),
    Setting("speakers_late_ms", {}),
    Setting("shortcuts", {}),
    Setting("recent", []),
    Setting("export_mode", "lossless"),
    Setting("window_geometry", ""),
    Setting("window_splits", {}),
)

_BY_KEY = {setting.key: setting for setting in DECLARED}


class Settings(QObject):
    """The choices as they are now, kept in a file.

    A file that cannot be understood, or that a newer version wrote, is set aside as ``.bak`` before anything is
    written, and the defaults hold. Where only some of its values are not taken, it is kept as ``.bak``, too.
    """

    changed = Signal(str)
    """The key of a choice that has a new value."""

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._values: dict[str, Any] = {}
        self._load()

    def __getitem__(self, key: str) -> Any:
        return self._values.get(key, _BY_KEY[key].default)

    def __setitem__(self, key: str, value: object) -> None:
        if not _BY_KEY[key].accepts(value):
            raise ValueError(f"{value!r} is no {key}")
        if self[key] == value:
            return
        self._values[key] = value
        self._save()
        self.changed.emit(key)

    def _load(self) -> None:
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            is_newer, values = data["version"] > VERSION, dict(data["values"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError) as error:
            _LOG.warning("settings not readable: %s", error)
            is_newer, values = True, {}
        if is_newer:
            self._set_aside()
            return
        self._values = {key: value for key, value in values.items() if key in _BY_KEY and _BY_KEY[key].accepts(value)}
        if len(self._values) < len(values):
            self._keep_as_it_is()

    def _set_aside(self) -> None:
        try:
            self._path.replace(backup_of(self._path))
        except OSError as error:
            _LOG.warning("settings stay where they are: %s", error)

    def _keep_as_it_is(self) -> None:
        try:
            shutil.copy2(self._path, backup_of(self._path))
        except OSError as error:
            _LOG.warning("settings not backed up: %s", error)

    def _save(self) -> None:
        try:
            write_json(self._path, {"version": VERSION, "values": self._values})
        except OSError as error:
            _LOG.warning("settings not saved: %s", error)

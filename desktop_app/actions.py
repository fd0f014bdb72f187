"""Everything the window can be told to do, in one list: menus, palette, shortcut page and keys are made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from desktop_app.document.settings import Settings
from desktop_app.icons import icon

CONTEXT = "Actions"
"""Where translators find the texts; mark them with ``QT_TRANSLATE_NOOP("Actions", ...)``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be done.

    Attributes:
        name: stable name, for settings and tests.
        text: what it is called, in English.
        group: which menu it belongs to, in English.
        keys: default shortcuts in Qt's portable notation; the first is the one that is shown.
        action: what menus and buttons use.
        is_available: whether it can be done now.
        short: what its button shows, in English; empty for the text.
    """

    name: str
    text: str
    group: str
    keys: tuple[str, ...]
    action: QAction
    is_available: Callable[[], bool]
    short: str = ""


class Actions(QObject):
    """The list.

    Args:
        window: the window in which shortcuts work.
        settings: shortcuts that the user changed.
    """

    changed = Signal()
    """Texts or shortcuts are others now."""

    def __init__(self, window: QWidget, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._entries: dict[str, Entry] = {}

    def __getitem__(self, name: str) -> QAction:
        return self._entries[name].action

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def add(
        self,
        name: str,
        text: str,
        group: str,
        handler: Callable[..., object],
        *,
        keys: tuple[str, ...] = (),
        picture: str | None = None,
        is_available: Callable[[], bool] = lambda: True,
        is_checked: bool | None = None,
        short: str = "",
    ) -> QAction:
        """Add something that can be done.

        Args:
            name: see :class:`Entry`.
            text: see :class:`Entry`.
            group: see :class:`Entry`.
            handler: does it; gets the new state where there is one to be on or off.
            keys: see :class:`Entry`.
            picture: name of its icon.
            is_available: see :class:`Entry`.
            is_checked: for something that is on or off, how it begins.
            short: what its button shows, in English, where that is less than the text.

        Raises:
            ValueError: if the name or one of the keys is taken.
        """
        taken = {key for entry in self for key in entry.keys}
        if name in self._entries or taken.intersection(keys):
            raise ValueError(f"{name} or its keys {keys} are taken")
        action = QAction(self)
        action.setObjectName(name)
        if picture is not None:
            action.setIcon(icon(picture))
        if is_checked is None:
            action.triggered.connect(lambda _checked: handler())
        else:
            action.setCheckable(True)
            action.setChecked(is_checked)
            action.toggled.connect(handler)
        self._window.addAction(action)
        self._entries[name] = entry = Entry(name, text, group, keys, action, is_available, short)
        self._say(entry)
        return action

    def say_again(self) -> None:
        """Use the language and the shortcuts of now."""
        for entry in self:
            self._say(entry)
        self.changed.emit()

    def look_again(self) -> None:
        """Find out what can be done now."""
        for entry in self:
            entry.action.setEnabled(entry.is_available())

    def keys_of(self, entry: Entry) -> list[QKeySequence]:
        """Return the shortcuts of an entry: the user's, or the default ones."""
        chosen: dict[str, Any] = self._settings["shortcuts"]
        if entry.name in chosen:
            return [QKeySequence(chosen[entry.name])] if chosen[entry.name] else []
        return [QKeySequence(key) for key in entry.keys]

    def choose_keys(self, name: str, keys: QKeySequence, *, takes_away: bool = False) -> Entry | None:
        """Give an entry another shortcut, or none.

        Args:
            name: which entry.
            keys: its new shortcut; empty for none.
            takes_away: take the keys from another entry that has them.

        Returns:
            The entry that has these keys already, in which case nothing was changed; else ``None``.
        """
        chosen = {**self._settings["shortcuts"], name: keys.toString()}
        for other in self:
            if other.name == name or keys.isEmpty() or keys not in self.keys_of(other):
                continue
            if not takes_away:
                return other
            left = [each.toString() for each in self.keys_of(other) if each != keys]
            chosen[other.name] = left[0] if left else ""
        self._settings["shortcuts"] = chosen
        self.say_again()
        return None

    def forget_keys(self) -> None:
        """Give all entries their default shortcuts back."""
        self._settings["shortcuts"] = {}
        self.say_again()

    def _say(self, entry: Entry) -> None:
        text = said(entry.text)
        keys = self.keys_of(entry)
        entry.action.setText(text)
        if entry.short:
            entry.action.setIconText(said(entry.short))
        entry.action.setShortcuts(keys)
        shown = keys[0].toString(QKeySequence.SequenceFormat.NativeText) if keys else ""
        plain = text.removesuffix("…")
        entry.action.setToolTip(f"{plain}  ({shown})" if shown else plain)


def said(text: str) -> str:
    """Return the name of an action or of a group in the language of now."""
    return QCoreApplication.translate(CONTEXT, text)

"""The menu bar, made from the list of actions."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QMenuBar

from desktop_app.actions import Actions, said
from desktop_app.document.settings import Settings

_SECTIONS = {
    *("save", "export", "close_clip", "palette"),
    *("apply_measured", "anchor", "page_models"),
    *("step_back", "range_in", "marker", "mute"),
    *("zoom_in", "snapping", "loupe"),
}
"""Actions before which a menu has a line."""


class Menus(QObject):
    """A menu for each group of actions, and one of the files that were open last.

    Args:
        bar: the window's.
        groups: the names of the menus, in English, from left to right.
        actions: what the menus list.
        settings: know the files.

    Attributes:
        by_group: the menus by their English names.
    """

    opened = Signal(Path)
    """A file that was open before was chosen."""

    def __init__(self, bar: QMenuBar, groups: tuple[str, ...], actions: Actions, settings: Settings) -> None:
        super().__init__(bar)
        self._settings = settings
        self.by_group = {group: bar.addMenu("") for group in groups}
        self._recent = QMenu(bar)
        for entry in actions:
            menu = self.by_group[entry.group]
            if entry.name in _SECTIONS:
                menu.addSeparator()
            menu.addAction(entry.action)
            if entry.name == "open":
                menu.addMenu(self._recent)
        for menu in self.by_group.values():
            menu.aboutToShow.connect(actions.look_again)
        self._recent.aboutToShow.connect(self._list_recent)
        self.say()

    def say(self) -> None:
        """Set all texts."""
        for group, menu in self.by_group.items():
            menu.setTitle(said(group))
        self._recent.setTitle(self.tr("Open again"))

    def _list_recent(self) -> None:
        self._recent.clear()
        for name in self._settings["recent"]:
            self._recent.addAction(name, partial(self.opened.emit, Path(name)))

"""All shortcuts on one page; a double click gives an action other keys."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QKeySequenceEdit,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop_app.actions import Actions, said
from desktop_app.theme import GRID
from desktop_app.widgets.basics import button, label, set_tone
from desktop_app.widgets.dialog import Dialog


class ShortcutsPage(Dialog):
    """The list of actions with their keys, which can be changed here."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self._actions = actions
        self.resize(min(90 * GRID, parent.width() - 4 * GRID), min(80 * GRID, parent.height() - 4 * GRID))
        self.search = QLineEdit()
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.list = QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.currentItemChanged.connect(self._take)
        self._hint = label("muted", wraps=True)
        self.field = QKeySequenceEdit()
        self.field.setMaximumSequenceLength(1)
        self.field.keySequenceChanged.connect(lambda _: self._offer(False))
        self.confirm = button(self._change, kind="primary")
        self._none = button(self._clear)
        self._defaults = button(self._forget)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.field, 1)
        for each in (self.confirm, self._none, self._defaults):
            row.addWidget(each)
        column = QVBoxLayout(self)
        column.setSpacing(GRID)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        column.addWidget(self._hint)
        column.addLayout(row)
        self.say()

    def say(self) -> None:
        """Set all texts."""
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.search.setPlaceholderText(self.tr("Name of an action, or keys"))
        self.search.setAccessibleName(self.search.placeholderText())
        self.list.setAccessibleName(self.windowTitle())
        self.field.setAccessibleName(self.tr("New keys"))
        self._offer(False)
        self._none.setText(self.tr("No keys"))
        self._defaults.setText(self.tr("All as at first"))
        self._hint.setText(self.tr("Choose an action, press new keys in the field, and confirm."))
        set_tone(self._hint, "")
        self._list()

    def choose(self, name: str) -> None:
        """Select an action by its name."""
        for item in self.list.findItems("*", Qt.MatchFlag.MatchWildcard | Qt.MatchFlag.MatchRecursive):
            if item.data(0, Qt.ItemDataRole.UserRole) == name:
                self.list.setCurrentItem(item)

    @property
    def hint(self) -> str:
        """What is said under the list."""
        return self._hint.text()

    def _list(self) -> None:
        self.list.clear()
        bold = self.list.font()
        bold.setWeight(bold.Weight.DemiBold)
        groups: dict[str, QTreeWidgetItem] = {}
        for entry in self._actions:
            if entry.group not in groups:
                groups[entry.group] = QTreeWidgetItem([said(entry.group)])
                groups[entry.group].setFlags(Qt.ItemFlag.ItemIsEnabled)
                groups[entry.group].setFont(0, bold)
                self.list.addTopLevelItem(groups[entry.group])
            keys = [key.toString(QKeySequence.SequenceFormat.NativeText) for key in self._actions.keys_of(entry)]
            item = QTreeWidgetItem([said(entry.text), "    ".join(keys)])
            item.setData(0, Qt.ItemDataRole.UserRole, entry.name)
            groups[entry.group].addChild(item)
        self.list.expandAll()
        self.list.setColumnWidth(0, self.width() * 6 // 10)
        self._filter()

    def _filter(self) -> None:
        """Show the actions in whose name or keys all typed words occur."""
        words = self.search.text().lower().split()
        for group in (self.list.topLevelItem(row) for row in range(self.list.topLevelItemCount())):
            if group is None:
                continue
            is_empty = True
            for child in filter(None, (group.child(row) for row in range(group.childCount()))):
                said_of_it = f"{group.text(0)} {child.text(0)} {child.text(1)}".lower()
                child.setHidden(not all(word in said_of_it for word in words))
                is_empty = is_empty and child.isHidden()
            group.setHidden(is_empty)

    @property
    def _chosen(self) -> str | None:
        item = self.list.currentItem()
        return None if item is None else item.data(0, Qt.ItemDataRole.UserRole)

    def _take(self) -> None:
        self._offer(False)
        name = self._chosen
        keys = next((self._actions.keys_of(entry) for entry in self._actions if entry.name == name), [])
        self.field.setKeySequence(keys[0] if keys else QKeySequence())

    def _change(self) -> None:
        self._give(self.field.keySequence())

    def _clear(self) -> None:
        self._offer(False)
        self._give(QKeySequence())

    def _give(self, keys: QKeySequence) -> None:
        name = self._chosen
        if name is None:
            return
        other = self._actions.choose_keys(name, keys, takes_away=self._is_offered)
        if other is not None:
            hint = self.tr("These keys belong to “{action}”. Press other keys, or use them here instead.")
            self._hint.setText(hint.format(action=said(other.text)))
            set_tone(self._hint, "bad")
            self._offer(True)
            return
        self._offer(False)
        set_tone(self._hint, "")
        self._hint.setText(self.tr("Changed."))
        self._list()
        self.choose(name)

    def _offer(self, is_offered: bool) -> None:
        """Let the button take keys from another action, after it was said which one loses them; or not any more."""
        self._is_offered = is_offered
        self.confirm.setText(self.tr("Use them here instead") if is_offered else self.tr("Use these keys"))

    def _forget(self) -> None:
        self._actions.forget_keys()
        self._list()

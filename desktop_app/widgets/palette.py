"""Find anything the window can do by typing a part of its name."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QIcon, QKeyEvent, QKeySequence, QPixmap, QShowEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from desktop_app.actions import Actions, Entry, said
from desktop_app.theme import GRID


class CommandPalette(QDialog):
    """A field and the list of what fits; Enter does the first."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._actions = actions
        blank = QPixmap(16, 16)
        blank.fill(Qt.GlobalColor.transparent)
        self._blank = QIcon(blank)
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("What do you want to do?"))
        self.field.setAccessibleName(self.field.placeholderText())
        self.field.textChanged.connect(self._list)
        self.field.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setAccessibleName(self.tr("Commands"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemActivated.connect(self._do)
        self.list.itemClicked.connect(self._do)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.resize(min(70 * GRID, parent.width() - 8 * GRID), min(52 * GRID, parent.height() - 16 * GRID))
        self.list.setColumnWidth(0, self.width() - 24 * GRID)
        corner = parent.mapToGlobal(parent.rect().topLeft())
        self.move(corner.x() + (parent.width() - self.width()) // 2, corner.y() + 8 * GRID)
        self._list("")

    @property
    def found(self) -> list[str]:
        """Names of the actions that are listed."""
        items = (self.list.topLevelItem(row) for row in range(self.list.topLevelItemCount()))
        names = (item.data(0, Qt.ItemDataRole.UserRole) for item in items if item is not None)
        return [name for name in names if name is not None]

    def showEvent(self, event: QShowEvent) -> None:
        """Let typing reach the field: a popup is given the keyboard but no focus."""
        super().showEvent(event)
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys and Enter reach the list while the field has the keyboard."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                row = self.list.currentIndex().row()
                row += 1 if event.key() == Qt.Key.Key_Down else -1
                item = self.list.topLevelItem(max(0, min(row, self.list.topLevelItemCount() - 1)))
                if item is not None:
                    self.list.setCurrentItem(item)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._do(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)

    def _list(self, typed: str) -> None:
        self.list.clear()
        for entry in sorted(self._actions, key=lambda entry: not entry.action.isEnabled()):
            if entry.name != "palette" and _fits(typed, entry):
                keys = self._actions.keys_of(entry)
                shown = keys[0].toString(QKeySequence.SequenceFormat.NativeText) if keys else ""
                item = QTreeWidgetItem([f"{said(entry.group)}:  {said(entry.text)}", shown])
                item.setData(0, Qt.ItemDataRole.UserRole, entry.name)
                item.setIcon(0, self._blank if entry.action.icon().isNull() else entry.action.icon())
                item.setForeground(1, self.palette().placeholderText())
                item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                item.setDisabled(not entry.action.isEnabled())
                self.list.addTopLevelItem(item)
        if self.list.topLevelItemCount() == 0:
            nothing = QTreeWidgetItem([self.tr("Nothing is called like this. Try another word.")])
            nothing.setDisabled(True)
            self.list.addTopLevelItem(nothing)
            nothing.setFirstColumnSpanned(True)
        first = self.list.topLevelItem(0)
        if first is not None:
            self.list.setCurrentItem(first)

    def _do(self, item: QTreeWidgetItem | None) -> None:
        if item is not None and not item.isDisabled():
            action = self._actions[item.data(0, Qt.ItemDataRole.UserRole)]
            self.close()
            action.trigger()


def _fits(typed: str, entry: Entry) -> bool:
    """Whether all typed words occur in the name, in the language of now or in English."""
    name = f"{said(entry.group)} {said(entry.text)} {entry.group} {entry.text}".lower()
    return all(word in name for word in typed.lower().split())

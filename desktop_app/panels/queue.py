"""Many clips as a table: what was found in each, and what is to be done with them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from PySide6.QtCore import QItemSelectionModel, QItemSelectionRange, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop_app.actions import Actions
from desktop_app.panels.queue_model import DRIFT, FILE, OFFSET, STATE, SURE, QueueModel
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Speaking, action_button, button, card, label
from desktop_app.widgets.dialog import Dialog
from desktop_app.work.queue import Item, Queue, Stage
from desktop_app.work.revealing import open_outside, reveal

_CALM_MILLISECONDS = 100
"""Numbers above and below the table follow its changes this late: with ten thousand clips they take a moment."""


class QueuePage(Speaking):
    """The table and what can be done with its rows."""

    opened = Signal(object)
    """A clip is to be opened; its path."""

    def __init__(self, queue: Queue, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self.model = QueueModel(queue, self)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(4 * GRID)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        # Nothing is selected in the header: to know what is, Qt would ask for every cell of the table.
        header.setSelectionModel(QItemSelectionModel(self.model, header))
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, width in ((FILE, 32), (OFFSET, 18), (SURE, 8), (DRIFT, 10), (STATE, 34)):
            self.table.setColumnWidth(column, width * GRID)
        self.table.activated.connect(lambda index: self._open(self.model.place(index.row())))
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._open_menu)
        self._title = label("title")
        self._summary = label("muted")
        self._buttons = {
            name: button(handler, kind="primary" if name == "fix" else "")
            for name, handler in (
                ("fix", self.fix),
                ("pause", queue.pause_or_resume),
                ("retry", lambda: queue.retry(self._chosen())),
                ("cancel", lambda: queue.cancel(self._chosen())),
                ("remove", lambda: queue.remove(self._chosen())),
                ("play", self._play),
                ("reveal", self._reveal),
                ("log", self._show_log),
            )
        }
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addSpacing(2 * GRID)
        head.addWidget(self._summary, 1)
        head.addWidget(action_button(actions["page_clip"], kind="", has_text=True))
        self._row = QWidget()
        row = QHBoxLayout(self._row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        for each in self._buttons.values():
            row.addWidget(each)
        row.addStretch()
        frame, inside = card(kind="panel")
        inside.addWidget(self.table)
        self._nothing = label("muted", wraps=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._folder = action_button(actions["open_folder"], kind="", has_text=True)
        empty = QVBoxLayout()
        empty.setSpacing(2 * GRID)
        empty.addStretch(2)
        empty.addWidget(self._nothing)
        empty.addWidget(self._folder, 0, Qt.AlignmentFlag.AlignHCenter)
        empty.addStretch(3)
        self._empty = QWidget()
        self._empty.setLayout(empty)
        inside.addWidget(self._empty)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        column_.setSpacing(GRID)
        column_.addLayout(head)
        column_.addWidget(frame, 1)
        column_.addWidget(self._row)
        self._show_soon = QTimer(self)
        self._show_soon.setSingleShot(True)
        self._show_soon.setInterval(_CALM_MILLISECONDS)
        self._show_soon.timeout.connect(self._show)
        for signal in (queue.added, queue.changed, queue.removed, queue.state_changed):
            signal.connect(self._calm)
        self.table.selectionModel().selectionChanged.connect(self._show)
        self.say()

    @property
    def summary(self) -> str:
        """What is said above the table, as of now."""
        items = self._queue.items
        return self.tr("%n clip(s), {measured} measured, {out} out of sync", "", len(items)).format(
            measured=sum(item.measurement is not None for item in items),
            out=sum(item.can_fix and item.stage is not Stage.WRITTEN for item in items),
        )

    def button(self, name: str) -> QPushButton:
        """Return a button: ``fix``, ``pause``, ``retry``, ``cancel``, ``remove``, ``play``, ``reveal`` or ``log``."""
        return self._buttons[name]

    def fix(self) -> None:
        """Write corrected copies of the chosen clips; of all that need it when none is chosen."""
        self._queue.fix(self._chosen() or range(len(self._queue.items)))

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("Queue"))
        self.table.setAccessibleName(self.tr("Queue"))
        self._nothing.setText(
            self.tr("Drop clips or a folder here. All are measured in the background; then fix those that need it.")
        )
        for name, text in (
            ("retry", self.tr("Try again")),
            ("cancel", self.tr("Cancel")),
            ("remove", self.tr("Remove from the list")),
            ("play", self.tr("Play the copy")),
            ("reveal", self.tr("Show in folder")),
            ("log", self.tr("What happened")),
        ):
            self._buttons[name].setText(text)
        self._show()

    def _calm(self, *_: object) -> None:
        if not self._show_soon.isActive():
            self._show_soon.start()

    def _show(self, *_: object) -> None:
        items = self._queue.items
        chosen = [items[place] for place in self._chosen()]
        self._summary.setText(self.summary if items else "")
        self.table.setVisible(bool(items))
        self._empty.setVisible(not items)
        self._row.setVisible(bool(items))
        fixable = [item for item in chosen or items if item.can_fix and (chosen or item.stage is Stage.MEASURED)]
        self._buttons["fix"].setText(
            self.tr("Fix the chosen ones ({count})").format(count=len(fixable))
            if chosen
            else self.tr("Fix all that are out of sync ({count})").format(count=len(fixable))
            if fixable
            else self.tr("Fix all that are out of sync")
        )
        self._buttons["fix"].setEnabled(bool(fixable))
        self._buttons["pause"].setText(self.tr("Go on") if self._queue.is_paused else self.tr("Pause"))
        self._buttons["pause"].setEnabled(any(item.is_waiting or item.is_running for item in items))
        self._buttons["retry"].setEnabled(any(item.stage in {Stage.FAILED, Stage.CANCELLED} for item in chosen))
        self._buttons["cancel"].setEnabled(any(item.is_waiting or item.is_running for item in chosen))
        self._buttons["remove"].setEnabled(bool(chosen))
        for name in ("reveal", "log"):
            self._buttons[name].setEnabled(len(chosen) == 1)
        self._buttons["play"].setEnabled(len(chosen) == 1 and chosen[0].written is not None)

    def _chosen(self) -> list[int]:
        # By ranges: with all of ten thousand rows selected, a list of their indexes takes a fifth of a second.
        ranges = cast("list[QItemSelectionRange]", self.table.selectionModel().selection())
        return sorted(self.model.place(row) for each in ranges for row in range(each.top(), each.bottom() + 1))

    def _open(self, place: int) -> None:
        self.opened.emit(self._queue.items[place].path)

    def menu(self, place: int) -> QMenu:
        """Return what can be done with one clip."""
        item = self._queue.items[place]
        menu = QMenu(self)
        menu.addAction(self.tr("Open"), lambda: self._open(place))
        if item.written is not None:
            menu.addAction(self.tr("Open the copy"), lambda: self.opened.emit(item.written))
        for name in ("play", "reveal", "log", "retry", "cancel", "remove"):
            if self._buttons[name].isEnabled():
                menu.addAction(self._buttons[name].text(), self._buttons[name].click)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _open_menu(self, position: QPoint) -> None:
        index = self.table.indexAt(position)
        if index.isValid():
            self._show()
            self.menu(self.model.place(index.row())).popup(self.table.viewport().mapToGlobal(position))

    def _item(self) -> Item:
        (place,) = self._chosen()
        return self._queue.items[place]

    def _reveal(self) -> None:
        item = self._item()
        reveal(item.written or item.path)

    def _play(self) -> None:
        copy = self._item().written
        if copy is not None:
            open_outside(copy)

    def _show_log(self) -> None:
        item = self._item()
        HappeningsPage(item.path, item.log, self).show()


class HappeningsPage(Dialog):
    """What happened to one clip, in the language of when it happened."""

    def __init__(self, path: Path, lines: tuple[str, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self._path = path
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(90 * GRID, 45 * GRID)
        self.text = QPlainTextEdit("\n".join((str(path), *lines)))
        self.text.setReadOnly(True)
        self.text.setProperty("kind", "mono")
        self._close = button(self.accept)
        column = QVBoxLayout(self)
        column.setSpacing(GRID)
        column.addWidget(self.text)
        column.addWidget(self._close, 0, Qt.AlignmentFlag.AlignRight)
        self.say()

    def say(self) -> None:
        """Set all texts."""
        self.setWindowTitle(self.tr("What happened to {file}").format(file=self._path.name))
        self.text.setAccessibleName(self.windowTitle())
        self._close.setText(self.tr("Close"))

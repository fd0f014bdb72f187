"""Many clips as a table: what was found in each, and what is to be done with them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from desktop_app.actions import Actions
from desktop_app.marking import QT_TRANSLATE_NOOP
from desktop_app.theme import GRID, theme_of
from desktop_app.widgets.basics import Speaking, action_button, button, card, label
from desktop_app.work.queue import Item, Queue, Stage
from desktop_app.work.revealing import reveal
from engine.sync.result import Kind
from engine.timing import clock_words

_Index = QModelIndex | QPersistentModelIndex
_SORT = Qt.ItemDataRole.UserRole
_COLUMNS = 6
_CALM_MILLISECONDS = 100
"""Numbers above and below the table follow its changes this late: with ten thousand clips they take a moment."""
_FILE, _OFFSET, _SURE, _DRIFT, _STATE, _VERDICT = range(_COLUMNS)


def _say(text: str) -> str:
    return QCoreApplication.translate("QueuePage", text)


class QueueModel(QAbstractTableModel):
    """The queue for Qt's tables."""

    def __init__(self, queue: Queue, parent: QWidget) -> None:
        super().__init__(parent)
        self._queue = queue
        self._parent = parent
        self._count = len(queue.items)
        queue.added.connect(self._grow)
        queue.removed.connect(self._anew)
        queue.changed.connect(
            lambda place: self.dataChanged.emit(self.index(place, 0), self.index(place, _COLUMNS - 1))
        )

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return the number of clips."""
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return the number of columns."""
        return 0 if parent.isValid() else _COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """Return the name of a column."""
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return (
            _say(QT_TRANSLATE_NOOP("QueuePage", "File")),
            _say(QT_TRANSLATE_NOOP("QueuePage", "Sound")),
            _say(QT_TRANSLATE_NOOP("QueuePage", "Sure")),
            _say(QT_TRANSLATE_NOOP("QueuePage", "Drift")),
            _say(QT_TRANSLATE_NOOP("QueuePage", "State")),
            _say(QT_TRANSLATE_NOOP("QueuePage", "Verdict")),
        )[section]

    def data(self, index: _Index, role: int = 0) -> object:
        """Return what a cell shows, or what it is sorted by."""
        item = self._queue.items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _shown(item, index.column())
        if role == _SORT:
            return _sorted_by(item, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(item.path) if index.column() == _FILE else _shown(item, index.column())
        if role == Qt.ItemDataRole.ForegroundRole and index.column() in (_OFFSET, _STATE):
            tone = _tone(item, index.column())
            return theme_of(self._parent.palette()).colour(tone) if tone else None
        return None

    def _grow(self, count: int) -> None:
        if count:
            self.beginInsertRows(QModelIndex(), self._count, self._count + count - 1)
            self._count += count
            self.endInsertRows()

    def _anew(self) -> None:
        self.beginResetModel()
        self._count = len(self._queue.items)
        self.endResetModel()


class QueuePage(Speaking):
    """The table and what can be done with its rows."""

    opened = Signal(object)
    """A clip is to be opened; its path."""

    def __init__(self, queue: Queue, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self.model = QueueModel(queue, self)
        proxy = QSortFilterProxyModel(self)
        proxy.setSourceModel(self.model)
        proxy.setSortRole(_SORT)
        self.table = QTableView()
        self.table.setModel(proxy)
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
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, width in ((_FILE, 32), (_OFFSET, 18), (_SURE, 9), (_DRIFT, 12), (_STATE, 30)):
            self.table.setColumnWidth(column, width * GRID)
        self.table.activated.connect(lambda index: self._open(proxy.mapToSource(index).row()))
        self._proxy = proxy
        self._title = label("title")
        self._summary = label("muted")
        self._buttons = {
            name: button(handler, kind="primary" if name == "fix" else "")
            for name, handler in (
                ("fix", self.fix),
                ("pause", self._pause_or_resume),
                ("retry", lambda: queue.retry(self._chosen())),
                ("cancel", lambda: queue.cancel(self._chosen())),
                ("remove", lambda: queue.remove(self._chosen())),
                ("reveal", self._reveal),
            )
        }
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addSpacing(2 * GRID)
        head.addWidget(self._summary, 1)
        head.addWidget(action_button(actions["page_clip"], kind="", has_text=True))
        row = QHBoxLayout()
        row.setSpacing(GRID)
        for each in self._buttons.values():
            row.addWidget(each)
        row.addStretch()
        frame, inside = card(kind="panel")
        inside.addWidget(self.table)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        column_.setSpacing(GRID)
        column_.addLayout(head)
        column_.addWidget(frame, 1)
        column_.addLayout(row)
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
        return self.tr("{count} clips, {measured} measured, {out} out of sync").format(
            count=len(items),
            measured=sum(item.measurement is not None for item in items),
            out=sum(item.can_fix and item.stage is not Stage.WRITTEN for item in items),
        )

    def button(self, name: str) -> QWidget:
        """Return one of the buttons: ``fix``, ``pause``, ``retry``, ``cancel``, ``remove`` or ``reveal``."""
        return self._buttons[name]

    def fix(self) -> None:
        """Write corrected copies of the chosen clips; of all that need it when none is chosen."""
        self._queue.fix(self._chosen() or range(len(self._queue.items)))

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("Queue"))
        self.table.setAccessibleName(self.tr("Queue"))
        for name, text in (
            ("retry", self.tr("Try again")),
            ("cancel", self.tr("Cancel")),
            ("remove", self.tr("Remove from the list")),
            ("reveal", self.tr("Show in folder")),
        ):
            self._buttons[name].setText(text)
        self._show()

    def _calm(self, *_: object) -> None:
        if not self._show_soon.isActive():
            self._show_soon.start()

    def _show(self, *_: object) -> None:
        items = self._queue.items
        chosen = [items[place] for place in self._chosen()]
        out = [item for item in items if item.can_fix]
        self._summary.setText(self.summary)
        fixable = [item for item in chosen if item.can_fix] if chosen else [x for x in out if x.stage is Stage.MEASURED]
        self._buttons["fix"].setText(
            self.tr("Fix the chosen ones ({count})").format(count=len(fixable))
            if chosen
            else self.tr("Fix all that are out of sync ({count})").format(count=len(fixable))
        )
        self._buttons["fix"].setEnabled(bool(fixable))
        self._buttons["pause"].setText(self.tr("Go on") if self._queue.is_paused else self.tr("Pause"))
        self._buttons["pause"].setEnabled(any(item.is_waiting or item.is_running for item in items))
        self._buttons["retry"].setEnabled(any(item.stage in {Stage.FAILED, Stage.CANCELLED} for item in chosen))
        self._buttons["cancel"].setEnabled(any(item.is_waiting or item.is_running for item in chosen))
        self._buttons["remove"].setEnabled(bool(chosen))
        self._buttons["reveal"].setEnabled(len(chosen) == 1)

    def _chosen(self) -> list[int]:
        return sorted(self._proxy.mapToSource(index).row() for index in self.table.selectionModel().selectedRows())

    def _pause_or_resume(self) -> None:
        if self._queue.is_paused:
            self._queue.resume()
        else:
            self._queue.pause()

    def _open(self, place: int) -> None:
        self.opened.emit(self._queue.items[place].path)

    def _reveal(self) -> None:
        (place,) = self._chosen()
        item = self._queue.items[place]
        reveal(item.written or item.path)


def _shown(item: Item, column: int) -> str:
    found = item.measurement
    if column == _FILE:
        return item.path.name
    if column == _STATE:
        return _state(item)
    if column == _VERDICT and item.refusal is not None:
        return str(item.refusal)
    if found is None:
        return ""
    if column == _VERDICT:
        return found.verdict.text()
    if found.offset is None:
        return ""
    if column == _OFFSET:
        return found.offset.words().text()
    if column == _SURE:
        return f"{int(100 * found.confidence)} %"
    return "" if found.drift_ppm is None else f"{abs(found.drift_ppm):.0f} ppm"


def _sorted_by(item: Item, column: int) -> object:
    found = item.measurement
    numbers: dict[int, Callable[[], float]] = {
        _OFFSET: lambda: float("-inf") if found is None or found.offset_ms is None else found.offset_ms,
        _SURE: lambda: -1.0 if found is None else found.confidence,
        _DRIFT: lambda: -1.0 if found is None or found.drift_ppm is None else abs(found.drift_ppm),
        _STATE: lambda: float(list(Stage).index(item.stage)),
    }
    return numbers[column]() if column in numbers else _shown(item, column).casefold()


def _state(item: Item) -> str:
    names = {
        Stage.WAITING: _say(QT_TRANSLATE_NOOP("QueuePage", "waiting")),
        Stage.MEASURING: _say(QT_TRANSLATE_NOOP("QueuePage", "measuring")),
        Stage.MEASURED: _say(QT_TRANSLATE_NOOP("QueuePage", "measured")),
        Stage.TO_WRITE: _say(QT_TRANSLATE_NOOP("QueuePage", "waiting to be written")),
        Stage.WRITING: _say(QT_TRANSLATE_NOOP("QueuePage", "writing")),
        Stage.WRITTEN: _say(QT_TRANSLATE_NOOP("QueuePage", "fixed: {file}")).format(
            file=item.written.name if item.written else ""
        ),
        Stage.FAILED: _say(QT_TRANSLATE_NOOP("QueuePage", "failed")),
        Stage.CANCELLED: _say(QT_TRANSLATE_NOOP("QueuePage", "cancelled")),
    }
    name = names[item.stage]
    if not item.is_running:
        return name
    said = f"{name} {round(100 * item.done)} %  {_clock(item.seconds)}"
    left = item.seconds_left
    return (
        said if left is None else said + _say(QT_TRANSLATE_NOOP("QueuePage", ", {time} left")).format(time=_clock(left))
    )


def _clock(seconds: float) -> str:
    return clock_words(seconds).partition(".")[0]


def _tone(item: Item, column: int) -> str:
    if column == _STATE:
        return {Stage.FAILED: "bad", Stage.WRITTEN: "good"}.get(item.stage, "")
    if item.measurement is None or item.measurement.offset is None:
        return ""
    return "good" if item.measurement.kind is Kind.IN_SYNC else "poor"

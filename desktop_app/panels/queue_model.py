"""The queue as a table: what each cell shows, and what it is sorted by."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractTableModel, QCoreApplication, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from desktop_app.marking import QT_TRANSLATE_NOOP
from desktop_app.panels.queue_order import RowOrder
from desktop_app.theme import theme_of
from desktop_app.work.queue import Item, Queue, Stage
from engine.sync.result import Kind
from engine.timing import clock_words

_Index = QModelIndex | QPersistentModelIndex
_COLUMNS = 6
FILE, OFFSET, SURE, DRIFT, STATE, VERDICT = range(_COLUMNS)


def _say(text: str) -> str:
    return QCoreApplication.translate("QueuePage", text)


class QueueModel(QAbstractTableModel):
    """The queue for Qt's tables, in the order that is asked for."""

    def __init__(self, queue: Queue, parent: QWidget) -> None:
        super().__init__(parent)
        self._queue = queue
        self._parent = parent
        self._column, self._descending = -1, False
        self._rows = self._sorted()
        queue.added.connect(self._grow)
        queue.removed.connect(self._anew)
        queue.changed.connect(self._refresh)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return the number of clips."""
        return 0 if parent.isValid() else len(self._rows)

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
        """Return what a cell shows."""
        item = self._queue.items[self._rows.place(index.row())]
        if role == Qt.ItemDataRole.DisplayRole:
            return _shown(item, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(item.path) if index.column() == FILE else _shown(item, index.column())
        if role == Qt.ItemDataRole.ForegroundRole and index.column() in (OFFSET, STATE):
            tone = _tone(item, index.column())
            return theme_of(self._parent.palette()).colour(tone) if tone else None
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Put the rows in the order of a column; of none, as they came."""
        self._column, self._descending = column, order is Qt.SortOrder.DescendingOrder
        self.layoutAboutToBeChanged.emit()
        before, kept = self._rows, self.persistentIndexList()
        self._rows = self._sorted()
        moved = [self.index(self._rows.row(before.place(index.row())), index.column()) for index in kept]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def place(self, row: int) -> int:
        """Return where in the queue the clip of a row is."""
        return self._rows.place(row)

    def row(self, place: int) -> int:
        """Return the row of a clip of the queue."""
        return self._rows.row(place)

    def _sorted(self) -> RowOrder:
        return RowOrder([self._key(item) for item in self._queue.items], descending=self._descending)

    def _key(self, item: Item) -> object:
        return 0 if self._column < 0 else _sorted_by(item, self._column)

    def _refresh(self, place: int) -> None:
        key, row = self._key(self._queue.items[place]), self._rows.row(place)
        after = self._rows.row_with(place, key)
        if after == row:
            self._rows.change(place, key)
        else:
            self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), after + (after > row))
            self._rows.change(place, key)
            self.endMoveRows()
        self.dataChanged.emit(self.index(after, 0), self.index(after, _COLUMNS - 1))

    def _grow(self, count: int) -> None:
        if count and self._column >= 0:
            self._anew()
        elif count:
            self.beginInsertRows(QModelIndex(), len(self._rows), len(self._rows) + count - 1)
            self._rows = self._sorted()
            self.endInsertRows()

    def _anew(self) -> None:
        self.beginResetModel()
        self._rows = self._sorted()
        self.endResetModel()


def _shown(item: Item, column: int) -> str:
    found = item.measurement
    if column == FILE:
        return item.path.name
    if column == STATE:
        return _state(item)
    if column == VERDICT and item.refusal is not None:
        return str(item.refusal).replace(str(item.path), item.path.name)  # the whole path is the row's tool tip
    if found is None:
        return ""
    if column == VERDICT:
        copy = _say(QT_TRANSLATE_NOOP("QueuePage", "The copy: {verdict}"))
        return found.verdict.text() if item.after is None else copy.format(verdict=item.after.verdict.text())
    if found.offset is None:
        return ""
    if column == OFFSET:
        return found.offset.words().text()
    if column == SURE:
        return f"{int(100 * found.confidence)} %"
    return "" if found.drift_ppm is None else f"{abs(found.drift_ppm):.0f} ppm"


def _sorted_by(item: Item, column: int) -> object:
    found = item.measurement
    numbers: dict[int, Callable[[], float]] = {
        OFFSET: lambda: float("-inf") if found is None or found.offset_ms is None else found.offset_ms,
        SURE: lambda: -1.0 if found is None else found.confidence,
        DRIFT: lambda: -1.0 if found is None or found.drift_ppm is None else abs(found.drift_ppm),
        STATE: lambda: float(list(Stage).index(item.stage)),
    }
    return numbers[column]() if column in numbers else _shown(item, column).casefold()


def _state(item: Item) -> str:
    names = {
        Stage.WAITING: _say(QT_TRANSLATE_NOOP("QueuePage", "waiting")),
        Stage.MEASURING: _say(QT_TRANSLATE_NOOP("QueuePage", "measuring")),
        Stage.MEASURED: _say(QT_TRANSLATE_NOOP("QueuePage", "measured")),
        Stage.TO_WRITE: _say(QT_TRANSLATE_NOOP("QueuePage", "waiting to be written")),
        Stage.WRITING: _say(QT_TRANSLATE_NOOP("QueuePage", "writing")),
        Stage.TO_CHECK: _say(QT_TRANSLATE_NOOP("QueuePage", "waiting to be measured again")),
        Stage.CHECKING: _say(QT_TRANSLATE_NOOP("QueuePage", "measuring the copy")),
        Stage.WRITTEN: _say(QT_TRANSLATE_NOOP("QueuePage", "fixed: {file}")).format(
            file=item.written.name if item.written else ""
        ),
        Stage.FAILED: _say(QT_TRANSLATE_NOOP("QueuePage", "failed")),
        Stage.CANCELLED: _say(QT_TRANSLATE_NOOP("QueuePage", "cancelled")),
    }
    name, speed = names[item.stage], item.frames_per_second
    if item.is_running:
        name += f" {round(100 * item.done)} %"
    elif item.stage not in {Stage.MEASURED, Stage.WRITTEN} or speed is None:
        return name
    said = f"{name}  {_clock(item.seconds)}"
    if speed is not None:
        said += _say(QT_TRANSLATE_NOOP("QueuePage", ", {speed} fps")).format(speed=round(speed))
    left = item.seconds_left
    return (
        said if left is None else said + _say(QT_TRANSLATE_NOOP("QueuePage", ", {time} left")).format(time=_clock(left))
    )


def _clock(seconds: float) -> str:
    return clock_words(seconds).partition(".")[0]


def _tone(item: Item, column: int) -> str:
    if column == STATE:
        is_off = item.after is not None and item.after.kind is not Kind.IN_SYNC
        return {Stage.FAILED: "bad", Stage.WRITTEN: "poor" if is_off else "good"}.get(item.stage, "")
    if item.measurement is None or item.measurement.offset is None:
        return ""
    return "good" if item.measurement.kind is Kind.IN_SYNC else "poor"

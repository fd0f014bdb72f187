"""The queue as a table: what each cell shows, and what it is sorted by."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractTableModel, QCoreApplication, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from desktop_app.marking import QT_TRANSLATE_NOOP
from desktop_app.theme import theme_of
from desktop_app.work.queue import Item, Queue, Stage
from engine.sync.result import Kind
from engine.timing import clock_words

_Index = QModelIndex | QPersistentModelIndex
SORT = Qt.ItemDataRole.UserRole
_COLUMNS = 6
FILE, OFFSET, SURE, DRIFT, STATE, VERDICT = range(_COLUMNS)


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
        queue.changed.connect(self._refresh)

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
        if role == SORT:
            return _sorted_by(item, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(item.path) if index.column() == FILE else _shown(item, index.column())
        if role == Qt.ItemDataRole.ForegroundRole and index.column() in (OFFSET, STATE):
            tone = _tone(item, index.column())
            return theme_of(self._parent.palette()).colour(tone) if tone else None
        return None

    def _refresh(self, place: int) -> None:
        self.dataChanged.emit(self.index(place, 0), self.index(place, _COLUMNS - 1))

    def _grow(self, count: int) -> None:
        if count:
            self.beginInsertRows(QModelIndex(), self._count, self._count + count - 1)
            self._count += count
            self.endInsertRows()

    def _anew(self) -> None:
        self.beginResetModel()
        self._count = len(self._queue.items)
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
        return found.verdict.text()
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
    speed = item.frames_per_second
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
        return {Stage.FAILED: "bad", Stage.WRITTEN: "good"}.get(item.stage, "")
    if item.measurement is None or item.measurement.offset is None:
        return ""
    return "good" if item.measurement.kind is Kind.IN_SYNC else "poor"

"""Three columns where there is room for them; in a narrow window the third one shares the place of the first."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.theme import GRID
from desktop_app.widgets.tab_order import tab_as_laid_out

_NARROW = 118 * GRID
"""Narrower than this, in pixels, three columns leave nothing for the picture in the middle."""
_PAD = GRID + 4


class Columns(QWidget):
    """What is chosen, what is seen, and a list of what is to come.

    Args:
        first: the choices.
        middle: the picture; it takes the room that is left.
        third: the list; in a narrow window, a page beside the choices, which two tabs then lead to.
    """

    narrowed = Signal(bool)
    """The list is now, or is no longer, behind a tab that names it."""

    def __init__(self, first: QWidget, middle: QWidget, third: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._third = third
        self._is_narrow = False
        self._pages = QStackedWidget()
        self._pages.addWidget(first)
        beside = QWidget()
        self._beside = QVBoxLayout(beside)
        self._beside.setContentsMargins(_PAD, GRID, _PAD, _PAD)
        self._pages.addWidget(beside)
        self.tabs = (self._tab(0), self._tab(1))
        self._row = QWidget()
        row = QHBoxLayout(self._row)
        row.setContentsMargins(GRID // 2, 0, 0, 0)
        row.setSpacing(0)
        group = QButtonGroup(self)
        for tab in self.tabs:
            group.addButton(tab)
            row.addWidget(tab)
        row.addStretch()
        left, column = _panel()
        left.setMinimumWidth(37 * GRID)
        column.setSpacing(0)
        column.addWidget(self._row)
        column.addWidget(self._pages, 1)
        self._right, self._own = _panel()
        self._right.setMinimumWidth(24 * GRID)
        self._own.setContentsMargins(_PAD, _PAD, _PAD, _PAD)
        self._own.addWidget(third)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(GRID)
        for part in (left, middle, self._right):
            self._splitter.addWidget(part)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([46 * GRID, 84 * GRID, 30 * GRID])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._splitter)
        self.show_page(0)
        self._row.hide()

    def name(self, first: str, third: str) -> None:
        """Set what the tabs say."""
        for tab, text in zip(self.tabs, (first, third), strict=True):
            tab.setText(text)

    def show_page(self, place: int) -> None:
        """In a narrow window, show the choices (0) or the list (1)."""
        self.tabs[place].setChecked(True)
        self._pages.setCurrentIndex(place)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the list where there is room for it (Qt's name)."""
        super().resizeEvent(event)
        is_narrow = self.width() < _NARROW
        if is_narrow is self._is_narrow:
            return
        self._is_narrow = is_narrow
        (self._beside if is_narrow else self._own).addWidget(self._third)
        self._row.setVisible(is_narrow)
        self._right.setVisible(not is_narrow)
        tab_as_laid_out(self)
        self.narrowed.emit(is_narrow)
        self.show_page(0)

    def _tab(self, place: int) -> QToolButton:
        tab = QToolButton()
        tab.setProperty("kind", "tab")
        tab.setCheckable(True)
        tab.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tab.clicked.connect(lambda _checked: self.show_page(place))
        return tab


def _panel() -> tuple[QWidget, QVBoxLayout]:
    frame = QWidget()
    frame.setProperty("kind", "panel")
    frame.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    column = QVBoxLayout(frame)
    column.setContentsMargins(0, 0, 0, 0)
    return frame, column

"""Pages beside the preview, one at a time, chosen by the row of names above them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from desktop_app.theme import GRID


class Sidebar(QFrame):
    """A stack of pages."""

    page_changed = Signal()
    """Another page is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "panel")
        self._stack = QStackedWidget()
        self._pages: dict[str, QWidget] = {}
        self._tabs: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        self._row = QHBoxLayout()
        self._row.setSpacing(0)
        self._row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, 0, GRID // 2, GRID)
        column.setSpacing(GRID)
        column.addLayout(self._row)
        column.addWidget(self._stack, 1)
        self._stack.currentChanged.connect(lambda _index: self.page_changed.emit())

    def add(self, name: str, page: QWidget) -> None:
        """Add a page; the first one is shown."""
        tab = QToolButton()
        tab.setProperty("kind", "tab")
        tab.setCheckable(True)
        tab.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tab.clicked.connect(lambda _checked: self.show_page(name))
        self._group.addButton(tab)
        self._row.insertWidget(self._row.count() - 1, tab)
        self._stack.addWidget(page)
        self._pages[name], self._tabs[name] = page, tab
        if len(self._pages) == 1:
            tab.setChecked(True)

    def name_page(self, name: str, text: str) -> None:
        """Set what a page is called."""
        self._tabs[name].setText(text)

    def show_page(self, name: str) -> None:
        """Show a page."""
        self._tabs[name].setChecked(True)
        self._stack.setCurrentWidget(self._pages[name])

    @property
    def page(self) -> str:
        """The name of the page that is shown."""
        return next(name for name, page in self._pages.items() if page is self._stack.currentWidget())

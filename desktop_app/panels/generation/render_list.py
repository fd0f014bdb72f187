"""The renders as a list of small cards: what is done, what runs, what comes next."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QVBoxLayout, QWidget

from desktop_app.icons import icon
from desktop_app.panels.generation.following import Following
from desktop_app.panels.generation.run_card import name_words, state_words
from desktop_app.theme import GRID
from desktop_app.widgets.basics import ElidedLabel, Speaking, button, label, scrolling, set_tone
from desktop_app.widgets.card_button import CardButton
from desktop_app.widgets.tab_order import tab_as_laid_out
from desktop_app.work.rendering import Rendering, Stage


class RenderRow(CardButton):
    """One render; pressed, it is shown large. Alt+Up and Alt+Down move it."""

    def __init__(self, number: int, rendering: Rendering, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._number = number
        self._rendering = rendering
        self._name, self._state = ElidedLabel(), ElidedLabel()
        self._state.setProperty("kind", "small")
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self.tools = {
            "up": self._tool("up", lambda: rendering.move(number, -1)),
            "down": self._tool("down", lambda: rendering.move(number, 1)),
            "remove": self._tool("close", lambda: rendering.remove(number)),
        }
        head = QHBoxLayout()
        head.setSpacing(0)
        head.addWidget(self._name, 1)
        for tool in self.tools.values():
            head.addWidget(tool)
        self._inside = column = QVBoxLayout(self)
        column.setContentsMargins(GRID + 2, 6, 6, GRID)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._state)
        column.addWidget(self._progress)
        self.say()

    @property
    def state(self) -> str:
        """Where it is, in words."""
        return self._state.text()

    def sizeHint(self) -> QSize:
        """Return the size of what is in it (Qt's name)."""
        return self._inside.sizeHint()

    def say(self) -> None:
        """Set all texts."""
        for name, text in (
            ("up", self.tr("Earlier")),
            ("down", self.tr("Later")),
            ("remove", self.tr("Remove from the list; a finished clip stays, unfinished work is thrown away")),
        ):
            self.tools[name].setToolTip(text)
            self.tools[name].setAccessibleName(text)
        self.refresh()

    def refresh(self) -> None:
        """Show the render as it is now."""
        item = self._rendering.item(self._number)
        if item is None:
            return
        self._name.setText(name_words(item))
        self._state.setText(state_words(item))
        set_tone(self._state, {Stage.FAILED: "bad", Stage.DONE: "good"}.get(item.stage, ""))
        self._progress.setVisible(item.stage is not Stage.DONE and item.done > 0)
        self._progress.setValue(round(1000 * item.done))
        for name in ("up", "down"):
            self.tools[name].setVisible(item.stage is Stage.WAITING)
        self.tools["remove"].setVisible(not item.is_running)
        self.setAccessibleName(f"{self._name.text()}, {self._state.text()}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move or remove the render (Qt's name)."""
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        item = self._rendering.item(self._number)
        if by and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._rendering.move(self._number, by)
        elif event.key() == Qt.Key.Key_Delete and item is not None and not item.is_running:
            self._rendering.remove(self._number)
        else:
            super().keyPressEvent(event)

    def _tool(self, picture: str, handler: object) -> QToolButton:
        tool = QToolButton()
        tool.setProperty("kind", "tiny")
        tool.setIcon(icon(picture, "muted"))
        tool.setIconSize(QSize(12, 12))
        tool.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tool.clicked.connect(lambda _checked: handler())  # type: ignore[operator]
        return tool


class RenderList(Speaking):
    """All renders in the order in which they are done; the one that is shown large is marked."""

    chosen = Signal(int)
    """A render is to be shown; its number."""

    def __init__(self, rendering: Rendering, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rendering = rendering
        self._current: int | None = None
        self.rows: dict[int, RenderRow] = {}
        self._title = label("heading")
        self.pause_button = button(rendering.pause_or_resume, kind="link")
        self._nothing = label("muted", wraps=True)
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch()
        head.addWidget(self.pause_button)
        self._cards = QWidget()
        self._column = QVBoxLayout(self._cards)
        self._column.setContentsMargins(0, 0, 2, 0)
        self._column.setSpacing(GRID)
        self._column.addWidget(self._nothing)
        self._column.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(GRID)
        outer.addLayout(head)
        outer.addWidget(scrolling(self._cards), 1)
        rendering.arranged.connect(self._arrange)
        Following(rendering, self._refresh, self)
        rendering.state_changed.connect(self._show)
        self._arrange()

    def mark(self, number: int | None) -> None:
        """Mark the render that is shown large."""
        self._current = number
        for each, row in self.rows.items():
            row.setChecked(each == number)

    def hide_title(self, is_hidden: bool) -> None:
        """Leave the title out, because something else names the list."""
        self._title.setHidden(is_hidden)

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("RENDERS"))
        self._nothing.setText(
            self.tr("What you render appears here. Several can wait in line; the list survives a restart.")
        )
        for row in self.rows.values():
            row.say()
        self._show()

    def _arrange(self) -> None:
        numbers = [item.number for item in self._rendering.items]
        for number in [number for number in self.rows if number not in numbers]:
            row = self.rows.pop(number)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, number in enumerate(numbers):
            if number not in self.rows:
                self.rows[number] = row = RenderRow(number, self._rendering)
                row.clicked.connect(lambda _checked, number=number: self.chosen.emit(number))
            self._column.insertWidget(place, self.rows[number])
        tab_as_laid_out(self._cards)
        self._nothing.setVisible(not numbers)
        self.mark(self._current)
        self.say()

    def _refresh(self, number: int) -> None:
        if number in self.rows:
            self.rows[number].refresh()

    def _show(self) -> None:
        items = self._rendering.items
        self.pause_button.setText(self.tr("Go on") if self._rendering.is_paused else self.tr("Pause"))
        self.pause_button.setVisible(any(item.is_open for item in items))

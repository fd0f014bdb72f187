"""Labels, rules and cards as the style sheet knows them, and the base of all panels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QStyleOption,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.icons import icon
from desktop_app.theme import GRID

_PICTURE, _TOOL_PICTURE, _GAP = 16, 18, 4
"""Pixels of the pictures on buttons, and of what lies between them and a text besides Qt's own distance."""


class Speaking(QWidget):
    """A widget whose texts follow the language: they are all set in :meth:`say`."""

    @abstractmethod
    def say(self) -> None:
        """Set all texts, in the language of now."""

    def changeEvent(self, event: QEvent) -> None:
        """Speak again when the language was changed."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self.say()


def label(kind: str = "", *, wraps: bool = False) -> QLabel:
    """Return a label: plain, or of a kind of the style sheet."""
    made = QLabel()
    if kind:
        made.setProperty("kind", kind)
    made.setWordWrap(wraps)
    if wraps:
        # A wrapped label that asks for its one-line width would widen the whole panel.
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        made.setSizePolicy(policy)
        made.setMinimumWidth(20 * GRID)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def set_tone(widget: QWidget, tone: str) -> None:
    """Colour a label as ``good``, ``poor``, ``bad``, or plainly for an empty string."""
    if widget.property("tone") != tone:
        widget.setProperty("tone", tone)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Button(QPushButton):
    """A button whose picture keeps its distance to the text, where there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.setText("")

    def setText(self, text: str) -> None:
        """Show a text."""
        super().setText(text)
        self.setIconSize(QSize(_PICTURE + (_GAP if text else 0), _PICTURE))


def button(handler: Callable[[], object], *, kind: str = "", picture: str | None = None) -> QPushButton:
    """Return a button: plain, ``primary`` or ``link``. A click leaves the keyboard where it was."""
    made = Button()
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setAutoDefault(False)
    if kind:
        made.setProperty("kind", kind)
    if picture is not None:
        made.setIcon(icon(picture, "on_accent" if kind == "primary" else "text"))
    made.clicked.connect(lambda _checked: handler())
    return made


def set_primary(made: QPushButton, picture: str, *, is_primary: bool) -> None:
    """Make a button the one that is to be pressed next, or one of many.

    Args:
        made: the button.
        picture: its drawing.
        is_primary: which of both.
    """
    kind = "primary" if is_primary else ""
    if made.property("kind") != kind:
        made.setProperty("kind", kind)
        made.setIcon(icon(picture, "on_accent" if is_primary else "text"))
        made.style().unpolish(made)
        made.style().polish(made)


def action_button(action: QAction, *, kind: str = "flat", has_text: bool = False) -> QToolButton:
    """Return a button for an action, with its icon, its text or both."""
    made = QToolButton()
    made.setDefaultAction(action)
    made.setProperty("kind", kind)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    show_text(made, has_text=has_text)
    return made


def show_text(made: QToolButton, *, has_text: bool) -> None:
    """Show the text of an action's button beside its icon, or the icon alone; without an icon, always the text."""
    style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if has_text else Qt.ToolButtonStyle.ToolButtonIconOnly
    if made.icon().isNull():
        style = Qt.ToolButtonStyle.ToolButtonTextOnly
    made.setToolButtonStyle(style)
    made.setIconSize(QSize(_TOOL_PICTURE + (_GAP if has_text else 0), _TOOL_PICTURE))


def card(*, kind: str = "card") -> tuple[QFrame, QVBoxLayout]:
    """Return a frame and its column."""
    frame = QFrame()
    frame.setProperty("kind", kind)
    column = QVBoxLayout(frame)
    column.setContentsMargins(GRID + 4, GRID + 4, GRID + 4, GRID + 4)
    column.setSpacing(GRID)
    return frame, column


def rule() -> QFrame:
    """Return a line across."""
    made = QFrame()
    made.setProperty("kind", "rule")
    return made


def scrolling(inside: QWidget) -> QScrollArea:
    """Return an area in which a widget scrolls up and down but is never wider than what is seen of it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inside)
    return area


class Picture(QWidget):
    """One of the window's own drawings, in the colours of now.

    Args:
        size: its width and height in pixels.
    """

    def __init__(self, name: str, colour: str, size: int = _PICTURE, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(size, size)
        self.show_drawing(name, colour)

    def show_drawing(self, name: str, colour: str) -> None:
        """Show a drawing of ``resources/icons`` in a colour of the theme."""
        self._icon = icon(name, colour)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._icon.paint(painter, self.rect())


class ElidedLabel(QLabel):
    """One line that is shortened where it does not fit; the whole text is its tool tip.

    Args:
        where: which part of it is left out first.
    """

    def __init__(
        self, parent: QWidget | None = None, *, where: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle
    ) -> None:
        super().__init__(parent)
        self._where = where
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(5 * GRID)

    def setText(self, text: str) -> None:
        """Show a text."""
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """Return one line of a few letters."""
        return QSize(5 * GRID, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw what fits."""
        painter, ground, area = QPainter(self), QStyleOption(), self.contentsRect()
        ground.initFrom(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, ground, painter, self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = QFontMetrics(self.font()).elidedText(self.text(), self._where, area.width())
        painter.drawText(area, int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)

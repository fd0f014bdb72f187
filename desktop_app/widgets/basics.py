"""Labels, rules and cards as the style sheet knows them, and the base of all panels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from desktop_app.icons import icon
from desktop_app.theme import GRID


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


def button(handler: Callable[[], object], *, kind: str = "", picture: str | None = None) -> QPushButton:
    """Return a button: plain, ``primary`` or ``link``. A click leaves the keyboard where it was."""
    made = QPushButton()
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setAutoDefault(False)
    if kind:
        made.setProperty("kind", kind)
    if picture is not None:
        made.setIcon(icon(picture, "on_accent" if kind == "primary" else "text"))
    made.clicked.connect(lambda _checked: handler())
    return made


def action_button(action: QAction, *, kind: str = "flat", has_text: bool = False) -> QToolButton:
    """Return a button for an action, with its icon, its text or both."""
    made = QToolButton()
    made.setDefaultAction(action)
    made.setProperty("kind", kind)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setIconSize(QSize(18, 18))
    style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if has_text else Qt.ToolButtonStyle.ToolButtonIconOnly
    if action.icon().isNull():
        style = Qt.ToolButtonStyle.ToolButtonTextOnly
    made.setToolButtonStyle(style)
    return made


def card(*, kind: str = "card") -> tuple[QFrame, QVBoxLayout]:
    """Return a frame and its column."""
    frame = QFrame()
    frame.setProperty("kind", kind)
    column = QVBoxLayout(frame)
    column.setContentsMargins(GRID + 4, GRID + 4, GRID + 4, GRID + 4)
    column.setSpacing(GRID)
    return frame, column


def scrolling(inside: QWidget) -> QScrollArea:
    """Return an area in which a widget scrolls up and down but is never wider than what is seen of it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inside)
    return area


class ElidedLabel(QLabel):
    """One line that is shortened in the middle where it does not fit; the whole text is its tool tip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = QFontMetrics(self.font()).elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)

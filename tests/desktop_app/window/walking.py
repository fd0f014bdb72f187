"""Goes through a page with Tab alone, as somebody does who has no mouse, or cannot see the page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QMenuBar,
    QPlainTextEdit,
    QScrollBar,
    QWidget,
)

from desktop_app.translation import speak
from tests.desktop_app.window.conftest import Desk

_MOST_TABS = 200
_SEEN = 24
"""A pixel looks different from this much on, of 255."""
_RING = 40
"""So many pixels have to look different for somebody to see where the keyboard is: a line under a short word."""

_CONTROLS = (
    QAbstractButton
    | QAbstractItemView
    | QAbstractSlider
    | QAbstractSpinBox
    | QComboBox
    | QKeySequenceEdit
    | QLineEdit
    | QPlainTextEdit
)


def is_part(widget: QWidget) -> bool:
    """Whether it is a piece of another control, which has the keyboard for it."""
    within = widget.parentWidget()
    while within is not None and not within.isWindow():
        if isinstance(within, QAbstractSpinBox | QComboBox | QKeySequenceEdit | QMenuBar | QAbstractItemView):
            return True
        if isinstance(within, QLineEdit):
            return True
        within = within.parentWidget()
    return isinstance(widget, QScrollBar | QHeaderView) or widget.objectName().startswith("qt_")


def controls(page: QWidget) -> list[QWidget]:
    """Return everything on a page that can be used now."""
    return [
        each
        for each in page.findChildren(QWidget)
        if isinstance(each, _CONTROLS) and each.isVisible() and each.isEnabled() and not is_part(each)
    ]


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the keyboard comes by.

    Attributes:
        widget: what has it.
        changed: how many of its pixels look different because of it.
    """

    widget: QWidget
    changed: int


def reached(desk: Desk, window: QWidget) -> list[Stop]:
    """Return what has the keyboard, one after the other, when Tab is pressed again and again."""
    stops: list[Stop] = []
    for _ in range(_MOST_TABS):
        focus = QApplication.focusWidget() or window
        if any(focus is stop.widget for stop in stops):
            break
        with_keyboard = pixels(focus)
        focus.clearFocus()
        stops.append(Stop(focus, differing(with_keyboard, pixels(focus))))
        focus.setFocus(Qt.FocusReason.TabFocusReason)
        desk.bot.keyClick(focus, Qt.Key.Key_Tab)
    return stops


def pixels(widget: QWidget) -> npt.NDArray[np.int16]:
    """Return what a widget looks like: ``(height, width, 4)``."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4).astype(np.int16)


def differing(one: npt.NDArray[np.int16], other: npt.NDArray[np.int16]) -> int:
    """Return how many pixels differ clearly; all of them where the widget has another size now."""
    if one.shape != other.shape:
        return one.shape[0] * one.shape[1]
    return int(np.count_nonzero(np.abs(one - other).max(axis=2) > _SEEN))


def out_of_order(stops: list[Stop]) -> list[str]:
    """Return where Tab goes up or to the left instead of on.

    Two neighbours are compared as the parts of the page in which they are: what is right of the other, below it, or in
    a column further right comes after it. What lies on the other is a part of it and comes after it, too.
    """
    found = []
    for before, after in pairwise(stop.widget for stop in (*stops, *stops[:1])):
        one, other = family(before), family(after)
        common = next(each for each in one if each in other)
        if common is before:
            continue
        first, second = (parts[parts.index(common) - 1].geometry() for parts in (one, other))
        is_in_one_row = first.top() < second.bottom() and second.top() < first.bottom()
        is_before = second.left() < first.left() if is_in_one_row else second.top() < first.top()
        if common is after or (is_before and second.left() < first.right()):
            found.append(f"{described(before)} -> {described(after)}")
    return found if len(found) > 1 else []  # from the last one Tab goes to the first one again


def family(widget: QWidget) -> list[QWidget]:
    """Return a widget and all that it is in."""
    found = [widget]
    while (within := found[-1].parentWidget()) is not None and not found[-1].isWindow():
        found.append(within)
    return found


def name_of(widget: QWidget) -> str:
    said = widget.accessibleName() or widget.toolTip()
    return said or (widget.text() if isinstance(widget, QAbstractButton) else "")


def described(widget: QWidget) -> str:
    return f"{type(widget).__name__} “{name_of(widget)}” in {type(widget.parentWidget()).__name__}"


def walk(desk: Desk, page: QWidget) -> None:
    """Assert that all controls of a page say what they are, and that Tab goes to all of them, visibly and in order."""
    window = page.window()
    QApplication.processEvents()
    for language in ("zh_CN", "en"):
        speak(language)
        QApplication.processEvents()
        all_of_them = controls(page)  # some are made anew in the other language
        assert all_of_them
        assert [described(each) for each in all_of_them if not name_of(each)] == []
    stops = reached(desk, window)
    seen = [stop.widget for stop in stops]
    stations = [stop for stop in stops if stop.widget.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert [described(stop.widget) for stop in stations if stop.changed < _RING] == []
    assert out_of_order(stops) == []
    # Of buttons of which only one can be pressed, Tab finds one and the arrow keys the others.
    groups = {each.group() for each in seen if isinstance(each, QAbstractButton)} - {None}
    missing = [
        described(each)
        for each in all_of_them
        if each not in seen and not (isinstance(each, QAbstractButton) and each.group() in groups)
    ]
    assert missing == []

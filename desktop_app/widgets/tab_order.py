"""The order in which Tab goes through what is put together while the window is open."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QSplitter, QWidget


def tab_as_laid_out(container: QWidget) -> None:
    """Let Tab go through a widget as it and what is around it are laid out; Qt would go to new parts last."""
    before = _stop_before(container)
    for widget in filter(_is_stop, _inside(container)):
        if before is not None:
            QWidget.setTabOrder(before, widget)
        before = widget


def _stop_before(widget: QWidget) -> QWidget | None:
    within = widget.parentWidget()
    if within is None or widget.isWindow():
        return None
    parts = list(_parts(within))
    earlier = parts[: parts.index(widget)] if widget in parts else []
    stops = [each for part in earlier for each in (part, *_inside(part)) if _is_stop(each)]
    if stops:
        return stops[-1]
    return within if _is_stop(within) else _stop_before(within)


def _is_stop(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def _inside(widget: QWidget) -> Iterator[QWidget]:
    for part in _parts(widget):
        yield part
        yield from _inside(part)


def _parts(widget: QWidget) -> Iterator[QWidget]:
    layout = widget.layout()
    if isinstance(widget, QScrollArea):
        yield from filter(None, (widget.widget(),))
    elif isinstance(widget, QSplitter):
        yield from filter(None, (widget.widget(place) for place in range(widget.count())))
    elif layout is not None:
        yield from _laid_out(layout)


def _laid_out(layout: QLayout) -> Iterator[QWidget]:
    for item in filter(None, (layout.itemAt(place) for place in range(layout.count()))):
        widget, within = item.widget(), item.layout()
        if widget is not None:
            yield widget
        elif within is not None:
            yield from _laid_out(within)

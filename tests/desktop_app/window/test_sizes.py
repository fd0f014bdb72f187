"""What is shown fits: in a narrow window the less important parts give way, and come back with the room."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from desktop_app.panels.transport import Transport
from tests.desktop_app.window.conftest import Desk


def rows_of(widget: QWidget) -> list[QRect]:
    """Return where the visible parts of a row are, from left to right."""
    parts = [each for each in widget.findChildren(QWidget) if each.parent() is widget and each.isVisible()]
    return sorted((part.geometry() for part in parts), key=QRect.left)


def test_in_a_narrow_window_buttons_give_way_instead_of_being_cut(desk: Desk) -> None:
    desk.open()
    window, transport = desk.window, desk.window.findChild(Transport)
    assert transport is not None
    window.resize(1280, 800)
    wide = [len(rows_of(row)) for row in (transport, window.header)]
    window.resize(window.minimumSize())
    QApplication.processEvents()
    for row, before in zip((transport, window.header), wide, strict=True):
        places = rows_of(row)
        assert len(places) < before
        assert all(left.right() < right.left() for left, right in pairwise(places))
        assert places[-1].right() < row.width()
        for button in row.findChildren(QAbstractButton):
            assert not button.isVisible() or button.width() >= button.minimumSizeHint().width()
    for part in (window.preview, transport, window.timeline):
        assert part.mapTo(window, QPoint(part.width(), 0)).x() <= window.sidebar.mapTo(window, QPoint(0, 0)).x()
    assert window.sidebar.width() >= window.sidebar.minimumSizeHint().width()
    name = window.header.name
    assert name.fontMetrics().horizontalAdvance(name.text()) <= name.width()
    window.resize(1280, 800)
    QApplication.processEvents()
    assert [len(rows_of(row)) for row in (transport, window.header)] == wide


def test_no_button_is_too_narrow_for_its_text(desk: Desk) -> None:
    def cut() -> list[str]:
        return [
            button.text()
            for button in desk.window.findChildren(QAbstractButton)
            if button.isVisible() and button.text()
            if button.width() < button.sizeHint().width() or button.fontMetrics().height() > button.height()
        ]

    desk.studio.settings["recent"] = [str(desk.clip)]
    for show in (desk.window.show, desk.window.show_queue, desk.window.show_generation, desk.measure):
        show()
        desk.until(lambda: not desk.studio.engines.is_asking and cut() == [])


def test_there_is_one_next_step_at_a_time(desk: Desk) -> None:
    def next_steps() -> list[str]:
        buttons = desk.window.findChildren(QAbstractButton)
        return [each.text() for each in buttons if each.isVisible() and each.property("kind") == "primary"]

    desk.studio.settings["measure_on_open"] = False
    desk.open()
    desk.until(lambda: next_steps() == ["Measure"])
    desk.window.sync.begin_button.click()
    desk.until(lambda: not desk.studio.measuring.is_running and desk.document.measurement is not None)
    desk.until(lambda: next_steps() == ["Apply what was measured"])
    desk.window.sync.apply_button.click()
    desk.until(lambda: next_steps() == ["Export"])
    # On its own page the button that does it is the one, not the one that leads there.
    desk.window.header._export.click()
    desk.until(lambda: next_steps() == ["Export"])
    assert desk.window.exports.export_button.property("kind") == "primary"
    desk.window.show_page("sync")
    # Set by hand, and good: what was measured is offered, no longer urged.
    desk.studio.nudge(5)
    assert desk.window.sync.apply_button.isVisible()
    desk.until(lambda: next_steps() == ["Export"])
    desk.studio.nudge(-200)
    desk.until(lambda: next_steps() == ["Apply what was measured"])

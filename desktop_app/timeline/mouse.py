"""What mouse and wheel do on the timeline."""

from __future__ import annotations

import math
from enum import Enum

from PySide6.QtCore import QCoreApplication, QObject, QPoint, QPointF, Qt, Signal

from desktop_app.document.document import Document
from desktop_app.timeline.canvas import Canvas
from desktop_app.timeline.dragging import (
    AnchorDrag,
    Drag,
    LevelDrag,
    MarkerDrag,
    Pointer,
    RangeDrag,
    SlideDrag,
    SoundDrag,
)
from desktop_app.timeline.hints import Hints
from desktop_app.timeline.lanes import Lanes
from desktop_app.timeline.span import ZOOM_STEP, Span, whole_of
from desktop_app.timeline.upright import Upright
from engine.timing import Correction

_PAN_STEP = 0.1
_STILL = 3.0
"""Pixels that a press may wander and is still a click."""


class _Grip(Enum):
    """What the mouse holds."""

    NOTHING = 0
    PLAYHEAD = 1
    VIEW = 2
    DRAG = 3
    """A thing of the document."""


class Mouse(QObject):
    """Turns presses, moves and turns of the wheel into wishes, and drags what belongs to the document.

    Attributes:
        pressed: signal: the timeline wants the keyboard.
        scrubbed: signal, seconds: the playhead is to be there.
        seek_requested: signal, seconds: show this moment.
        scrub_started: signal: the playhead is being held.
        scrub_finished: signal: it was let go.
        step_requested: signal, number of frames to go.
        drag_finished: signal: a thing of the document that was held was let go.
        loop_requested: signal, seconds: play two seconds around this moment again and again.
        context_requested: signal ``(seconds, global position)``: a menu is wanted.
        span_wanted: signal, the stretch of time to show.
        louder: signal, how many times higher the sound is to be drawn.
        point_taken: signal, index of the offset point to select, -1 for none.
        point_opened: signal, index of the offset point to look at closely.
        marker_taken: signal, the marker to select, or ``None``.
        marker_opened: signal: the selected marker is to be named.
        anchor_opened: signal, seconds: look closely at an anchor shown there.
        hinted: signal, what to say of what is under the pointer.

    Args:
        document: what is open.
        canvas: reports what the mouse does.
        lanes: where that is.
        hints: words about it.
        shadow: a line through all lanes that follows the pointer.
    """

    pressed = Signal()
    scrubbed = Signal(float)
    seek_requested = Signal(float)
    scrub_started = Signal()
    scrub_finished = Signal()
    step_requested = Signal(int)
    drag_finished = Signal()
    loop_requested = Signal(float)
    context_requested = Signal(float, QPoint)
    span_wanted = Signal(Span)
    louder = Signal(float)
    point_taken = Signal(int)
    point_opened = Signal(int)
    marker_taken = Signal(object)
    marker_opened = Signal()
    anchor_opened = Signal(float)
    hinted = Signal(str)

    def __init__(
        self, document: Document, canvas: Canvas, lanes: Lanes, hints: Hints, shadow: Upright, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._canvas = canvas
        self._lanes, self._places = lanes, lanes.places
        self._hints = hints
        self._shadow = shadow
        self._grip = _Grip.NOTHING
        self._held_at = 0.0
        self._drag: Drag | None = None
        self._pressed_at = QPointF()
        self.snapping = True
        canvas.pressed.connect(self._press)
        canvas.moved.connect(self._move)
        canvas.released.connect(self._release)
        canvas.double_clicked.connect(self._double_click)
        canvas.turned.connect(self._turn)
        canvas.left.connect(self._leave)
        canvas.menu_wanted.connect(self._ask_menu)

    @property
    def is_free(self) -> bool:
        """Whether it holds nothing."""
        return self._grip is _Grip.NOTHING

    @property
    def holds_level(self) -> bool:
        """Whether it holds an anchor in the offset lane, which must not change under the pointer then."""
        return isinstance(self._drag, LevelDrag)

    def _press(self, position: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        self.pressed.emit()
        lane = self._places.lane_at(position)
        if self._document.info is None or lane is None or self._grip is not _Grip.NOTHING:
            return
        self._held_at, self._pressed_at = self._places.seconds(position), position
        if button is Qt.MouseButton.MiddleButton:
            self._grip = _Grip.VIEW
        elif button is not Qt.MouseButton.LeftButton:
            return
        elif (drag := self._take(position, modifiers)) is not None:
            self._drag, self._grip = drag, _Grip.DRAG
        elif self._places.point_at(position) >= 0:
            self.point_taken.emit(self._places.point_at(position))
        else:
            if lane is self._lanes.offset:
                self.point_taken.emit(-1)
            self._document.select_anchor(None)
            self.marker_taken.emit(None)
            self._grip = _Grip.PLAYHEAD
            self.scrub_started.emit()
            self._scrub(position)
        self._show_pointer(position)

    def _take(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> Drag | None:
        """Take hold of what is under the pointer and select it; ``None`` where there is nothing to hold."""
        document, seconds = self._document, self._places.seconds(position)
        marker = self._places.marker_at(position)
        pin, level = self._places.pin_at(position), self._places.level_at(position)
        anchor = pin if pin is not None else level
        if marker is not None or anchor is not None:
            self.marker_taken.emit(marker)
            document.select_anchor(anchor)
        if marker is not None:
            self.seek_requested.emit(marker.t)
            return MarkerDrag(document, marker, seconds)
        if anchor is not None and modifiers & Qt.KeyboardModifier.ControlModifier:
            return SlideDrag(document, anchor)
        if pin is not None:
            return AnchorDrag(document, pin, seconds)
        if level is not None:
            return LevelDrag(document, level, seconds)
        if self._places.is_on_handle(position):
            return SoundDrag(document, seconds)
        is_in = self._places.range_end_at(position)
        return None if is_in is None else RangeDrag(document, is_in=is_in)

    def _move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        seconds = self._places.seconds(position)
        if self._grip is _Grip.PLAYHEAD:
            self._scrub(position)
        elif self._grip is _Grip.DRAG and self._drag is not None:
            if self._is_still(position):
                return
            self._pressed_at = QPointF(math.inf, math.inf)
            snaps = self.snapping and not modifiers & Qt.KeyboardModifier.ShiftModifier
            pointer = Pointer(
                seconds,
                self._places.offset_ms(position),
                self._places.span,
                self._places.seconds_per_pixel(),
                self._places.offset_per_pixel(),
                snaps,
            )
            snapped = self._drag.move(pointer)
            if isinstance(self._drag, MarkerDrag):
                self.marker_taken.emit(self._drag.marker)
            self.hinted.emit(self._hints.idle() if snapped is None else self._hints.snapped(snapped))
        elif self._grip is _Grip.VIEW:
            self.span_wanted.emit(self._places.span.panned(self._held_at - seconds))
        self._show_pointer(position)

    def _is_still(self, position: QPointF) -> bool:
        """Whether the pointer has not left the place where it was pressed: a click must not move anything."""
        way = position - self._pressed_at
        return abs(way.x()) + abs(way.y()) < _STILL

    def _release(self, position: QPointF) -> None:
        grip, self._grip = self._grip, _Grip.NOTHING
        drag, self._drag = self._drag, None
        if grip is _Grip.PLAYHEAD:
            self.scrub_finished.emit()
        elif drag is not None:
            drag.finish()
            self.drag_finished.emit()
        self._show_pointer(position)

    def _double_click(self, position: QPointF) -> None:
        index = self._places.point_at(position)
        pin, level = self._places.pin_at(position), self._places.level_at(position)
        anchor = pin if pin is not None else level
        if self._places.marker_at(position) is not None:
            self.marker_opened.emit()
        elif anchor is not None:
            shown = self._document.anchors.points[anchor].shown
            self.anchor_opened.emit(shown)
            self.loop_requested.emit(shown)
        elif index >= 0:
            self.point_opened.emit(index)
        elif self._places.is_on_handle(position):
            self._document.correct(
                Correction(0.0), lambda: QCoreApplication.translate("TimelineView", "Sound put back")
            )

    def _turn(self, position: QPointF, across: float, down: float, modifiers: Qt.KeyboardModifier) -> None:
        # Alt and, on some systems, Shift turn a vertical wheel into a horizontal one.
        turned = down or across
        if self._document.info is None or not turned:
            return
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            self.span_wanted.emit(self._places.span.zoomed(ZOOM_STEP**-turned, self._places.seconds(position)))
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.louder.emit(ZOOM_STEP**turned)
        elif modifiers & Qt.KeyboardModifier.AltModifier:
            self.step_requested.emit(-round(math.copysign(max(1.0, abs(turned)), turned)))
        else:
            self.span_wanted.emit(self._places.span.panned(-(down + across) * _PAN_STEP * self._places.span.length))
        self._show_pointer(position)

    def _leave(self) -> None:
        self._shadow.setVisible(False)
        self._lanes.handle.set_lit(lit=False)
        self.hinted.emit(self._hints.idle())

    def _ask_menu(self, position: QPointF, global_position: QPointF) -> None:
        if self._places.lane_at(position) is not None and self._document.info is not None:
            self.context_requested.emit(self._places.seconds(position), global_position.toPoint())

    def _scrub(self, position: QPointF) -> None:
        whole = whole_of(self._document.start, self._document.duration)
        self.scrubbed.emit(min(max(self._places.seconds(position), whole.start), whole.stop))

    def _show_pointer(self, position: QPointF) -> None:
        lane, held = self._places.lane_at(position), self._drag
        pin, level = self._places.pin_at(position), self._places.level_at(position)
        on_handle = isinstance(held, SoundDrag) or (
            held is None and pin is None and self._places.is_on_handle(position)
        )
        on_end = self._places.range_end_at(position) is not None
        self._lanes.handle.set_lit(lit=on_handle)
        cursor = Qt.CursorShape.ArrowCursor
        if isinstance(held, LevelDrag) or (held is None and level is not None):
            cursor = Qt.CursorShape.SizeVerCursor
        elif held is not None or on_handle or on_end or pin is not None:
            cursor = Qt.CursorShape.SizeHorCursor
        elif self._grip is _Grip.VIEW:
            cursor = Qt.CursorShape.ClosedHandCursor
        elif self._places.marker_at(position) is not None or self._places.point_at(position) >= 0:
            cursor = Qt.CursorShape.PointingHandCursor
        self._canvas.viewport().setCursor(cursor)
        is_free = self._grip is _Grip.NOTHING and lane is not None and self._document.info is not None
        self._shadow.place(self._places, self._places.seconds(position), visible=is_free)
        if held is None:
            marker = self._places.marker_at(position)
            self.hinted.emit(self._hints.over(pin is not None or level is not None, on_handle, marker))

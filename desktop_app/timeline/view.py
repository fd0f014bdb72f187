"""The timeline widget: lanes on one time axis, and what mouse and wheel do there."""

from __future__ import annotations

import itertools
import math
from enum import Enum

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeySequence, QPen
from PySide6.QtWidgets import QGraphicsGridLayout, QGraphicsLineItem, QGraphicsWidget, QLabel, QVBoxLayout, QWidget

from desktop_app.document.document import Document
from desktop_app.theme import GRID, Theme, theme_of
from desktop_app.timeline.canvas import Canvas
from desktop_app.timeline.curve import LagInset, nearest_curve
from desktop_app.timeline.handle import HEIGHT as HANDLE_HEIGHT
from desktop_app.timeline.handle import Handle
from desktop_app.timeline.lane import HEADING_WIDTH, Lane
from desktop_app.timeline.mouth import MouthOpening
from desktop_app.timeline.moving import moved, shown_time, sound_time, stretches
from desktop_app.timeline.offsets import OffsetPoints, reach_of
from desktop_app.timeline.plane import Floats
from desktop_app.timeline.ruler import Ruler
from desktop_app.timeline.snapping import REACH, Snapped, Target, snap, targets
from desktop_app.timeline.span import Span, whole_of
from desktop_app.timeline.strip import ThumbnailStrip
from desktop_app.timeline.waveform import Sound, Waveform
from engine.timing import Correction, Offset, clock_words

_ZOOM_STEP = 1.25
_PAN_STEP = 0.1
_CLOSE_UP = 2.0
"""Seconds across that ``zoom_here`` shows."""
_LARGEST_AMPLITUDE = 1000.0
_EDGE = 6.0
"""Pixels around the end of a range within which it is taken hold of."""


class _Grip(Enum):
    """What the mouse holds."""

    NOTHING = 0
    PLAYHEAD = 1
    SOUND = 2
    VIEW = 3
    IN = 4
    OUT = 5


class TimelineView(QWidget):
    """The open clip over time.

    Attributes:
        seek_requested: signal, seconds: show this moment.
        scrub_started: signal: the playhead is being held.
        scrub_finished: signal: it was let go.
        step_requested: signal, number of frames to go.
        drag_started: signal: the sound is being held.
        drag_finished: signal: it was let go.
        context_requested: signal ``(seconds, global position)``: a menu is wanted.
        point_selected: signal, index of the offset point, -1 for none.
        span_changed: signal ``(start, stop)`` in seconds: another stretch is on screen.
        thumbnails_wanted: signal, list of times in seconds, most urgent first; replaces the list before it.
    """

    seek_requested = Signal(float)
    scrub_started = Signal()
    scrub_finished = Signal()
    step_requested = Signal(int)
    drag_started = Signal()
    drag_finished = Signal()
    context_requested = Signal(float, QPoint)
    point_selected = Signal(int)
    span_changed = Signal(float, float)
    thumbnails_wanted = Signal(list)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._span = Span(0.0, 1.0)
        self._playhead = 0.0
        self._amplitude = 1.0
        self._snapping = True
        self._selected = -1
        self._grip = _Grip.NOTHING
        self._held_at = 0.0
        self._held_ms = 0.0
        self._drags = itertools.count()
        self._drag_key = ""
        self._sound: Sound | None = None
        self._theme = theme_of(self.palette())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(480, 240)
        self._build()
        self._connect()
        self._show_media()
        self._show_measurement()
        self._show_correction()
        self._show_markers()
        self._show_range()

    def sizeHint(self) -> QSize:
        """Return a comfortable size (Qt's name)."""
        return QSize(1200, 420)

    # What is on screen.

    @property
    def span(self) -> tuple[float, float]:
        """First and last second on screen."""
        return self._span.start, self._span.stop

    @property
    def amplitude(self) -> float:
        """How many times the sound is drawn higher."""
        return self._amplitude

    @property
    def selected(self) -> int:
        """Index of the selected offset point, or -1."""
        return self._selected

    def set_playhead(self, seconds: float) -> None:
        """Show where the player is; a playhead that leaves the screen takes it along, unless the mouse holds it."""
        was_visible = self._span.holds(self._playhead)
        self._playhead = seconds
        if was_visible and self._grip is _Grip.NOTHING and not self._span.holds(seconds):
            self._set_span(self._span.following(seconds))
        self._place_playhead()

    def set_span(self, start: float, stop: float) -> None:
        """Show a stretch of time, as far as there is one."""
        self._set_span(Span(start, stop))

    def zoom_in(self) -> None:
        """Zoom in, around the playhead where it is on screen."""
        self._zoom(1 / _ZOOM_STEP**2)

    def zoom_out(self) -> None:
        """Zoom out."""
        self._zoom(_ZOOM_STEP**2)

    def fit(self) -> None:
        """Show the whole file."""
        whole = self._whole()
        margin = whole.length * 0.01
        self._set_span(Span(whole.start - margin, whole.stop + margin))

    def zoom_here(self, seconds: float) -> None:
        """Show two seconds around a moment."""
        self._set_span(Span(seconds - _CLOSE_UP / 2, seconds + _CLOSE_UP / 2))

    def toggle_zoom(self) -> None:
        """Show two seconds around the playhead, or everything if that is what is shown."""
        if self._span.length <= _CLOSE_UP * 1.01:
            self.fit()
        else:
            self.zoom_here(self._playhead)

    def set_amplitude(self, amplitude: float) -> None:
        """Draw the sound this many times higher, at least as it is."""
        self._amplitude = min(max(1.0, amplitude), _LARGEST_AMPLITUDE)
        self._lay_out_sound()

    def set_snapping(self, on: bool) -> None:
        """Let dragging the sound snap, or not."""
        self._snapping = on

    def set_sound(self, sound: Sound | None) -> None:
        """Draw a sound; its lane is hidden while the clip has none."""
        self._sound = sound
        for wave in self._waves:
            wave.set_sound(sound)
        self._place_handle()

    def refresh_sound(self) -> None:
        """Draw the sound again, because more of it is known."""
        for wave in self._waves:
            wave.refresh()
        self._place_handle()

    def add_thumbnail(self, seconds: float, image: QImage, *, is_exact: bool = True) -> None:
        """Take a picture that was wanted; one that is not the true one is a stopgap."""
        self._strip.add(seconds, image, is_exact=is_exact)

    @property
    def pixels(self) -> float:
        """How many pixels of the screen the time on it is wide."""
        return max(1.0, self._area().width() * self.devicePixelRatioF())

    def ask_pictures(self) -> None:
        """Ask for all pictures that are missing, even those asked for before."""
        self._strip.forget_asked()
        self._look_at_pictures()

    def select_point(self, index: int) -> None:
        """Select an offset point and show its curve; -1 selects none."""
        measurement = self._document.measurement
        points = measurement.points if measurement else ()
        index = index if 0 <= index < len(points) else -1
        curve = nearest_curve(measurement.curves, points[index].t) if measurement and index >= 0 else None
        title = ""
        if index >= 0:
            point = points[index]
            offset = Offset(point.offset_ms, point.uncertainty_ms).words()
            title = self.tr("{time}: sound {offset}").format(time=clock_words(round(point.t, 1))[:-2], offset=offset)
        self._inset.show_curve(curve, title, self.tr("early"), self.tr("late"))
        self._points.select(index)
        if index != self._selected:
            self._selected = index
            self.point_selected.emit(index)

    # Building.

    def _build(self) -> None:
        self._canvas = Canvas(self)
        self._ruler_lane, self._ruler = Lane(0.0, 1.0), Ruler()
        self._frames_lane, self._strip = Lane(-1.0, 1.0), ThumbnailStrip()
        self._mouth_lane, self._mouth = Lane(-1.0, 1.0), MouthOpening()
        self._sound_lane, self._handle = Lane(-1.0, 1.0), Handle()
        self._offset_lane, self._points = Lane(-150.0, 150.0), OffsetPoints()
        self._waves: list[Waveform] = []
        self._lanes = [self._ruler_lane, self._frames_lane, self._mouth_lane, self._sound_lane, self._offset_lane]
        for lane, item in zip(
            self._lanes, (self._ruler, self._strip, self._mouth, self._handle, self._points), strict=True
        ):
            lane.add(item)
        self._central = QGraphicsWidget()
        self._grid = QGraphicsGridLayout(self._central)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(1)
        for row, lane in enumerate(self._lanes):
            self._grid.addItem(lane.heading, row, 0)
            self._grid.addItem(lane.box, row, 1)
        self._grid.setColumnFixedWidth(0, HEADING_WIDTH)
        self._canvas.setCentralItem(self._central)
        self._head = QGraphicsLineItem()
        self._head.setZValue(100)
        self._hover = QGraphicsLineItem()
        self._hover.setZValue(90)
        self._hover.setVisible(False)
        self._inset = LagInset()
        for floating in (self._head, self._hover, self._inset):
            self._canvas.scene().addItem(floating)
        self._hint = QLabel(self)
        self._hint.setContentsMargins(GRID, 0, GRID, 0)
        self._hint.setFixedHeight(3 * GRID)
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._canvas, 1)
        column.addWidget(self._hint)
        self._name()
        self._colour()

    def _connect(self) -> None:
        document = self._document
        document.media_changed.connect(self._show_media)
        document.measurement_changed.connect(self._show_measurement)
        document.correction_changed.connect(self._show_correction)
        document.markers_changed.connect(self._show_markers)
        document.range_changed.connect(self._show_range)
        canvas = self._canvas
        canvas.pressed.connect(self._press)
        canvas.moved.connect(self._move)
        canvas.released.connect(self._release)
        canvas.double_clicked.connect(self._double_click)
        canvas.turned.connect(self._turn)
        canvas.left.connect(self._leave)
        canvas.menu_wanted.connect(self._ask_menu)
        canvas.resized.connect(self._lay_out)
        self._strip.wanted.connect(self.thumbnails_wanted)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the system's colours and the chosen language (Qt's name)."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and theme_of(self.palette()) is not self._theme:
            self._theme = theme_of(self.palette())
            self._colour()
        elif event.type() == QEvent.Type.LanguageChange:
            self._name()
            self._show_measurement()
            self._show_correction()

    def resizeEvent(self, event: object) -> None:
        """Lay the lanes out anew (Qt's name)."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._lay_out()

    def _name(self) -> None:
        self.setAccessibleName(self.tr("Timeline"))
        self._frames_lane.heading.set_text(self.tr("Picture"))
        self._mouth_lane.heading.set_text(self.tr("Mouth"), self.tr("how far the lips are open"))
        self._sound_lane.heading.set_text(self.tr("Sound"), self.tr("drag its bar to move it"))
        self._offset_lane.heading.set_text(self.tr("Offset (ms)"))
        self._show_hint(None)
        self._name_offsets()

    def _name_offsets(self) -> None:
        reach = self._offset_lane.high
        late, early = self.tr("{ms} late"), self.tr("{ms} early")
        ms = round(reach * 0.6 / 50) * 50
        share = ms / reach / 2
        self._offset_lane.heading.set_values(
            [(0.5 - share, late.format(ms=ms)), (0.5, "0"), (0.5 + share, early.format(ms=ms))]
        )

    def _colour(self) -> None:
        theme: Theme = self._theme
        self._canvas.setBackground(theme.colour("line"))
        for lane in self._lanes:
            lane.set_theme(theme)
        self._inset.set_theme(theme)
        self._head.setPen(QPen(theme.colour("playhead"), 1))
        self._hover.setPen(QPen(theme.colour("muted", 0.6), 1))
        self._hint.setStyleSheet(f"color: {theme.muted}; background: {theme.raised};")

    def _lay_out(self) -> None:
        """Give each lane its height: fixed for axis and pictures, the rest is shared."""
        height = self._canvas.viewport().height()
        shares = {self._mouth_lane: 2.0, self._sound_lane: 3.0, self._offset_lane: 2.6}
        fixed = {self._ruler_lane: 4.0 * GRID, self._frames_lane: 7.0 * GRID if height < 480 else 9.0 * GRID}
        visible = [lane for lane in self._lanes if lane.box.isVisible()]
        left = height - sum(fixed.get(lane, 0) for lane in visible) - len(visible)
        total = sum(shares.get(lane, 0) for lane in visible) or 1.0
        for row, lane in enumerate(self._lanes):
            wanted = fixed[lane] if lane in fixed else max(0.0, left * shares[lane] / total)
            self._grid.setRowFixedHeight(row, math.floor(wanted) if lane in visible else 0)
            self._grid.setRowSpacing(row, 1 if lane in visible else 0)
        self._grid.activate()
        self._lay_out_sound()
        self._inset.place(self._offset_lane.area())
        self._place_playhead()
        self._look_at_pictures()

    def _lay_out_sound(self) -> None:
        """Leave room for the handle above the sound."""
        reach = 1 / self._amplitude
        height = self._sound_lane.area().height()
        room = 2 * reach * HANDLE_HEIGHT / max(height - HANDLE_HEIGHT, 1.0)
        self._sound_lane.set_limits(-reach, reach + room)
        self._handle.set_bounds(*self._handle_times(), -reach, reach + room)
        for wave in self._waves:
            wave.set_reach(reach)

    # Following the document.

    def _whole(self) -> Span:
        return whole_of(self._document.start, self._document.duration)

    def _show_media(self) -> None:
        info, whole = self._document.info, self._whole()
        video = info.video if info else None
        sound_info = self._document.sound_info
        nothing = info is None
        self._frames_lane.set_visible(visible=nothing or video is not None)
        self._mouth_lane.set_visible(visible=nothing or video is not None)
        self._sound_lane.set_visible(visible=nothing or (sound_info is not None and sound_info.audio is not None))
        for lane in self._lanes:
            lane.ground.set_file(whole if info else Span(-1.0, -0.5))
        self._strip.set_film(
            whole.start, whole.stop, video.display_width / max(video.display_height, 1) if video else 16 / 9
        )
        self._strip.setVisible(video is not None)
        self.set_sound(None)
        self.set_amplitude(1.0)
        self._playhead = whole.start
        self.fit()
        self._lay_out()

    def _show_measurement(self) -> None:
        measurement = self._document.measurement
        reach = reach_of(measurement)
        if reach != self._offset_lane.high:
            self._offset_lane.set_limits(-reach, reach)
            self._name_offsets()
        self._points.set_measurement(measurement, reach)
        mouth = measurement.mouth if measurement else None
        if mouth is not None:
            self._mouth.set_trace(mouth.times, mouth.opening)
        else:
            self._mouth.set_trace(np.zeros(0), np.zeros(0, np.float32))
        self._mouth.set_bursts(self._bursts("seen"))
        for wave in self._waves:
            wave.set_bursts(self._bursts("heard"))
        self.select_point(self._selected)

    def _bursts(self, side: str) -> Floats:
        pairs = self._document.measurement.plosives if self._document.measurement else ()
        return np.array(sorted(getattr(pair, side) for pair in pairs), np.float64)

    def _show_correction(self) -> None:
        """Put the sound where the correction wants it: transforms only, no sound is looked at again."""
        pieces = stretches(self._document.correction)
        while len(self._waves) < len(pieces):
            wave = Waveform()
            self._waves.append(wave)
            self._sound_lane.add(wave)
            wave.set_theme(self._theme)
            wave.set_sound(self._sound)
            wave.set_reach(1 / self._amplitude)
            wave.set_bursts(self._bursts("heard"))
        while len(self._waves) > len(pieces):
            self._sound_lane.remove(self._waves.pop())
        for wave, piece in zip(self._waves, pieces, strict=True):
            wave.place(piece)
        document = self._document
        self._points.set_applied(lambda shown: -document.correction_ms_at(sound_time(document.correction, shown)))
        self._place_handle()
        middle = sound_time(document.correction, self._span.middle)
        self._handle.set_text(str(Correction(document.correction_ms_at(middle)).words()))

    def _show_markers(self) -> None:
        self._ruler.set_markers([(marker.t, marker.text) for marker in self._document.markers])
        for lane in self._lanes:
            lane.ground.set_markers([marker.t for marker in self._document.markers])

    def _show_range(self) -> None:
        start, stop = self._document.in_point, self._document.out_point
        self._ruler.set_range(start, stop)
        for lane in self._lanes[1:]:
            lane.shade.set_range(start, stop)

    # Geometry.

    def _set_span(self, span: Span) -> None:
        self._span = span.within(self._whole())
        for lane in self._lanes:
            lane.set_span(self._span)
        edge = self._span.length * 0.1
        for item in (
            self._ruler,
            self._points,
            *(lane.ground for lane in self._lanes),
            *(lane.shade for lane in self._lanes),
        ):
            item.set_times(self._span.start - edge, self._span.stop + edge)
        self._handle.set_view_start(self._span.start)
        self._points.set_view_start(self._span.start)
        self._place_playhead()
        self._look_at_pictures()
        self.span_changed.emit(self._span.start, self._span.stop)

    def _area(self) -> QRectF:
        return self._ruler_lane.area()

    def _seconds_per_pixel(self) -> float:
        return self._span.length / max(self._area().width(), 1.0)

    def _seconds(self, position: QPointF) -> float:
        return self._span.start + (position.x() - self._area().left()) * self._seconds_per_pixel()

    def _pixel(self, seconds: float) -> float:
        return self._area().left() + (seconds - self._span.start) / self._seconds_per_pixel()

    def _lane_at(self, position: QPointF) -> Lane | None:
        return next((lane for lane in self._lanes if lane.box.isVisible() and lane.area().contains(position)), None)

    def _look_at_pictures(self) -> None:
        area = self._frames_lane.area()
        if self._frames_lane.box.isVisible() and area.width() > 1:
            self._strip.look_at(self._span.start, self._span.stop, 1 / self._seconds_per_pixel(), area.height())

    def _place_playhead(self) -> None:
        self._place_line(self._head, self._playhead, visible=self._document.info is not None)

    def _place_line(self, line: QGraphicsLineItem, seconds: float, *, visible: bool) -> None:
        x = math.floor(self._pixel(seconds)) + 0.5
        line.setVisible(visible and self._area().left() <= x <= self._area().right())
        line.setLine(QLineF(x, 0, x, self._canvas.viewport().height()))

    def _handle_times(self) -> tuple[float, float]:
        correction, sound = self._document.correction, self._sound
        if sound is None:
            return 0.0, 0.0
        return shown_time(correction, sound.start), shown_time(correction, sound.stop)

    def _place_handle(self) -> None:
        self._handle.setVisible(self._sound is not None)
        self._handle.set_times(*self._handle_times())

    def _on_handle(self, position: QPointF) -> bool:
        if self._sound is None or self._lane_at(position) is not self._sound_lane:
            return False
        if position.y() > self._sound_lane.area().top() + HANDLE_HEIGHT:
            return False
        start, stop = self._handle_times()
        return start <= self._seconds(position) <= stop

    def _range_end_at(self, position: QPointF) -> _Grip:
        for end, grip in ((self._document.in_point, _Grip.IN), (self._document.out_point, _Grip.OUT)):
            if end is not None and abs(self._pixel(end) - position.x()) <= _EDGE:
                return grip
        return _Grip.NOTHING

    # Mouse and wheel.

    def _press(self, position: QPointF, button: Qt.MouseButton) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        lane = self._lane_at(position)
        if self._document.info is None or lane is None or self._grip is not _Grip.NOTHING:
            return
        seconds = self._seconds(position)
        self._held_at = seconds
        if button is Qt.MouseButton.MiddleButton:
            self._grip = _Grip.VIEW
        elif button is not Qt.MouseButton.LeftButton:
            return
        elif self._on_handle(position):
            self._take_sound(seconds)
        elif lane is self._ruler_lane and self._range_end_at(position) is not _Grip.NOTHING:
            self._grip = self._range_end_at(position)
        elif lane is self._offset_lane and self._point_at(position) >= 0:
            self.select_point(self._point_at(position))
        else:
            if lane is self._offset_lane:
                self.select_point(-1)
            self._grip = _Grip.PLAYHEAD
            self.scrub_started.emit()
            self._scrub(position)
        self._show_pointer(position)

    def _move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        seconds = self._seconds(position)
        if self._grip is _Grip.PLAYHEAD:
            self._scrub(position)
        elif self._grip is _Grip.SOUND:
            self._drag_sound(seconds, modifiers)
        elif self._grip is _Grip.VIEW:
            self._set_span(self._span.panned(self._held_at - seconds))
        elif self._grip in {_Grip.IN, _Grip.OUT}:
            self._drag_range(seconds)
        self._show_pointer(position)

    def _release(self, position: QPointF) -> None:
        grip, self._grip = self._grip, _Grip.NOTHING
        if grip is _Grip.PLAYHEAD:
            self.scrub_finished.emit()
        elif grip is _Grip.SOUND:
            self._document.end_merge()
            self.drag_finished.emit()
        self._show_pointer(position)

    def _double_click(self, position: QPointF) -> None:
        index = self._point_at(position) if self._lane_at(position) is self._offset_lane else -1
        if index >= 0 and self._document.measurement:
            point = self._document.measurement.points[index]
            self.select_point(index)
            self.set_span(point.t - point.seconds * 0.6, point.t + point.seconds * 0.6)
        elif self._on_handle(position):
            self._document.correct(Correction(0.0), self.tr("Sound put back"))

    def _turn(self, position: QPointF, across: float, down: float, modifiers: Qt.KeyboardModifier) -> None:
        # Alt and, on some systems, Shift turn a vertical wheel into a horizontal one.
        turned = down or across
        if self._document.info is None or not turned:
            return
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            self._set_span(self._span.zoomed(_ZOOM_STEP**-turned, self._seconds(position)))
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.set_amplitude(self._amplitude * _ZOOM_STEP**turned)
        elif modifiers & Qt.KeyboardModifier.AltModifier:
            self.step_requested.emit(-round(math.copysign(max(1.0, abs(turned)), turned)))
        else:
            self._set_span(self._span.panned(-(down + across) * _PAN_STEP * self._span.length))
        self._show_pointer(position)

    def _leave(self) -> None:
        self._hover.setVisible(False)
        self._handle.set_lit(lit=False)
        self._show_hint(None)

    def _ask_menu(self, position: QPointF, global_position: QPointF) -> None:
        if self._lane_at(position) is not None and self._document.info is not None:
            self.context_requested.emit(self._seconds(position), global_position.toPoint())

    def _scrub(self, position: QPointF) -> None:
        whole = self._whole()
        seconds = self._seconds(position)
        if self._lane_at(position) is self._ruler_lane:
            marker = self._ruler.marker_at(seconds, self._seconds_per_pixel())
            seconds = self._document.markers[marker].t if marker >= 0 else seconds
        seconds = min(max(seconds, whole.start), whole.stop)
        self.set_playhead(seconds)
        self.seek_requested.emit(seconds)

    def _take_sound(self, seconds: float) -> None:
        self._grip = _Grip.SOUND
        self._held_ms = self._document.correction_ms_at(sound_time(self._document.correction, seconds))
        self._held_correction = self._document.correction
        self._drag_key = f"drag {next(self._drags)}"
        self.drag_started.emit()

    def _drag_sound(self, seconds: float, modifiers: Qt.KeyboardModifier) -> None:
        wanted = self._held_ms + (seconds - self._held_at) * 1000
        bypass = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        snapped = self._snapped(wanted, seconds) if self._snapping and not bypass else Snapped(wanted, None)
        # A tenth of a millisecond is five samples: finer than anybody hears or any frame shows.
        ms = round(snapped.ms, 1) if snapped.target is None else snapped.ms
        self._document.correct(
            moved(self._held_correction, ms - self._held_ms), self._reason(snapped.target), self._drag_key
        )
        self._show_hint(snapped)

    def _snapped(self, ms: float, seconds: float) -> Snapped:
        document = self._document
        measurement, info = document.measurement, document.info
        pixels_per_ms = 0.001 / self._seconds_per_pixel()
        measured = -measurement.offset_ms if measurement and measurement.offset_ms is not None else None
        frame_ms = float(1000 / info.video.rate) if info and info.video else None
        # A grid closer than the reach on both sides would catch everything.
        if frame_ms is not None and frame_ms * pixels_per_ms < 3 * REACH:
            frame_ms = None
        pairs = [
            (pair.seen, pair.heard)
            for pair in (measurement.plosives if measurement else ())
            if self._span.holds(pair.seen) and abs(pair.seen - seconds) < self._span.length / 4
        ]
        found = targets(ms, measured_ms=measured, frame_ms=frame_ms, plosives=pairs)
        return snap(ms, found, pixels_per_ms)

    def _reason(self, target: Target | None) -> str:
        return {
            None: self.tr("Sound dragged"),
            Target.MEASURED: self.tr("Sound dragged to the measured offset"),
            Target.ZERO: self.tr("Sound dragged back to zero"),
            Target.FRAME: self.tr("Sound dragged by whole frames"),
            Target.PLOSIVE: self.tr("Burst dragged onto its lips"),
        }[target]

    def _drag_range(self, seconds: float) -> None:
        whole = self._whole()
        seconds = min(max(seconds, whole.start), whole.stop)
        start, stop = self._document.in_point, self._document.out_point
        # An end that is dragged past the other one stops there.
        if self._grip is _Grip.IN:
            start = seconds if stop is None else min(seconds, stop)
        else:
            stop = seconds if start is None else max(seconds, start)
        self._document.set_range(start, stop)

    def _point_at(self, position: QPointF) -> int:
        area = self._offset_lane.area()
        ms_per_pixel = (self._offset_lane.high - self._offset_lane.low) / max(area.height(), 1.0)
        ms = self._offset_lane.high - (position.y() - area.top()) * ms_per_pixel
        return self._points.nearest(self._seconds(position), ms, self._seconds_per_pixel(), ms_per_pixel, REACH)

    def _zoom(self, factor: float) -> None:
        at = self._playhead if self._span.holds(self._playhead) else self._span.middle
        self._set_span(self._span.zoomed(factor, at))

    # The pointer and the line under the timeline.

    def _show_pointer(self, position: QPointF) -> None:
        lane = self._lane_at(position)
        on_handle = self._grip is _Grip.SOUND or self._on_handle(position)
        self._handle.set_lit(lit=on_handle)
        on_range = lane is self._ruler_lane and self._range_end_at(position) is not _Grip.NOTHING
        if on_handle or on_range or self._grip in {_Grip.IN, _Grip.OUT}:
            self._canvas.viewport().setCursor(Qt.CursorShape.SizeHorCursor)
        elif self._grip is _Grip.VIEW:
            self._canvas.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        elif lane is self._offset_lane and self._point_at(position) >= 0:
            self._canvas.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self._canvas.viewport().setCursor(Qt.CursorShape.ArrowCursor)
        free = self._grip is _Grip.NOTHING and lane is not None and self._document.info is not None
        self._place_line(self._hover, self._seconds(position), visible=free)
        if self._grip is _Grip.SOUND:
            return
        if on_handle:
            self._hint.setText(
                self.tr("Drag: move the sound · hold {shift}: do not snap · double-click: put it back").format(
                    shift=_key_name(Qt.KeyboardModifier.ShiftModifier)
                )
            )
        else:
            self._show_hint(None)

    def _show_hint(self, snapped: Snapped | None) -> None:
        if snapped is not None:
            words = str(Correction(snapped.ms).words())
            where = {
                None: "",
                Target.MEASURED: self.tr("on the measured offset"),
                Target.ZERO: self.tr("as in the file"),
                Target.FRAME: self.tr("on the frame grid"),
                Target.PLOSIVE: self.tr("a burst on its lips"),
            }[snapped.target]
            self._hint.setText(f"{words} · {where}" if where else words)
            return
        self._hint.setText(
            self.tr(
                "Wheel: pan · {ctrl}+wheel: zoom · {shift}+wheel: height of the sound · {alt}+wheel: one frame"
            ).format(
                ctrl=_key_name(Qt.KeyboardModifier.ControlModifier),
                shift=_key_name(Qt.KeyboardModifier.ShiftModifier),
                alt=_key_name(Qt.KeyboardModifier.AltModifier),
            )
        )


def _key_name(modifier: Qt.KeyboardModifier) -> str:
    """Return what this system calls a modifier key, such as ``Ctrl`` or ``⌘``."""
    return QKeySequence(modifier.value).toString(QKeySequence.SequenceFormat.NativeText).rstrip("+")

"""The timeline widget: lanes on one time axis, and what mouse and wheel do there."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPen
from PySide6.QtWidgets import QGraphicsGridLayout, QGraphicsLineItem, QGraphicsWidget, QLabel, QVBoxLayout, QWidget

from desktop_app.document.anchors import Between
from desktop_app.document.document import Document, Marker
from desktop_app.theme import GRID, Theme, theme_of
from desktop_app.timeline.anchors import AnchorLevels, AnchorPins, Pin
from desktop_app.timeline.canvas import Canvas
from desktop_app.timeline.curve import LagInset, nearest_curve
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
from desktop_app.timeline.handle import HEIGHT as HANDLE_HEIGHT
from desktop_app.timeline.handle import Handle
from desktop_app.timeline.hints import Hints
from desktop_app.timeline.lane import HEADING_WIDTH, Lane
from desktop_app.timeline.marker_field import MarkerField
from desktop_app.timeline.mouth import MouthOpening
from desktop_app.timeline.moving import moved_ms, sound_time, stretches
from desktop_app.timeline.offsets import OffsetPoints, reach_of
from desktop_app.timeline.places import Places
from desktop_app.timeline.plane import Floats
from desktop_app.timeline.ruler import FLAG, Ruler
from desktop_app.timeline.snapping import Snapped
from desktop_app.timeline.span import Span, whole_of
from desktop_app.timeline.spectra import Image as Shades
from desktop_app.timeline.spectra import Tile
from desktop_app.timeline.spectrogram import Spectrogram
from desktop_app.timeline.strip import ThumbnailStrip
from desktop_app.timeline.waveform import Sound, Waveform
from engine.timing import Correction, Offset, clock_words

_ZOOM_STEP = 1.25
_PAN_STEP = 0.1
_CLOSE_UP = 2.0
"""Seconds across that ``zoom_here`` shows."""
_LARGEST_AMPLITUDE = 1000.0
_STILL = 3.0
"""Pixels that a press may wander and is still a click."""


class _Grip(Enum):
    """What the mouse holds."""

    NOTHING = 0
    PLAYHEAD = 1
    VIEW = 2
    DRAG = 3
    """A thing of the document."""


class TimelineView(QWidget):
    """The open clip over time.

    Attributes:
        seek_requested: signal, seconds: show this moment.
        scrub_started: signal: the playhead is being held.
        scrub_finished: signal: it was let go.
        step_requested: signal, number of frames to go.
        drag_started: signal: the sound is being held.
        drag_finished: signal: it was let go.
        loop_requested: signal, seconds: play two seconds around this moment again and again.
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
    loop_requested = Signal(float)
    context_requested = Signal(float, QPoint)
    point_selected = Signal(int)
    span_changed = Signal(float, float)
    thumbnails_wanted = Signal(list)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._playhead = 0.0
        self._amplitude = 1.0
        self._snapping = True
        self._selected = -1
        self._grip = _Grip.NOTHING
        self._held_at = 0.0
        self._drag: Drag | None = None
        self._pressed_at = QPointF()
        self._marker: Marker | None = None
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
        self._show_anchors()

    def sizeHint(self) -> QSize:
        """Return a comfortable size (Qt's name)."""
        return QSize(1200, 420)

    # What is on screen.

    @property
    def span(self) -> tuple[float, float]:
        """First and last second on screen."""
        return self._places.span.start, self._places.span.stop

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
        was_visible = self._places.span.holds(self._playhead)
        self._playhead = seconds
        if was_visible and self._grip is _Grip.NOTHING and not self._places.span.holds(seconds):
            self._set_span(self._places.span.following(seconds))
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
        if self._places.span.length <= _CLOSE_UP * 1.01:
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
        self._sound = self._places.sound = sound
        self._spectrogram.clear()
        for wave in self._waves:
            wave.set_sound(sound)
        self._place_handle()

    def refresh_sound(self) -> None:
        """Draw the sound again, because more of it is known."""
        for wave in self._waves:
            wave.refresh()
        self._place_handle()

    def set_spectrogram(self, on: bool) -> None:
        """Show the sound's spectrum instead of its amplitude, or not."""
        self._shows_spectrum = on
        for wave in self._waves:
            wave.set_spectrogram(self._spectrogram if on else None)
        self.span_changed.emit(*self.span)

    @property
    def wanted_tiles(self) -> list[Tile]:
        """Tiles of the spectrogram that are on screen and missing, most urgent first."""
        if not self._shows_spectrum or self._sound is None:
            return []
        correction = self._document.correction
        start = max(sound_time(correction, self._places.span.start), self._sound.start)
        stop = min(sound_time(correction, self._places.span.stop), self._sound.stop)
        return self._spectrogram.missing(start, stop, 1 / self._places.seconds_per_pixel())

    def add_tile(self, tile: Tile, shades: Shades, *, is_whole: bool) -> None:
        """Take a tile of the spectrogram, or more of it."""
        self._spectrogram.add(tile, shades, is_whole=is_whole)
        for wave in self._waves:
            wave.update()

    def add_thumbnail(self, seconds: float, image: QImage, *, is_exact: bool = True) -> None:
        """Take a picture that was wanted; one that is not the true one is a stopgap."""
        self._strip.add(seconds, image, is_exact=is_exact)

    @property
    def pixels(self) -> float:
        """How many pixels of the screen the time on it is wide."""
        return max(1.0, self._places.area().width() * self.devicePixelRatioF())

    def ask_pictures(self) -> None:
        """Ask for all pictures that are missing, even those asked for before."""
        self._strip.forget_asked()
        self._look_at_pictures()

    def delete_selected(self) -> None:
        """Take away the selected anchor or marker."""
        if self._document.selected_anchor is not None:
            self._document.remove_anchor(self._document.selected_anchor)
        elif self._marker is not None:
            self._document.remove_marker(self._marker)

    @property
    def has_selected(self) -> bool:
        """Whether there is something that :meth:`delete_selected` would take away."""
        return self._document.selected_anchor is not None or self._marker is not None

    def edit_marker(self) -> None:
        """Let the user name the selected marker in a field beside it."""
        if self._marker is None:
            return
        area = self._places.area()
        x = min(self._places.pixel(self._marker.t) + FLAG + 2, area.right() - MarkerField.WIDTH)
        self._field.edit(self._marker, QPoint(round(max(x, area.left())), round(area.top())))

    def _select_marker(self, marker: Marker | None) -> None:
        if marker != self._marker:
            self._marker = marker
            self._show_markers()

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
        self._sound_lane, self._handle, self._pins = Lane(-1.0, 1.0), Handle(), AnchorPins()
        self._offset_lane, self._points, self._levels = Lane(-150.0, 150.0), OffsetPoints(), AnchorLevels(150.0)
        self._waves: list[Waveform] = []
        self._spectrogram, self._shows_spectrum = Spectrogram(), False
        self._lanes = [self._ruler_lane, self._frames_lane, self._mouth_lane, self._sound_lane, self._offset_lane]
        for lane, item in zip(
            self._lanes, (self._ruler, self._strip, self._mouth, self._handle, self._points), strict=True
        ):
            lane.add(item)
        self._sound_lane.add(self._pins)
        self._offset_lane.add(self._levels)
        self._places = Places(self._document, self._lanes, self._ruler, self._points)
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
        self._field = MarkerField(self._document, self._canvas)
        self._hints = Hints(self)
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
        document.anchors_changed.connect(self._show_anchors)
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
            self._show_anchors()

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
        self._spectrogram.set_theme(theme)
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
        self._handle.set_bounds(*self._places.handle_times(), -reach, reach + room)
        self._pins.set_bounds(*self.span, -reach, reach + room)
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
        self._points.set_measurement(measurement)
        self._show_reach()
        mouth = measurement.mouth if measurement else None
        if mouth is not None:
            self._mouth.set_trace(mouth.times, mouth.opening)
        else:
            self._mouth.set_trace(np.zeros(0), np.zeros(0, np.float32))
        self._mouth.set_bursts(self._bursts("seen"))
        for wave in self._waves:
            wave.set_bursts(self._bursts("heard"))
        self.select_point(self._selected)

    def _show_reach(self) -> None:
        """Let the offset lane reach as far as what is in it."""
        reach = reach_of(self._document.measurement, [point.ms for point in self._document.anchors.points])
        if reach != self._offset_lane.high:
            self._offset_lane.set_limits(-reach, reach)
            self._levels.set_bounds(*self.span, -reach, reach)
            self._name_offsets()
            self._points.set_reach(reach)

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
            wave.set_spectrogram(self._spectrogram if self._shows_spectrum else None)
            wave.set_bursts(self._bursts("heard"))
        while len(self._waves) > len(pieces):
            self._sound_lane.remove(self._waves.pop())
        for wave, piece in zip(self._waves, pieces, strict=True):
            wave.place(piece)
        document = self._document
        self._points.set_applied(
            lambda shown: -moved_ms(document.correction, shown),
            tuple(piece.start + piece.shift for piece in pieces[1:]),
        )
        self._place_handle()
        self._name_handle()

    def _name_handle(self) -> None:
        """Say how far the sound is moved that is at the left end of the screen, where the words are."""
        self._handle.set_text(str(Correction(moved_ms(self._document.correction, self._places.span.start)).words()))

    def _show_markers(self) -> None:
        markers = self._document.markers
        if self._marker not in markers:
            self._marker = None
        selected = -1 if self._marker is None else markers.index(self._marker)
        self._ruler.set_markers([(marker.t, marker.text) for marker in markers], selected)
        for lane in self._lanes:
            lane.ground.set_markers([marker.t for marker in markers])

    def _show_anchors(self) -> None:
        document = self._document
        anchors, selected = document.anchors, document.selected_anchor
        pins = [Pin(point.shown, -point.ms, self._hints.short(point.ms)) for point in anchors.points]
        for item in (self._pins, self._levels):
            item.set_pins(pins, selected, are_steps=anchors.between is Between.STEPS)
        # While an anchor is held in the offset lane, the lane must not change under the pointer.
        if not isinstance(self._drag, LevelDrag):
            self._show_reach()

    def _show_range(self) -> None:
        start, stop = self._document.in_point, self._document.out_point
        self._ruler.set_range(start, stop)
        for lane in self._lanes[1:]:
            lane.shade.set_range(start, stop)

    # Geometry.

    def _set_span(self, span: Span) -> None:
        self._places.span = span.within(self._whole())
        for lane in self._lanes:
            lane.set_span(self._places.span)
        edge = self._places.span.length * 0.1
        for item in (
            self._ruler,
            self._points,
            self._pins,
            self._levels,
            *(lane.ground for lane in self._lanes),
            *(lane.shade for lane in self._lanes),
        ):
            item.set_times(self._places.span.start - edge, self._places.span.stop + edge)
        self._handle.set_view_start(self._places.span.start)
        self._name_handle()
        self._points.set_view_start(self._places.span.start)
        self._place_playhead()
        self._look_at_pictures()
        self.span_changed.emit(self._places.span.start, self._places.span.stop)

    def _look_at_pictures(self) -> None:
        area = self._frames_lane.area()
        if self._frames_lane.box.isVisible() and area.width() > 1:
            self._strip.look_at(
                self._places.span.start, self._places.span.stop, 1 / self._places.seconds_per_pixel(), area.height()
            )

    def _place_playhead(self) -> None:
        self._place_line(self._head, self._playhead, visible=self._document.info is not None)

    def _place_line(self, line: QGraphicsLineItem, seconds: float, *, visible: bool) -> None:
        x = math.floor(self._places.pixel(seconds)) + 0.5
        line.setVisible(visible and self._places.area().left() <= x <= self._places.area().right())
        line.setLine(QLineF(x, 0, x, self._canvas.viewport().height()))

    def _place_handle(self) -> None:
        self._handle.setVisible(self._sound is not None)
        self._handle.set_times(*self._places.handle_times())

    # Mouse and wheel.

    def _press(self, position: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
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
            self.drag_started.emit()
        elif self._places.point_at(position) >= 0:
            self.select_point(self._places.point_at(position))
        else:
            if lane is self._offset_lane:
                self.select_point(-1)
            self._document.select_anchor(None)
            self._select_marker(None)
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
            self._select_marker(marker)
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
            snaps = self._snapping and not modifiers & Qt.KeyboardModifier.ShiftModifier
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
                self._select_marker(self._drag.marker)
            self._show_hint(snapped)
        elif self._grip is _Grip.VIEW:
            self._set_span(self._places.span.panned(self._held_at - seconds))
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
            self._show_anchors()
            self.drag_finished.emit()
        self._show_pointer(position)

    def _double_click(self, position: QPointF) -> None:
        index = self._places.point_at(position)
        pin, level = self._places.pin_at(position), self._places.level_at(position)
        anchor = pin if pin is not None else level
        if self._places.marker_at(position) is not None:
            self.edit_marker()
        elif anchor is not None:
            shown = self._document.anchors.points[anchor].shown
            self.zoom_here(shown)
            self.loop_requested.emit(shown)
        elif index >= 0 and self._document.measurement:
            point = self._document.measurement.points[index]
            self.select_point(index)
            self.set_span(point.t - point.seconds * 0.6, point.t + point.seconds * 0.6)
        elif self._places.is_on_handle(position):
            self._document.correct(Correction(0.0), self.tr("Sound put back"))

    def _turn(self, position: QPointF, across: float, down: float, modifiers: Qt.KeyboardModifier) -> None:
        # Alt and, on some systems, Shift turn a vertical wheel into a horizontal one.
        turned = down or across
        if self._document.info is None or not turned:
            return
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            self._set_span(self._places.span.zoomed(_ZOOM_STEP**-turned, self._places.seconds(position)))
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.set_amplitude(self._amplitude * _ZOOM_STEP**turned)
        elif modifiers & Qt.KeyboardModifier.AltModifier:
            self.step_requested.emit(-round(math.copysign(max(1.0, abs(turned)), turned)))
        else:
            self._set_span(self._places.span.panned(-(down + across) * _PAN_STEP * self._places.span.length))
        self._show_pointer(position)

    def _leave(self) -> None:
        self._hover.setVisible(False)
        self._handle.set_lit(lit=False)
        self._show_hint(None)

    def _ask_menu(self, position: QPointF, global_position: QPointF) -> None:
        if self._places.lane_at(position) is not None and self._document.info is not None:
            self.context_requested.emit(self._places.seconds(position), global_position.toPoint())

    def _scrub(self, position: QPointF) -> None:
        whole = self._whole()
        seconds = min(max(self._places.seconds(position), whole.start), whole.stop)
        self.set_playhead(seconds)
        self.seek_requested.emit(seconds)

    def _zoom(self, factor: float) -> None:
        at = self._playhead if self._places.span.holds(self._playhead) else self._places.span.middle
        self._set_span(self._places.span.zoomed(factor, at))

    # The pointer and the line under the timeline.

    def _show_pointer(self, position: QPointF) -> None:
        lane, held = self._places.lane_at(position), self._drag
        pin, level = self._places.pin_at(position), self._places.level_at(position)
        on_handle = isinstance(held, SoundDrag) or (
            held is None and pin is None and self._places.is_on_handle(position)
        )
        on_end = self._places.range_end_at(position) is not None
        self._handle.set_lit(lit=on_handle)
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
        free = self._grip is _Grip.NOTHING and lane is not None and self._document.info is not None
        self._place_line(self._hover, self._places.seconds(position), visible=free)
        if held is None:
            self._hint.setText(
                self._hints.over(pin is not None or level is not None, on_handle, self._places.marker_at(position))
            )

    def _show_hint(self, snapped: Snapped | None) -> None:
        self._hint.setText(self._hints.idle() if snapped is None else self._hints.snapped(snapped))

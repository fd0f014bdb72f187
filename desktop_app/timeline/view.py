"""The timeline widget: what the document says, drawn in lanes on one time axis."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QImage, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_app.document.anchors import Between
from desktop_app.document.document import Document, Marker
from desktop_app.document.moving import Joined, Stretch, moved_ms, stretches, time_in
from desktop_app.theme import GRID, Theme, theme_of
from desktop_app.timeline.anchors import Pin
from desktop_app.timeline.canvas import Canvas
from desktop_app.timeline.curve import LagInset, nearest_curve
from desktop_app.timeline.hints import Hints
from desktop_app.timeline.lanes import Lanes
from desktop_app.timeline.marker_field import MarkerField
from desktop_app.timeline.mouse import Mouse
from desktop_app.timeline.offsets import reach_of
from desktop_app.timeline.plane import Floats
from desktop_app.timeline.ruler import FLAG
from desktop_app.timeline.span import ZOOM_STEP, Span, whole_of
from desktop_app.timeline.spectra import Image as Shades
from desktop_app.timeline.spectra import Tile
from desktop_app.timeline.upright import Upright
from desktop_app.timeline.waveform import Sound
from desktop_app.widgets.basics import ElidedLabel
from desktop_app.widgets.focus_ring import FocusRing
from engine.timing import Correction, Offset, clock_words

_CLOSE_UP = 2.0
"""Seconds across that ``zoom_here`` shows."""
_LARGEST_AMPLITUDE = 1000.0
_QUIET_PEAK, _FITTED_PEAK, _MOST_FITTED = 0.2, 0.8, 64.0
"""Sound with peaks below -14 dB of full scale is drawn as if they were at -2 dB, but at most 36 dB higher: what is left
of it then is noise."""


class TimelineView(QWidget):
    """The open clip over time.

    Attributes:
        seek_requested: signal, seconds: show this moment.
        scrub_started: signal: the playhead is being held.
        scrub_finished: signal: it was let go.
        step_requested: signal, number of frames to go.
        loop_requested: signal, seconds: play two seconds around this moment again and again.
        context_requested: signal ``(seconds, global position)``: a menu is wanted.
        span_changed: signal ``(start, stop)`` in seconds: another stretch is on screen.
        thumbnails_wanted: signal, list of times in seconds, most urgent first; replaces the list before it.
    """

    seek_requested = Signal(float)
    scrub_started = Signal()
    scrub_finished = Signal()
    step_requested = Signal(int)
    loop_requested = Signal(float)
    context_requested = Signal(float, QPoint)
    span_changed = Signal(float, float)
    thumbnails_wanted = Signal(list)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._playhead = 0.0
        self._amplitude = 1.0
        self._selected = -1
        self._marker: Marker | None = None
        self._sound: Sound | None = None
        self._joined: Joined | None = None
        self._pieces: list[Stretch] = []
        self._theme = theme_of(self.palette())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(46 * GRID, 30 * GRID)
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

    def set_playhead(self, seconds: float, *, is_asked_for: bool = False) -> None:
        """Show where the player is; a playhead that leaves the screen takes it along, unless the mouse holds it.

        Args:
            seconds: on the picture's clock.
            is_asked_for: somebody went there, and wants to see it from wherever the timeline shows now.
        """
        takes_along = self._places.span.holds(self._playhead) or (is_asked_for and seconds != self._playhead)
        self._playhead = seconds
        if takes_along and self._mouse.is_free and not self._places.span.holds(seconds):
            self._set_span(self._places.span.following(seconds))
        self._place_playhead()

    def set_span(self, start: float, stop: float) -> None:
        """Show a stretch of time, as far as there is one."""
        self._set_span(Span(start, stop))

    def zoom_in(self) -> None:
        """Zoom in, around the playhead where it is on screen."""
        self._zoom(1 / ZOOM_STEP**2)

    def zoom_out(self) -> None:
        """Zoom out."""
        self._zoom(ZOOM_STEP**2)

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
        self._lanes.set_amplitude(self._amplitude)

    def fit_amplitude(self, peak: float) -> None:
        """Draw quiet sound about as high as loud sound is, unless somebody chose a height.

        Args:
            peak: its greatest sample; 1 is full scale.
        """
        if self._amplitude == 1.0 and 0 < peak < _QUIET_PEAK:
            self.set_amplitude(min(_FITTED_PEAK / peak, _MOST_FITTED))

    def set_snapping(self, on: bool) -> None:
        """Let dragging the sound snap, or not."""
        self._mouse.snapping = on

    def set_sound(self, sound: Sound | None) -> None:
        """Draw a sound; its lane is hidden while the clip has none."""
        self._sound = sound
        self._lanes.set_sound(sound)

    def refresh_sound(self) -> None:
        """Draw the sound again, because more of it is known."""
        for wave in self._waves:
            wave.refresh()
        self._lanes.place_handle()

    def set_joined(self, joined: Joined | None) -> None:
        """Take where the sound is joined at steps, once that was found; ``None`` forgets it."""
        self._joined = joined
        self._show_correction()

    def sound_time(self, shown: float) -> float:
        """Return which moment of the sound, on its own clock, is drawn at a time."""
        return time_in(self._pieces, shown)

    def set_spectrogram(self, on: bool) -> None:
        """Show the sound's spectrum instead of its amplitude, or not."""
        self._shows_spectrum = on
        self._lanes.set_spectrogram(on)
        self.span_changed.emit(*self.span)

    @property
    def wanted_tiles(self) -> list[Tile]:
        """Tiles of the spectrogram that are on screen and missing, most urgent first."""
        if not self._shows_spectrum or self._sound is None:
            return []
        start = max(self.sound_time(self._places.span.start), self._sound.start)
        stop = min(self.sound_time(self._places.span.stop), self._sound.stop)
        return self._lanes.spectrogram.missing(start, stop, 1 / self._places.seconds_per_pixel())

    def add_tile(self, tile: Tile, shades: Shades, *, is_whole: bool) -> None:
        """Take a tile of the spectrogram, or more of it."""
        self._lanes.spectrogram.add(tile, shades, is_whole=is_whole)
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
        self._lanes.look_at_pictures()

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
        self._selected = index

    # Building.

    def _build(self) -> None:
        self._canvas = Canvas(self)
        self._lanes = lanes = Lanes(self._document, self._canvas)
        self._ruler_lane, self._frames_lane, self._mouth_lane, self._sound_lane, self._offset_lane = lanes
        self._places, self._strip, self._points, self._waves = lanes.places, lanes.strip, lanes.points, lanes.waves
        self._shows_spectrum = False
        self._head, self._hover = Upright(100), Upright(90)
        self._inset = LagInset()
        for floating in (self._head, self._hover, self._inset):
            self._canvas.scene().addItem(floating)
        self._field = MarkerField(self._document, self._canvas)
        self._hints = Hints(self)
        self._mouse = Mouse(self._document, self._canvas, lanes, self._hints, self._hover, self)
        self._hint = ElidedLabel(self, where=Qt.TextElideMode.ElideRight)
        self._hint.setContentsMargins(GRID, 0, GRID, 0)
        self._hint.setFixedHeight(3 * GRID)
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._canvas, 1)
        column.addWidget(self._hint)
        FocusRing(self)
        self._name()
        self._colour()

    def _connect(self) -> None:
        document, mouse = self._document, self._mouse
        document.media_changed.connect(self._show_media)
        document.measurement_changed.connect(self._show_measurement)
        document.correction_changed.connect(self._show_correction)
        document.markers_changed.connect(self._show_markers)
        document.range_changed.connect(self._show_range)
        document.anchors_changed.connect(self._show_anchors)
        self._canvas.resized.connect(self._lay_out)
        self._strip.wanted.connect(self.thumbnails_wanted)
        mouse.drag_finished.connect(self._show_anchors)
        for made, passed_on in (
            (mouse.seek_requested, self.seek_requested),
            (mouse.scrub_started, self.scrub_started),
            (mouse.scrub_finished, self.scrub_finished),
            (mouse.step_requested, self.step_requested),
            (mouse.loop_requested, self.loop_requested),
            (mouse.context_requested, self.context_requested),
        ):
            made.connect(passed_on)
        mouse.pressed.connect(lambda: self.setFocus(Qt.FocusReason.MouseFocusReason))
        mouse.scrubbed.connect(self._scrub)
        mouse.span_wanted.connect(self._set_span)
        mouse.louder.connect(lambda factor: self.set_amplitude(self._amplitude * factor))
        mouse.point_taken.connect(self.select_point)
        mouse.point_opened.connect(self._open_point)
        mouse.marker_taken.connect(self._select_marker)
        mouse.marker_opened.connect(self.edit_marker)
        mouse.anchor_opened.connect(self.zoom_here)
        mouse.hinted.connect(self._hint.setText)

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

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the playhead's moment when a key wants one (Qt's name); the canvas sees to the mouse."""
        if event.reason() is QContextMenuEvent.Reason.Keyboard and self._document.info is not None:
            position = QPoint(round(self._places.pixel(self._playhead)), self._canvas.height() // 2)
            self.context_requested.emit(self._playhead, self._canvas.mapToGlobal(position))
            event.accept()
        else:
            super().contextMenuEvent(event)

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
        self._hint.setText(self._hints.idle())
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
        self._lanes.set_theme(theme)
        self._inset.set_theme(theme)
        self._head.setPen(QPen(theme.colour("playhead"), 1))
        self._hover.setPen(QPen(theme.colour("muted", 0.6), 1))
        self._hint.setStyleSheet(f"color: {theme.muted}; background: {theme.raised};")

    def _lay_out(self) -> None:
        self._lanes.lay_out(self._canvas.viewport().height())
        self._inset.place(self._offset_lane.area())
        self._place_playhead()
        self._lanes.look_at_pictures()

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
            self._lanes.opening.set_trace(mouth.times, mouth.opening)
        else:
            self._lanes.opening.set_trace(np.zeros(0), np.zeros(0, np.float32))
        self._lanes.set_bursts(self._bursts("seen"), self._bursts("heard"))
        self.select_point(self._selected)

    def _show_reach(self) -> None:
        """Let the offset lane reach as far as what is in it."""
        reach = reach_of(self._document.measurement, [point.ms for point in self._document.anchors.points])
        if self._lanes.set_reach(reach):
            self._name_offsets()

    def _bursts(self, side: str) -> Floats:
        pairs = self._document.measurement.plosives if self._document.measurement else ()
        return np.array(sorted(getattr(pair, side) for pair in pairs), np.float64)

    def _show_correction(self) -> None:
        """Put the sound where the correction wants it: transforms only, no sound is looked at again."""
        self._pieces = pieces = stretches(self._document.correction, self._joined)
        self._lanes.set_pieces(pieces)
        self._points.set_applied(
            lambda shown: 1000 * (time_in(pieces, shown) - shown),
            tuple(piece.start + piece.shift for piece in pieces[1:]),
        )
        self._lanes.place_handle()
        self._name_handle()

    def _name_handle(self) -> None:
        """Say how far the sound is moved that is at the left end of the screen, where the words are."""
        self._lanes.handle.set_text(
            str(Correction(moved_ms(self._document.correction, self._places.span.start)).words())
        )

    def _show_markers(self) -> None:
        markers = self._document.markers
        if self._marker not in markers:
            self._marker = None
        selected = -1 if self._marker is None else markers.index(self._marker)
        self._lanes.ruler.set_markers([(marker.t, marker.text) for marker in markers], selected)
        for lane in self._lanes:
            lane.ground.set_markers([marker.t for marker in markers])

    def _show_anchors(self) -> None:
        document = self._document
        anchors, selected = document.anchors, document.selected_anchor
        pins = [Pin(point.shown, -point.ms, self._hints.short(point.ms)) for point in anchors.points]
        for item in (self._lanes.pins, self._lanes.levels):
            item.set_pins(pins, selected, are_steps=anchors.between is Between.STEPS)
        self._lanes.handle.set_pins([pin.shown for pin in pins])
        # While an anchor is held in the offset lane, the lane must not change under the pointer.
        if not self._mouse.holds_level:
            self._show_reach()

    def _show_range(self) -> None:
        start, stop = self._document.in_point, self._document.out_point
        self._lanes.ruler.set_range(start, stop)
        for lane in self._lanes:
            if lane is not self._ruler_lane:
                lane.shade.set_range(start, stop)

    # Geometry.

    def _set_span(self, span: Span) -> None:
        shown = span.within(self._whole())
        self._lanes.set_span(shown)
        self._name_handle()
        self._place_playhead()
        self._lanes.look_at_pictures()
        self.span_changed.emit(shown.start, shown.stop)

    def _zoom(self, factor: float) -> None:
        at = self._playhead if self._places.span.holds(self._playhead) else self._places.span.middle
        self._set_span(self._places.span.zoomed(factor, at))

    def _scrub(self, seconds: float) -> None:
        self.set_playhead(seconds)
        self.seek_requested.emit(seconds)

    def _open_point(self, index: int) -> None:
        """Look closely at an offset point and its curve."""
        if self._document.measurement is not None:
            point = self._document.measurement.points[index]
            self.select_point(index)
            self.set_span(point.t - point.seconds * 0.6, point.t + point.seconds * 0.6)

    def _place_playhead(self) -> None:
        self._head.place(self._places, self._playhead, visible=self._document.info is not None)

"""The lanes of the timeline: what is in them, how high they are, and which stretch of time they show."""

from __future__ import annotations

import math
from collections.abc import Iterator

from PySide6.QtWidgets import QGraphicsGridLayout, QGraphicsWidget

from desktop_app.document.document import Document
from desktop_app.document.moving import Stretch
from desktop_app.theme import GRID, Theme
from desktop_app.timeline.anchors import AnchorLevels, AnchorPins
from desktop_app.timeline.canvas import Canvas
from desktop_app.timeline.handle import HEIGHT as HANDLE_HEIGHT
from desktop_app.timeline.handle import Handle
from desktop_app.timeline.lane import HEADING_WIDTH, Lane
from desktop_app.timeline.mouth import MouthOpening
from desktop_app.timeline.offsets import OffsetPoints
from desktop_app.timeline.places import Places
from desktop_app.timeline.plane import Floats
from desktop_app.timeline.ruler import Ruler
from desktop_app.timeline.span import Span
from desktop_app.timeline.spectrogram import Spectrogram
from desktop_app.timeline.strip import ThumbnailStrip
from desktop_app.timeline.waveform import Sound, Waveform

_REACH_MS = 150.0
"""What the offset lane shows to either side while nothing is measured."""
_HIGH = 480
"""Pixels from which on there is room for larger pictures."""


class Lanes:
    """Time axis, pictures, mouth, sound and offset, one under the other.

    Attributes:
        axis: the lane of the time axis.
        frames: the lane of the pictures.
        mouth: the lane of the mouth.
        sound: the lane of the sound.
        offset: the lane of the offset.
        ruler: the time axis.
        strip: pictures.
        opening: how far the mouth is open.
        waves: the sound, a waveform for each stretch that is moved by itself.
        handle: the bar by which the sound is dragged.
        pins: anchors in the sound lane.
        points: offset points.
        levels: anchors in the offset lane.
        spectrogram: tiles that the waveforms show instead, if they are to.
        places: where everything is.

    Args:
        document: what is open.
        canvas: where they are painted.
    """

    def __init__(self, document: Document, canvas: Canvas) -> None:
        self.axis, self.ruler = Lane(0.0, 1.0), Ruler()
        self.frames, self.strip = Lane(-1.0, 1.0), ThumbnailStrip()
        self.mouth, self.opening = Lane(-1.0, 1.0), MouthOpening()
        self.sound, self.handle, self.pins = Lane(-1.0, 1.0), Handle(), AnchorPins()
        self.offset, self.points, self.levels = Lane(-_REACH_MS, _REACH_MS), OffsetPoints(), AnchorLevels(_REACH_MS)
        self.waves: list[Waveform] = []
        self.spectrogram, self._shows_spectrum = Spectrogram(), False
        self._amplitude = 1.0
        self._sound: Sound | None = None
        self._heard: Floats | None = None
        self._theme: Theme | None = None
        for lane, item in zip(self, (self.ruler, self.strip, self.opening, self.handle, self.points), strict=True):
            lane.add(item)
        self.sound.add(self.pins)
        self.offset.add(self.levels)
        self.places = Places(document, list(self), self.ruler, self.points)
        self._central = QGraphicsWidget()
        self._grid = QGraphicsGridLayout(self._central)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(1)
        for row, lane in enumerate(self):
            self._grid.addItem(lane.heading, row, 0)
            self._grid.addItem(lane.box, row, 1)
        self._grid.setColumnFixedWidth(0, HEADING_WIDTH)
        canvas.setCentralItem(self._central)

    def __iter__(self) -> Iterator[Lane]:
        return iter((self.axis, self.frames, self.mouth, self.sound, self.offset))

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        for lane in self:
            lane.set_theme(theme)
        self.spectrogram.set_theme(theme)

    def set_span(self, span: Span) -> None:
        """Show another stretch of time."""
        self.places.span = span
        for lane in self:
            lane.set_span(span)
        edge = span.length * 0.1
        for item in (
            self.ruler,
            self.points,
            self.pins,
            self.levels,
            *(lane.ground for lane in self),
            *(lane.shade for lane in self),
        ):
            item.set_times(span.start - edge, span.stop + edge)
        self.handle.set_view_start(span.start)
        self.points.set_view_start(span.start)
        self.ruler.set_view_stop(span.stop)

    def lay_out(self, height: float) -> None:
        """Give each lane its height: fixed for axis and pictures, the rest is shared."""
        shares = {self.mouth: 2.0, self.sound: 3.0, self.offset: 2.6}
        fixed = {self.axis: 4.0 * GRID, self.frames: 7.0 * GRID if height < _HIGH else 9.0 * GRID}
        visible = [lane for lane in self if lane.box.isVisible()]
        left = height - sum(fixed.get(lane, 0) for lane in visible) - len(visible)
        total = sum(shares.get(lane, 0) for lane in visible) or 1.0
        for row, lane in enumerate(self):
            wanted = fixed[lane] if lane in fixed else max(0.0, left * shares[lane] / total)
            self._grid.setRowFixedHeight(row, math.floor(wanted) if lane in visible else 0)
            self._grid.setRowSpacing(row, 1 if lane in visible else 0)
        self._grid.activate()
        self.set_amplitude(self._amplitude)

    def set_amplitude(self, amplitude: float) -> None:
        """Draw the sound this many times higher, and leave room for the handle above it."""
        self._amplitude = amplitude
        reach = 1 / amplitude
        height = self.sound.area().height()
        room = 2 * reach * HANDLE_HEIGHT / max(height - HANDLE_HEIGHT, 1.0)
        span = self.places.span
        self.sound.set_limits(-reach, reach + room)
        self.handle.set_bounds(*self.places.handle_times(), -reach, reach + room)
        self.pins.set_bounds(span.start, span.stop, -reach, reach + room)
        for wave in self.waves:
            wave.set_reach(reach)

    def set_reach(self, reach: float) -> bool:
        """Let the offset lane reach this many milliseconds to either side; returns whether that is new."""
        if reach == self.offset.high:
            return False
        span = self.places.span
        self.offset.set_limits(-reach, reach)
        self.levels.set_bounds(span.start, span.stop, -reach, reach)
        self.points.set_reach(reach)
        return True

    def set_sound(self, sound: Sound | None) -> None:
        """Draw another sound."""
        self._sound = self.places.sound = sound
        self.spectrogram.clear()
        for wave in self.waves:
            wave.set_sound(sound)
        self.place_handle()

    def set_spectrogram(self, on: bool) -> None:
        """Show the sound's spectrum instead of its amplitude, or not."""
        self._shows_spectrum = on
        for wave in self.waves:
            wave.set_spectrogram(self.spectrogram if on else None)

    def set_bursts(self, seen: Floats, heard: Floats) -> None:
        """Mark moments at which lips part, and at which that is heard."""
        self._heard = heard
        self.opening.set_bursts(seen)
        for wave in self.waves:
            wave.set_bursts(heard)

    def set_pieces(self, pieces: list[Stretch]) -> None:
        """Put the sound where it belongs, stretch by stretch: transforms only, no sound is looked at again."""
        while len(self.waves) < len(pieces):
            self._add_wave()
        while len(self.waves) > len(pieces):
            self.sound.remove(self.waves.pop())
        for wave, piece in zip(self.waves, pieces, strict=True):
            wave.place(piece)

    def place_handle(self) -> None:
        """Put the handle over the sound."""
        self.handle.setVisible(self._sound is not None)
        self.handle.set_times(*self.places.handle_times())

    def look_at_pictures(self) -> None:
        """Ask for the pictures that are missing on screen."""
        area, span = self.frames.area(), self.places.span
        if self.frames.box.isVisible() and area.width() > 1:
            self.strip.look_at(span.start, span.stop, 1 / self.places.seconds_per_pixel(), area.height())

    def _add_wave(self) -> None:
        wave = Waveform()
        self.waves.append(wave)
        self.sound.add(wave)
        if self._theme is not None:
            wave.set_theme(self._theme)
        wave.set_sound(self._sound)
        wave.set_reach(1 / self._amplitude)
        wave.set_spectrogram(self.spectrogram if self._shows_spectrum else None)
        if self._heard is not None:
            wave.set_bursts(self._heard)

"""Where things are on the timeline: pixels to seconds and back, and what lies under the pointer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF

from desktop_app.document.document import Document, Marker
from desktop_app.document.moving import shown_time
from desktop_app.timeline.handle import HEIGHT as HANDLE_HEIGHT
from desktop_app.timeline.lane import Lane
from desktop_app.timeline.offsets import OffsetPoints
from desktop_app.timeline.ruler import Ruler
from desktop_app.timeline.snapping import REACH
from desktop_app.timeline.span import Span
from desktop_app.timeline.waveform import Sound

_EDGE = 6.0
"""Pixels around the end of a range within which it is taken hold of."""
_PIN = 8.0
"""The same around the head of an anchor's pin."""


class Places:
    """Answers for one timeline; positions are pixels of its canvas.

    Args:
        document: what is shown.
        lanes: where it is shown, from the top: time axis, pictures, mouth, sound, offset.
        ruler: has the markers.
        points: has the offset points.

    Attributes:
        span: what is on screen.
        sound: what the sound lane shows.
    """

    def __init__(self, document: Document, lanes: Sequence[Lane], ruler: Ruler, points: OffsetPoints) -> None:
        self._document = document
        self._lanes = lanes
        self._ruler_lane, self._sound_lane, self._offset_lane = lanes[0], lanes[-2], lanes[-1]
        self._ruler = ruler
        self._points = points
        self.span = Span(0.0, 1.0)
        self.sound: Sound | None = None

    def area(self) -> QRectF:
        """Return where time is shown, as wide as all lanes and as high as the axis."""
        return self._ruler_lane.area()

    def seconds_per_pixel(self) -> float:
        """Return the zoom of the time axis."""
        return self.span.length / max(self.area().width(), 1.0)

    def seconds(self, position: QPointF) -> float:
        """Return the time at a position."""
        return self.span.start + (position.x() - self.area().left()) * self.seconds_per_pixel()

    def pixel(self, seconds: float) -> float:
        """Return where a time is, pixels from the left."""
        return self.area().left() + (seconds - self.span.start) / self.seconds_per_pixel()

    def offset_per_pixel(self) -> float:
        """Return the zoom of the offset lane, milliseconds."""
        lane = self._offset_lane
        return (lane.high - lane.low) / max(lane.area().height(), 1.0)

    def offset_ms(self, position: QPointF) -> float:
        """Return the value of the offset lane at a position."""
        lane = self._offset_lane
        return lane.high - (position.y() - lane.area().top()) * self.offset_per_pixel()

    def lane_at(self, position: QPointF) -> Lane | None:
        """Return the lane at a position."""
        return next((lane for lane in self._lanes if lane.box.isVisible() and lane.area().contains(position)), None)

    def handle_times(self) -> tuple[float, float]:
        """Return from when to when the bar of the sound reaches."""
        correction, sound = self._document.correction, self.sound
        if sound is None:
            return 0.0, 0.0
        return shown_time(correction, sound.start), shown_time(correction, sound.stop)

    def is_on_handle(self, position: QPointF) -> bool:
        """Whether the bar of the sound is there."""
        if self.sound is None or not self._is_in_bar(position):
            return False
        start, stop = self.handle_times()
        return start <= self.seconds(position) <= stop

    def range_end_at(self, position: QPointF) -> bool | None:
        """Return whether the beginning or the end of the range is there; ``None`` for neither."""
        if self.lane_at(position) is not self._ruler_lane:
            return None
        for end, is_in in ((self._document.in_point, True), (self._document.out_point, False)):
            if end is not None and abs(self.pixel(end) - position.x()) <= _EDGE:
                return is_in
        return None

    def marker_at(self, position: QPointF) -> Marker | None:
        """Return the marker there."""
        if self.lane_at(position) is not self._ruler_lane:
            return None
        index = self._ruler.marker_at(self.seconds(position), self.seconds_per_pixel())
        return self._document.markers[index] if index >= 0 else None

    def pin_at(self, position: QPointF) -> int | None:
        """Return the index of the anchor whose pin's head is there."""
        if not self._is_in_bar(position):
            return None
        distances = [abs(self.pixel(point.shown) - position.x()) for point in self._document.anchors.points]
        nearest = min(range(len(distances)), key=distances.__getitem__, default=None)
        return nearest if nearest is not None and distances[nearest] <= _PIN else None

    def level_at(self, position: QPointF) -> int | None:
        """Return the index of the anchor whose level in the offset lane is there."""
        if self.lane_at(position) is not self._offset_lane:
            return None
        high, ms = self._offset_lane.high, self.offset_ms(position)
        for index, point in enumerate(self._document.anchors.points):
            beside = self.pixel(point.shown) - position.x()
            above = (min(max(-point.ms, -high), high) - ms) / self.offset_per_pixel()
            if math.hypot(beside, above) <= REACH:
                return index
        return None

    def point_at(self, position: QPointF) -> int:
        """Return the index of the offset point there, or -1."""
        if self.lane_at(position) is not self._offset_lane:
            return -1
        place = self.seconds(position), self.offset_ms(position)
        return self._points.nearest(*place, self.seconds_per_pixel(), self.offset_per_pixel(), REACH)

    def _is_in_bar(self, position: QPointF) -> bool:
        if self.lane_at(position) is not self._sound_lane:
            return False
        return position.y() <= self._sound_lane.area().top() + HANDLE_HEIGHT

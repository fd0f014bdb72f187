"""What dragging on the timeline does to the document; each drag is one undo step with its reason."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QCoreApplication

from desktop_app.document.corrections import moved
from desktop_app.document.document import Document, Marker
from desktop_app.document.moving import moved_ms
from desktop_app.timeline.offsets import fit_of
from desktop_app.timeline.snapping import REACH, Snapped, Target, snap, targets
from desktop_app.timeline.span import Span
from engine.sync.result import Measurement

_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the mouse is while it drags.

    Attributes:
        seconds: on the time axis.
        offset_ms: on the axis of the offset lane.
        span: what is on screen.
        seconds_per_pixel: the zoom of the time axis.
        offset_per_pixel: that of the offset lane, milliseconds.
        snaps: whether it may snap.
    """

    seconds: float
    offset_ms: float
    span: Span
    seconds_per_pixel: float
    offset_per_pixel: float
    snaps: bool


class Drag(ABC):
    """Something that is being held.

    Args:
        document: what is changed.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._key = f"drag {next(_NUMBERS)}"

    @abstractmethod
    def move(self, pointer: Pointer) -> Snapped | None:
        """Bring what is held to the pointer; returns where the sound is then, if it is the sound that moves."""

    def finish(self) -> None:
        """Let go: what follows is an undo step of its own."""
        self._document.end_merge()


class SoundDrag(Drag):
    """The whole sound, held at a moment."""

    def __init__(self, document: Document, seconds: float) -> None:
        super().__init__(document)
        self._held_at = seconds
        self._held = document.correction
        self._held_ms = moved_ms(document.correction, seconds)

    def move(self, pointer: Pointer) -> Snapped:
        """Move the sound along with the pointer."""
        wanted_ms = self._held_ms + (pointer.seconds - self._held_at) * 1000
        snapped = _snapped(self._document, wanted_ms, pointer, 0.001 / pointer.seconds_per_pixel)
        self._document.correct(
            moved(self._held, snapped.ms - self._held_ms), partial(_sound_reason, snapped.target), self._key
        )
        return snapped


class AnchorDrag(Drag):
    """The sound, held at an anchor: what lies between anchors follows."""

    def __init__(self, document: Document, index: int, seconds: float) -> None:
        super().__init__(document)
        self._index = index
        self._held_at = seconds
        self._held_ms = document.anchors.points[index].ms

    def move(self, pointer: Pointer) -> Snapped:
        """Move the sound at the anchor along with the pointer."""
        snapped = _snapped(self._document, self._wanted_ms(pointer), pointer, self._pixels_per_ms(pointer))
        self._document.pull_anchor(self._index, snapped.ms, partial(_anchor_reason, snapped.target), self._key)
        # A line that is as steep as it may be lets the anchor go no further.
        ms = self._document.anchors.points[self._index].ms
        return snapped if ms == snapped.ms else Snapped(ms, None)

    def _wanted_ms(self, pointer: Pointer) -> float:
        return self._held_ms + (pointer.seconds - self._held_at) * 1000

    def _pixels_per_ms(self, pointer: Pointer) -> float:
        return 0.001 / pointer.seconds_per_pixel


class LevelDrag(AnchorDrag):
    """An anchor, held in the offset lane: up is the offset of a later sound, so the sound is moved earlier."""

    def _wanted_ms(self, pointer: Pointer) -> float:
        return -pointer.offset_ms

    def _pixels_per_ms(self, pointer: Pointer) -> float:
        return 1 / pointer.offset_per_pixel


class SlideDrag(Drag):
    """An anchor, brought to another moment of the sound."""

    def __init__(self, document: Document, index: int) -> None:
        super().__init__(document)
        self._index = index

    def move(self, pointer: Pointer) -> None:
        """Put the anchor on the sound under the pointer."""
        heard = pointer.seconds - self._document.anchors.points[self._index].ms / 1000
        self._document.slide_anchor(self._index, heard, self._key)


class MarkerDrag(Drag):
    """A marker.

    Attributes:
        marker: as it is now.
    """

    def __init__(self, document: Document, marker: Marker, seconds: float) -> None:
        super().__init__(document)
        self.marker = marker
        self._held_at = seconds - marker.t

    def move(self, pointer: Pointer) -> None:
        """Put the marker under the pointer; it stops at the ends of the clip."""
        document = self._document
        end = document.start + document.duration
        t = round(min(max(pointer.seconds - self._held_at, document.start), end), 3)
        # Markers are told apart by their time: it steps over others.
        if t not in {marker.t for marker in document.markers}:
            changed = Marker(t, self.marker.text)
            document.change_marker(self.marker, changed, self._key)
            self.marker = changed


class RangeDrag(Drag):
    """An end of the range; dragged past the other one, it stops there.

    Args:
        document: what is changed.
        is_in: whether it is the beginning.
    """

    def __init__(self, document: Document, *, is_in: bool) -> None:
        super().__init__(document)
        self._is_in = is_in

    def move(self, pointer: Pointer) -> None:
        """Put the end under the pointer."""
        document = self._document
        seconds = min(max(pointer.seconds, document.start), document.start + document.duration)
        start, stop = document.in_point, document.out_point
        if self._is_in:
            start = seconds if stop is None else min(seconds, stop)
        else:
            stop = seconds if start is None else max(seconds, start)
        document.set_range(start, stop, self._key)


def _snapped(document: Document, wanted_ms: float, pointer: Pointer, pixels_per_ms: float) -> Snapped:
    """Return the correction to which a drag of the sound leads."""
    # A tenth of a millisecond is five samples: finer than anybody hears or any frame shows.
    free = Snapped(round(wanted_ms, 1), None)
    if not pointer.snaps:
        return free
    info, measurement, seconds = document.info, document.measurement, pointer.seconds
    frame_ms = float(1000 / info.video.rate) if info and info.video else None
    # A grid closer than the reach on both sides would catch everything.
    if frame_ms is not None and frame_ms * pixels_per_ms < 3 * REACH:
        frame_ms = None
    pairs = [
        (pair.seen, pair.heard)
        for pair in (measurement.plosives if measurement else ())
        if pointer.span.holds(pair.seen) and abs(pair.seen - seconds) < pointer.span.length / 4
    ]
    found = targets(wanted_ms, measured_ms=_measured_ms(measurement, seconds), frame_ms=frame_ms, plosives=pairs)
    snapped = snap(wanted_ms, found, pixels_per_ms)
    return free if snapped.target is None else snapped


def _measured_ms(measurement: Measurement | None, seconds: float) -> float | None:
    """Return the correction that undoes what was measured at a moment."""
    fit = fit_of(measurement)
    return None if fit is None else -fit(seconds)


def _sound_reason(target: Target | None) -> str:
    translate = QCoreApplication.translate
    return {
        None: translate("Dragging", "Sound dragged"),
        Target.MEASURED: translate("Dragging", "Sound dragged to the measured offset"),
        Target.ZERO: translate("Dragging", "Sound dragged back to zero"),
        Target.FRAME: translate("Dragging", "Sound dragged by whole frames"),
        Target.PLOSIVE: translate("Dragging", "Burst dragged onto its lips"),
    }[target]


def _anchor_reason(target: Target | None) -> str:
    translate = QCoreApplication.translate
    return {
        None: translate("Dragging", "Anchor dragged"),
        Target.MEASURED: translate("Dragging", "Anchor dragged to the measured offset"),
        Target.ZERO: translate("Dragging", "Anchor dragged back to zero"),
        Target.FRAME: translate("Dragging", "Anchor dragged by whole frames"),
        Target.PLOSIVE: translate("Dragging", "Burst at the anchor dragged onto its lips"),
    }[target]

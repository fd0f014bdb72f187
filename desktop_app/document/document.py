"""What is open and what was decided about it. Views listen to its signals; only its methods change it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from desktop_app.document.anchors import Anchors, Between
from desktop_app.document.corrections import NOTHING, AnyCorrection, correction_ms_at
from engine.media.probe import MediaInfo, probe
from engine.sync.result import Measurement
from engine.timing import Correction, clock_words

Reason = str | Callable[[], str]
"""Why something was changed, as the history shows it; a function is asked again when the language changes."""


@dataclass(frozen=True, slots=True, order=True)
class Marker:
    """A named moment.

    Attributes:
        t: seconds on the picture's clock.
        text: what the user calls it; may be empty.
    """

    t: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """Everything that undo brings back."""

    correction: AnyCorrection = NOTHING
    markers: tuple[Marker, ...] = ()
    in_point: float | None = None
    out_point: float | None = None
    anchors: Anchors = field(default_factory=Anchors)


class Document(QObject):
    """One clip with its measurement and what the user decided.

    All times are seconds on the clip's own clock, the one of :class:`~engine.media.probe.MediaInfo`.
    """

    media_changed = Signal()
    """Another clip, or another second track."""
    measurement_changed = Signal()
    """The measurement grew, was replaced, or went away."""
    correction_changed = Signal()
    markers_changed = Signal()
    range_changed = Signal()
    anchors_changed = Signal()
    """There are others, they are elsewhere, or another one is selected."""
    face_changed = Signal()
    """The user chose another person, or none; opening a clip, which begins anew anyway, does not say so."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._path: Path | None = None
        self._sound_path: Path | None = None
        self._info: MediaInfo | None = None
        self._sound_info: MediaInfo | None = None
        self._measurement: Measurement | None = None
        self._is_partial = False
        self._face: int | None = None
        self._selected_anchor: int | None = None
        self._state = State()

    @property
    def path(self) -> Path | None:
        """The clip, ``None`` while nothing is open."""
        return self._path

    @property
    def sound_path(self) -> Path | None:
        """A file whose sound replaces the clip's, ``None`` for the clip's own."""
        return self._sound_path

    @property
    def info(self) -> MediaInfo | None:
        """What the clip holds."""
        return self._info

    @property
    def sound_info(self) -> MediaInfo | None:
        """What the file holds whose sound is heard: the second track's if there is one, else the clip's."""
        return self._sound_info or self._info

    @property
    def start(self) -> float:
        """When the clip begins."""
        return float(self._info.start) if self._info else 0.0

    @property
    def duration(self) -> float:
        """Seconds from :attr:`start` to the end; 0 for a picture or while nothing is open."""
        if self._info is None or self._info.duration is None:
            return 0.0
        return float(self._info.duration)

    @property
    def measurement(self) -> Measurement | None:
        """What was found so far."""
        return self._measurement

    @property
    def is_partial(self) -> bool:
        """Whether :attr:`measurement` still grows: its points are there, its number and verdict are not."""
        return self._is_partial

    @property
    def face(self) -> int | None:
        """Which person is measured, counted from the left beginning with 1; ``None`` for the one that speaks."""
        return self._face

    @property
    def correction(self) -> AnyCorrection:
        """How the sound is moved."""
        return self._state.correction

    def correction_ms_at(self, seconds: float) -> float:
        """Return by how much the sound of that moment is moved, in milliseconds; positive, later."""
        return correction_ms_at(self._state.correction, seconds)

    @property
    def anchors(self) -> Anchors:
        """Where the user put the sound right."""
        return self._state.anchors

    @property
    def selected_anchor(self) -> int | None:
        """Index of the anchor that nudges move, ``None`` where they move everything."""
        return self._selected_anchor

    @property
    def markers(self) -> tuple[Marker, ...]:
        """Named moments, in order of time."""
        return self._state.markers

    @property
    def in_point(self) -> float | None:
        """Where the chosen range begins."""
        return self._state.in_point

    @property
    def out_point(self) -> float | None:
        """Where the chosen range ends."""
        return self._state.out_point

    @property
    def state(self) -> State:
        """Everything that undo brings back, as one value."""
        return self._state

    def open(self, path: Path, sound_path: Path | None = None) -> None:
        """Look into a clip and show it. Takes as long as reading the file's beginning does.

        Raises:
            Refused: if it cannot be read; what was open stays open.
        """
        self.set_media(probe(path), probe(sound_path) if sound_path else None)

    def set_media(
        self,
        info: MediaInfo,
        sound_info: MediaInfo | None = None,
        state: State | None = None,
        face: int | None = None,
    ) -> None:
        """Show a clip that was looked into already.

        Args:
            info: the clip.
            sound_info: the file whose sound replaces the clip's.
            state: what was decided about it earlier; by default nothing.
            face: the person that was chosen earlier.
        """
        self._path, self._info = info.path, info
        self._sound_path = sound_info.path if sound_info else None
        self._sound_info = sound_info
        self._replace_all(state or State())
        self._face = face
        self.media_changed.emit()
        self._all_changed()

    def close(self) -> None:
        """Go back to nothing open."""
        self._path = self._sound_path = self._info = self._sound_info = None
        self._replace_all(State())
        self.media_changed.emit()
        self._all_changed()

    def set_sound(self, sound_info: MediaInfo | None) -> None:
        """Hear another file's sound instead of the clip's own, or the clip's own again for ``None``."""
        self._sound_path = sound_info.path if sound_info else None
        self._sound_info = sound_info
        self.media_changed.emit()
        self.set_measurement(None)

    def set_measurement(self, measurement: Measurement | None, *, is_partial: bool = False) -> None:
        """Show what was found, in part or in full."""
        self._measurement = measurement
        self._is_partial = is_partial
        self.measurement_changed.emit()

    def set_face(self, face: int | None) -> None:
        """Choose the person to measure."""
        if face != self._face:
            self._face = face
            self.face_changed.emit()

    def correct(self, correction: AnyCorrection, reason: Reason, merge_key: str | None = None) -> None:
        """Move the sound; one undo step.

        Args:
            correction: replaces the one before.
            reason: what the history shows.
            merge_key: successive changes with the same key are one undo step, as in one drag.

        Raises:
            ValueError: if the correction holds a number that is not finite.
        """
        if not math.isfinite(correction_ms_at(correction, 0.0) + correction_ms_at(correction, 1.0)):
            raise ValueError("a correction must be finite")
        after = replace(self._state, correction=correction, anchors=self.anchors.on(correction))
        self._push(after, reason, merge_key)

    def drop_anchor(self, heard: float) -> None:
        """Put an anchor on a moment of the sound, seconds on its own clock, and select it."""
        anchors = self.anchors.dropped(heard, self.correction)
        self._anchor(anchors, lambda: self.tr("Anchor dropped at {time}").format(time=clock_words(round(heard, 3))))
        self.select_anchor([point.heard for point in self.anchors.points].index(round(heard, 3)))

    def put_anchor(self, heard: float, ms: float, reason: Reason) -> None:
        """Put an anchor on a moment of the sound, move the sound there, and select it; one undo step.

        Args:
            heard: seconds on the sound's own clock.
            ms: the correction there, positive: later.
            reason: what the history shows.
        """
        dropped = self.anchors.dropped(heard, self.correction)
        index = [point.heard for point in dropped.points].index(round(heard, 3))
        self._anchor(dropped.pulled(index, ms), reason)
        self.select_anchor(index)

    def pull_anchor(self, index: int, ms: float, reason: Reason, merge_key: str | None = None) -> None:
        """Move the sound at an anchor; what lies between anchors follows.

        Args:
            index: which one.
            ms: the correction there, positive: later.
            reason: what the history shows.
            merge_key: see :meth:`correct`.
        """
        self._anchor(self.anchors.pulled(index, ms), reason, merge_key)

    def slide_anchor(self, index: int, heard: float, merge_key: str | None = None) -> None:
        """Put an anchor on another moment of the sound, seconds on its own clock."""
        self._anchor(
            self.anchors.slid(index, heard, self.correction), lambda: self.tr("Anchor moved in time"), merge_key
        )

    def remove_anchor(self, index: int) -> None:
        """Take an anchor away; what it did to the sound goes with it, unless it was the last one."""
        anchors = self.anchors.without(index)
        if len(anchors.points) == 1:
            # The one that is left has nothing to make a line or a step with.
            self._anchor(anchors, lambda: self.tr("Anchor removed"), base=Correction(anchors.points[0].ms))
        else:
            self._anchor(anchors, lambda: self.tr("Anchor removed"))

    def remove_anchors(self) -> None:
        """Take all anchors away; the sound stays where they put it."""
        self._anchor(replace(self.anchors, points=()), lambda: self.tr("Anchors removed"))

    def join_anchors(self, between: Between) -> None:
        """Choose what holds between anchors."""

        def reason() -> str:
            names = {Between.LINE: self.tr("Anchors joined by a line"), Between.STEPS: self.tr("Anchors made steps")}
            return names[between]

        self._anchor(self.anchors.joined_by(between), reason)

    def select_anchor(self, index: int | None) -> None:
        """Let nudges move the sound at one anchor; ``None``: everywhere."""
        if index is not None and not 0 <= index < len(self.anchors.points):
            index = None
        if index != self._selected_anchor:
            self._selected_anchor = index
            self.anchors_changed.emit()

    def end_merge(self) -> None:
        """End a row of changes that share a merge key: the next one is an undo step of its own."""
        if self.undo_stack.index() == self.undo_stack.count() and self.undo_stack.count():
            command = self.undo_stack.command(self.undo_stack.count() - 1)
            if isinstance(command, _Change):
                command.merge_key = None

    def say(self) -> None:
        """Tell every reason in the language of now."""
        for place in range(self.undo_stack.count()):
            command = self.undo_stack.command(place)
            if isinstance(command, _Change):
                command.say()

    def add_marker(self, t: float, text: str = "") -> None:
        """Name a moment; a marker at the same time is replaced."""
        others = tuple(marker for marker in self.markers if marker.t != t)
        self._mark((*others, Marker(t, text)), lambda: self.tr("Marker added"))

    def change_marker(self, marker: Marker, changed: Marker, merge_key: str | None = None) -> None:
        """Move a named moment or call it something else; one that stands there already is replaced.

        Args:
            marker: as it is now.
            changed: as it is to be.
            merge_key: see :meth:`correct`.

        Raises:
            ValueError: if there is no such marker.
        """
        others = tuple(other for other in self._others(marker) if other.t != changed.t)
        is_moved = marker.text == changed.text
        self._mark(
            (*others, changed), lambda: self.tr("Marker moved") if is_moved else self.tr("Marker named"), merge_key
        )

    def remove_marker(self, marker: Marker) -> None:
        """Forget a named moment.

        Raises:
            ValueError: if there is no such marker.
        """
        self._mark(self._others(marker), lambda: self.tr("Marker removed"))

    def set_range(self, in_point: float | None, out_point: float | None, merge_key: str | None = None) -> None:
        """Choose a range; ends in the wrong order are exchanged, ``None`` leaves an end open.

        Args:
            in_point: where it begins, seconds.
            out_point: where it ends, seconds.
            merge_key: see :meth:`correct`.
        """
        if in_point is not None and out_point is not None and in_point > out_point:
            in_point, out_point = out_point, in_point
        after = replace(self._state, in_point=in_point, out_point=out_point)
        self._push(after, lambda: self.tr("Range chosen"), merge_key)

    def _others(self, marker: Marker) -> tuple[Marker, ...]:
        if marker not in self.markers:
            raise ValueError(f"no such marker: {marker}")
        return tuple(other for other in self.markers if other != marker)

    def _mark(self, markers: tuple[Marker, ...], reason: Reason, merge_key: str | None = None) -> None:
        self._push(replace(self._state, markers=tuple(sorted(markers))), reason, merge_key)

    def _anchor(
        self, anchors: Anchors, reason: Reason, merge_key: str | None = None, base: AnyCorrection | None = None
    ) -> None:
        correction = anchors.correction(self.correction if base is None else base)
        self._push(replace(self._state, correction=correction, anchors=anchors), reason, merge_key)

    def _push(self, state: State, reason: Reason, merge_key: str | None = None) -> None:
        if state != self._state:
            self.undo_stack.push(_Change(self, self._state, state, reason, merge_key))

    def apply(self, state: State) -> None:
        """Take over a state without an undo step; for the undo stack."""
        before, self._state = self._state, state
        if len(before.anchors.points) != len(state.anchors.points):
            self._selected_anchor = None
        if before.correction != state.correction:
            self.correction_changed.emit()
        if before.markers != state.markers:
            self.markers_changed.emit()
        if before.anchors != state.anchors:
            self.anchors_changed.emit()
        if (before.in_point, before.out_point) != (state.in_point, state.out_point):
            self.range_changed.emit()

    def _replace_all(self, state: State) -> None:
        self.undo_stack.clear()
        self._state = state
        self._measurement = None
        self._is_partial = False
        self._face = None
        self._selected_anchor = None

    def _all_changed(self) -> None:
        for signal in (
            self.measurement_changed,
            self.correction_changed,
            self.markers_changed,
            self.range_changed,
            self.anchors_changed,
        ):
            signal.emit()


class _Change(QUndoCommand):
    """From one state to another."""

    _ID = 1

    def __init__(self, document: Document, before: State, after: State, reason: Reason, merge_key: str | None) -> None:
        super().__init__()
        self._document = document
        self.reason = reason
        self._before = before
        self.after = after
        self.merge_key = merge_key
        self.say()

    def say(self) -> None:
        self.setText(self.reason if isinstance(self.reason, str) else self.reason())

    def undo(self) -> None:
        self.merge_key = None
        self._document.apply(self._before)

    def redo(self) -> None:
        self._document.apply(self.after)

    def id(self) -> int:
        return self._ID if self.merge_key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Change) or other.merge_key != self.merge_key:
            return False
        self.after = other.after
        self.reason = other.reason
        self.say()
        self.setObsolete(self.after == self._before)
        return True

"""What keys and menus do around the playhead: jumps, the loop, the range, markers and anchors."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop_app.document.corrections import NOTHING
from desktop_app.document.document import Document
from desktop_app.document.moving import sound_time
from desktop_app.panels.blind_test import LOOP_SECONDS
from desktop_app.player.player import Player

_AUDIBLE = 0.3
"""The volume that the sound comes back with where it was off from the beginning."""


class Playback(QObject):
    """Moves the playhead, and puts things where it is. All times are seconds of the picture.

    Args:
        document: the open clip.
        player: plays it.
    """

    looped = Signal(bool)
    """A loop was begun by something other than the switch for it, which is on now."""

    def __init__(self, document: Document, player: Player, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._player = player
        self._volume_before = player.volume or _AUDIBLE

    @property
    def end(self) -> float:
        """Where the open clip ends."""
        return self._document.start + self._document.duration

    def jump(self, seconds: float) -> None:
        """Go on by some seconds, or back."""
        self._player.seek(self._player.position + seconds)

    def begin_range(self) -> None:
        """Let the range begin at the playhead."""
        self._document.set_range(self._player.position, self._document.out_point)

    def end_range(self) -> None:
        """Let the range end at the playhead."""
        self._document.set_range(self._document.in_point, self._player.position)

    def set_loop(self, on: bool) -> None:
        """Repeat the range, or two seconds around the playhead; or nothing."""
        start, stop = self._document.in_point, self._document.out_point
        if not on:
            self._player.set_loop(None, None)
        elif start is None or stop is None:
            self._loop_around(self._player.position)
        else:
            self._player.set_loop(max(start, self._document.start), min(stop, self.end))

    def loop_here(self, seconds: float) -> None:
        """Repeat two seconds around a moment, whatever the range is, and play them."""
        self.looped.emit(True)
        self._loop_around(seconds)
        self._player.seek(seconds)
        if not self._player.is_playing:
            self._player.play()

    def to_marker(self, direction: int) -> None:
        """Go to the next marker (1), or the one before (-1)."""
        now = self._player.position
        times = [marker.t for marker in self._document.markers if (marker.t - now) * direction > 1e-3]
        if times:
            self._player.seek(min(times, key=lambda t: abs(t - now)))

    def drop_anchor(self) -> None:
        """Put an anchor on the sound that belongs to the playhead."""
        self._document.drop_anchor(sound_time(self._document.correction, self._player.position))

    def to_anchor(self, direction: int) -> None:
        """Go to the next anchor (1), or the one before (-1), and select it."""
        now, points = self._player.position, self._document.anchors.points
        found = [index for index, point in enumerate(points) if (point.shown - now) * direction > 1e-3]
        if found:
            nearest = min(found, key=lambda index: abs(points[index].shown - now))
            self._document.select_anchor(nearest)
            self._player.seek(points[nearest].shown)

    def play_anchor(self) -> None:
        """Repeat two seconds around the selected anchor, or the nearest one."""
        shown = [point.shown for point in self._document.anchors.points]
        if shown:
            selected = self._document.selected_anchor
            nearest = min(shown, key=lambda each: abs(each - self._player.position))
            self.loop_here(nearest if selected is None else shown[selected])

    def mute(self) -> None:
        """Turn the sound off, or on again."""
        if self._player.volume > 0:
            self._volume_before = self._player.volume
            self._player.set_volume(0.0)
        else:
            self._player.set_volume(self._volume_before)

    def set_compare(self, on: bool) -> None:
        """Play the clip as it is in the file, or corrected."""
        self._player.set_override(NOTHING if on else None)

    def _loop_around(self, seconds: float) -> None:
        start, stop = seconds - LOOP_SECONDS / 2, seconds + LOOP_SECONDS / 2
        self._player.set_loop(max(start, self._document.start), min(stop, self.end))

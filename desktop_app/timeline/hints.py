"""What the timeline says: what the mouse can do where it is, with the keys as this system calls them, and numbers."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence

from desktop_app.document.document import Marker
from desktop_app.timeline.snapping import Snapped, Target
from engine.timing import Correction


class Hints(QObject):
    """The words of the timeline that change with what happens on it."""

    def over(self, is_anchor: bool, is_handle: bool, marker: Marker | None) -> str:
        """Say what can be done with what is under the pointer.

        Args:
            is_anchor: an anchor is there.
            is_handle: the bar of the sound is there.
            marker: the marker there, if there is one.
        """
        keys = {"shift": key_name(Qt.KeyboardModifier.ShiftModifier), "ctrl": key_name(_CONTROL)}
        if is_anchor:
            text = self.tr(
                "Drag: move the sound at the anchor · double-click: repeat two seconds · {ctrl}+drag: move the anchor "
                "in time · {shift}: do not snap · Del: remove"
            )
            return text.format(**keys)
        if marker is not None:
            return self.tr("Drag: move the marker · double-click: name it · Del: remove")
        if is_handle:
            text = self.tr("Drag: move the sound · hold {shift}: do not snap · double-click: put it back")
            return text.format(**keys)
        return self.idle()

    def idle(self) -> str:
        """Say what the wheel does."""
        return self.tr(
            "Wheel: pan · {ctrl}+wheel: zoom · {shift}+wheel: height of the sound · {alt}+wheel: one frame"
        ).format(
            ctrl=key_name(_CONTROL),
            shift=key_name(Qt.KeyboardModifier.ShiftModifier),
            alt=key_name(Qt.KeyboardModifier.AltModifier),
        )

    def short(self, ms: float) -> str:
        """Say a correction in few words."""
        if round(abs(ms), 1) == 0:
            return self.tr("as in the file")
        text = self.tr("{ms} ms later") if ms > 0 else self.tr("{ms} ms earlier")
        return text.format(ms=f"{abs(ms):.1f}")

    def snapped(self, snapped: Snapped) -> str:
        """Say where the sound is while it is dragged."""
        words = Correction(snapped.ms).words().text()
        where = {
            None: "",
            Target.MEASURED: self.tr("on the measured offset"),
            Target.ZERO: self.tr("as in the file"),
            Target.FRAME: self.tr("on the frame grid"),
            Target.PLOSIVE: self.tr("a burst on its lips"),
        }[snapped.target]
        return f"{words} · {where}" if where else words


_CONTROL = Qt.KeyboardModifier.ControlModifier


def key_name(modifier: Qt.KeyboardModifier) -> str:
    """Return what this system calls a modifier key, such as ``Ctrl`` or ``⌘``."""
    return QKeySequence(modifier.value).toString(QKeySequence.SequenceFormat.NativeText).rstrip("+")

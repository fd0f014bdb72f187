"""What can be done at a moment of the timeline: the menu under the right button of the mouse."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QMenu

from desktop_app.actions import Actions
from desktop_app.document.moving import sound_time
from desktop_app.player.player import Player
from desktop_app.studio import Studio
from desktop_app.timeline.view import TimelineView

_NEAR_SECONDS = 0.25
"""A marker is this near to the moment where it can be removed; an anchor is dragged, and so smaller on the screen."""
_NEAR_SHARE = 0.02
"""An anchor is this near, as a share of what is seen of the timeline."""


class TimelineMenu(QObject):
    """Opens the menu when the timeline asks for it.

    Args:
        timeline: where it opens.
        studio: measures and changes the open clip.
        player: goes to the moment.
        actions: what the menu offers besides.
    """

    def __init__(self, timeline: TimelineView, studio: Studio, player: Player, actions: Actions) -> None:
        super().__init__(timeline)
        self._timeline = timeline
        self._studio = studio
        self._player = player
        self._actions = actions
        timeline.context_requested.connect(self._open)

    def _open(self, seconds: float, position: QPoint) -> None:
        menu, document = QMenu(self._timeline), self._studio.document
        menu.addAction(self.tr("Go here"), partial(self._player.seek, seconds))
        menu.addAction(self.tr("Mark this moment"), partial(document.add_marker, round(seconds, 3)))
        heard = sound_time(document.correction, seconds)
        menu.addAction(self.tr("Drop an anchor here"), partial(document.drop_anchor, heard))
        here = menu.addAction(self.tr("Measure here"), partial(self._studio.measure_here, seconds))
        here.setEnabled(self._actions["measure_here"].isEnabled())
        menu.addAction(self.tr("Range begins here"), partial(document.set_range, seconds, document.out_point))
        menu.addAction(self.tr("Range ends here"), partial(document.set_range, document.in_point, seconds))
        menu.addSeparator()
        for marker in document.markers:
            if abs(marker.t - seconds) < _NEAR_SECONDS:
                menu.addAction(self.tr("Remove the mark"), partial(document.remove_marker, marker))
        start, stop = self._timeline.span
        for index, point in enumerate(document.anchors.points):
            if abs(point.shown - seconds) < _NEAR_SHARE * (stop - start):
                menu.addAction(self.tr("Remove the anchor"), partial(document.remove_anchor, index))
        for name in ("apply_measured", "reset", "measure"):
            menu.addAction(self._actions[name])
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(position)

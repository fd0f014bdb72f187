"""The buttons under the preview: play, step, speed, volume, loop and compare."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from desktop_app.actions import Actions
from desktop_app.document.document import Document
from desktop_app.icons import icon
from desktop_app.player.player import Player
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Speaking, action_button, label
from desktop_app.widgets.quiet_fields import Choice
from engine.timing import clock_words

_LOOKS = ("loop", "compare", "split", "loupe", "landmarks", "blind_test")
_LEAST_WIDTH = 46 * GRID
"""Room in pixels for playing and the time."""
SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)


class Transport(Speaking):
    """Controls of the player."""

    def __init__(self, document: Document, player: Player, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._player = player
        self._actions = actions
        self.setMinimumWidth(_LEAST_WIDTH)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        row.setSpacing(4)
        for name in ("step_back", "play", "step_forward"):
            made = action_button(actions[name])
            made.setIconSize(QSize(22, 22))
            row.addWidget(made)
        self._time = label("mono")
        self._time.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        row.addSpacing(GRID)
        row.addWidget(self._time)
        row.addStretch(1)
        looks = {name: action_button(actions[name]) for name in _LOOKS}
        for each in looks.values():
            row.addWidget(each)
        self._speed = Choice()
        self._speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g}×", speed)
        self._speed.currentIndexChanged.connect(lambda index: player.set_speed(SPEEDS[index]))
        row.addWidget(self._speed)
        row.addWidget(action_button(actions["mute"]))
        self.volume = QSlider(Qt.Orientation.Horizontal)
        self.volume.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.volume.setRange(0, 100)
        self.volume.setFixedWidth(10 * GRID)
        self.volume.valueChanged.connect(lambda value: player.set_volume(value / 100))
        row.addWidget(self.volume)
        self._spared = (*looks.values(), self._speed, self.volume)
        player.position_changed.connect(self._show_time)
        player.state_changed.connect(self._show_state)
        document.media_changed.connect(self._show_start)
        self.say()
        self._show_state()
        self._show_time(player.position)

    def say(self) -> None:
        """Set all texts."""
        self._speed.setToolTip(self.tr("Speed"))
        self._speed.setAccessibleName(self.tr("Speed"))
        self.volume.setToolTip(self.tr("Volume"))
        self.volume.setAccessibleName(self.tr("Volume"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what menus and keys can do as well where there is no room for it (Qt's name)."""
        super().resizeEvent(event)
        seen = [each for each in self._spared if not each.isHidden()]
        left = self.width() - self._row.sizeHint().width() + sum(map(self._room, seen))
        for each in self._spared:
            left -= self._room(each)
            if each.isHidden() is (left >= 0):  # or it would be laid out anew for nothing, and again without end
                each.setVisible(left >= 0)

    def _room(self, widget: QWidget) -> int:
        return widget.sizeHint().width() + self._row.spacing()

    def _show_start(self) -> None:
        self._show_time(self._player.position)

    def _show_time(self, seconds: float) -> None:
        start = self._document.start
        whole = clock_words(self._document.duration)
        now = clock_words(seconds - start).rjust(len(whole))
        self._time.setText(f"{now} / {whole}")

    def _show_state(self) -> None:
        self._actions["play"].setIcon(icon("pause" if self._player.is_playing else "play"))
        with QSignalBlocker(self.volume), QSignalBlocker(self._speed):
            self.volume.setValue(round(100 * self._player.volume))
            if self._player.speed in SPEEDS:
                self._speed.setCurrentIndex(SPEEDS.index(self._player.speed))
        self._actions["mute"].setIcon(icon("speaker" if self._player.volume > 0 else "speaker_off"))

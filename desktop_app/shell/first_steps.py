"""What somebody who tries the sample may do next: drag, listen, export; a sentence at a time."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QKeySequence

from desktop_app.actions import Actions
from desktop_app.document.corrections import NOTHING
from desktop_app.shell.notices import Notices
from desktop_app.studio import Studio

_TOPIC = "first steps"


class FirstSteps(QObject):
    """Leads through the sample, once in the life of a window.

    Args:
        studio: has the sample.
        actions: know the keys.
        notices: say it.
    """

    def __init__(self, studio: Studio, actions: Actions, notices: Notices) -> None:
        super().__init__(notices)
        self._studio = studio
        self._actions = actions
        self._notices = notices
        self._said: set[str] = set()
        studio.document.measurement_changed.connect(self._look)
        studio.document.correction_changed.connect(self._look)

    def _look(self) -> None:
        """Say what comes next, if it was not said yet."""
        studio = self._studio
        if not studio.shows_sample or studio.document.measurement is None or studio.document.is_partial:
            return
        if studio.document.correction == NOTHING:
            if "drag" not in self._said:
                self._say(
                    "drag",
                    self.tr("The sound is late here. Drag the bar above it to the left until it catches."),
                )
        elif "listen" not in self._said:
            self._say(
                "listen",
                self.tr("{play} plays it, {compare} plays it as it was. {export} writes the corrected copy.").format(
                    play=self._key("play"), compare=self._key("compare"), export=self._key("export")
                ),
            )

    def _say(self, step: str, text: str) -> None:
        self._said.add(step)
        self._notices.toasts.show(text, topic=_TOPIC)

    def _key(self, name: str) -> str:
        """Return the key of an action as this system calls it, or its name where it has none."""
        keys = self._actions[name].shortcuts()
        if not keys:
            return f"“{self._actions[name].text()}”"
        return str(keys[0].toString(QKeySequence.SequenceFormat.NativeText))

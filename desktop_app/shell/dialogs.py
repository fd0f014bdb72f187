"""What opens above the window: the palette, settings, shortcuts, logs, tests of eye and ear, and questions."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from desktop_app import places
from desktop_app.actions import Actions
from desktop_app.document.autosave import Leftover
from desktop_app.panels.blind_test import BlindTestPage
from desktop_app.panels.log import LogPage
from desktop_app.panels.settings import SettingsPage
from desktop_app.panels.shortcuts import ShortcutsPage
from desktop_app.panels.speakers import SpeakersPage
from desktop_app.player.player import Player
from desktop_app.studio import Studio
from desktop_app.widgets.palette import CommandPalette
from desktop_app.widgets.question import Question
from engine.refusal import Refusal


class Dialogs(QObject):
    """Opens them; of each kind there is one at a time.

    Args:
        window: what they open above.
        studio: does the work.
        actions: what the palette and the page of shortcuts list.
        player: plays for the blind test.
        timeline: what may be covered by pages for which one has to see the lips.
    """

    def __init__(self, window: QWidget, studio: Studio, actions: Actions, player: Player, timeline: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._studio = studio
        self._actions = actions
        self._player = player
        self._timeline = timeline

    def open_palette(self) -> None:
        """Let the user find a command."""
        self._actions.look_again()
        CommandPalette(self._actions, self._window).show()

    def open_settings(self) -> None:
        """Show the settings."""
        self._open(SettingsPage(self._studio.settings, self._window))

    def open_shortcuts(self) -> None:
        """Show all shortcuts."""
        self._open(ShortcutsPage(self._actions, self._window))

    def open_log(self) -> None:
        """Show the logs."""
        self._open(LogPage(places.log_folder(), self._window))

    def open_render_log(self, path: Path) -> None:
        """Say what a log of a render gives reason to advise."""
        from desktop_app.panels.generation.render_log import RenderLogPage

        self._open(RenderLogPage(path, self._window))

    def open_blind_test(self) -> None:
        """Ask which version looks right."""
        for telling in ("compare", "split"):  # beside "before" and "after" nothing is blind
            self._actions[telling].setChecked(False)
        page = BlindTestPage(self._studio.document, self._player, self._window)
        page.lie_over(self._timeline)
        self._open(page)

    def open_speakers(self) -> None:
        """Ask how late this computer's speakers are."""
        page = SpeakersPage(self._studio.settings, self._window)
        page.lie_over(self._timeline)
        self._open(page)

    def offer_recovery(self, leftover: Leftover) -> None:
        """Ask whether what a crashed session left is wanted."""
        answer = Question.ask(
            self._window,
            self.tr("Recover?"),
            self.tr("Plosive was not closed properly while {file} was open. Open it as it was?").format(
                file=leftover.project.path.name
            ),
            self.tr("Open it as it was"),
            self.tr("Throw it away"),
        )
        if answer:
            self._studio.recover(leftover)
        elif answer is False:  # who puts the question away is asked again next time
            leftover.discard()

    def may_lose(self, refusal: Refusal) -> bool:
        """Ask whether to close although the project cannot be saved; the refusal says why."""
        title, text = self.tr("Close without saving?"), self.tr("{reason} Close anyway?").format(reason=refusal)
        yes, no = self.tr("Close without saving"), self.tr("Keep it open")
        return bool(Question.ask(self._window, title, text, yes, no, is_harmless=False))

    def _open(self, page: QWidget) -> None:
        for same in self._window.findChildren(type(page)):
            if same is not page:
                same.close()
        page.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        page.show()

"""What is done with files that somebody drops, pastes, names or chooses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from desktop_app.document.dropping import Drop, pasted, sort
from desktop_app.shell.dialogs import Dialogs
from desktop_app.shell.pages import Pages
from desktop_app.studio import Studio
from desktop_app.widgets.drop_overlay import Zone
from engine.refusal import Refusal

LOOKED_AT = 100
"""More files than this are for the queue, whatever they are; it looks at them in the background."""


class Intake(QObject):
    """Opens files, or hands them to whatever wants them.

    Args:
        studio: opens clips and projects, and measures many of them.
        pages: shows what took the files.
        dialogs: shows the advice for logs.
    """

    refused = Signal(Refusal)
    """The files are of no use."""
    informed = Signal(str)
    """Something good to know, in a sentence."""

    def __init__(self, studio: Studio, pages: Pages, dialogs: Dialogs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._pages = pages
        self._dialogs = dialogs

    def open(self, paths: Iterable[Path], zone: Zone | None = None) -> None:
        """Open what was dropped, pasted or named.

        Args:
            paths: files and folders.
            zone: where they were dropped, if they were.
        """
        paths = list(paths)
        document = self._studio.document
        drop = sort(path.absolute() for path in paths[:LOOKED_AT])
        if (drop.is_batch or len(paths) > LOOKED_AT) and not drop.projects:
            self._studio.queue.add(paths)
            self._pages.show_queue()
            return
        if drop.logs:
            self._dialogs.open_render_log(drop.logs[0])
        elif drop.projects:
            self._studio.open(drop.projects[0])
        elif zone in {Zone.FACE, Zone.SPEECH, Zone.RENDER} or (drop.pictures and not drop.clips):
            self._choose_for_render(drop, zone)
        elif len(drop.clips) == 1 and len(drop.sounds) <= 1 and zone is not Zone.VOICE:
            self._studio.open(drop.clips[0], drop.sounds[0] if drop.sounds else None)
        elif document.path is not None and not drop.folders and len(drop.clips) + len(drop.sounds) == 1:
            self._studio.open_sound((drop.sounds or drop.clips)[0])
        elif drop.sounds and not drop.clips:
            self.refused.emit(Refusal.of("window.sound_only", path=drop.sounds[0]))
        else:
            self.refused.emit(Refusal.of("window.nothing_usable"))

    def paste(self) -> None:
        """Open the path that was copied."""
        paths = pasted(QGuiApplication.clipboard().text())
        if paths:
            self.open(paths)
        else:
            self.informed.emit(self.tr("No path of a file was copied."))

    def _choose_for_render(self, drop: Drop, zone: Zone | None) -> None:
        """Take files as face and voice, by what they are or by where they were dropped."""
        if zone is Zone.SPEECH:
            faces, voices = [], [*drop.sounds, *drop.clips]
        else:
            faces, voices = [*drop.pictures, *drop.clips], [*drop.sounds]
        self._pages.show_generation()
        if faces:
            self._pages.generation.set_source(faces[0])
        if voices:
            self._pages.generation.set_voice(voices[0])

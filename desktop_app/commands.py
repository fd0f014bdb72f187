"""What the list of actions can call: the parts of the window that act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from desktop_app.player.player import Player
from desktop_app.player.preview import Preview
from desktop_app.shell.dialogs import Dialogs
from desktop_app.shell.file_dialogs import FileDialogs
from desktop_app.shell.intake import Intake
from desktop_app.shell.pages import Pages
from desktop_app.shell.playback import Playback
from desktop_app.studio import Studio
from desktop_app.timeline.view import TimelineView


@dataclass(frozen=True, slots=True)
class Commands:
    """Whatever carries out the actions.

    Attributes:
        studio: does the work.
        player: plays the open clip.
        timeline: the clip over time.
        preview: the picture.
        playback: moves the playhead, and puts things where it is.
        intake: opens files.
        files: asks which file.
        pages: what fills the window.
        dialogs: what opens above it.
        show_page: shows a page of the sidebar by its name.
        export: writes the corrected copy, and shows how.
        hand_on: shows what else the correction can be written as.
        close_clip: goes back to the start page.
        close: ends the program.
    """

    studio: Studio
    player: Player
    timeline: TimelineView
    preview: Preview
    playback: Playback
    intake: Intake
    files: FileDialogs
    pages: Pages
    dialogs: Dialogs
    show_page: Callable[[str], None]
    export: Callable[[], None]
    hand_on: Callable[[], None]
    close_clip: Callable[[], None]
    close: Callable[[], bool]

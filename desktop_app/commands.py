"""What the list of actions needs of the window: the parts that act, and what only the window itself can do."""

from __future__ import annotations

from typing import Protocol

from desktop_app.player.player import Player
from desktop_app.player.preview import Preview
from desktop_app.studio import Studio
from desktop_app.timeline.view import TimelineView


class Commands(Protocol):
    """Whatever carries out the actions; the main window does.

    Attributes:
        studio: does the work.
        player: plays the open clip.
        timeline: the clip over time.
        preview: the picture.
    """

    studio: Studio
    player: Player
    timeline: TimelineView
    preview: Preview

    @property
    def end(self) -> float:
        """Where the open clip ends, in seconds."""
        ...

    @property
    def can_render(self) -> bool:
        """Whether everything that a render needs was chosen."""
        ...

    def show_generation(self) -> None:
        """Show what renders new clips."""

    def render_now(self) -> None:
        """Render what was chosen."""

    def take_over_settings(self) -> None:
        """Let the user bring over settings of a published program."""

    def pause_renders(self) -> None:
        """Pause all renders, or go on."""

    def show_models(self) -> None:
        """Show the model files of the neural engines."""

    def ask_render_log(self) -> None:
        """Let the user choose a log of a render."""

    def ask_clip(self) -> None:
        """Let the user choose a clip or a project."""

    def ask_folder(self) -> None:
        """Let the user choose a folder whose clips are measured."""

    def ask_sound(self) -> None:
        """Let the user choose another sound."""

    def ask_project(self) -> None:
        """Let the user choose where the project is saved."""

    def save(self) -> None:
        """Save the project, asking where if that is not known."""

    def paste(self) -> None:
        """Open the path that was copied."""

    def export(self) -> None:
        """Write the corrected copy."""

    def hand_on(self) -> None:
        """Show what else the correction can be written as."""

    def close_clip(self) -> None:
        """Go back to the start page."""

    def close(self) -> bool:
        """End the program."""
        ...

    def show_page(self, name: str) -> None:
        """Show a page of the sidebar."""

    def show_queue(self) -> None:
        """Show the queue."""

    def hide_queue(self) -> None:
        """Show the clip, or the start page."""

    def open_palette(self) -> None:
        """Let the user find a command."""

    def open_settings(self) -> None:
        """Show the settings."""

    def open_shortcuts(self) -> None:
        """Show all shortcuts."""

    def open_log(self) -> None:
        """Show the logs."""

    def open_blind_test(self) -> None:
        """Ask which version looks right."""

    def jump(self, seconds: float) -> None:
        """Go on by some seconds, or back."""

    def begin_range(self) -> None:
        """Let the range begin at the playhead."""

    def end_range(self) -> None:
        """Let the range end at the playhead."""

    def set_loop(self, on: bool) -> None:
        """Repeat the range, or two seconds around the playhead."""

    def to_marker(self, direction: int) -> None:
        """Go to the next marker, or to the one before."""

    def drop_anchor(self) -> None:
        """Put an anchor at the playhead."""

    def to_anchor(self, direction: int) -> None:
        """Go to the next anchor, or to the one before."""

    def play_anchor(self) -> None:
        """Repeat two seconds around the selected anchor, or the nearest one."""

    def mute(self) -> None:
        """Turn the sound off, or on again."""

    def set_compare(self, on: bool) -> None:
        """Play the clip as it is in the file, or corrected."""

    def set_snapping(self, on: bool) -> None:
        """Snap while the sound is dragged, or not."""

    def set_spectrogram(self, on: bool) -> None:
        """Show the sound's spectrum on the timeline, or its amplitude."""

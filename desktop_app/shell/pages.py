"""What fills the window, one at a time: start, the open clip, the queue, the renders, the model files."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop_app.actions import Actions
from desktop_app.panels.start import StartPage
from desktop_app.studio import Studio
from engine.generation.registry import EngineStatus
from engine.refusal import Refusal

if TYPE_CHECKING:
    from desktop_app.panels.generation.page import GenerationPage
    from desktop_app.panels.models import ModelsPage
    from desktop_app.panels.queue import QueuePage


class Pages(QStackedWidget):
    """The pages. Each is built when it is first wanted: together they would take a third of the start.

    Args:
        studio: does the work.
        actions: what the pages' buttons do; declared before a page is built.
    """

    refused = Signal(Refusal)
    """Something that was chosen for a render cannot be used."""
    log_wanted = Signal(Path)
    """The advice for the log of a render is to be shown."""
    order_changed = Signal()
    """Something else is to be rendered next; whether it can be may have changed."""

    def __init__(self, studio: Studio, actions: Actions) -> None:
        super().__init__()
        self._studio = studio
        self._actions = actions
        self._clip: QWidget | None = None
        self._generation: GenerationPage | None = None
        # Where the keyboard is when no field has it, so that single letters are shortcuts.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    @cached_property
    def start(self) -> StartPage:
        """What is shown while no clip is open."""
        page = StartPage(self._actions, self._studio.settings)
        page.opened.connect(self._studio.open)
        self._studio.sample_progressed.connect(page.show_making)
        self.addWidget(page)
        return page

    @cached_property
    def queue(self) -> QueuePage:
        """Many clips as a table."""
        from desktop_app.panels.queue import QueuePage

        page = QueuePage(self._studio.queue, self._actions)
        page.opened.connect(self._studio.open)
        self.addWidget(page)
        return page

    @property
    def generation(self) -> GenerationPage:
        """What renders new clips."""
        if self._generation is None:
            from desktop_app.panels.generation.page import GenerationPage

            studio = self._studio
            self._generation = page = GenerationPage(
                studio.rendering, studio.engines, studio.planning, studio.prompt_check, self._actions
            )
            page.opened.connect(studio.open)
            page.refused.connect(self.refused)
            page.models_wanted.connect(self.show_models)
            page.log_wanted.connect(self.log_wanted)
            page.order.choose(engine=studio.settings["render_engine"])
            page.order.changed.connect(self.order_changed)
            page.picker.chosen.connect(self._prefer_engine)
            self.addWidget(page)
        return self._generation

    @cached_property
    def models(self) -> ModelsPage:
        """The model files of the neural engines."""
        from desktop_app.panels.models import ModelsPage

        page = ModelsPage(self._studio.shelf, self._studio.engines, self._actions)
        self.addWidget(page)
        return page

    def set_clip(self, page: QWidget) -> None:
        """Say what shows the open clip."""
        self._clip = page
        self.addWidget(page)

    def show_clip(self) -> None:
        """Show the open clip, or the start page."""
        is_open = self._studio.document.path is not None
        self.setCurrentWidget(self._clip if is_open and self._clip is not None else self.start)

    def show_queue(self) -> None:
        """Show the queue."""
        self.setCurrentWidget(self.queue)

    def show_generation(self) -> None:
        """Show what renders new clips."""
        self.setCurrentWidget(self.generation)
        self._studio.engines.ask()

    def show_models(self) -> None:
        """Show the model files of the neural engines."""
        self.setCurrentWidget(self.models)

    @property
    def shows_clip(self) -> bool:
        """Whether the open clip is shown: what plays, edits and moves about in it is done to what one sees."""
        return self._studio.document.path is not None and self.currentWidget() is self._clip

    @property
    def shows_generation(self) -> bool:
        """Whether what renders new clips is shown."""
        return self._generation is not None and self.currentWidget() is self._generation

    def shows_render(self, number: int) -> bool:
        """Whether this render is shown large."""
        return self._generation is not None and self._generation.shows(number)

    @property
    def can_render(self) -> bool:
        """Whether everything that a render needs was chosen."""
        return self._generation is not None and self._generation.can_render

    def render_now(self) -> None:
        """Render what was chosen, and show it."""
        self.show_generation()
        self.generation.render_now()

    def take_over_settings(self) -> None:
        """Let the user bring over settings of a published program."""
        self.show_generation()
        self.generation.take_over()

    def end(self) -> None:
        """End what the pages do in threads."""
        if self._generation is not None:
            self._generation.close_readers()

    def _prefer_engine(self, status: EngineStatus) -> None:
        self._studio.settings["render_engine"] = status.name

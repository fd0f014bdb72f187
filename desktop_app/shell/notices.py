"""What the user is told that nobody asked about: in the window, and by the system where the window is behind others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from desktop_app.shell.dialogs import Dialogs
from desktop_app.shell.pages import Pages
from desktop_app.studio import Studio
from desktop_app.widgets.notifying import Notifier
from desktop_app.widgets.toasts import Toasts
from desktop_app.work import revealing
from desktop_app.work.rendering import RenderItem
from engine.refusal import Refusal


class Notices(QObject):
    """Listens to everything that works, and says what happened.

    Args:
        window: where the notices lie.
        studio: does the work.
        pages: what notices lead to; who looks at a page is not told what it shows.
        dialogs: likewise.

    Attributes:
        toasts: the notices in the window.
    """

    def __init__(self, window: QWidget, studio: Studio, pages: Pages, dialogs: Dialogs) -> None:
        super().__init__(window)
        self._studio = studio
        self._pages = pages
        self._dialogs = dialogs
        self.toasts = Toasts(window)
        self._notifier = Notifier(window)
        studio.refused.connect(self.refuse)
        studio.informed.connect(self.inform)
        studio.watching.strayed.connect(self._say_strayed)
        studio.exporting.written.connect(self.say_written)
        studio.examining.prepared.connect(self._say_prepared)
        studio.examining.relabelled.connect(self._say_relabelled)
        studio.rendering.rendered.connect(self._say_rendered)
        studio.rendering.failed.connect(self._say_not_rendered)
        studio.queue.finished.connect(self._say_queue)
        studio.queue.added.connect(self._say_added)
        revealing.news.refused.connect(self.refuse)

    def refuse(self, refusal: Refusal) -> None:
        """Say why something cannot be done."""
        self.toasts.show(str(refusal), tone="bad")

    def warn(self, text: str) -> None:
        """Say what does not work as it should."""
        self.toasts.show(text, tone="poor")

    def inform(self, text: str) -> None:
        """Say something good to know."""
        self.toasts.show(text)

    def rest(self) -> None:
        """Take the system's message away: the window is being looked at."""
        self._notifier.rest()

    def say_crash(self) -> None:
        """Say that the program crashed last time."""
        self._point_to_log(self.tr("Plosive crashed last time. The details are in the log."))

    def say_fault(self) -> None:
        """Say that something went wrong that should not have."""
        self._point_to_log(self.tr("Something went wrong. What is open is safe; the details are in the log."))

    def say_waiting(self) -> None:
        """Say what was left to be done last time: it does not begin by itself, and is not to be forgotten."""
        if self._studio.queue.is_paused:
            self.toasts.show(
                self.tr("Clips of the queue are waiting since last time."),
                action=self.tr("Show the queue"),
                handler=self._pages.show_queue,
            )
        if self._studio.rendering.is_paused:
            self.toasts.show(
                self.tr("Renders are waiting since last time."),
                action=self.tr("Show the renders"),
                handler=self._pages.show_generation,
            )

    def say_written(self, path: Path) -> None:
        """Say that a corrected copy is written."""
        text = self.tr("{file} is written.").format(file=path.name)
        self.toasts.show(text, tone="good")
        self._tell(self.tr("Exported"), text)

    def _point_to_log(self, text: str) -> None:
        self.toasts.show(text, tone="bad", action=self.tr("Show the log"), handler=self._dialogs.open_log)

    def _say_strayed(self, refusal: Refusal) -> None:
        self.toasts.show(str(refusal), tone="bad", action=self.tr("Open it again"), handler=self._studio.reopen)

    def _say_prepared(self, path: Path) -> None:
        self.toasts.show(self.tr("The voice is in {file}.").format(file=path.name), tone="good")

    def _say_relabelled(self, path: Path) -> None:
        self.toasts.show(
            self.tr("The sound at its true speed is in {file}.").format(file=path.name),
            tone="good",
            action=self.tr("Use it for this clip"),
            handler=partial(self._studio.open_sound, path),
        )

    def _say_added(self, count: int) -> None:
        if count == 0:
            self.refuse(Refusal.of("window.nothing_new"))
            if not self._studio.queue.items:
                self._pages.show_clip()

    def _say_queue(self) -> None:
        page = self._pages.queue
        self.toasts.show(
            self.tr("The queue is done: {summary}.").format(summary=page.summary),
            tone="good",
            action=self.tr("Show the queue"),
            handler=None if page.isVisible() else self._pages.show_queue,
            topic="queue",
        )
        self._tell(self.tr("The queue is done"), page.summary, self._pages.show_queue)

    def _say_rendered(self, item: RenderItem) -> None:
        report = item.report
        if report is None:
            return
        if not self._pages.shows_generation:  # who looks at the page sees it there
            self.toasts.show(
                self.tr("{file} is rendered. {verdict}").format(file=report.path.name, verdict=report.verdict.text()),
                tone="good",
                action=self.tr("Open on the timeline"),
                handler=partial(self._studio.open, report.path),
            )
        text = f"{report.path.name}: {report.verdict.text()}"
        self._tell(self.tr("A render is done"), text, self._pages.show_generation)

    def _say_not_rendered(self, item: RenderItem) -> None:
        from desktop_app.panels.generation.run_card import name_words

        if not self._pages.shows_render(item.number):  # who looks at it reads it there
            self.toasts.show(
                f"{name_words(item)}: {item.refusal}",
                tone="bad",
                action=self.tr("Show the renders"),
                handler=None if self._pages.shows_generation else self._pages.show_generation,
            )
        self._tell(self.tr("A render failed"), str(item.refusal), self._pages.show_generation)

    def _tell(self, title: str, text: str, handler: Callable[[], object] | None = None) -> None:
        if self._studio.settings["notify"]:
            self._notifier.tell(title, text, handler)

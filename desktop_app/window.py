"""The main window: puts the parts together and carries what they ask for to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QObject, QPoint, QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QFileDialog,
    QMainWindow,
    QMenu,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app import places
from desktop_app.action_list import GROUPS, declare, declare_playing
from desktop_app.actions import Actions, said
from desktop_app.document.autosave import Leftover
from desktop_app.document.corrections import NOTHING, moved
from desktop_app.document.dropping import Drop, pasted, sort
from desktop_app.document.project import SUFFIX
from desktop_app.panels.blind_test import LOOP_SECONDS, BlindTestPage
from desktop_app.panels.doctor import DoctorPanel
from desktop_app.panels.export import ExportPanel
from desktop_app.panels.header import Header
from desktop_app.panels.history import HistoryPanel
from desktop_app.panels.log import LogPage
from desktop_app.panels.queue import QueuePage
from desktop_app.panels.settings import SettingsPage
from desktop_app.panels.shortcuts import ShortcutsPage
from desktop_app.panels.sidebar import Sidebar
from desktop_app.panels.speakers import SpeakersPage, speakers_late_ms
from desktop_app.panels.start import StartPage
from desktop_app.panels.sync import SyncPanel
from desktop_app.panels.transport import Transport
from desktop_app.player.player import Player
from desktop_app.player.preview import Preview
from desktop_app.studio import Studio
from desktop_app.theme import GRID
from desktop_app.timeline.feeder import Feeder
from desktop_app.timeline.moving import sound_time
from desktop_app.timeline.view import TimelineView
from desktop_app.widgets.drop_overlay import DropOverlay, Zone
from desktop_app.widgets.notifying import Notifier
from desktop_app.widgets.palette import CommandPalette
from desktop_app.widgets.question import Question
from desktop_app.widgets.toasts import Toasts
from desktop_app.work.rendering import RenderItem
from engine.media.export.treatment import Treatment
from engine.refusal import Refusal

if TYPE_CHECKING:
    from desktop_app.panels.generation.page import GenerationPage
    from desktop_app.panels.models import ModelsPage

_LOOKED_AT = 100
"""More files than this are for the queue, whatever they are; it looks at them in the background."""
_KEYS_OF_WIDGETS = {
    Qt.Key.Key_Space,
    Qt.Key.Key_Return,
    Qt.Key.Key_Enter,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
}
"""Keys that a button or a list with the keyboard needs for itself, before they play or step."""


class MainWindow(QMainWindow):
    """What the user sees.

    Attributes:
        studio: does the work.
        actions_: everything that can be done here.
        player: plays the open clip.
        timeline: the clip over time.
        preview: the picture.
        sync: the verdict and the correction.
        queue_page: many clips as a table.
        exports: how the copy is written.
        doctor: what is unusual about the sound.
        toasts: notices.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.studio = studio
        self.setAcceptDrops(True)
        self._is_closed = False
        self._generation: GenerationPage | None = None
        self._models_page: ModelsPage | None = None
        self.setMinimumSize(96 * GRID, 64 * GRID)
        self.toasts = Toasts(self)
        self._notifier = Notifier(self)
        self._overlay = DropOverlay(self)
        self._volume_before = studio.settings["volume"] or 0.3
        document = studio.document
        self.player = Player(document, self)
        self.player.set_volume(studio.settings["volume"])
        self.preview = Preview(self.player, document)
        self.timeline = TimelineView(document)
        self._feeder = Feeder(document, self.timeline)
        self.timeline.set_snapping(studio.settings["snapping"])
        self.timeline.set_spectrogram(studio.settings["spectrogram"])
        self.actions_ = actions = Actions(self, studio.settings)
        declare(actions, self)
        declare_playing(actions, self)
        self._build()
        self._build_menus()
        self._connect()
        self._restore()
        self._show_speakers()
        self._show_media()
        self._say()
        app = QGuiApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    # What the actions do.

    @property
    def end(self) -> float:
        """Where the open clip ends, in seconds."""
        return self.studio.document.start + self.studio.document.duration

    def open_paths(self, paths: Iterable[Path], zone: Zone | None = None) -> None:
        """Open what was dropped, pasted or named.

        Args:
            paths: files and folders.
            zone: where they were dropped, if they were.
        """
        paths = list(paths)
        document = self.studio.document
        drop = sort(path.absolute() for path in paths[:_LOOKED_AT])
        if (drop.is_batch or len(paths) > _LOOKED_AT) and not drop.projects:
            self.studio.queue.add(paths)
            self.show_queue()
            return
        if drop.logs:
            self.open_render_log(drop.logs[0])
        elif drop.projects:
            self.studio.open(drop.projects[0])
        elif zone in {Zone.FACE, Zone.SPEECH, Zone.RENDER} or (drop.pictures and not drop.clips):
            self._choose_for_render(drop, zone)
        elif len(drop.clips) == 1 and len(drop.sounds) <= 1 and zone is not Zone.VOICE:
            self.studio.open(drop.clips[0], drop.sounds[0] if drop.sounds else None)
        elif document.path is not None and not drop.folders and len(drop.clips) + len(drop.sounds) == 1:
            self.studio.open_sound((drop.sounds or drop.clips)[0])
        elif drop.sounds and not drop.clips:
            self._refuse(Refusal.of("window.sound_only", path=drop.sounds[0]))
        else:
            self._refuse(Refusal.of("window.nothing_usable"))

    def ask_clip(self) -> None:
        """Let the user choose a clip or a project."""
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Open a clip or a project"), self._folder())
        if chosen:
            self.open_paths([Path(chosen)])

    def ask_folder(self) -> None:
        """Let the user choose a folder whose clips are measured."""
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Measure all clips of a folder"), self._folder())
        if chosen:
            self.open_paths([Path(chosen)])

    @property
    def can_render(self) -> bool:
        """Whether everything that a render needs was chosen."""
        return self._generation is not None and self._generation.can_render

    def show_generation(self) -> None:
        """Show what renders new clips."""
        self._stack.setCurrentWidget(self.generation)
        self.studio.engines.ask()

    def render_now(self) -> None:
        """Render what was chosen."""
        self.show_generation()
        self.generation.render_now()

    def take_over_settings(self) -> None:
        """Let the user bring over settings of a published program."""
        self.show_generation()
        self.generation.take_over()

    def show_models(self) -> None:
        """Show the model files of the neural engines."""
        self._stack.setCurrentWidget(self.models_page)

    def open_render_log(self, path: Path) -> None:
        """Say what a log of a render gives reason to advise."""
        from desktop_app.panels.generation.render_log import RenderLogPage

        self._open_page(RenderLogPage(path, self))

    def ask_render_log(self) -> None:
        """Let the user choose a log of a render."""
        chosen, _ = QFileDialog.getOpenFileName(
            self, self.tr("Log of a render"), self._folder(), "*.jsonl *.log *.txt;;*"
        )
        if chosen:
            self.open_render_log(Path(chosen))

    def pause_renders(self) -> None:
        """Pause all renders, or go on."""
        if self.studio.rendering.is_paused:
            self.studio.rendering.resume()
        else:
            self.studio.rendering.pause()

    def show_queue(self) -> None:
        """Show the queue."""
        self._stack.setCurrentWidget(self.queue_page)

    def hide_queue(self) -> None:
        """Show the clip, or the start page."""
        self._stack.setCurrentIndex(0 if self.studio.document.path is None else 1)

    def ask_sound(self) -> None:
        """Let the user choose another sound."""
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Sound for this clip"), self._folder())
        if chosen:
            self.studio.open_sound(Path(chosen))

    def ask_project(self) -> None:
        """Let the user choose where the project is saved."""
        path = self.studio.document.path
        if path is None:
            return
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save project"), str(path.with_suffix(SUFFIX)), f"*{SUFFIX}"
        )
        if chosen:
            self.studio.save_as(Path(chosen))

    def save(self) -> None:
        """Save the project, asking where if that is not known."""
        path = self.studio.autosave.project_path
        if path is None:
            self.ask_project()
        else:
            self.studio.save_as(path)

    def paste(self) -> None:
        """Open the path that was copied."""
        paths = pasted(QGuiApplication.clipboard().text())
        if paths:
            self.open_paths(paths)
        else:
            self.toasts.show(self.tr("No path of a file was copied."))

    def close_clip(self) -> None:
        """Go back to the start page."""
        self.player.pause()
        self.studio.close_clip()

    def show_page(self, name: str) -> None:
        """Show a page of the sidebar."""
        self.sidebar.show_page(name)

    def export(self) -> None:
        """Write the corrected copy."""
        self.show_page("export")
        self.exports.export()

    def hand_on(self) -> None:
        """Show what else the correction can be written as."""
        self.show_page("export")
        self.exports.show_hand_on()

    def open_palette(self) -> None:
        """Let the user find a command."""
        self.actions_.look_again()
        CommandPalette(self.actions_, self).show()

    def open_settings(self) -> None:
        """Show the settings."""
        self._open_page(SettingsPage(self.studio.settings, self))

    def open_shortcuts(self) -> None:
        """Show all shortcuts."""
        self._open_page(ShortcutsPage(self.actions_, self))

    def open_log(self) -> None:
        """Show the logs."""
        self._open_page(LogPage(places.log_folder(), self))

    def open_blind_test(self) -> None:
        """Ask which version looks right."""
        self._open_page(BlindTestPage(self.studio.document, self.player, self))

    def jump(self, seconds: float) -> None:
        """Go on by some seconds, or back."""
        self.player.seek(self.player.position + seconds)

    def begin_range(self) -> None:
        """Let the range begin at the playhead."""
        self.studio.document.set_range(self.player.position, self.studio.document.out_point)

    def end_range(self) -> None:
        """Let the range end at the playhead."""
        self.studio.document.set_range(self.studio.document.in_point, self.player.position)

    def set_loop(self, on: bool) -> None:
        """Repeat the range, or two seconds around the playhead; or nothing."""
        document = self.studio.document
        start, stop = document.in_point, document.out_point
        if not on:
            self.player.set_loop(None, None)
        elif start is None or stop is None:
            self._loop_around(self.player.position)
        else:
            self.player.set_loop(max(start, document.start), min(stop, self.end))

    def to_marker(self, direction: int) -> None:
        """Go to the next marker, or the one before."""
        now = self.player.position
        times = [marker.t for marker in self.studio.document.markers if (marker.t - now) * direction > 1e-3]
        if times:
            self.player.seek(min(times, key=lambda t: abs(t - now)))

    def drop_anchor(self) -> None:
        """Put an anchor on the sound that belongs to the playhead."""
        document = self.studio.document
        document.drop_anchor(sound_time(document.correction, self.player.position))

    def to_anchor(self, direction: int) -> None:
        """Go to the next anchor, or the one before, and select it."""
        now, points = self.player.position, self.studio.document.anchors.points
        found = [index for index, point in enumerate(points) if (point.shown - now) * direction > 1e-3]
        if found:
            nearest = min(found, key=lambda index: abs(points[index].shown - now))
            self.studio.document.select_anchor(nearest)
            self.player.seek(points[nearest].shown)

    def play_anchor(self) -> None:
        """Repeat two seconds around the selected anchor, or the nearest one."""
        document = self.studio.document
        shown = [point.shown for point in document.anchors.points]
        if shown:
            selected = document.selected_anchor
            nearest = min(shown, key=lambda each: abs(each - self.player.position))
            self.loop_here(nearest if selected is None else shown[selected])

    def loop_here(self, seconds: float) -> None:
        """Repeat two seconds around a moment, whatever the range is, and play them."""
        self.actions_["loop"].setChecked(True)
        self._loop_around(seconds)
        self.player.seek(seconds)
        if not self.player.is_playing:
            self.player.play()

    def _loop_around(self, seconds: float) -> None:
        start, stop = seconds - LOOP_SECONDS / 2, seconds + LOOP_SECONDS / 2
        self.player.set_loop(max(start, self.studio.document.start), min(stop, self.end))

    def mute(self) -> None:
        """Turn the sound off, or on again."""
        if self.player.volume > 0:
            self._volume_before = self.player.volume
            self.player.set_volume(0.0)
        else:
            self.player.set_volume(self._volume_before)

    def set_compare(self, on: bool) -> None:
        """Play the clip as it is in the file, or corrected."""
        self.player.set_override(NOTHING if on else None)

    def set_snapping(self, on: bool) -> None:
        """Snap while the sound is dragged, or not."""
        self.studio.settings["snapping"] = on
        self.timeline.set_snapping(on)

    def set_spectrogram(self, on: bool) -> None:
        """Show the sound's spectrum on the timeline, or its amplitude."""
        self.studio.settings["spectrogram"] = on
        self.timeline.set_spectrogram(on)

    def offer_recovery(self, leftover: Leftover) -> None:
        """Ask whether what a crashed session left is wanted."""
        answer = Question.ask(
            self,
            self.tr("Recover?"),
            self.tr("Plosive was not closed properly while {file} was open. Open it as it was?").format(
                file=leftover.project.path.name
            ),
            self.tr("Open it as it was"),
            self.tr("Throw it away"),
        )
        if answer:
            self.studio.recover(leftover)
        elif answer is False:  # who puts the question away is asked again next time
            leftover.discard()

    def _may_lose(self, refusal: Refusal) -> bool:
        title, text = self.tr("Close without saving?"), self.tr("{reason} Close anyway?").format(reason=refusal)
        yes, no = self.tr("Close without saving"), self.tr("Keep it open")
        return bool(Question.ask(self, title, text, yes, no, is_harmless=False))

    def notify_crash(self) -> None:
        """Say that the program crashed last time."""
        self.toasts.show(
            self.tr("Plosive crashed last time. The details are in the log."),
            tone="bad",
            action=self.tr("Show the log"),
            handler=self.open_log,
        )

    def notify_fault(self) -> None:
        """Say that something went wrong that should not have."""
        self.toasts.show(
            self.tr("Something went wrong. What is open is safe; the details are in the log."),
            tone="bad",
            action=self.tr("Show the log"),
            handler=self.open_log,
        )

    # How it is put together.

    def _build(self) -> None:
        document, actions = self.studio.document, self.actions_
        self.header = Header(document, actions)
        self.transport = Transport(document, self.player, actions)
        self.sync = SyncPanel(document, self.studio.measuring, actions)
        self.doctor = DoctorPanel(self.studio.examining)
        self.exports = ExportPanel(
            document, self.studio.exporting, self.studio.handing_on, self.studio.settings, actions
        )
        self.history = HistoryPanel(document, actions)
        self.sidebar = Sidebar()
        for name, page in (
            ("sync", self.sync),
            ("doctor", self.doctor),
            ("export", self.exports),
            ("history", self.history),
        ):
            self.sidebar.add(name, page)
        stage = QWidget()
        column = QVBoxLayout(stage)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.preview, 1)
        column.addWidget(self.transport)
        self._left = QSplitter(Qt.Orientation.Vertical)
        self._left.addWidget(stage)
        self._left.addWidget(self.timeline)
        self._left.setSizes([380, 320])
        self._whole = QSplitter(Qt.Orientation.Horizontal)
        self._whole.addWidget(self._left)
        self._whole.addWidget(self.sidebar)
        self._whole.setStretchFactor(0, 1)
        self._whole.setSizes([880, 48 * GRID])
        for splitter in (self._left, self._whole):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(GRID // 2)
        self.sidebar.setMinimumWidth(46 * GRID)
        self.sidebar.setMaximumWidth(72 * GRID)
        studio_page = QWidget()
        column = QVBoxLayout(studio_page)
        column.setContentsMargins(GRID, 0, GRID, GRID)
        column.setSpacing(GRID // 2)
        column.addWidget(self.header)
        column.addWidget(self._whole, 1)
        self.start_page = StartPage(actions, self.studio.settings)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.start_page)
        self._stack.addWidget(studio_page)
        self.queue_page = QueuePage(self.studio.queue, actions)
        self._stack.addWidget(self.queue_page)
        self.setCentralWidget(self._stack)
        # Where the keyboard is when no field has it, so that single letters are shortcuts.
        self._stack.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    # Pages that are built when they are first wanted: together they would take a third of the start.

    @property
    def generation(self) -> GenerationPage:
        """What renders new clips."""
        if self._generation is None:
            from desktop_app.panels.generation.page import GenerationPage

            studio = self.studio
            self._generation = page = GenerationPage(
                studio.rendering, studio.engines, studio.planning, studio.prompt_check, self.actions_
            )
            page.opened.connect(studio.open)
            page.refused.connect(self._refuse)
            page.models_wanted.connect(self.show_models)
            page.log_wanted.connect(self.open_render_log)
            page.order.choose(engine=studio.settings["render_engine"])
            page.order.changed.connect(self._look_again)
            page.picker.chosen.connect(lambda status: self._prefer_engine(status.name))
            self._stack.addWidget(page)
        return self._generation

    def _prefer_engine(self, name: str) -> None:
        self.studio.settings["render_engine"] = name

    @property
    def models_page(self) -> ModelsPage:
        """The model files of the neural engines."""
        if self._models_page is None:
            from desktop_app.panels.models import ModelsPage

            self._models_page = ModelsPage(self.studio.shelf, self.studio.engines, self.actions_)
            self._stack.addWidget(self._models_page)
        return self._models_page

    @property
    def _shows_generation(self) -> bool:
        return self._generation is not None and self._stack.currentWidget() is self._generation

    def _build_menus(self) -> None:
        self._menus = {group: self.menuBar().addMenu("") for group in GROUPS}
        self._recent = QMenu(self)
        for entry in self.actions_:
            menu = self._menus[entry.group]
            menu.addAction(entry.action)
            if entry.name == "open":
                menu.addMenu(self._recent)
        for menu in self._menus.values():
            menu.aboutToShow.connect(self.actions_.look_again)
        self._recent.aboutToShow.connect(self._list_recent)

    def _connect(self) -> None:
        studio, document, timeline, player = self.studio, self.studio.document, self.timeline, self.player
        studio.refused.connect(self._refuse)
        studio.informed.connect(self._inform)
        studio.media_missing.connect(self._ask_missing)
        studio.watching.strayed.connect(self._say_strayed)
        studio.exporting.written.connect(self._say_written)
        studio.examining.prepared.connect(self._say_prepared)
        studio.settings.changed.connect(self._setting_changed)
        for signal in (
            document.media_changed,
            document.measurement_changed,
            document.correction_changed,
            document.range_changed,
            document.anchors_changed,
            document.undo_stack.indexChanged,
            document.face_changed,
            studio.measuring.changed,
            studio.exporting.changed,
        ):
            signal.connect(self._look_again)
        document.media_changed.connect(self._show_media)
        studio.autosave.saved.connect(self._show_title)
        timeline.seek_requested.connect(player.seek)
        timeline.scrub_started.connect(player.start_scrub)
        timeline.scrub_finished.connect(player.finish_scrub)
        timeline.step_requested.connect(player.step)
        timeline.loop_requested.connect(self.loop_here)
        timeline.context_requested.connect(self._open_menu)
        player.position_changed.connect(self._show_playhead)
        player.problem.connect(self._say_problem)
        player.refused.connect(self._refuse)
        player.state_changed.connect(self._player_changed)
        self.preview.face_picked.connect(document.set_face)
        self._feeder.refused.connect(self._refuse)
        self.doctor.place_wanted.connect(player.seek)
        self.doctor.copy_wanted.connect(self._write_treated)
        self.doctor.move_wanted.connect(self._move_as_found)
        studio.examining.relabelled.connect(self._say_relabelled)
        self.sync.calibration_wanted.connect(self._calibrate)
        self.start_page.opened.connect(studio.open)
        self.queue_page.opened.connect(studio.open)
        studio.engines.changed.connect(self._look_again)
        studio.rendering.state_changed.connect(self._look_again)
        studio.rendering.rendered.connect(self._say_rendered)
        studio.rendering.failed.connect(self._say_not_rendered)
        studio.queue.finished.connect(self._say_queue)
        studio.queue.added.connect(self._say_added)

    def _say(self) -> None:
        self.setWindowTitle(self._title())
        for group, menu in self._menus.items():
            menu.setTitle(said(group))
        self._recent.setTitle(self.tr("Open again"))
        for name, text in (
            ("sync", self.tr("Sync")),
            ("doctor", self.tr("Doctor")),
            ("export", self.tr("Export")),
            ("history", self.tr("History")),
        ):
            self.sidebar.name_page(name, text)
        self.actions_.say_again()
        self.actions_.look_again()

    def _title(self) -> str:
        path = self.studio.autosave.project_path or self.studio.document.path
        return "Plosive" if path is None else f"{path.name} — Plosive"

    def _folder(self) -> str:
        recent = self.studio.settings["recent"]
        return str(Path(recent[0]).parent) if recent else ""

    def _open_page(self, page: QWidget) -> None:
        for same in self.findChildren(type(page)):
            if same is not page:
                same.close()
        page.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        page.show()

    # What happens.

    def _show_media(self) -> None:
        self.hide_queue()
        self._stack.setFocus()
        self.setWindowTitle(self._title())
        self.actions_["compare"].setChecked(False)
        self.actions_["loop"].setChecked(False)
        self.actions_.look_again()

    def _look_again(self) -> None:
        if not self._is_closed:
            self.actions_.look_again()

    def _show_title(self) -> None:
        self.setWindowTitle(self._title())

    def _refuse(self, refusal: Refusal) -> None:
        self.toasts.show(str(refusal), tone="bad")

    def _show_playhead(self, seconds: float) -> None:
        self.timeline.set_playhead(seconds, is_asked_for=not self.player.is_playing)

    def _say_problem(self, text: str) -> None:
        self.toasts.show(text, tone="poor")

    def _inform(self, text: str) -> None:
        self.toasts.show(text)

    def _say_written(self, path: Path) -> None:
        text = self.tr("{file} is written.").format(file=path.name)
        self.toasts.show(text, tone="good")
        self._tell(self.tr("Exported"), text)

    def _say_strayed(self, refusal: Refusal) -> None:
        self.toasts.show(str(refusal), tone="bad", action=self.tr("Open it again"), handler=self.studio.reopen)

    def _say_added(self, count: int) -> None:
        if count == 0:
            self._refuse(Refusal.of("window.nothing_new"))
            if not self.studio.queue.items:
                self.hide_queue()

    def _say_queue(self) -> None:
        self.toasts.show(
            self.tr("The queue is done: {summary}.").format(summary=self.queue_page.summary),
            tone="good",
            action=self.tr("Show the queue"),
            handler=None if self.queue_page.isVisible() else self.show_queue,
        )
        self._tell(self.tr("The queue is done"), self.queue_page.summary, self.show_queue)

    def _tell(self, title: str, text: str, handler: Callable[[], object] | None = None) -> None:
        if self.studio.settings["notify"]:
            self._notifier.tell(title, text, handler)

    def _say_rendered(self, item: RenderItem) -> None:
        report = item.report
        if report is None:
            return
        if not self._shows_generation:  # who looks at the page sees it there
            self.toasts.show(
                self.tr("{file} is rendered. {verdict}").format(file=report.path.name, verdict=report.verdict.text()),
                tone="good",
                action=self.tr("Open on the timeline"),
                handler=lambda: self.studio.open(report.path),
            )
        self._tell(self.tr("A render is done"), f"{report.path.name}: {report.verdict.text()}", self.show_generation)

    def _say_not_rendered(self, item: RenderItem) -> None:
        from desktop_app.panels.generation.run_card import name_words

        if self._generation is None or not self._generation.shows(item.number):  # who looks at it reads it there
            self.toasts.show(
                f"{name_words(item)}: {item.refusal}",
                tone="bad",
                action=self.tr("Show the renders"),
                handler=None if self._shows_generation else self.show_generation,
            )
        self._tell(self.tr("A render failed"), str(item.refusal), self.show_generation)

    def _choose_for_render(self, drop: Drop, zone: Zone | None) -> None:
        """Take files as face and voice, by what they are or by where they were dropped."""
        if zone is Zone.SPEECH:
            faces, voices = [], [*drop.sounds, *drop.clips]
        else:
            faces, voices = [*drop.pictures, *drop.clips], [*drop.sounds]
        self.show_generation()
        if faces:
            self.generation.set_source(faces[0])
        if voices:
            self.generation.set_voice(voices[0])

    def _say_prepared(self, path: Path) -> None:
        self.toasts.show(self.tr("The voice is in {file}.").format(file=path.name), tone="good")

    def _ask_missing(self, missing: Path) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, self.tr("Where is {file} now?").format(file=missing.name), self._folder(), f"*{missing.suffix};;*"
        )
        if chosen:
            self.studio.relink(missing, Path(chosen))

    def _write_treated(self, treatment: Treatment) -> None:
        self.show_page("export")
        self.studio.exporting.write_treated(treatment)

    def _move_as_found(self, ms: float) -> None:
        document = self.studio.document
        document.correct(moved(document.correction, ms), self.tr("Encoder's delay taken off"))

    def _say_relabelled(self, path: Path) -> None:
        self.toasts.show(
            self.tr("The sound at its true speed is in {file}.").format(file=path.name),
            tone="good",
            action=self.tr("Use it for this clip"),
            handler=partial(self.studio.open_sound, path),
        )

    def _calibrate(self) -> None:
        self._open_page(SpeakersPage(self.studio.settings, self))

    def _open_menu(self, seconds: float, position: QPoint) -> None:
        menu = QMenu(self)
        document = self.studio.document
        menu.addAction(self.tr("Go here"), lambda: self.player.seek(seconds))
        menu.addAction(self.tr("Mark this moment"), lambda: document.add_marker(round(seconds, 3)))
        menu.addAction(
            self.tr("Drop an anchor here"), lambda: document.drop_anchor(sound_time(document.correction, seconds))
        )
        here = menu.addAction(self.tr("Measure here"), lambda: self.studio.measure_here(seconds))
        here.setEnabled(self.actions_["measure_here"].isEnabled())
        menu.addAction(self.tr("Range begins here"), lambda: document.set_range(seconds, document.out_point))
        menu.addAction(self.tr("Range ends here"), lambda: document.set_range(document.in_point, seconds))
        menu.addSeparator()
        for marker in document.markers:
            if abs(marker.t - seconds) < 0.25:
                menu.addAction(self.tr("Remove the mark"), partial(document.remove_marker, marker))
        for index, point in enumerate(document.anchors.points):
            if abs(point.shown - seconds) < 0.02 * (self.timeline.span[1] - self.timeline.span[0]):
                menu.addAction(self.tr("Remove the anchor"), partial(document.remove_anchor, index))
        for name in ("apply_measured", "reset", "measure"):
            menu.addAction(self.actions_[name])
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(position)

    def _list_recent(self) -> None:
        self._recent.clear()
        for name in self.studio.settings["recent"]:
            self._recent.addAction(name, partial(self.open_paths, [Path(name)]))

    def _player_changed(self) -> None:
        self.studio.settings["volume"] = float(self.player.volume)

    def _setting_changed(self, key: str) -> None:
        if key == "speakers_late_ms":
            self._show_speakers()

    def _show_speakers(self) -> None:
        late_ms = speakers_late_ms(self.studio.settings)
        self.player.set_speaker_delay(late_ms / 1000)
        self.sync.set_speakers_late(late_ms)

    def _restore(self) -> None:
        geometry = self.studio.settings["window_geometry"]
        if not geometry or not self.restoreGeometry(QByteArray.fromBase64(geometry.encode())):
            self.resize(QSize(1280, 800).boundedTo(self.screen().availableSize()))
        splits = self.studio.settings["window_splits"]
        for name, splitter in (("left", self._left), ("whole", self._whole)):
            if name in splits:
                splitter.restoreState(QByteArray.fromBase64(splits[name].encode()))

    def _keep(self) -> None:
        settings = self.studio.settings
        settings["window_geometry"] = self.saveGeometry().toBase64().toStdString()
        settings["window_splits"] = {
            name: splitter.saveState().toBase64().toStdString()
            for name, splitter in (("left", self._left), ("whole", self._whole))
        }

    # What Qt asks.

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._say()
        elif event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self._notifier.rest()
            self.studio.watching.look()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save and stop everything."""
        refusal = self.studio.autosave.save_project()
        if refusal is not None and not self._may_lose(refusal):
            event.ignore()
            return
        self._is_closed = True
        app = QGuiApplication.instance()
        if app is not None:
            app.removeEventFilter(self)
        self._keep()
        self._feeder.close()
        if self._generation is not None:
            self._generation.close_readers()
        self.player.close()
        self.studio.close()
        super().closeEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let a button or a list that has the keyboard use the keys that it needs."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            own = (QAbstractButton, QComboBox, QAbstractSlider, QAbstractItemView)
            if (
                isinstance(watched, own)
                and event.key() in _KEYS_OF_WIDGETS
                and event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
            ):
                event.accept()
                return True
        return super().eventFilter(watched, event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Offer zones for the files that are held above the window."""
        drop = _dropped(event.mimeData())
        if drop is None:
            return
        event.acceptProposedAction()
        self._overlay.offer(self._zones(drop))

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Light up the zone under the pointer."""
        self._overlay.light(event.position().toPoint())
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Take the zones away."""
        self._overlay.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was let go."""
        zone = self._overlay.zone_at(event.position().toPoint())
        self._overlay.hide()
        event.acceptProposedAction()
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        self.open_paths(paths, zone)

    def _zones(self, drop: Drop) -> tuple[Zone, ...]:
        if drop.is_batch and not drop.projects:
            return (Zone.BATCH,)
        if self._shows_generation and not drop.projects:
            return _render_zones(drop)
        if drop.sounds and (drop.pictures or drop.clips):
            return (Zone.PICTURE, Zone.RENDER) if drop.clips else (Zone.RENDER,)
        if drop.pictures and not drop.clips:
            return (Zone.FACE,)
        if self.studio.document.path is None or drop.projects or len(drop.clips) + len(drop.sounds) != 1:
            return (Zone.PICTURE,)
        return (Zone.PICTURE, Zone.VOICE) if drop.clips else (Zone.VOICE,)


def _render_zones(drop: Drop) -> tuple[Zone, ...]:
    if drop.sounds and (drop.pictures or drop.clips):
        return (Zone.RENDER,)
    if drop.clips:
        return (Zone.FACE, Zone.SPEECH)
    return (Zone.SPEECH,) if drop.sounds else (Zone.FACE,)


def _dropped(data: QMimeData) -> Drop | None:
    urls = [url for url in data.urls() if url.isLocalFile()]
    return sort(Path(url.toLocalFile()) for url in urls[:_LOOKED_AT]) if urls else None

"""The main window: builds the parts, lays them out, and lets what one says reach the others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QVBoxLayout, QWidget

from desktop_app.action_list import GROUPS, declare, declare_playing
from desktop_app.actions import Actions
from desktop_app.commands import Commands
from desktop_app.document.autosave import Leftover
from desktop_app.document.corrections import NOTHING, moved
from desktop_app.panels.doctor import DoctorPanel
from desktop_app.panels.export import ExportPanel
from desktop_app.panels.header import Header
from desktop_app.panels.history import HistoryPanel
from desktop_app.panels.sidebar import Sidebar
from desktop_app.panels.speakers import speakers_late_ms
from desktop_app.panels.start import StartPage
from desktop_app.panels.sync import SyncPanel
from desktop_app.panels.transport import Transport
from desktop_app.player.player import Player
from desktop_app.player.preview import Preview
from desktop_app.shell.dialogs import Dialogs
from desktop_app.shell.drop_target import DropTarget
from desktop_app.shell.file_dialogs import FileDialogs
from desktop_app.shell.first_steps import FirstSteps
from desktop_app.shell.geometry import Geometry
from desktop_app.shell.intake import Intake
from desktop_app.shell.menus import Menus
from desktop_app.shell.notices import Notices
from desktop_app.shell.pages import Pages
from desktop_app.shell.playback import Playback
from desktop_app.shell.timeline_menu import TimelineMenu
from desktop_app.shell.widget_keys import WidgetKeys
from desktop_app.studio import Studio
from desktop_app.theme import GRID
from desktop_app.timeline.feeder import Feeder
from desktop_app.timeline.view import TimelineView
from desktop_app.widgets.drop_overlay import Zone
from desktop_app.widgets.toasts import Toasts
from engine.media.export.treatment import Treatment

if TYPE_CHECKING:
    from desktop_app.panels.generation.page import GenerationPage
    from desktop_app.panels.models import ModelsPage
    from desktop_app.panels.queue import QueuePage


class MainWindow(QMainWindow):
    """What the user sees.

    Args:
        studio: does the work.

    Attributes:
        studio: does the work.
        actions_: everything that can be done here.
        player: plays the open clip.
        timeline: the clip over time.
        preview: the picture.
        header: which clip this is.
        sidebar: the pages beside the preview.
        sync: the verdict and the correction.
        doctor: what is unusual about the sound.
        exports: how the copy is written.
        history: every change with its reason.
        pages: what fills the window.
        playback: moves the playhead.
        dialogs: what opens above the window.
        intake: opens files.
        files: asks which file.
        notices: what the user is told.
        drop_target: files that are held above the window.
        menus: the menu bar.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.studio = studio
        self._is_closed = False
        self.setMinimumSize(96 * GRID, 64 * GRID)
        document, settings = studio.document, studio.settings
        self.player = Player(document, self)
        self.player.set_volume(settings["volume"])
        self.preview = Preview(self.player, document)
        self.timeline = TimelineView(document)
        self._feeder = Feeder(document, self.timeline)
        self.sidebar = Sidebar()
        self.actions_ = Actions(self, settings)
        self.pages = Pages(studio, self.actions_)
        self.playback = Playback(document, self.player, self)
        self.dialogs = Dialogs(self, studio, self.actions_, self.player, self.timeline)
        self.intake = Intake(studio, self.pages, self.dialogs, self)
        self.files = FileDialogs(self, studio, self.intake, self.dialogs)
        self._declare_actions()
        self._build_panels()
        self._geometry = Geometry(self, self._lay_out(), settings)
        self.menus = Menus(self.menuBar(), GROUPS, self.actions_, settings)
        self.notices = Notices(self, studio, self.pages, self.dialogs)
        FirstSteps(studio, self.actions_, self.notices)
        self.drop_target = DropTarget(self, document, self.pages, self.intake)
        self._timeline_menu = TimelineMenu(self.timeline, studio, self.player, self.actions_)
        self._widget_keys = WidgetKeys(self)
        self._connect()
        self._geometry.restore()
        for key in ("snapping", "spectrogram", "speakers_late_ms"):
            self._obey(key)
        self._show_media()
        self._say()

    # What others do with the window.

    def open_paths(self, paths: Iterable[Path], zone: Zone | None = None) -> None:
        """Open files and folders, as if they were dropped onto a zone, or named."""
        self.intake.open(paths, zone)

    def show_page(self, name: str) -> None:
        """Show a page of the sidebar, beside the clip: ``sync``, ``doctor``, ``export`` or ``history``."""
        self.pages.show_clip()
        self.sidebar.show_page(name)

    def show_queue(self) -> None:
        """Show the queue."""
        self.pages.show_queue()

    def show_generation(self) -> None:
        """Show what renders new clips."""
        self.pages.show_generation()

    def show_models(self) -> None:
        """Show the model files of the neural engines."""
        self.pages.show_models()

    def export(self) -> None:
        """Write the corrected copy, and show how."""
        self.show_page("export")
        self.exports.export()

    def hand_on(self) -> None:
        """Show what else the correction can be written as."""
        self.show_page("export")
        self.exports.show_hand_on()

    def close_clip(self) -> None:
        """Go back to the start page."""
        self.player.pause()
        self.studio.close_clip()

    def open_render_log(self, path: Path) -> None:
        """Say what a log of a render gives reason to advise."""
        self.dialogs.open_render_log(path)

    def offer_recovery(self, leftover: Leftover) -> None:
        """Ask whether what a crashed session left is wanted."""
        self.dialogs.offer_recovery(leftover)

    def notify_crash(self) -> None:
        """Say that the program crashed last time."""
        self.notices.say_crash()

    def notify_waiting(self) -> None:
        """Say what was left to be done last time."""
        self.notices.say_waiting()

    def notify_fault(self) -> None:
        """Say that something went wrong that should not have."""
        self.notices.say_fault()

    @property
    def toasts(self) -> Toasts:
        """The notices that lie on the window."""
        return self.notices.toasts

    @property
    def start_page(self) -> StartPage:
        """What is shown while no clip is open."""
        return self.pages.start

    @property
    def queue_page(self) -> QueuePage:
        """Many clips as a table."""
        return self.pages.queue

    @property
    def generation(self) -> GenerationPage:
        """What renders new clips."""
        return self.pages.generation

    @property
    def models_page(self) -> ModelsPage:
        """The model files of the neural engines."""
        return self.pages.models

    # How it is put together.

    def _declare_actions(self) -> None:
        commands = Commands(
            studio=self.studio,
            player=self.player,
            timeline=self.timeline,
            preview=self.preview,
            playback=self.playback,
            intake=self.intake,
            files=self.files,
            pages=self.pages,
            dialogs=self.dialogs,
            show_page=self.show_page,
            export=self.export,
            hand_on=self.hand_on,
            close_clip=self.close_clip,
            close=self.close,
        )
        declare(self.actions_, commands)
        declare_playing(self.actions_, commands)

    def _build_panels(self) -> None:
        studio, document, actions = self.studio, self.studio.document, self.actions_
        self.header = Header(document, actions)
        self._transport = Transport(document, self.player, actions)
        self.sync = SyncPanel(document, studio.measuring, actions)
        self.doctor = DoctorPanel(studio.examining)
        self.exports = ExportPanel(document, studio.exporting, studio.handing_on, studio.settings, actions)
        self.history = HistoryPanel(document, actions)
        for name, page in (
            ("sync", self.sync),
            ("doctor", self.doctor),
            ("export", self.exports),
            ("history", self.history),
        ):
            self.sidebar.add(name, page)

    def _lay_out(self) -> dict[str, QSplitter]:
        """Put the panels into the window; return what divides it."""
        stage = QWidget()
        column = QVBoxLayout(stage)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.preview, 1)
        column.addWidget(self._transport)
        left = QSplitter(Qt.Orientation.Vertical)
        left.addWidget(stage)
        left.addWidget(self.timeline)
        left.setSizes([380, 320])
        whole = QSplitter(Qt.Orientation.Horizontal)
        whole.addWidget(left)
        whole.addWidget(self.sidebar)
        whole.setStretchFactor(0, 1)
        whole.setSizes([880, 48 * GRID])
        for splitter in (left, whole):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(GRID // 2)
        self.sidebar.setMinimumWidth(46 * GRID)
        self.sidebar.setMaximumWidth(72 * GRID)
        clip_page = QWidget()
        column = QVBoxLayout(clip_page)
        column.setContentsMargins(GRID, 0, GRID, GRID)
        column.setSpacing(GRID // 2)
        column.addWidget(self.header)
        column.addWidget(whole, 1)
        self.pages.set_clip(clip_page)
        self.setCentralWidget(self.pages)
        return {"left": left, "whole": whole}

    def _connect(self) -> None:
        studio, document, settings = self.studio, self.studio.document, self.studio.settings
        timeline, player, notices = self.timeline, self.player, self.notices
        for refused in (self.intake.refused, self.pages.refused, self._feeder.refused, player.refused):
            refused.connect(notices.refuse)
        player.problem.connect(notices.warn)
        self.intake.informed.connect(notices.inform)
        self.menus.opened.connect(self._open_again)
        self.pages.currentChanged.connect(self._turn_page)
        self.pages.log_wanted.connect(self.dialogs.open_render_log)
        studio.media_missing.connect(self.files.ask_missing)
        studio.autosave.saved.connect(self._show_title)
        settings.changed.connect(self._obey)
        document.media_changed.connect(self._show_media)
        for changed in (
            document.media_changed,
            document.measurement_changed,
            document.correction_changed,
            document.range_changed,
            document.anchors_changed,
            document.undo_stack.indexChanged,
            document.face_changed,
            studio.measuring.changed,
            studio.exporting.changed,
            studio.engines.changed,
            studio.rendering.state_changed,
            self.pages.order_changed,
        ):
            changed.connect(self._look_again)
        timeline.seek_requested.connect(player.seek)
        timeline.scrub_started.connect(player.start_scrub)
        timeline.scrub_finished.connect(player.finish_scrub)
        timeline.step_requested.connect(player.step)
        timeline.loop_requested.connect(self.playback.loop_here)
        self.playback.looped.connect(self.actions_["loop"].setChecked)
        player.position_changed.connect(self._show_playhead)
        player.state_changed.connect(self._keep_volume)
        player.device_changed.connect(lambda: self._obey("speakers_late_ms"))
        self.preview.face_picked.connect(document.set_face)
        self.doctor.place_wanted.connect(player.seek)
        self.doctor.copy_wanted.connect(self._write_treated)
        self.doctor.move_wanted.connect(self._move_as_found)
        self.sync.calibration_wanted.connect(self.dialogs.open_speakers)
        for changed in (
            document.correction_changed,
            self.sidebar.page_changed,
            self.sync.next_step_changed,
            studio.examining.changed,
        ):
            changed.connect(self._show_next_step)

    def _say(self) -> None:
        self._show_title()
        self.menus.say()
        for name, text in (
            ("sync", self.tr("Sync")),
            ("doctor", self.tr("Doctor")),
            ("export", self.tr("Export")),
            ("history", self.tr("History")),
        ):
            self.sidebar.name_page(name, text)
        self.actions_.say_again()
        self.actions_.look_again()

    # What happens.

    def _show_media(self) -> None:
        self.pages.show_clip()
        self.pages.setFocus()
        self._show_title()
        self.actions_["compare"].setChecked(False)
        self.actions_["loop"].setChecked(False)
        self.actions_.look_again()

    def _turn_page(self) -> None:
        """Nothing sounds that is not shown, and keys do nothing to it."""
        if not self.pages.shows_clip:
            self.player.pause()
        self._look_again()

    def _show_next_step(self) -> None:
        """Export comes next as soon as there is a correction to write, unless the page says what comes next."""
        has_own = {
            "sync": self.sync.has_next_step,
            "doctor": not self.doctor.fix_button.isHidden(),
            "export": True,
            "history": False,
        }
        is_next = self.studio.document.correction != NOTHING and not has_own[self.sidebar.page]
        self.header.set_export_next(is_next=is_next)

    def _show_title(self) -> None:
        path = self.studio.autosave.project_path or self.studio.document.path
        self.setWindowTitle("Plosive" if path is None else f"{path.name} — Plosive")

    def _look_again(self) -> None:
        if not self._is_closed:
            self.actions_.look_again()

    def _show_playhead(self, seconds: float) -> None:
        self.timeline.set_playhead(seconds, is_asked_for=not self.player.is_playing)

    def _open_again(self, path: Path) -> None:
        self.intake.open([path])

    def _write_treated(self, treatment: Treatment) -> None:
        self.show_page("export")
        self.studio.exporting.write_treated(treatment)

    def _move_as_found(self, ms: float) -> None:
        document = self.studio.document
        document.correct(moved(document.correction, ms), lambda: self.tr("Encoder's delay taken off"))

    def _keep_volume(self) -> None:
        self.studio.settings["volume"] = float(self.player.volume)

    def _obey(self, key: str) -> None:
        """Do what a setting says now."""
        settings = self.studio.settings
        if key == "snapping":
            self.timeline.set_snapping(settings[key])
        elif key == "spectrogram":
            self.timeline.set_spectrogram(settings[key])
        elif key == "speakers_late_ms":
            late_ms = speakers_late_ms(settings)
            self.player.set_speaker_delay(late_ms / 1000)
            self.sync.set_speakers_late(late_ms)

    # What Qt asks.

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language; look at the files again when the window comes to the front."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._say()
        elif event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self.notices.rest()
            self.studio.watching.look()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save and stop everything."""
        refusal = self.studio.autosave.save_project()
        if refusal is not None and not self.dialogs.may_lose(refusal):
            event.ignore()
            return
        self._is_closed = True
        self._widget_keys.stop()
        self._geometry.keep()
        self._feeder.close()
        self.pages.end()
        self.player.close()
        self.studio.close()
        super().closeEvent(event)

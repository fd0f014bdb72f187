"""The window without the window: the document, the engine's process, and everything that works on them."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from desktop_app import places
from desktop_app.document.autosave import Autosave, Leftover
from desktop_app.document.corrections import NOTHING, AnyCorrection, moved
from desktop_app.document.document import Document, State
from desktop_app.document.memory import Memory
from desktop_app.document.project import SUFFIX, Project, project_of, read
from desktop_app.document.settings import Settings
from desktop_app.work.asking import EngineList, Planning, PromptCheck
from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.examining import Examining
from desktop_app.work.exporting import Exporting
from desktop_app.work.handing_on import HandingOn
from desktop_app.work.jobs import EngineJob, Outcome
from desktop_app.work.measuring import Measuring
from desktop_app.work.opening import Opener
from desktop_app.work.queue import Queue
from desktop_app.work.rendering import CANCEL_SECONDS, Rendering
from desktop_app.work.shelf import Shelf
from desktop_app.work.unfinished import Unfinished
from desktop_app.work.watching import Watching
from engine.media.interchange.sidecar import find_sidecar
from engine.media.probe import MediaInfo
from engine.refusal import Refusal, Refused
from engine.sync.correction import asked_words, correction_for
from engine.sync.result import Kind, Measurement
from engine.timing import Correction, clock_words
from engine.worker_messages import Sample, Warm

_MOST_RECENT = 20
_SAMPLE = "plosive-sample.mp4"
_LOG = logging.getLogger(__name__)

_PART_SECONDS = 10.0
"""How much is measured around a moment: enough for a certain answer, short enough to be here and not there."""


class Studio(QObject):
    """Opens, measures, corrects, exports and keeps; says what happened through signals.

    Attributes:
        settings: what the user chose.
        document: the open clip.
        engine: the engine's process.
        measuring: measures the open clip.
        watching: notices when the clip's file changes.
        exporting: writes corrected copies.
        handing_on: writes the correction for other programs.
        examining: lets the doctor look.
        autosave: keeps the project.
        unfinished: removes half-written files when the engine is killed.
        queue: measures and fixes many clips, in a process of its own.
        rendering: renders new clips, in a process of its own.
        engines: which engines there are.
        planning: what a render would take.
        prompt_check: whether a prompt fits the voice.
        shelf: the model files.
    """

    refused = Signal(object)
    """Something cannot be done; the refusal."""
    informed = Signal(str)
    """Something good to know, in a sentence."""
    media_missing = Signal(Path)
    """A file that belongs to the project that is being opened is not where it was; :meth:`relink` goes on."""
    sample_progressed = Signal(float)
    """How much of the sample is made, 0 to 1; 1 also where it could not be made."""

    def __init__(
        self,
        settings: Settings,
        engine: EngineProcess | None = None,
        queue_engine: EngineProcess | None = None,
        render_engine: EngineProcess | None = None,
        model_engine: EngineProcess | None = None,
        spare_engine: EngineProcess | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.settings = settings
        self.document = Document(self)
        self.engine = engine or EngineProcess(places.log_folder() / "engine.txt", parent=self)
        self.unfinished = Unfinished(places.state_folder() / "unfinished", self)
        self.measuring = Measuring(self.document, self.engine, settings, self)
        self.watching = Watching(self.document, parent=self)
        # Started when something is first wanted while a clip is measured, which with a long one takes minutes.
        self._spare = spare_engine or EngineProcess(places.log_folder() / "spare-engine.txt", parent=self)
        self.exporting = Exporting(self.document, self.engine, settings, self.unfinished, self._spare, self)
        self.handing_on = HandingOn(self.document, self.engine, self._spare, self)
        self.examining = Examining(self.document, self.engine, self._spare, self)
        self.autosave = Autosave(self.document, places.state_folder() / "autosave", parent=self)
        self.queue = Queue(
            queue_engine or EngineProcess(places.log_folder() / "queue-engine.txt", parent=self),
            places.state_folder() / "queue.json",
            self.unfinished,
            lambda: bool(settings["measure_export"]),
            self,
        )
        self.rendering = Rendering(
            render_engine
            or EngineProcess(places.log_folder() / "render-engine.txt", cancel_seconds=CANCEL_SECONDS, parent=self),
            places.state_folder() / "renders.json",
            self,
        )
        self.shelf = Shelf(model_engine or EngineProcess(places.log_folder() / "models-engine.txt", parent=self), self)
        # Short questions: they may wait behind a measurement, but not behind a render.
        self.engines, self.planning = EngineList(self.engine, self), Planning(self.engine, self)
        self.prompt_check = PromptCheck(self.engine, self)
        self.shelf.stocked.connect(self.engines.ask)
        self.shelf.refused.connect(self.refused)
        self._memory = Memory(places.state_folder() / "corrections.json")
        self._opener = Opener(self)
        self._opener.opened.connect(self._show)
        self._opener.refused.connect(self._refuse)
        self._project: Project | None = None
        self._project_path: Path | None = None
        self._kept: Project | None = None
        self._recovering: Leftover | None = None
        self._making: EngineJob | None = None
        self._remembered: Path | None = None
        self.autosave.failed.connect(self.refused)
        self.queue.refused.connect(self.refused)
        self.engine.died.connect(self._mourn)
        self.engine.unavailable.connect(self._miss_engine)
        for work in (self.measuring, self.exporting, self.handing_on, self.examining):
            work.failed.connect(self._log_failure)
        self.measuring.part_measured.connect(self._anchor_measured)
        self.measuring.part_refused.connect(self.refused)
        self.document.correction_changed.connect(self._remember_soon)
        self._remembering = QTimer(self)
        self._remembering.setSingleShot(True)
        self._remembering.setInterval(1000)
        self._remembering.timeout.connect(self._remember)

    def warm_up(self) -> None:
        """Let the engine's process start and import what measuring needs; remove what a crash left half-written."""
        self.engine.submit(Warm())
        self.unfinished.clean_up()

    def open(self, path: Path, sound_path: Path | None = None) -> None:
        """Open a clip, or a project file; what is open stays until it is known that this can be."""
        self._project = self._project_path = self._kept = None
        if (project_path := project_of(path)) is not None:
            self._open_project(path, project_path)
            return
        self._opener.open(path, sound_path)

    def reopen(self) -> None:
        """Look into the open files again, and measure again; what was decided stays."""
        if self.document.path is not None:
            self.open_found(replace(Project.of(self.document), measurement=None), self.autosave.project_path)

    def open_sound(self, path: Path) -> None:
        """Use a file's sound instead of the open clip's own."""
        if self.document.path is not None:
            self._project = replace(Project.of(self.document), sound_path=path, measurement=None)
            self._project_path = self.autosave.project_path
            self._opener.open(self.document.path, path)

    def drop_sound(self) -> None:
        """Use the clip's own sound again."""
        self.document.set_sound(None)
        self._measure_if_wanted()

    def open_found(self, project: Project, path: Path | None) -> None:
        """Open a project whose media are there now.

        Args:
            project: what was decided.
            path: its file, ``None`` while it has none.
        """
        self._project, self._project_path = project, path
        if missing := project.missing:
            self.media_missing.emit(missing[0])
            return
        self._opener.open(project.path, project.sound_path)

    def relink(self, missing: Path, found: Path) -> None:
        """Go on opening a project one of whose files is elsewhere."""
        if self._project is not None:
            self.open_found(self._project.relinked(missing, found), self._project_path)

    def recover(self, leftover: Leftover) -> None:
        """Open what a crashed session left behind."""
        self._recovering = leftover
        self.open_found(leftover.project, None)

    def open_sample(self) -> None:
        """Make the sample clip if it is not there, and open it."""
        if self._making is not None:
            return
        folder = places.sample_folder()
        target = folder / _SAMPLE
        if target.exists():
            self.open(target)
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            target = places.state_folder() / target.name
            target.parent.mkdir(parents=True, exist_ok=True)
        self.informed.emit(self.tr("Making the sample: a drawn face that speaks, its sound 80 ms late."))
        self._making = job = self.engine.submit(Sample(target))
        job.progressed.connect(lambda _stage, done, _partial: self.sample_progressed.emit(done))
        job.ended.connect(lambda outcome: self._open_made(target, outcome))
        self.sample_progressed.emit(0.0)

    @property
    def shows_sample(self) -> bool:
        """Whether the open clip is the sample."""
        path = self.document.path
        return (
            path is not None
            and path.name == _SAMPLE
            and path.parent
            in {
                places.sample_folder(),
                places.state_folder(),
            }
        )

    def save_as(self, path: Path) -> None:
        """Save the project into a file, now and from now on."""
        try:
            self.autosave.save_as(path if path.suffix == SUFFIX else path.with_name(f"{path.name}{SUFFIX}"))
        except Refused as refused:
            self.refused.emit(refused.refusal)

    @property
    def can_apply(self) -> bool:
        """Whether there is a measured correction that is not applied yet."""
        measured = self._measured
        return measured is not None and measured != self.document.correction

    @property
    def _measured(self) -> AnyCorrection | None:
        """What undoes the measured offset, in whole microseconds as all that the user can choose."""
        found = self.document.measurement
        if found is None or self.document.is_partial or found.offset is None:
            return None
        if found.kind not in {Kind.CONSTANT, Kind.DRIFT, Kind.STEPS}:
            return None
        return moved(correction_for(found), 0.0)

    def apply_measured(self) -> None:
        """Correct what was measured."""
        correction = self._measured
        if correction is not None and self.can_apply:
            self.document.correct(
                correction, lambda: self.tr("As measured: {moved}").format(moved=asked_words(correction).text())
            )

    def measure_here(self, seconds: float) -> None:
        """Measure only the range, or ten seconds around a moment that is not in it, and put an anchor there."""
        document = self.document
        start, stop = document.in_point, document.out_point
        if start is None or stop is None or not start <= seconds <= stop:
            start, stop = seconds - _PART_SECONDS / 2, seconds + _PART_SECONDS / 2
        self.measuring.start_part(max(start, document.start), min(stop, document.start + document.duration))

    def _anchor_measured(self, found: Measurement, start: float, stop: float) -> None:
        """Put the sound right in the middle of a part that was measured."""
        part = self.tr("{start} to {stop}").format(
            start=clock_words(round(start, 1))[:-2], stop=clock_words(round(stop, 1))[:-2]
        )
        if found.offset is None or found.kind in {Kind.UNMEASURABLE, Kind.JITTER}:
            self.informed.emit(f"{part}: {found.verdict}")
            return
        words = found.offset.words()
        heard = (start + stop) / 2 + found.offset.ms / 1000
        self.document.put_anchor(
            heard,
            found.offset.correction.ms,
            lambda: self.tr("Anchor as measured here: sound {offset}").format(offset=words.text()),
        )
        self.informed.emit(
            self.tr("{part}: the sound is {offset}. An anchor there moves it.").format(part=part, offset=words.text())
        )

    def nudge(self, ms: float) -> None:
        """Move the sound by this much more, at the selected anchor where there is one; positive, later."""
        document, moved_by = self.document, Correction(ms).words()
        if document.path is None:
            return
        if document.selected_anchor is not None:
            anchor = document.anchors.points[document.selected_anchor]
            document.pull_anchor(
                document.selected_anchor,
                round(anchor.ms + ms, 6),
                lambda: self.tr("Nudged at the anchor: {moved}").format(moved=moved_by.text()),
            )
        else:
            document.correct(
                moved(document.correction, ms), lambda: self.tr("Nudged: {moved}").format(moved=moved_by.text())
            )

    def reset(self) -> None:
        """Take the correction away."""
        self.document.correct(NOTHING, lambda: self.tr("Correction removed"))

    def frame_ms(self) -> float:
        """Return how long one frame of the open clip is shown, in milliseconds."""
        video = self.document.info.video if self.document.info else None
        return float(1000 / video.rate) if video is not None else 40.0

    def close_clip(self) -> None:
        """Save, and go back to nothing open."""
        self._remember()
        self.autosave.save_now()
        self.document.close()

    def close(self) -> None:
        """Save, stop everything and end the engine's process."""
        self._remember()
        self.autosave.leave()
        self._opener.wait()
        self.queue.close()
        self.rendering.close()
        self.shelf.close()
        self._spare.stop()
        self.engine.stop()
        self.unfinished.wait()

    def _open_project(self, path: Path, project_path: Path) -> None:
        """Open a project file, or the version before of one, which becomes the project then."""
        try:
            project = read(path)
        except Refused as refused:
            self.refused.emit(refused.refusal)
            return
        self._kept = project if path == project_path else None
        self.open_found(project, project_path)

    def _open_made(self, target: Path, outcome: Outcome) -> None:
        self._making = None
        self.sample_progressed.emit(1.0)
        if isinstance(outcome.value, Path):
            self.open(target)
        elif isinstance(outcome.value, Refusal):
            self.refused.emit(outcome.value)
        elif outcome.details:
            self._log_failure(Refusal.of("window.fault"), outcome.details)
            self.refused.emit(Refusal.of("window.fault"))

    def _show(self, info: MediaInfo, sound_info: MediaInfo | None) -> None:
        self._remember()
        project, project_path, kept = self._project, self._project_path, self._kept
        self._project = self._project_path = self._kept = None
        if project is not None:
            self.document.set_media(info, sound_info, project.state, project.face)
            self.autosave.belongs_to(project_path, kept)
            if project.measurement is not None:
                self.document.set_measurement(project.measurement)
        else:
            known = self._memory.recall(info.path) if self.settings["remember_corrections"] else NOTHING
            said = self.tr("As you left it last time: {moved}.")
            if known == NOTHING and (sidecar := find_sidecar(info.path)) is not None:
                if sidecar.sound is not None and sound_info is None and sidecar.sound.is_file():
                    self.open_found(Project(info.path, sidecar.sound, State(sidecar.correction)), None)
                    return
                known = sidecar.correction
                said = self.tr("As the file beside the clip says: {moved}.")
            self.document.set_media(info, sound_info, State(known))
            if known != NOTHING:
                self.informed.emit(said.format(moved=asked_words(known).text()))
        if self._recovering is not None:
            self._recovering.discard()
            self._recovering = None
            self.autosave.save_now()
        for each in filter(None, (info, sound_info)):
            if each.is_cut_off:
                self.refused.emit(Refusal.of("media.cut_off", path=each.path))
        self._remembered = info.path
        self._list_recent(project_path or info.path)
        self._measure_if_wanted()

    def _measure_if_wanted(self) -> None:
        if self.settings["measure_on_open"] and self.document.measurement is None:
            self.measuring.start()

    def _refuse(self, refusal: Refusal) -> None:
        self._project = self._project_path = self._kept = None
        self.refused.emit(refusal)

    def _list_recent(self, path: Path) -> None:
        name = str(path.absolute())
        others = [other for other in self.settings["recent"] if other != name]
        self.settings["recent"] = [name, *others][:_MOST_RECENT]

    def _remember_soon(self) -> None:
        self._remembering.start()

    def _remember(self) -> None:
        """Keep the correction of the clip that is open, unless it belongs to a project or to another sound."""
        self._remembering.stop()
        document = self.document
        if document.path is not None and document.path == self._remembered and document.sound_path is None:
            self._memory.remember(document.path, document.correction)

    def _mourn(self, how: str) -> None:
        _LOG.error("the engine's process ended: %s", how)

    def _miss_engine(self, why: str) -> None:
        _LOG.error("the engine's process cannot be started: %s", why)
        self.refused.emit(Refusal.of("window.engine_unavailable"))

    def _log_failure(self, refusal: Refusal, details: str) -> None:
        _LOG.error("%s\n%s", refusal, details)

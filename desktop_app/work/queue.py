"""Many clips one after the other, in a process of their own, kept on disk so that a restart goes on."""

from __future__ import annotations

import logging
import os
import shlex
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, SignalInstance

from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import Ending, Outcome
from desktop_app.work.kept_list import KeptList
from desktop_app.work.slot import JobSlot
from desktop_app.work.unfinished import Unfinished
from engine.folders import MEDIA_SUFFIXES, expand
from engine.media.export.containers import default_target
from engine.media.export.report import ExportReport, Mode
from engine.media.probe import probe
from engine.refusal import Refusal, Refused
from engine.sync.correction import asked_words, correction_for
from engine.sync.result import Kind, Measurement
from engine.timing import DriftCorrection, StepCorrection
from engine.wire import dump, load
from engine.worker_messages import Export, Measure, Request

_LOG = logging.getLogger(__name__)
_MOST_LINES = 200
"""Lines kept of what happened to one clip."""


class Stage(Enum):
    """Where a clip of the queue is."""

    WAITING = "waiting"
    MEASURING = "measuring"
    MEASURED = "measured"
    TO_WRITE = "to_write"
    WRITING = "writing"
    TO_CHECK = "to_check"
    CHECKING = "checking"
    WRITTEN = "written"
    FAILED = "failed"
    CANCELLED = "cancelled"


_UNDER_WAY = {Stage.MEASURING: Stage.WAITING, Stage.WRITING: Stage.TO_WRITE, Stage.CHECKING: Stage.TO_CHECK}
"""What a clip that was being worked on is after a restart."""


@dataclass(frozen=True, slots=True)
class Item:
    """One clip of the queue.

    Attributes:
        path: the clip.
        stage: where it is.
        done: share of the running step.
        seconds: how long the running or the last step has taken.
        measurement: what was found, without what is only for drawing.
        refusal: why it failed.
        written: the corrected copy.
        after: what was found in the copy, likewise; ``None`` while it was not measured.
        frames: how many frames the clip has, ``None`` while that is not known.
        log: what happened to it, a line each.
    """

    path: Path
    stage: Stage = Stage.WAITING
    done: float = 0.0
    seconds: float = 0.0
    measurement: Measurement | None = None
    refusal: Refusal | None = None
    written: Path | None = None
    after: Measurement | None = None
    frames: int | None = None
    log: tuple[str, ...] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to do with it that was not begun."""
        return self.stage in {Stage.WAITING, Stage.TO_WRITE, Stage.TO_CHECK}

    @property
    def is_running(self) -> bool:
        """Whether it is being worked on."""
        return self.stage in _UNDER_WAY

    @property
    def can_fix(self) -> bool:
        """Whether a corrected copy can be written."""
        found = self.measurement
        return (
            not self.is_running
            and self.stage not in {Stage.TO_WRITE, Stage.TO_CHECK}
            and found is not None
            and found.offset is not None
            and found.kind in {Kind.CONSTANT, Kind.DRIFT, Kind.STEPS}
        )

    @property
    def frames_per_second(self) -> float | None:
        """How many frames of the clip the running step, or the last one, gets through in a second."""
        share = self.done if self.is_running else 1.0
        return None if not self.frames or self.seconds < 0.2 or share == 0 else self.frames * share / self.seconds

    @property
    def seconds_left(self) -> float | None:
        """How long the running step will take, ``None`` while that cannot be told."""
        return self.seconds * (1 - self.done) / self.done if self.is_running and self.done > 0.05 else None


class Queue(QObject):
    """The clips and their work.

    Args:
        engine: does the work.
        path: the file that keeps the queue.
        unfinished: removes what is left of a copy when the engine is killed.
        measures_copies: whether copies are measured again, as of now.
    """

    added = Signal(int)
    """So many clips were added at the end."""
    changed = Signal(int)
    """The clip at this place is another one now."""
    removed = Signal()
    """Some clips went away; places are others now."""
    state_changed = Signal()
    """Paused, resumed, or something began or ended."""
    finished = Signal()
    """Nothing is left to do."""
    refused = Signal(object)
    """A folder cannot be read; the refusal."""
    _found = Signal(list)
    _counted = Signal(object, int)

    def __init__(
        self,
        engine: EngineProcess,
        path: Path,
        unfinished: Unfinished,
        measures_copies: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._unfinished = unfinished
        self._measures_copies = measures_copies
        self._items: list[Item] = []
        self._slot = JobSlot(engine, self)
        self._slot.progressed.connect(self._follow)
        self._slot.ended.connect(self._end)
        self._at: Path | None = None
        self._began = 0.0
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._found.connect(self._take)
        self._counted.connect(self._take_count)
        self._kept = KeptList(path, lambda: self._items, _plain, self)
        self._items = self._kept.load(_read)
        # Work that was left over is not begun behind the user's back.
        self._is_paused = any(item.is_waiting for item in self._items)

    @property
    def items(self) -> Sequence[Item]:
        """All clips, in the order in which they came."""
        return self._items

    @property
    def is_paused(self) -> bool:
        """Whether nothing new is begun."""
        return self._is_paused

    @property
    def is_running(self) -> bool:
        """Whether a clip is being worked on."""
        return self._slot.is_taken

    def add(self, paths: Iterable[Path]) -> None:
        """Measure clips, and all clips in folders, each once; what is no clip by its name is passed over.

        Looking happens in the background; :attr:`added` says how many came.
        """
        self._pool.start(_Search(list(paths), self._found, self.refused))

    def fix(self, places: Iterable[int]) -> None:
        """Write corrected copies of clips that were measured."""
        for place in places:
            if self._items[place].can_fix:
                self._set(place, replace(self._items[place], stage=Stage.TO_WRITE, done=0.0, refusal=None))
        self._go_on()

    def retry(self, places: Iterable[int]) -> None:
        """Do again what failed or was cancelled."""
        for place in places:
            item = self._items[place]
            if item.stage in {Stage.FAILED, Stage.CANCELLED}:
                stage = Stage.WAITING if item.measurement is None else Stage.TO_WRITE
                self._set(place, replace(item, stage=stage, done=0.0, refusal=None))
        self._go_on()

    def cancel(self, places: Iterable[int]) -> None:
        """Stop the work on clips, or do not begin it."""
        for place in places:
            item = self._items[place]
            if item.is_running:
                self._stop()
            if item.is_running or item.is_waiting:
                # A copy that is only measured again is there, whether that goes on or not.
                has_copy = item.stage in {Stage.TO_CHECK, Stage.CHECKING}
                item = _logged(item, self.tr("cancelled"))
                self._set(place, replace(item, stage=Stage.WRITTEN if has_copy else Stage.CANCELLED, done=0.0))
        self._go_on()

    def remove(self, places: Iterable[int]) -> None:
        """Take clips off the list; files stay."""
        chosen = set(places)
        if any(self._items[place].is_running for place in chosen):
            self._stop()
        self._items = [item for place, item in enumerate(self._items) if place not in chosen]
        self._kept.save()
        self.removed.emit()
        self._go_on()

    def pause(self) -> None:
        """Begin nothing new; the running step is stopped and will be done again."""
        self._is_paused = True
        place = self._place()
        if place is not None:
            item = self._items[place]
            self._stop()
            self._set(place, replace(item, stage=_UNDER_WAY[item.stage], done=0.0))
        self.state_changed.emit()

    def resume(self) -> None:
        """Go on."""
        self._is_paused = False
        self._go_on()
        self.state_changed.emit()

    def pause_or_resume(self) -> None:
        """Pause, or go on where it is paused."""
        if self._is_paused:
            self.resume()
        else:
            self.pause()

    def close(self) -> None:
        """Stop, keeping what is to be done for the next start."""
        self.pause()
        self._pool.waitForDone()
        self._kept.close()
        self._engine.stop()

    def _take(self, files: list[Path]) -> None:
        known = {item.path for item in self._items} | {item.written for item in self._items}
        new = [Item(path) for path in files if path not in known]
        self._items += new
        self._kept.save()
        self.added.emit(len(new))
        self._go_on()

    def _take_count(self, path: Path, frames: int) -> None:
        for place, item in enumerate(self._items):
            if item.path == path:
                self._set(place, replace(item, frames=frames))

    def _go_on(self) -> None:
        if self._slot.is_taken or self._is_paused:
            return
        place = next((place for place, item in enumerate(self._items) if item.is_waiting), None)
        if place is None:
            return
        item = self._items[place]
        self._began = time.monotonic()
        self._at = item.path
        request: Measure | Export
        if item.frames is None:
            self._pool.start(_Count(item.path, self._counted))
        if item.stage is Stage.TO_WRITE and item.measurement is not None:
            correction = correction_for(item.measurement)
            mode = {DriftCorrection: Mode.STRETCH, StepCorrection: Mode.PIECEWISE}.get(type(correction), Mode.LOSSLESS)
            request = Export(item.path, default_target(item.path, mode), correction, mode)
            line = self.tr("writing {file}: {moved}").format(file=request.target, moved=asked_words(correction))
            self._set(place, replace(_logged(item, line), stage=Stage.WRITING, done=0.0, seconds=0.0))
        elif item.stage is Stage.TO_CHECK and item.written is not None:
            request = Measure(item.written)
            item = _logged(item, self.tr("measuring the copy"))
            self._set(place, replace(item, stage=Stage.CHECKING, done=0.0, seconds=0.0))
        else:
            request = Measure(item.path)
            item = _logged(item, self.tr("measuring"))
            self._set(place, replace(item, stage=Stage.MEASURING, done=0.0, seconds=0.0))
        job = self._slot.submit(request)
        if isinstance(request, Export):
            self._unfinished.watch(job, request.target)
        self.state_changed.emit()

    def _follow(self, _stage: str, done: float, _partial: object) -> None:
        place = self._place()
        if place is not None:
            self._set(place, replace(self._items[place], done=done, seconds=time.monotonic() - self._began))

    def _end(self, _request: Request, outcome: Outcome) -> None:
        place = self._place()
        if place is not None:
            item = replace(self._items[place], seconds=time.monotonic() - self._began, done=1.0)
            self._set(place, self._concluded(item, outcome))
        if outcome.details:
            _LOG.error("%s: %s", self._at, outcome.details)
        self._kept.save()
        self._go_on()
        self.state_changed.emit()
        if not self._slot.is_taken and not self._is_paused:
            self.finished.emit()

    def _concluded(self, item: Item, outcome: Outcome) -> Item:
        took = self.tr("took {seconds} s").format(seconds=f"{item.seconds:.1f}")
        match outcome.value:
            case Measurement() as found:
                slim = replace(found, curves=(), mouth=None, people=(), points=(), plosives=())
                item = _logged(item, found.verdict.text(), *(note.text() for note in found.notes), took)
                if item.stage is Stage.CHECKING:
                    return replace(item, stage=Stage.WRITTEN, after=slim)
                return replace(item, stage=Stage.MEASURED, measurement=slim, refusal=None)
            case ExportReport() as report:
                has = self.tr("the copy, decoded: {moved}").format(moved=report.found) if report.found else ""
                item = _logged(item, has, *(note.text() for note in report.notes), shlex.join(report.command), took)
                stage = Stage.TO_CHECK if self._measures_copies() else Stage.WRITTEN
                return replace(item, stage=stage, written=report.target, after=None, refusal=None)
        if item.stage is Stage.CHECKING:  # the copy is there; only what it has is not known
            said = self.tr("cancelled") if outcome.refusal is None else str(outcome.refusal)
            return replace(_logged(item, said, outcome.details), stage=Stage.WRITTEN)
        if outcome.ending is Ending.CANCELLED:
            return replace(_logged(item, self.tr("cancelled")), stage=Stage.CANCELLED)
        item = _logged(item, str(outcome.refusal), outcome.details)
        return replace(item, stage=Stage.FAILED, refusal=outcome.refusal)

    def _stop(self) -> None:
        self._slot.drop()

    def _place(self) -> int | None:
        return next((place for place, item in enumerate(self._items) if item.is_running), None)

    def _set(self, place: int, item: Item) -> None:
        if item.stage is not self._items[place].stage:
            self._kept.save()
        self._items[place] = item
        self.changed.emit(place)


def _plain(item: Item) -> dict[str, Any]:
    return {
        "path": str(item.path),
        "stage": _UNDER_WAY.get(item.stage, item.stage).value,
        "seconds": round(item.seconds, 1),
        "measurement": dump(item.measurement),
        "refusal": dump(item.refusal),
        "written": dump(item.written),
        "after": dump(item.after),
        "frames": item.frames,
        "log": list(item.log),
    }


def _read(_place: int, data: dict[str, Any]) -> Item:
    return Item(
        Path(data["path"]),
        Stage(data["stage"]),
        0.0,
        float(data["seconds"]),
        load(data["measurement"]),
        load(data["refusal"]),
        load(data["written"]),
        load(data.get("after")),
        data.get("frames"),
        tuple(map(str, data.get("log", ()))),
    )


def _logged(item: Item, *lines: str) -> Item:
    """Return the clip with lines of its log, each with the time of day."""
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    return replace(item, log=(*item.log, *(f"{now}  {line}" for line in lines if line))[-_MOST_LINES:])


class _Search(QRunnable):
    def __init__(self, paths: list[Path], found: SignalInstance, refused: SignalInstance) -> None:
        super().__init__()
        self._paths = paths
        self._signal = found
        self._refused = refused

    def run(self) -> None:
        for path in self._paths:
            try:
                if path.is_dir():
                    os.scandir(path).close()
            except OSError as error:
                reason = os.strerror(error.errno or 0)
                self._refused.emit(Refusal.of("window.folder_unreadable", path=path, reason=reason))
        files = (Path(name).absolute() for name in expand(map(str, self._paths)))
        self._signal.emit([file for file in files if file.suffix.lower() in MEDIA_SUFFIXES and not file.is_dir()])


class _Count(QRunnable):
    """Finds out how many frames a clip has."""

    def __init__(self, path: Path, counted: SignalInstance) -> None:
        super().__init__()
        self._path = path
        self._counted = counted

    def run(self) -> None:
        try:
            info = probe(self._path)
        except Refused:
            return  # the work on it will say why
        video = info.video
        if video is None:
            return
        length = video.duration or info.duration or 0
        self._counted.emit(self._path, video.frame_count or round(length * video.rate))

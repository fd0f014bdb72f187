"""Renders one after the other, in a process of their own, kept on disk so that a restart goes on where it was.

Rendering has its own engine process: a render lasts minutes or hours, and measuring the open clip must not wait for
it; when it crashes or has to be killed, nothing else goes with it; and when the last one is done the process is ended,
which is the only sure way to give all memory of the graphics card back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal

from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import Ending, Outcome
from desktop_app.work.kept_list import KeptList
from desktop_app.work.slot import JobSlot
from engine.generation.events import Notice, Preview, Reading
from engine.generation.profiles import CalibrationProfile
from engine.generation.report import RenderReport
from engine.generation.spec import RenderSpec
from engine.generation.storage import discard
from engine.refusal import Refusal
from engine.sync.result import Measurement
from engine.wire import dump, load
from engine.worker_messages import Calibrate, Render, Request

CANCEL_SECONDS = 0.8
"""How long a render may take to stop by itself. Its process is killed then: finished segments are safe on disk."""

_LOG = logging.getLogger(__name__)
_WRITTEN_FROM = 0.88
"""From this share on the clip itself is written, and then measured."""
_MOST_READINGS = 1200
"""Ten minutes at two a second; beyond that every other one is dropped, again and again."""


class Stage(Enum):
    """Where a render is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RenderItem:
    """One render of the queue.

    Attributes:
        number: its name in this session.
        spec: what is rendered; of a calibration only the engine and its parameters count.
        is_calibration: whether the engine's own offset is measured instead.
        stage: where it is.
        step: what the engine is doing, one of its short names; empty while it does nothing.
        done: share that is finished, kept when it is stopped.
        seconds: how long it has taken in this run.
        eta_seconds: how long it will still take; ``None`` while that cannot be told.
        report: what came of it.
        profile: what came of a calibration.
        refusal: why nothing came of it.
        notices: what it said meanwhile, the newest last.
    """

    number: int
    spec: RenderSpec
    is_calibration: bool = False
    stage: Stage = Stage.WAITING
    step: str = ""
    done: float = 0.0
    seconds: float = 0.0
    eta_seconds: float | None = None
    report: RenderReport | None = None
    profile: CalibrationProfile | None = None
    refusal: Refusal | None = None
    notices: tuple[Notice, ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether it is being rendered now."""
        return self.stage is Stage.RUNNING

    @property
    def is_open(self) -> bool:
        """Whether it is waiting or running."""
        return self.stage in {Stage.WAITING, Stage.RUNNING}

    @property
    def can_go_on(self) -> bool:
        """Whether it was stopped or failed and can be asked for again; finished segments are kept."""
        return self.stage in {Stage.FAILED, Stage.CANCELLED}


@dataclass(slots=True)
class Track:
    """What a render told while it ran; not kept over a restart.

    Attributes:
        readings: its telemetry, oldest first, thinned out when there is much.
        preview: the newest finished picture.
    """

    readings: list[Reading] = field(default_factory=list)
    preview: Preview | None = None

    def add(self, reading: Reading) -> None:
        """Take another reading."""
        self.readings.append(reading)
        if len(self.readings) > _MOST_READINGS:
            del self.readings[1 : _MOST_READINGS // 2 : 2]


class Rendering(QObject):
    """The renders and their work.

    Args:
        engine: does the work.
        path: the file that keeps the queue.
    """

    arranged = Signal()
    """Renders were added, moved or removed."""
    changed = Signal(int)
    """The render of this number is another one now."""
    watched = Signal(int)
    """The render of this number has a new reading or picture."""
    state_changed = Signal()
    """Paused, resumed, or something began or ended."""
    rendered = Signal(object)
    """A render is done; its item."""
    failed = Signal(object)
    """A render failed; its item."""

    def __init__(self, engine: EngineProcess, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._items: list[RenderItem] = []
        self._tracks: dict[int, Track] = {}
        self._slot = JobSlot(engine, self)
        self._slot.progressed.connect(self._follow)
        self._slot.ended.connect(self._end)
        self._running: int | None = None
        self._began = 0.0
        self._pool = QThreadPool(self)
        self._kept = KeptList(path, lambda: self._items, _plain, self)
        self._items = self._kept.load(_read)
        self._next = len(self._items) + 1
        # Work that was left over is not begun behind the user's back.
        self._is_paused = any(item.is_open for item in self._items)

    @property
    def items(self) -> Sequence[RenderItem]:
        """All renders, in the order in which they are done."""
        return self._items

    @property
    def is_paused(self) -> bool:
        """Whether nothing new is begun."""
        return self._is_paused

    @property
    def is_running(self) -> bool:
        """Whether something is being rendered."""
        return self._slot.is_taken

    def item(self, number: int | None) -> RenderItem | None:
        """Return a render by its number, ``None`` if it is gone."""
        return next((item for item in self._items if item.number == number), None)

    def track(self, number: int) -> Track:
        """Return what a render told so far."""
        return self._tracks.setdefault(number, Track())

    def promises(self, path: Path) -> bool:
        """Return whether a render that is not over will write this file."""
        return any(
            item.spec.target == path and item.stage is not Stage.DONE and not item.is_calibration
            for item in self._items
        )

    def add(self, spec: RenderSpec) -> int:
        """Render this after all others; return its number."""
        return self._append(RenderItem(self._next, spec))

    def calibrate(self, spec: RenderSpec) -> int:
        """Measure the own offset of an engine with these parameters, after all others; return its number."""
        return self._append(RenderItem(self._next, spec, is_calibration=True))

    def _append(self, item: RenderItem) -> int:
        self._next += 1
        self._items.append(item)
        self._kept.save()
        self.arranged.emit()
        self._go_on()
        return item.number

    def go_on_with(self, number: int) -> None:
        """Do again what failed or was cancelled, from the last finished segment."""
        item = self.item(number)
        if item is not None and item.can_go_on:
            self._set(replace(item, stage=Stage.WAITING, refusal=None, notices=()))
            self._is_paused = False
            self._go_on()
            self.state_changed.emit()

    def cancel(self, number: int) -> None:
        """Stop a render, or do not begin it; what is finished of it is kept."""
        item = self.item(number)
        if item is None or not item.is_open:
            return
        if number == self._running:
            self._stop()
        self._set(replace(item, stage=Stage.CANCELLED, step="", eta_seconds=None))
        self._go_on()
        self.state_changed.emit()

    def remove(self, number: int) -> None:
        """Take a render off the list; its clip stays, what is not a clip yet is thrown away."""
        item = self.item(number)
        if item is None:
            return
        if item.stage is not Stage.DONE and not item.is_calibration:
            target = item.spec.target
            self._pool.start(lambda: discard(target))
        if number == self._running:
            self._stop()
        self._items = [item for item in self._items if item.number != number]
        self._tracks.pop(number, None)
        self._kept.save()
        self.arranged.emit()
        self._go_on()
        self.state_changed.emit()

    def move(self, number: int, by: int) -> None:
        """Do a waiting render earlier (negative) or later."""
        place = next((place for place, item in enumerate(self._items) if item.number == number), None)
        if place is not None:
            item = self._items.pop(place)
            self._items.insert(max(0, place + by), item)
            self._kept.save()
            self.arranged.emit()

    def pause(self) -> None:
        """Begin nothing new; the running render is stopped and will go on from its last finished segment."""
        self._is_paused = True
        item = self.item(self._running)
        if item is not None:
            self._stop()
            self._set(replace(item, stage=Stage.WAITING, step="", eta_seconds=None))
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
        self._kept.close()
        self._pool.waitForDone()
        self._engine.stop()

    def _go_on(self) -> None:
        if self._slot.is_taken:
            return
        waiting = (item for item in self._items if item.stage is Stage.WAITING)
        item = None if self._is_paused else next(waiting, None)
        if item is None:
            if not self._engine.jobs:  # one that is being cancelled comes back here when it has ended
                self._engine.stop()
            return
        self._began = time.monotonic()
        self._running = number = item.number
        self._tracks[number] = Track()
        self._set(replace(item, stage=Stage.RUNNING, step="starting", seconds=0.0, refusal=None, notices=()))
        # A clip that had been written when it was stopped is its own; anybody else's file is not replaced.
        spec = replace(item.spec, overwrite=item.spec.overwrite or item.done >= _WRITTEN_FROM)
        request = Calibrate(spec.engine, spec.parameters) if item.is_calibration else Render(spec)
        # However it ends, dropped or done: what follows may end its process, which is still telling of the end.
        self._slot.submit(request).ended.connect(self._go_on, Qt.ConnectionType.QueuedConnection)
        self.state_changed.emit()

    def _follow(self, stage: str, done: float, partial: object) -> None:
        item = self.item(self._running)
        if item is None:
            return
        eta = item.eta_seconds if stage == item.step else None  # it was that of the step before
        item = replace(item, step=stage, done=done, eta_seconds=eta, seconds=time.monotonic() - self._began)
        match partial:
            case Preview():
                self.track(item.number).preview = partial
                self.watched.emit(item.number)
            case Reading():
                self.track(item.number).add(partial)
                item = replace(item, eta_seconds=partial.eta_seconds)
                self.watched.emit(item.number)
            case Notice() if partial not in item.notices:
                item = replace(item, notices=(*item.notices, partial))
        self._set(item)

    def _end(self, _request: Request, outcome: Outcome) -> None:
        item = self.item(self._running)
        self._running = None
        if item is None:
            return
        item = _concluded(replace(item, step="", eta_seconds=None, seconds=time.monotonic() - self._began), outcome)
        if outcome.details:
            _LOG.error("%s: %s", item.spec.target, outcome.details)
        self._set(item)
        if item.stage is Stage.DONE and not item.is_calibration:
            self.rendered.emit(item)
        elif item.stage is Stage.FAILED:
            self.failed.emit(item)
        self.state_changed.emit()

    def _stop(self) -> None:
        if self._slot.drop():
            self._running = None

    def _set(self, item: RenderItem) -> None:
        place = next(place for place, other in enumerate(self._items) if other.number == item.number)
        if item.stage is not self._items[place].stage:
            self._kept.save()
        self._items[place] = item
        self.changed.emit(item.number)


def _plain(item: RenderItem) -> dict[str, Any]:
    return {
        "spec": item.spec.to_json(),
        "is_calibration": item.is_calibration,
        "stage": (Stage.WAITING if item.is_running else item.stage).value,
        "done": round(item.done, 4),
        "seconds": round(item.seconds, 1),
        "report": dump(item.report),
        "profile": dump(item.profile),
        "refusal": dump(item.refusal),
        "notices": dump(item.notices),
    }


def _read(number: int, data: dict[str, Any]) -> RenderItem:
    return RenderItem(
        number,
        RenderSpec.from_json(data["spec"]),
        is_calibration=bool(data["is_calibration"]),
        stage=Stage(data["stage"]),
        done=float(data["done"]),
        seconds=float(data["seconds"]),
        report=load(data["report"]),
        profile=load(data["profile"]),
        refusal=load(data["refusal"]),
        notices=load(data["notices"]),
    )


def _concluded(item: RenderItem, outcome: Outcome) -> RenderItem:
    match outcome.value:
        case RenderReport() as report:
            slim = replace(report, measured=_slim(report.measured), measured_after=_slim(report.measured_after))
            return replace(item, stage=Stage.DONE, done=1.0, report=slim)
        case CalibrationProfile() as profile:
            return replace(item, stage=Stage.DONE, done=1.0, profile=profile)
    if outcome.ending is Ending.CANCELLED:
        return replace(item, stage=Stage.CANCELLED)
    lost = Refusal.of("window.render_lost") if outcome.ending is Ending.LOST else None
    return replace(item, stage=Stage.FAILED, refusal=lost or outcome.refusal)


def _slim(found: Measurement | None) -> Measurement | None:
    """Return a measurement without what is only for drawing."""
    return None if found is None else replace(found, curves=(), mouth=None, people=(), points=(), plosives=())

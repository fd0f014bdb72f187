"""Short questions to the engine: which engines there are, and what a render would take."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import Outcome
from desktop_app.work.slot import JobSlot
from engine.generation.backend import Capabilities, Estimate
from engine.generation.prompts import PromptAdvice
from engine.generation.registry import EngineStatus
from engine.generation.spec import RenderSpec
from engine.refusal import Refusal
from engine.worker_messages import CheckPrompt, Engines, PlanRender, Request

_CALM_MILLISECONDS = 350
"""A plan is asked for when choices have rested this long."""


class EngineList(QObject):
    """The engines and what they need.

    Attributes:
        statuses: all engines, our own first; empty before the first answer.
    """

    changed = Signal()
    """It was asked for, or there is an answer."""

    def __init__(self, engine: EngineProcess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slot = JobSlot(engine, self)
        self._slot.ended.connect(self._take)
        self.statuses: tuple[EngineStatus, ...] = ()

    @property
    def is_asking(self) -> bool:
        """Whether an answer is still to come."""
        return self._slot.is_taken

    def find(self, name: str) -> Capabilities | None:
        """Return what an engine can do, ``None`` if it is not there or broken."""
        return next((each.capabilities for each in self.statuses if each.name == name), None)

    def ask(self) -> None:
        """Look around, unless that is being done."""
        if not self._slot.is_taken:
            self._slot.submit(Engines())
            self.changed.emit()

    def _take(self, _request: Request, outcome: Outcome) -> None:
        if isinstance(outcome.value, tuple):
            self.statuses = outcome.value
        self.changed.emit()


class Planning(QObject):
    """What the render that is being chosen would take; the newest question wins.

    Attributes:
        estimate: the answer, ``None`` while there is none.
        refusal: why it cannot be rendered.
    """

    changed = Signal()
    """Another question, or an answer."""

    def __init__(self, engine: EngineProcess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slot = JobSlot(engine, self)
        self._slot.ended.connect(self._take)
        self._spec: RenderSpec | None = None
        self._is_closed = False
        self.estimate: Estimate | None = None
        self.refusal: Refusal | None = None
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(_CALM_MILLISECONDS)
        self._calm.timeout.connect(self._ask)

    @property
    def is_asking(self) -> bool:
        """Whether an answer is still to come."""
        return self._calm.isActive() or self._slot.is_taken

    def want(self, spec: RenderSpec | None, *, again: bool = False) -> None:
        """Ask about a spec when it has rested for a moment; ``None`` for nothing to ask.

        Args:
            spec: what would be rendered.
            again: ask even if it is the same as before, because something else has changed.
        """
        if self._is_closed or (spec == self._spec and not again):
            return
        self._spec = spec
        self._forget()
        if spec is not None and (refusal := spec.problem()) is not None:
            self.refusal = refusal
        elif spec is not None:
            self._calm.start()
        self.changed.emit()

    def close(self) -> None:
        """Ask nothing any more, whatever still changes: an engine that has been stopped would start again."""
        self._is_closed = True
        self._forget()

    def _forget(self) -> None:
        self._calm.stop()
        self.estimate = self.refusal = None
        self._slot.drop()

    def _ask(self) -> None:
        if self._spec is not None:
            self._slot.submit(PlanRender(self._spec))
            self.changed.emit()

    def _take(self, _request: Request, outcome: Outcome) -> None:
        if isinstance(outcome.value, Estimate):
            self.estimate = outcome.value
        self.refusal = outcome.refusal
        self.changed.emit()


class PromptCheck(QObject):
    """Whether a prompt fits the voice, and how it is better said.

    Attributes:
        advice: the answer, ``None`` while there is none.
        refusal: why the voice could not be heard.
    """

    changed = Signal()
    """It was asked for, forgotten, or there is an answer."""

    def __init__(self, engine: EngineProcess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slot = JobSlot(engine, self)
        self._slot.ended.connect(self._take)
        self.advice: PromptAdvice | None = None
        self.refusal: Refusal | None = None

    @property
    def is_asking(self) -> bool:
        """Whether an answer is still to come."""
        return self._slot.is_taken

    def ask(self, voice: Path, prompt: str) -> None:
        """Listen to a voice and compare."""
        self.forget()
        self._slot.submit(CheckPrompt(voice, prompt))
        self.changed.emit()

    def forget(self) -> None:
        """Forget question and answer: the prompt or the voice is another one now."""
        self.advice = self.refusal = None
        self._slot.drop()
        self.changed.emit()

    def _take(self, _request: Request, outcome: Outcome) -> None:
        if isinstance(outcome.value, PromptAdvice):
            self.advice = outcome.value
        self.refusal = outcome.refusal
        self.changed.emit()

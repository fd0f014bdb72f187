"""The worker renders for the window: events on the way, a pause that holds, a cancel at once, then resume."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.generation.backend import Estimate
from engine.generation.events import Preview, Reading
from engine.generation.registry import EngineStatus
from engine.generation.report import RenderReport
from engine.generation.spec import RenderSpec
from engine.jobs import Progress
from engine.refusal import Refusal
from engine.wire import from_line, to_line
from engine.worker import Worker
from engine.worker_messages import Engines, PlanRender, Render


class Window:
    """The other side of the worker's pipes."""

    def __init__(self) -> None:
        read, write = os.pipe()
        self._to_worker = os.fdopen(write, "wb", buffering=0)
        self._from_window = os.fdopen(read, "rb")
        self.heard: list[dict[str, Any]] = []
        self._news = threading.Condition()
        worker = Worker(self._from_window, self)  # type: ignore[arg-type]
        self._worker = threading.Thread(target=worker.serve)
        self._worker.start()

    def write(self, line: bytes) -> None:
        """Take a line of the worker's."""
        with self._news:
            self.heard.append(from_line(line))
            self._news.notify_all()

    def flush(self) -> None:
        """Do nothing."""

    def say(self, what: str, **more: object) -> None:
        """Say something to the worker."""
        self._to_worker.write(to_line({"say": what, **more}))

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
        """Return the first message that is wanted, waiting for it."""
        with self._news:
            assert self._news.wait_for(lambda: any(wanted(each) for each in self.heard), seconds), self.heard[-3:]
            return next(each for each in self.heard if wanted(each))

    def close(self) -> None:
        """Let the worker leave, and close the pipe."""
        self.say("leave")
        self._worker.join(30)
        self._to_worker.close()
        self._from_window.close()

    def result(self, job: int) -> Any:
        """Return what a job ended with."""
        return self.wait_for(lambda each: each["say"] in {"result", "fault"} and each["job"] == job)["value"]


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    # The worker's last resort, ending its process, would end this one.
    monkeypatch.setattr("engine.worker._LEAVE_SECONDS", 10_000)
    made = Window()
    yield made
    made.close()


def test_a_render_is_told_and_ends_with_its_report(window: Window, spec: RenderSpec) -> None:
    window.say("do", job=1, request=Render(spec))
    report = window.result(1)
    assert isinstance(report, RenderReport)
    assert report.frames == 50
    told = [each["partial"] for each in window.heard if each["say"] == "progress"]
    assert any(isinstance(each, Preview) for each in told)
    assert any(isinstance(each, Reading) for each in told)


def test_engines_and_estimates_are_answered(window: Window, spec: RenderSpec) -> None:
    window.say("do", job=1, request=Engines())
    window.say("do", job=2, request=PlanRender(spec))
    window.say("do", job=3, request=PlanRender(replace(spec, crf=99)))
    engines = window.result(1)
    assert all(isinstance(each, EngineStatus) for each in engines)
    assert "grey" in {each.name for each in engines}
    assert isinstance(window.result(2), Estimate)
    assert isinstance(window.result(3), Refusal)


def slowly(monkeypatch: pytest.MonkeyPatch, grey: Any) -> tuple[threading.Event, threading.Event]:
    """Let the engine work on one picture in the middle for ever; return what says that it does, and what ends it."""
    reached, go = threading.Event(), threading.Event()
    original = grey.render

    def render(segment: Any) -> Iterator[Any]:
        for picture in original(segment):
            while segment.index == 2 and not go.wait(0.01):
                reached.set()
                yield Progress("thinking", 0.5)
            yield picture

    monkeypatch.setattr(grey, "render", render)
    return reached, go


def test_a_cancelled_render_stops_at_once_and_goes_on_later(
    window: Window, spec: RenderSpec, grey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go = slowly(monkeypatch, grey)
    window.say("do", job=1, request=Render(spec))
    assert reached.wait(60)
    drawn = len(grey.drawn)
    window.say("cancel", job=1)
    # The engine is still at its picture, and stays there: stopping does not wait for it.
    window.wait_for(lambda each: each["say"] == "cancelled")
    assert len(grey.drawn) == drawn
    assert not spec.target.exists()
    go.set()
    window.say("do", job=2, request=Render(spec))
    report = window.result(2)
    assert isinstance(report, RenderReport)
    assert report.resumed_segments == 2


def test_a_paused_render_holds_until_it_is_told_to_continue(
    window: Window, spec: RenderSpec, grey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go = slowly(monkeypatch, grey)
    window.say("do", job=1, request=Render(spec))
    assert reached.wait(60)
    window.say("pause", job=1)
    window.wait_for(lambda each: each["say"] == "progress" and each["stage"] == "paused")
    go.set()
    drawn = len(grey.drawn)
    # The worker is alive, and has drawn nothing since.
    count = len(window.heard)
    window.wait_for(lambda each: each["say"] == "alive" and each in window.heard[count:])
    assert len(grey.drawn) == drawn
    window.say("continue", job=1)
    assert isinstance(window.result(1), RenderReport)


def test_a_paused_render_can_be_cancelled(window: Window, spec: RenderSpec, grey: Any) -> None:
    window.say("pause", job=1)
    window.say("do", job=1, request=Render(spec))
    window.wait_for(lambda each: each["say"] == "progress" and each["stage"] == "paused")
    window.say("cancel", job=1)
    window.wait_for(lambda each: each["say"] == "cancelled")
    assert grey.drawn == []
    assert not Path(spec.target).exists()

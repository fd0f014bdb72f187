"""The engine's process from the window's side: it answers, stops, dies and comes back; nothing is lost in between."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import Ending, EngineJob
from engine.refusal import Refusal
from engine.sync.result import OffsetPoint
from engine.worker_messages import Measure

Make = Callable[..., EngineProcess]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[EngineProcess] = []

    def _make(*command: str, **more: float) -> EngineProcess:
        command = command or (sys.executable, "-m", "tests.desktop_app.work.scripted_worker")
        made.append(EngineProcess(tmp_path / "log.txt", command, **more))
        return made[-1]

    yield _make
    for engine in made:
        engine.stop()


def ended(qtbot: QtBot, job: EngineJob) -> EngineJob:
    qtbot.waitUntil(lambda: job.is_over, timeout=10_000)
    return job


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def keep(job: EngineJob) -> EngineJob:
    """Take the job away from its owner, which deletes it when it has ended."""
    job.deleteLater = lambda: None  # type: ignore[method-assign]
    return job


def test_points_arrive_one_after_the_other_and_then_the_result(qtbot: QtBot, make: Make) -> None:
    job = keep(make().submit(Measure(Path("points"))))
    points: list[object] = []
    job.progressed.connect(lambda _stage, _done, partial: points.extend(partial or ()))
    ended(qtbot, job)
    assert [point.t for point in points if isinstance(point, OffsetPoint)] == [0, 1, 2, 3, 4]
    assert job.outcome is not None
    assert job.outcome.value == (80.0, "points")


def test_jobs_are_done_in_order_and_a_refusal_or_a_bug_ends_only_its_own(qtbot: QtBot, make: Make) -> None:
    engine = make()
    jobs = [keep(engine.submit(Measure(Path(name)))) for name in ("refuse", "bug", "prints", "points")]
    ended(qtbot, jobs[-1])
    refused, bug, printing, good = (job.outcome for job in jobs)
    assert refused is not None
    assert refused.ending is Ending.REFUSED
    assert isinstance(refused.value, Refusal)
    assert bug is not None
    assert bug.ending is Ending.FAULT
    assert "ZeroDivisionError: scripted" in bug.details
    assert printing is not None
    assert printing.ending is Ending.DONE
    assert good is not None
    assert good.ending is Ending.DONE


def test_a_cancelled_job_stops_and_the_process_stays(qtbot: QtBot, make: Make) -> None:
    engine = make()
    job = keep(engine.submit(Measure(Path("patient"))))
    with qtbot.waitSignal(job.progressed, timeout=10_000):
        pass
    pid = engine.pid
    engine.cancel(job)
    ended(qtbot, job)
    assert job.outcome is not None
    assert job.outcome.ending is Ending.CANCELLED
    after = keep(engine.submit(Measure(Path("points"))))
    assert ended(qtbot, after).outcome.ending is Ending.DONE  # type: ignore[union-attr]
    assert engine.pid == pid


def test_a_job_that_waits_is_cancelled_without_touching_the_one_at_work(qtbot: QtBot, make: Make) -> None:
    engine = make()
    first = keep(engine.submit(Measure(Path("patient"))))
    second = keep(engine.submit(Measure(Path("points"))))
    with qtbot.waitSignal(first.progressed, timeout=10_000):
        pass
    engine.cancel(second)
    assert second.outcome is not None
    assert second.outcome.ending is Ending.CANCELLED
    assert not first.is_over
    engine.cancel(first)
    ended(qtbot, first)


def test_a_job_that_does_not_stop_takes_its_process_and_its_children_along(
    qtbot: QtBot, make: Make, tmp_path: Path
) -> None:
    engine = make(cancel_seconds=0.3)
    job = keep(engine.submit(Measure(tmp_path / "stuck")))
    waiting = keep(engine.submit(Measure(Path("points"))))
    with qtbot.waitSignal(job.progressed, timeout=10_000, check_params_cb=lambda _s, _d, partial: bool(partial)):
        pass
    pid, child = engine.pid, int((tmp_path / "stuck.pid").read_text())
    assert pid is not None
    engine.cancel(job)
    ended(qtbot, job)
    assert job.outcome is not None
    assert job.outcome.ending is Ending.CANCELLED
    qtbot.waitUntil(lambda: not is_alive(child), timeout=5000)
    assert not is_alive(pid)
    assert ended(qtbot, waiting).outcome.ending is Ending.DONE  # type: ignore[union-attr]


def test_a_process_that_dies_is_replaced_and_its_job_can_be_asked_for_again(qtbot: QtBot, make: Make) -> None:
    engine = make()
    job = keep(engine.submit(Measure(Path("die"))))
    waiting = keep(engine.submit(Measure(Path("points"))))
    with qtbot.waitSignal(engine.died, timeout=10_000):
        pass
    assert job.outcome is not None
    assert job.outcome.ending is Ending.LOST
    assert ended(qtbot, waiting).outcome.ending is Ending.DONE  # type: ignore[union-attr]


def test_a_process_killed_from_outside_is_replaced(qtbot: QtBot, make: Make) -> None:
    engine = make()
    job = keep(engine.submit(Measure(Path("patient"))))
    with qtbot.waitSignal(job.progressed, timeout=10_000):
        pass
    assert engine.pid is not None
    os.kill(engine.pid, 9)
    ended(qtbot, job)
    assert job.outcome is not None
    assert job.outcome.ending is Ending.LOST
    again = keep(engine.submit(Measure(Path("points"))))
    assert ended(qtbot, again).outcome.ending is Ending.DONE  # type: ignore[union-attr]


def test_a_process_without_a_sign_of_life_is_killed(qtbot: QtBot, make: Make) -> None:
    engine = make(silence_seconds=2.0)
    job = keep(engine.submit(Measure(Path("silent"))))
    ended(qtbot, job)
    assert job.outcome is not None
    assert job.outcome.ending is Ending.LOST


def test_a_program_that_cannot_start_is_said_and_tried_again_when_asked(qtbot: QtBot, make: Make) -> None:
    engine = make(sys.executable, "-c", "raise SystemExit('cannot start')")
    job = keep(engine.submit(Measure(Path("points"))))
    with qtbot.waitSignal(engine.unavailable, timeout=20_000):
        pass
    assert job.outcome is not None
    assert job.outcome.ending is Ending.LOST
    with qtbot.waitSignal(engine.unavailable, timeout=20_000):
        engine.submit(Measure(Path("points")))


def test_stopping_ends_the_process_and_its_jobs(qtbot: QtBot, make: Make) -> None:
    engine = make()
    job = keep(engine.submit(Measure(Path("patient"))))
    with qtbot.waitSignal(job.progressed, timeout=10_000):
        pass
    pid = engine.pid
    assert pid is not None
    engine.stop()
    assert not is_alive(pid)
    assert job.outcome is not None
    assert job.outcome.ending is Ending.CANCELLED

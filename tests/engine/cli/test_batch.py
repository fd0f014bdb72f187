"""Jobs in child processes: results, crashes and stopping, with jobs that do nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from multiprocessing.connection import Client, Listener
from pathlib import Path

import pytest

from engine.cli.batch import Fault, Task, run_all
from engine.jobs import Job, Progress, part_of, run
from engine.words import Message, current_language, use_language


def answer(value: object) -> Job[object]:
    yield Progress("looking", 0.5)
    return value


def language() -> Job[str]:
    yield Progress("looking", 0.0)
    return current_language()


def stumble() -> Job[None]:
    yield Progress("looking", 0.0)
    raise ZeroDivisionError("on purpose")


def die() -> Job[None]:
    yield Progress("looking", 0.0)
    os.kill(os.getpid(), signal.SIGKILL)


def chatter() -> Job[int]:
    """Write to both streams as native code does, past Python."""
    yield Progress("looking", 0.0)
    return os.write(1, b"to standard output") + os.write(2, b"to standard error")


def endless(mark: str) -> Job[None]:
    """Keep a file as long as the job is not closed."""
    path = Path(mark)
    path.touch()
    try:
        while True:
            yield Progress("looking", 0.5)
    finally:
        path.unlink()


def deaf(mark: str) -> Job[None]:
    """Never come to a yield again."""
    Path(mark).touch()
    yield Progress("looking", 0.5)
    while True:
        pass


def test_results_carry_the_number_of_their_task() -> None:
    tasks = [Task(answer, {"value": value}) for value in ("a", Message("timing.late", ms=1), Path("p"))]
    results = dict(run_all(tasks, 2))
    assert results == {0: "a", 1: Message("timing.late", ms=1), 2: Path("p")}


def test_nothing_to_do() -> None:
    assert list(run_all([], 3)) == []


def test_progress_arrives_here() -> None:
    seen: list[tuple[int, Progress]] = []
    list(run_all([Task(answer, {"value": 1})], 1, lambda number, progress: seen.append((number, progress))))
    assert seen == [(0, Progress("looking", 0.5))]


def talkative() -> Job[None]:
    for number in range(5):
        yield Progress("looking", 0.1, number)
        yield Progress("looking", 0.1, f"{number}")


def test_only_what_is_asked_for_is_told_and_all_of_it() -> None:
    seen: list[object] = []
    list(run_all([Task(talkative, {}, (int,))], 1, lambda _, progress: seen.append(progress.partial)))
    assert [each for each in seen if each is not None] == [0, 1, 2, 3, 4]


def test_children_speak_our_language() -> None:
    use_language("zh")
    assert list(run_all([Task(language, {})], 1)) == [(0, "zh_CN")]


def test_one_bug_does_not_take_the_others_along() -> None:
    tasks = [Task(stumble, {}), Task(answer, {"value": 1}), Task(stumble, {}), Task(answer, {"value": 2})]
    results = dict(run_all(tasks, 1))
    assert isinstance(results[0], Fault)
    assert "on purpose" in results[0].details
    assert (results[1], results[3]) == (1, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_one_crash_does_not_take_the_others_along() -> None:
    results = dict(run_all([Task(die, {}), Task(answer, {"value": 1})], 1))
    assert results[1] == 1
    assert isinstance(results[0], Fault)
    assert "-9" in results[0].details


def test_native_chatter_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    ((_, written),) = run_all([Task(chatter, {})], 1)
    assert written == len("to standard output") + len("to standard error")
    assert capfd.readouterr() == ("", "")


def test_closing_ends_jobs_cleanly(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    tasks = [Task(endless, {"mark": str(mark)}), Task(answer, {"value": 1})]
    with closing(run_all(tasks, 2)) as results:
        assert next(results) == (1, 1)
    assert not mark.exists()


def test_an_exception_here_ends_jobs_cleanly(tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def interrupted(_number: int, _progress: Progress) -> None:
        assert mark.exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_all([Task(endless, {"mark": str(mark)})], 1, interrupted))
    assert not mark.exists()


def test_a_job_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    def interrupted(_number: int, _progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_all([Task(deaf, {"mark": str(tmp_path / "mark")})], 1, interrupted))


def stuck(address: str) -> Job[None]:
    """Say that it is there, and then nothing: as native code that takes its time."""
    yield Progress("looking", 0.0)
    with Client(address):
        threading.Event().wait()


@pytest.mark.skipif(sys.platform == "win32", reason="kills as only Unix does")
def test_children_do_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    address = str(tmp_path / "line")
    start = f"list(run_all([Task(stuck, {{'address': {address!r}}})], 1))"
    code = f"from tests.engine.cli.test_batch import *\nif __name__ == '__main__': {start}"
    with Listener(address) as listener, subprocess.Popen([sys.executable, "-c", code]) as parent:
        child = listener.accept()
        parent.kill()
        assert child.poll(20), "its end of the line is closed when it ends; it takes two seconds"
        with pytest.raises(EOFError):
            child.recv()


def test_a_job_as_part_of_a_bigger_one() -> None:
    def whole() -> Job[str]:
        first = yield from part_of(answer("a"), 0.0, 0.4)
        second = yield from part_of(answer("b"), 0.4, 1.0)
        return f"{first}{second}"

    seen: list[float] = []
    assert run(whole(), lambda progress: seen.append(progress.done)) == "ab"
    assert seen == [0.2, 0.7]


def test_closing_the_bigger_job_closes_its_part(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    job = part_of(endless(str(mark)), 0.0, 1.0)
    next(job)
    assert mark.exists()
    job.close()
    assert not mark.exists()

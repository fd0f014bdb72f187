"""The bars that a terminal shows: how far, how fast, how long still, and what a job says on its way."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from engine.cli.terminal import ProgressBars, Terminal
from engine.generation.events import Notice, Reading
from engine.jobs import Progress
from engine.words import Message

READING = Reading(
    seconds=3.0, stage="rendering", frame=120, frame_count=500, frame_gen_ms=20.0, encode_ms=5.0, eta_seconds=9.4,
    ram_bytes=1 << 28,
)  # fmt: skip


class Screen:
    """A terminal whose screen can be read."""

    def __init__(self) -> None:
        self._written = StringIO()
        self.terminal = Terminal()
        self.terminal.err = Console(file=self._written, force_terminal=True, width=140, highlight=False)

    def after(self, *progress: Progress) -> str:
        """Return what is written while a job tells all this."""
        with ProgressBars(self.terminal, ["face.png"]) as bars:
            for each in progress:
                bars.update(0, each)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._written.getvalue())


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("TERM", "xterm")
    return Screen()


def test_a_render_shows_pace_and_time_left(screen: Screen) -> None:
    shown = screen.after(Progress("rendering", 0.3, READING), Progress("rendering", 0.31))
    assert shown.rstrip().endswith("rendering · 120 of 500 pictures · 40.0 per second · 0:10 left")


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, "0:00"), (59.2, "1:00"), (3599.0, "59:59"), (7322.0, "2:02:02")])
def test_time_left_is_said_as_clocks_do(screen: Screen, seconds: float, shown: str) -> None:
    reading = replace(READING, eta_seconds=seconds)
    assert f"{shown} left" in screen.after(Progress("rendering", 0.3, reading))


def test_the_pace_goes_when_another_stage_begins(screen: Screen) -> None:
    shown = screen.after(Progress("rendering", 0.3, READING), Progress("muxing", 0.9))
    assert shown.rstrip().endswith("adding the voice")


def test_before_the_first_picture_nothing_is_promised(screen: Screen) -> None:
    reading = replace(READING, frame=0, frame_gen_ms=None, encode_ms=None, eta_seconds=None)
    assert screen.after(Progress("rendering", 0.0, reading)).rstrip().endswith("rendering")


def test_what_a_job_has_to_say_is_said_at_once(screen: Screen) -> None:
    notice = Notice(Message("generation.note.resumed", done=3, all=8))
    assert notice.message.text("en") in screen.after(Progress("rendering", 0.3, notice))

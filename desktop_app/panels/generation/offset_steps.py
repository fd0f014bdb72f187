"""A line in which one writes from which time on the mouth is moved by how much, in words instead of signs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop_app.widgets.basics import set_tone
from desktop_app.widgets.move_box import understood
from engine.timing import clock_words

Steps = tuple[tuple[Fraction, float], ...]
"""From these times on, in seconds and ascending, something is moved by so many milliseconds; positive: later."""

_ENTRY = re.compile(r"\s*((?:\d+[:：]){0,2}\d+(?:[.,]\d+)?)\s*(?:s|秒)?(?:\s|[:：]\s)\s*(\S.*)")


class StepsEdit(QLineEdit):
    """Takes ``0:30 20 earlier; 1:05 10 later``. What cannot be understood is marked and changes nothing."""

    chosen = Signal()
    """There are other steps now."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps: Steps = ()
        self.editingFinished.connect(self._take)
        self.textEdited.connect(lambda _text: self._mark())

    def steps(self) -> Steps:
        """Return the steps that were understood last."""
        return self._steps

    def show_steps(self, steps: Steps) -> None:
        """Show steps that were chosen elsewhere."""
        self._steps = steps
        self.setText(written_steps(steps, self._earlier(), self._later()))
        self.setCursorPosition(0)
        self._mark()

    def changeEvent(self, event: QEvent) -> None:
        """Say the steps in another language (Qt's name)."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self.show_steps(self._steps)

    def _take(self) -> None:
        found = read_steps(self.text(), self._earlier(), self._later())
        if found is not None and found != self._steps:
            self.show_steps(found)
            self.end(False)
            self.chosen.emit()

    def _mark(self) -> None:
        found = read_steps(self.text(), self._earlier(), self._later())
        set_tone(self, "bad" if found is None else "")

    def _earlier(self) -> str:
        return self.tr("earlier")

    def _later(self) -> str:
        return self.tr("later")


def read_steps(text: str, earlier: str = "earlier", later: str = "later") -> Steps | None:
    """Return the steps that a text names, in order; ``None`` if it cannot be understood.

    Args:
        text: such as ``0:30 20 ms earlier; 1:05 10 later``; times are seconds, ``m:ss`` or ``h:mm:ss``.
        earlier: the local word; its beginning counts, too.
        later: the local word.
    """
    steps: dict[Fraction, float] = {}
    for entry in filter(str.strip, re.split("[;；\n]", text)):
        match = _ENTRY.fullmatch(entry)
        ms = understood(match.group(2), earlier, later) if match else None
        if match is None or ms is None:
            return None
        time = _seconds(match.group(1))
        if time in steps:
            return None
        steps[time] = ms
    return tuple(sorted(steps.items()))


def written_steps(steps: Sequence[tuple[Fraction, float]], earlier: str = "earlier", later: str = "later") -> str:
    """Return steps as :func:`read_steps` understands them; times to a thousandth of a second.

    Args:
        steps: what is to be written.
        earlier: the local word.
        later: the local word.
    """
    return "; ".join(f"{_clock(time)} {abs(ms):g} ms {earlier if ms < 0 else later}" for time, ms in steps)


def _clock(time: Fraction) -> str:
    return clock_words(time).removesuffix(".000")


def _seconds(clock: str) -> Fraction:
    parts = re.split("[:：]", clock.replace(",", "."))
    return sum((Fraction(part) * 60**power for power, part in enumerate(reversed(parts))), Fraction())

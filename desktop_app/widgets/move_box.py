"""A number field for how far the sound is moved, which says "earlier" and "later" instead of showing a sign."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QWidget

from desktop_app.theme import GRID
from desktop_app.widgets.quiet_fields import DecimalField

LARGEST_MS = 600_000.0


class MoveBox(DecimalField):
    """Takes ``83 earlier``, ``-83``, ``0.083 s`` and shows ``83.0 ms earlier``. Its value is in milliseconds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(-LARGEST_MS, LARGEST_MS)
        self.setDecimals(1)
        self.setSingleStep(1.0)
        self.setKeyboardTracking(False)
        self.setAccelerated(True)
        self.lineEdit().setTextMargins(GRID, 0, GRID, 0)

    def changeEvent(self, event: QEvent) -> None:
        """Say the value in another language (Qt's name)."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self.lineEdit().setText(self.textFromValue(self.value()))

    def textFromValue(self, value: float) -> str:
        """Say a value."""
        if abs(value) < 0.05:
            return self.tr("not moved")
        side = self.tr("later") if value > 0 else self.tr("earlier")
        return self.tr("{ms} ms {side}").format(ms=f"{abs(value):.1f}", side=side)

    def valueFromText(self, text: str) -> float:
        """Understand what was typed; what is no number leaves the value as it is."""
        value = understood(text, self.tr("earlier"), self.tr("later"))
        return self.value() if value is None else value

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Let everything be typed; :meth:`valueFromText` makes sense of it."""
        return QValidator.State.Acceptable, text, position


def understood(text: str, earlier: str = "earlier", later: str = "later") -> float | None:
    """Return the milliseconds that a text names, positive: later; ``None`` if there is no number in it.

    Args:
        text: such as ``83 ms earlier``, ``-83``, ``+0.083s``, ``83,5 e``.
        earlier: the local word; its beginning counts, too.
        later: the local word.
    """
    plain = text.strip().lower().replace(",", ".").replace("\u2212", "-")  # a typographic minus
    number = re.search(r"[-+]?\d*\.?\d+", plain)
    if number is None:
        return None
    value = float(number.group())
    unit = re.match(r"ms|s(?![a-z])|毫秒|秒", after := plain[number.end() :].strip())
    if unit is not None:
        value *= 1000 if unit.group() in {"s", "秒"} else 1
        after = after[unit.end() :].strip()
    words = [word for word in (plain[: number.start()].strip(), after) if word]
    for side, sign in ((earlier, -1), (later, 1), ("earlier", -1), ("later", 1)):
        if any(side.startswith(word) for word in words):
            value = sign * abs(value)
            break
    return max(-LARGEST_MS, min(LARGEST_MS, value))

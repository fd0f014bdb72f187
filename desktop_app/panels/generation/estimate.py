"""What the render that is being chosen would take: time, memory, disk, and what one should know."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_app.widgets.basics import Speaking, button, label, set_tone
from desktop_app.work.asking import Planning
from engine.timing import clock_words

_GB, _MB = 1e9, 1e6
_PROFILE = "generation.note.profile"
"""The note that says which offset was measured of the engine on this machine; its value undoes it."""


class EstimateLine(Speaking):
    """One line of numbers and the notes below it."""

    offset_wanted = Signal(float)
    """The user wants to render with this shift of the driving sound, in milliseconds."""

    def __init__(self, planning: Planning, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._planning = planning
        self._hint = ""
        self._numbers, self._notes = label(wraps=True), label("small", wraps=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._numbers)
        self.offset_button = button(lambda: self.offset_wanted.emit(self._offset or 0.0), kind="link")
        self._offset: float | None = None
        column.addWidget(self._notes)
        column.addWidget(self.offset_button)
        planning.changed.connect(self._show)
        self.say()

    @property
    def text(self) -> str:
        """What is said."""
        return f"{self._numbers.text()}\n{self._notes.text()}".strip()

    def set_hint(self, hint: str) -> None:
        """Set what is said while there is nothing to estimate."""
        self._hint = hint
        self._show()

    def say(self) -> None:
        """Set all texts."""
        self.offset_button.setText(self.tr("Use what was measured"))
        self._show()

    def _show(self) -> None:
        found, refusal = self._planning.estimate, self._planning.refusal
        set_tone(self._numbers, "bad" if refusal is not None else "")
        self._notes.setVisible(False)
        self._offset = None
        if refusal is not None:
            self._numbers.setText(str(refusal))
        elif found is not None:
            parts = [
                self.tr("takes about {time}").format(time=clock_words(max(1.0, found.seconds)).partition(".")[0]),
                self.tr("{size} memory").format(size=_size(found.ram_bytes)),
            ]
            if found.vram_bytes:
                parts.append(self.tr("{size} graphics memory").format(size=_size(found.vram_bytes)))
            parts.append(self.tr("{size} disk").format(size=_size(found.disk_bytes)))
            self._numbers.setText(" · ".join(parts))
            self._notes.setText("\n".join(note.text() for note in found.notes))
            self._notes.setVisible(bool(found.notes))
            self._offset = next((dict(note.values)["value"] for note in found.notes if note.key == _PROFILE), None)
        elif self._planning.is_asking:
            self._numbers.setText(self.tr("Estimating…"))
        else:
            self._numbers.setText(self._hint)
        self.offset_button.setVisible(bool(self._offset))


def _size(count: int) -> str:
    return f"{count / _GB:.1f} GB" if count >= _GB / 10 else f"{max(1, round(count / _MB))} MB"

"""What else the correction can be written as: a cut for an editor, a file for programs, a report for people."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_app.document.document import Document
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Speaking, button, card, label, set_tone
from desktop_app.widgets.quiet_fields import Choice
from desktop_app.widgets.save_dialog import ask_target
from desktop_app.work.exporting import Exporting
from desktop_app.work.handing_on import HandingOn
from desktop_app.work.revealing import reveal
from engine.media.interchange.formats import EditFormat


class Kind(Enum):
    """What can be written."""

    OTIO = "otio"
    FCPXML = "fcpxml"
    EDL = "edl"
    SIDECAR = "sidecar"
    PICTURE = "png"
    PAGE = "pdf"

    @property
    def edit_format(self) -> EditFormat | None:
        """The engine's name for it, ``None`` for reports."""
        return None if self in {Kind.PICTURE, Kind.PAGE} else EditFormat(self.value)

    def target_for(self, clip: Path) -> Path:
        """Return the name that is proposed."""
        form = self.edit_format
        return clip.with_name(f"{clip.stem}-sync.{self.value}") if form is None else form.target_for(clip)


class HandingOnCard(Speaking):
    """Choose, name the file, and see what came of it."""

    def __init__(
        self, document: Document, handing_on: HandingOn, exporting: Exporting, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._handing_on = handing_on
        self._exporting = exporting
        frame, column = card()
        self._title = label("heading")
        self.choice = Choice()
        for kind in Kind:
            self.choice.addItem("", kind)
        self.choice.currentIndexChanged.connect(self._show)
        self.write_button = button(self._ask_target)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.choice, 1)
        row.addWidget(self.write_button)
        self._sentence = label("muted", wraps=True)
        self._result = label(wraps=True)
        self._notes = label("muted", wraps=True)
        self._reveal = button(self._show_in_folder, picture="folder")
        for part in (self._title, self._sentence):
            column.addWidget(part)
        column.insertLayout(1, row)
        column.addWidget(self._result)
        column.addWidget(self._notes)
        reveal_row = QHBoxLayout()
        reveal_row.addWidget(self._reveal)
        reveal_row.addStretch()
        column.addLayout(reveal_row)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        handing_on.changed.connect(self._show)
        document.measurement_changed.connect(self._show)
        self.say()

    @property
    def kind(self) -> Kind:
        """What is chosen."""
        chosen = self.choice.currentData()
        assert isinstance(chosen, Kind)
        return chosen

    @property
    def result_text(self) -> str:
        """What is said about the last file."""
        return f"{self._result.text()}\n{self._notes.text()}".strip()

    def choose(self, kind: Kind) -> None:
        """Choose what is written."""
        self.choice.setCurrentIndex(list(Kind).index(kind))

    def write(self, target: Path) -> None:
        """Write what is chosen into a file."""
        form = self.kind.edit_format
        if form is None:
            self._handing_on.draw(target, self._exporting.after)
        else:
            self._handing_on.write(target, form)

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("FOR EDITORS, PROGRAMS AND PEOPLE"))
        self.choice.setAccessibleName(self.tr("What the correction is written as"))
        for number, name in enumerate(
            (
                "OpenTimelineIO (.otio)",
                "Final Cut Pro XML (.fcpxml)",
                "EDL, CMX 3600 (.edl)",
                self.tr("Offset beside the clip (.json)"),
                self.tr("Report, picture (.png)"),
                self.tr("Report, page (.pdf)"),
            )
        ):
            self.choice.setItemText(number, name)
        self.write_button.setText(self.tr("Write…"))
        self._reveal.setText(self.tr("Show in folder"))
        self._show()

    def _describe(self) -> str:
        return {
            Kind.OTIO: self.tr("A cut with the sound moved, exact to the sample, for Resolve, Premiere and others."),
            Kind.FCPXML: self.tr("A cut with the sound moved, in exact fractions of a second, for Final Cut Pro."),
            Kind.EDL: self.tr("A cut for any editor. It counts whole frames, so the sound moves by whole frames."),
            Kind.SIDECAR: self.tr("A small file that says how the sound is moved. Plosive reads it with the clip."),
            Kind.PICTURE: self.tr("Lips and sound before and after, as a picture."),
            Kind.PAGE: self.tr("Lips and sound before and after, as a page to print or to send."),
        }[self.kind]

    def _show(self) -> None:
        can_write = self.kind.edit_format is not None or self._handing_on.can_draw
        self._sentence.setText(self._describe() if can_write else self.tr("Measure the clip first."))
        self.write_button.setEnabled(can_write and not self._handing_on.is_running)
        written, refusal = self._handing_on.written, self._handing_on.refusal
        if written is not None:
            self._result.setText(self.tr("{file} is written.").format(file=written.name))
        else:
            self._result.setText("" if refusal is None else str(refusal))
        set_tone(self._result, "bad" if refusal is not None else "good")
        self._notes.setText("\n".join(note.text() for note in self._handing_on.notes))
        for part in (self._result, self._notes):
            part.setVisible(bool(part.text()))
        self._reveal.setVisible(written is not None)

    def _ask_target(self) -> None:
        if self._document.path is None:
            return
        proposed = self.kind.target_for(self._document.path)
        pictures = (".png", ".pdf") if self.kind.edit_format is None else ()
        if target := ask_target(self, self.tr("Write to"), proposed, pictures):
            self.write(target)

    def _show_in_folder(self) -> None:
        if self._handing_on.written is not None:
            reveal(self._handing_on.written)

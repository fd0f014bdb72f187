"""The model files of the neural engines: what is here, what is missing, under which terms, and how to get it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from desktop_app.actions import Actions
from desktop_app.theme import GRID
from desktop_app.widgets.basics import (
    ElidedLabel,
    Picture,
    Speaking,
    action_button,
    button,
    card,
    label,
    scrolling,
    set_tone,
)
from desktop_app.widgets.question import Question
from desktop_app.work.asking import EngineList
from desktop_app.work.revealing import reveal
from desktop_app.work.shelf import Shelf
from engine.models.catalog import Entry, catalog, engines
from engine.models.places import models_folder, search_folders
from engine.worker_messages import FindModels, ImportModels

_GB = 1e9


class ModelRow(Speaking):
    """One file of the catalog."""

    def __init__(self, entry: Entry, shelf: Shelf, *, is_needed: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entry = entry
        self._shelf = shelf
        self._is_needed = is_needed
        self._image = Picture("download", "muted")
        self._title, self._size = label(), label("muted")
        self._facts, self._verdict = ElidedLabel(), label("small", wraps=True)
        self._facts.setProperty("kind", "small")
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self.check_button = button(lambda: shelf.check(entry.name), picture="check")
        self.download_button = button(self._download, picture="download")
        self.reveal_button = button(self._reveal, picture="folder")
        self.cancel_button = button(shelf.cancel, picture="close")
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self._title)
        head.addWidget(self._size)
        head.addStretch()
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._facts)
        column.addWidget(self._verdict)
        column.addWidget(self._progress)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(GRID)
        row.addWidget(self._image, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        for each in (self.check_button, self.reveal_button, self.download_button, self.cancel_button):
            row.addWidget(each, 0, Qt.AlignmentFlag.AlignVCenter)
        self.say()

    @property
    def text(self) -> str:
        """What is said about the file."""
        return f"{self._facts.text()}\n{self._verdict.text()}".strip()

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.entry.title)
        for made, text in (
            (self.check_button, self.tr("Verify")),
            (self.download_button, self.tr("Download")),
            (self.cancel_button, self.tr("Cancel")),
        ):
            made.setText(text)
            made.setAccessibleName(f"{self.entry.title}: {text}")
        self.check_button.setToolTip(self.tr("Read the whole file and compare its checksum with the official one"))
        self.reveal_button.setToolTip(self.tr("Show in folder"))
        self.reveal_button.setAccessibleName(f"{self.entry.title}: {self.tr('Show in folder')}")
        self.refresh()

    def refresh(self) -> None:
        """Show the file as it is now."""
        entry, shelf = self.entry, self._shelf
        found = shelf.found(entry.name)
        is_missing = self._is_needed and not shelf.serves(entry)
        picture = ("check", "good") if found else ("warning", "poor") if is_missing else ("download", "muted")
        self._image.show_drawing(*picture)
        self._size.setText(self.tr("{size} GB").format(size=_gigabytes(entry.size)) if entry.size else "")
        terms = self.tr("licence: {licence}").format(licence=self._licence())
        if found is not None:
            where = str(found.path)
        elif shelf.library is None:
            where = self.tr("looking…")
        else:
            where = self.tr("missing") if is_missing else self.tr("not needed, but useful")
        self._facts.setText(f"{where}  ·  {terms}  ·  {entry.source}")
        checked = shelf.checked.get(found.path) if found else None
        self._verdict.setText(checked.verdict.text() if checked else self._doubt())
        set_tone(self._verdict, "" if checked is None else "good" if checked.is_good else "bad")
        self._verdict.setVisible(bool(self._verdict.text()))
        is_mine = shelf.is_busy and shelf.subject == entry.name
        self._progress.setVisible(is_mine)
        self._progress.setValue(round(1000 * shelf.done))
        self.check_button.setVisible(found is not None and not is_mine)
        self.check_button.setEnabled(not shelf.is_busy)
        self.reveal_button.setVisible(found is not None and not is_mine)
        self.download_button.setVisible(found is None and shelf.library is not None and not is_mine)
        self.download_button.setEnabled(bool(entry.repository) and not shelf.is_busy)
        self.download_button.setToolTip("" if entry.repository else self._elsewhere())
        self.cancel_button.setVisible(is_mine)
        self.setAccessibleName(f"{entry.title}, {where}")

    def _doubt(self) -> str:
        found = self._shelf.found(self.entry.name)
        if found is not None and len(found.names) > 1:
            return self.tr("Which version this is cannot be told from the file; verify it to be sure.")
        return "" if found is not None or self.entry.repository else self._elsewhere()

    def _elsewhere(self) -> str:
        return self.tr("Not on the Hugging Face hub: get it from {source} and point to its folder.").format(
            source=self.entry.source
        )

    def _licence(self) -> str:
        return self.tr("not stated") if self.entry.licence == "not stated" else self.entry.licence

    def _reveal(self) -> None:
        found = self._shelf.found(self.entry.name)
        if found is not None:
            reveal(found.path)

    def _download(self) -> None:
        entry = self.entry
        size = self.tr("{size} GB").format(size=_gigabytes(entry.size)) if entry.size else self.tr("unknown size")
        answer = Question.ask(
            self,
            self.tr("Download?"),
            self.tr(
                "Fetch {title} ({size}) from {repository} on the Hugging Face hub into {folder}?\n\n"
                "Its licence: {licence}. A download that stops goes on where it was."
            ).format(
                title=entry.title,
                size=size,
                repository=entry.repository,
                folder=models_folder(),
                licence=self._licence(),
            ),
            self.tr("Download"),
            self.tr("Cancel"),
        )
        if answer:
            self._shelf.download(entry.name)


class ModelsPage(Speaking):
    """All engines that need files, and their files."""

    def __init__(self, shelf: Shelf, engine_list: EngineList, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._engine_list = engine_list
        self._title, self._summary = label("title"), label("muted")
        self.point_button = button(self._ask_folder, kind="primary", picture="folder")
        self.import_button = button(self._ask_import, picture="copy")
        self.look_button = button(shelf.look, picture="retry")
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self._cancel = button(shelf.cancel, picture="close")
        self.rows: dict[tuple[str, str], ModelRow] = {}
        self._headings: dict[str, tuple[QLabel, QLabel]] = {}
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self._title)
        head.addSpacing(GRID)
        head.addWidget(self._summary, 1)
        for name in ("page_generate", "page_clip"):
            head.addWidget(action_button(actions[name], kind="", has_text=True))
        self._sentence = label("muted", wraps=True)
        tools = QHBoxLayout()
        tools.setSpacing(GRID)
        for each in (self.point_button, self.import_button, self.look_button):
            tools.addWidget(each)
        tools.addSpacing(GRID)
        tools.addWidget(self._progress, 1)
        tools.addWidget(self._cancel)
        tools.addStretch()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, GRID, 0)
        column.setSpacing(GRID)
        column.addWidget(self._places_card())
        for name in engines():
            column.addWidget(self._engine_card(name))
        column.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        outer.setSpacing(GRID)
        outer.addLayout(head)
        outer.addWidget(self._sentence)
        outer.addLayout(tools)
        outer.addWidget(scrolling(inside), 1)
        shelf.changed.connect(self._show)
        engine_list.changed.connect(self._show)
        self.say()

    def showEvent(self, event: QShowEvent) -> None:
        """Look around when the page is first seen (Qt's name)."""
        super().showEvent(event)
        if self._shelf.library is None:
            self._shelf.look()

    @property
    def summary(self) -> str:
        """What is said beside the title."""
        return self._summary.text()

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("Model files"))
        self._sentence.setText(
            self.tr(
                "The neural engines work with their makers' official files. Point to a folder that has them already, "
                "import a folder, or download what is missing. Nothing is fetched unless you press Download."
            )
        )
        self.point_button.setText(self.tr("Use a folder…"))
        self.point_button.setToolTip(self.tr("The files stay where they are"))
        self.import_button.setText(self.tr("Import a folder…"))
        self.import_button.setToolTip(self.tr("Copies the official files of a folder into the program's own"))
        self.look_button.setText(self.tr("Look again"))
        self._cancel.setText(self.tr("Cancel"))
        self._places_title.setText(self.tr("FOLDERS"))
        for row in self.rows.values():
            row.say()
        self._show()

    def _places_card(self) -> QFrame:
        frame, column = card(kind="panel")
        self._places_title, self._places = label("heading"), label("muted", wraps=True)
        self._problems = label(wraps=True)
        set_tone(self._problems, "bad")
        for part in (self._places_title, self._places, self._problems):
            column.addWidget(part)
        return frame

    def _engine_card(self, name: str) -> QFrame:
        frame, column = card(kind="panel")
        title, state = label(), label("badge")
        font = title.font()
        font.setWeight(font.Weight.DemiBold)
        title.setFont(font)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(title)
        head.addWidget(state)
        head.addStretch()
        column.addLayout(head)
        self._headings[name] = (title, state)
        needed = [each for each in catalog() if name in each.engines]
        for entry in (*needed, *(each for each in catalog() if name in each.useful_to)):
            row = ModelRow(entry, self._shelf, is_needed=name in entry.engines)
            self.rows[name, entry.name] = row
            column.addWidget(row)
        return frame

    def _show(self) -> None:
        shelf = self._shelf
        for row in self.rows.values():
            row.refresh()
        for name, (title, state) in self._headings.items():
            found = self._engine_list.find(name)
            title.setText(found.title.text() if found is not None else _NAMES.get(name, name))
            needed = [each for each in catalog() if name in each.engines]
            here = [each for each in needed if shelf.serves(each)]
            state.setText(self.tr("{here} of {count} here").format(here=len(here), count=len(needed)))
            set_tone(state, "good" if len(here) == len(needed) else "poor")
        total = sum(shelf.found(each.name) is not None for each in catalog())
        self._summary.setText(
            self.tr("Looking…")
            if shelf.library is None
            else self.tr("{here} of {count} known files are here").format(here=total, count=len(catalog()))
        )
        self._places.setText("\n".join(str(folder) for folder in (search_folders() or (models_folder(),))))
        problems = shelf.library.problems if shelf.library else ()
        self._problems.setText("\n".join(str(each) for each in problems))
        self._problems.setVisible(bool(problems))
        is_general = shelf.is_busy and isinstance(shelf.request, FindModels | ImportModels)
        self._progress.setVisible(is_general)
        self._progress.setValue(round(1000 * shelf.done))
        self._cancel.setVisible(is_general)
        for each in (self.point_button, self.import_button, self.look_button):
            each.setEnabled(not shelf.is_busy)

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("A folder with model files"))
        if chosen:
            self._shelf.point_to(Path(chosen))

    def _ask_import(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Import model files from"))
        if chosen:
            self._shelf.import_from(Path(chosen))


_NAMES = {"latentsync": "LatentSync", "musetalk": "MuseTalk", "liveavatar": "LiveAvatar", "syncnet": "SyncNet"}
"""What engines are called while the one that needs the files is not there to say so."""


def _gigabytes(size: int) -> str:
    return f"{size / _GB:.1f}" if size >= _GB else f"{size / _GB:.2f}"

"""What the window shows while nothing is open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop_app.actions import Actions
from desktop_app.document.settings import Settings
from desktop_app.theme import GRID
from desktop_app.widgets.basics import ElidedLabel, Picture, Speaking, button, card, label

_MOST_RECENT = 5


class StartPage(Speaking):
    """Invites to drop a clip, and offers the last ones and a sample."""

    opened = Signal(Path)
    """A recent file was chosen."""

    def __init__(self, actions: Actions, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._made = 1.0
        self._picture = Picture("mouth", "accent", 9 * GRID)
        self._title = label("title")
        self._sentence = label("muted", wraps=True)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.open_button = button(actions["open"].trigger, kind="primary", picture="open")
        self.folder_button = button(actions["open_folder"].trigger, picture="folder")
        self.sample_button = button(actions["sample"].trigger, picture="sample")
        self.generate_button = button(actions["page_generate"].trigger, picture="generate")
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch()
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.folder_button)
        buttons.addWidget(self.sample_button)
        buttons.addWidget(self.generate_button)
        buttons.addStretch()
        self._recent_title = label("heading")
        self._recent_card, self._recent = card(kind="panel")
        self._recent.addWidget(self._recent_title)

        middle = QWidget()
        middle.setMaximumWidth(90 * GRID)
        middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(middle)
        column.setSpacing(2 * GRID)
        column.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._title, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._sentence)
        column.addLayout(buttons)
        column.addSpacing(2 * GRID)
        column.addWidget(self._recent_card)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(middle, 3)
        row.addStretch(1)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        outer.addLayout(row)
        outer.addStretch(3)
        settings.changed.connect(self._setting_changed)
        self.say()

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("Drop a clip here"))
        self._sentence.setText(
            self.tr(
                "Plosive measures from the picture how far lips and sound are apart, "
                "and puts it right without encoding anything again. Everything stays on this computer."
            )
        )
        self.open_button.setText(self.tr("Open a clip…"))
        self.folder_button.setText(self.tr("Measure a folder…"))
        self.show_making(self._made)
        self.generate_button.setText(self.tr("Render a new clip…"))
        self._recent_title.setText(self.tr("LAST OPENED"))
        self._list_recent()

    def show_making(self, share: float) -> None:
        """Say how much of the sample is made, 0 to 1; meanwhile it cannot be asked for again."""
        self._made = share
        is_made = share >= 1
        self.sample_button.setEnabled(is_made)
        self.sample_button.setText(
            self.tr("Try a sample")
            if is_made
            else self.tr("Drawing the sample: {percent} %").format(percent=round(100 * share))
        )

    def _setting_changed(self, key: str) -> None:
        if key == "recent":
            self._list_recent()

    def _list_recent(self) -> None:
        while self._recent.count() > 1:
            item = self._recent.takeAt(1)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        recent = [Path(path) for path in self._settings["recent"][:_MOST_RECENT]]
        for path in recent:
            self._recent.addWidget(self._entry(path))
        self._recent_card.setVisible(bool(recent))

    def _entry(self, path: Path) -> QWidget:
        entry, folder = button(lambda: self.opened.emit(path), kind="link", picture="film"), ElidedLabel()
        entry.setText(path.name)
        entry.setToolTip(str(path))
        folder.setProperty("kind", "muted")
        folder.setText(str(path.parent))
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2 * GRID)
        line.addWidget(entry)
        line.addWidget(folder, 1)
        return row

"""The row above everything: which clip this is, and what it is made of."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from desktop_app.actions import Actions
from desktop_app.document.document import Document
from desktop_app.theme import GRID
from desktop_app.widgets.basics import ElidedLabel, Speaking, action_button, button, label, set_primary
from engine.timing import clock_words


class Header(Speaking):
    """Name and facts of the open clip, undo, search and export."""

    def __init__(self, document: Document, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.name = ElidedLabel()
        self.name.setProperty("kind", "title")
        self._badges: list[QLabel] = []
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        row.setSpacing(GRID)
        row.addWidget(self.name, 1)
        self._facts = QHBoxLayout()
        self._facts.setSpacing(GRID // 2)
        row.addLayout(self._facts)
        row.addSpacing(GRID)
        row.addWidget(action_button(actions["page_generate"], has_text=True))
        for name in ("open", "undo", "redo", "palette"):
            row.addWidget(action_button(actions[name]))
        self._export = button(actions["export"].trigger, picture="export")
        row.addWidget(self._export)
        document.media_changed.connect(self._show)
        self.say()

    @property
    def facts(self) -> list[str]:
        """What is said about the clip."""
        return [badge.text() for badge in self._badges]

    def say(self) -> None:
        """Set all texts."""
        self._export.setText(self.tr("Export"))
        self._show()

    def set_export_next(self, *, is_next: bool) -> None:
        """Say whether exporting is what comes next."""
        set_primary(self._export, "export", is_primary=is_next)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out facts where there is no room for them beside the name (Qt's name)."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Show as many facts as leave room for the name, the first ones first."""
        others = [each for each in self.findChildren(QWidget) if each not in (self.name, *self._badges)]
        taken = sum(each.sizeHint().width() + GRID for each in others)
        left = self.width() - taken - 4 * GRID - self.name.fontMetrics().horizontalAdvance(self.name.text())
        for badge in self._badges:
            left -= badge.sizeHint().width() + GRID // 2
            badge.setVisible(left >= 0)

    def _show(self) -> None:
        document = self._document
        self.name.setText(document.path.name if document.path else "")
        for badge in self._badges:
            self._facts.removeWidget(badge)
            badge.deleteLater()
        self._badges = []
        info, heard = document.info, document.sound_info
        if info is None or heard is None:
            return
        if info.video is not None:
            self._add(f"{info.video.display_width}×{info.video.display_height}")
            rate = f"{float(info.video.rate):.2f}".rstrip("0").rstrip(".")
            said = self.tr("about {rate} fps, varying") if info.video.is_variable else self.tr("{rate} fps")
            self._add(said.format(rate=rate))
            if info.video.is_hdr:
                self._add("HDR")
        if heard.audio is not None:
            self._add(f"{heard.audio.codec.upper()} {heard.audio.sample_rate / 1000:g} kHz")
        if document.sound_path is not None:
            self._add(self.tr("sound: {file}").format(file=document.sound_path.name))
        self._add(clock_words(document.duration).rpartition(".")[0])
        self._fit()

    def _add(self, text: str) -> None:
        badge = label("badge")
        badge.setText(text)
        badge.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._badges.append(badge)
        self._facts.addWidget(badge, 0, Qt.AlignmentFlag.AlignVCenter)

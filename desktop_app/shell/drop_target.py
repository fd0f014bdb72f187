"""Files that are held above the window, and let go there."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from desktop_app.document.document import Document
from desktop_app.document.dropping import Drop, sort
from desktop_app.shell.intake import LOOKED_AT, Intake
from desktop_app.shell.pages import Pages
from desktop_app.widgets.drop_overlay import DropOverlay, Zone


class DropTarget(QObject):
    """Offers zones for what is held above the window, and hands on what is let go.

    Args:
        window: takes the files.
        document: the open clip decides which zones make sense.
        pages: so does the page that is shown.
        intake: opens the files.

    Attributes:
        overlay: shows the zones.
    """

    def __init__(self, window: QWidget, document: Document, pages: Pages, intake: Intake) -> None:
        super().__init__(window)
        self._document = document
        self._pages = pages
        self._intake = intake
        self.overlay = DropOverlay(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow what is dragged (Qt's name)."""
        # In this order: to Qt's classes an entry is a move, too, and both are drops.
        if isinstance(event, QDragEnterEvent):
            return self._offer(event)
        if isinstance(event, QDragMoveEvent):
            self.overlay.light(event.position().toPoint())
            event.acceptProposedAction()
            return True
        if isinstance(event, QDropEvent):
            self._take(event)
            return True
        if event.type() is QEvent.Type.DragLeave:
            self.overlay.hide()
        return super().eventFilter(watched, event)

    def _offer(self, event: QDragEnterEvent) -> bool:
        drop = _dropped(event.mimeData())
        if drop is None:
            return False
        event.acceptProposedAction()
        self.overlay.offer(self._zones(drop))
        return True

    def _take(self, event: QDropEvent) -> None:
        zone = self.overlay.zone_at(event.position().toPoint())
        self.overlay.hide()
        event.acceptProposedAction()
        self._intake.open(_paths(event.mimeData()), zone)

    def _zones(self, drop: Drop) -> tuple[Zone, ...]:
        if drop.is_batch and not drop.projects:
            return (Zone.BATCH,)
        if self._pages.shows_generation and not drop.projects:
            return _render_zones(drop)
        if drop.sounds and (drop.pictures or drop.clips):
            return (Zone.PICTURE, Zone.RENDER) if drop.clips else (Zone.RENDER,)
        if drop.pictures and not drop.clips:
            return (Zone.FACE,)
        if self._document.path is None or drop.projects or len(drop.clips) + len(drop.sounds) != 1:
            return (Zone.PICTURE,)
        return (Zone.PICTURE, Zone.VOICE) if drop.clips else (Zone.VOICE,)


def _render_zones(drop: Drop) -> tuple[Zone, ...]:
    if drop.sounds and (drop.pictures or drop.clips):
        return (Zone.RENDER,)
    if drop.clips:
        return (Zone.FACE, Zone.SPEECH)
    return (Zone.SPEECH,) if drop.sounds else (Zone.FACE,)


def _paths(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def _dropped(data: QMimeData) -> Drop | None:
    paths = _paths(data)
    return sort(paths[:LOOKED_AT]) if paths else None

"""The spectrogram as the sound lane paints it: tiles in the colours of the theme, bounded by bytes."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from desktop_app.theme import DARK, Theme
from desktop_app.timeline.plane import Plane
from desktop_app.timeline.spectra import COLUMNS, ROWS, Image, Tile, tiles_between

CACHE_BYTES = 32 << 20
_TILE_BYTES = COLUMNS * ROWS * 5
"""Of a tile: its shades, and its picture with four bytes per pixel."""


@dataclass(slots=True)
class _Kept:
    """A tile: its shades, whether all columns are known, and its picture once it was painted."""

    shades: Image
    is_whole: bool
    picture: QImage | None = None


class Spectrogram:
    """Keeps tiles and paints them; used in the GUI thread only."""

    def __init__(self) -> None:
        self._tiles: OrderedDict[Tile, _Kept] = OrderedDict()
        self._theme = DARK

    @property
    def bytes(self) -> int:
        """What the tiles take at most."""
        return len(self._tiles) * _TILE_BYTES

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        for kept in self._tiles.values():
            kept.picture = None

    def clear(self) -> None:
        """Forget all tiles."""
        self._tiles.clear()

    def add(self, tile: Tile, shades: Image, *, is_whole: bool) -> None:
        """Take a tile, or more of it."""
        self._tiles[tile] = _Kept(shades, is_whole)
        self._tiles.move_to_end(tile)
        while self.bytes > CACHE_BYTES:
            self._tiles.popitem(last=False)

    def missing(self, start: float, stop: float, pixels_per_second: float) -> list[Tile]:
        """Return the tiles of a stretch that are not known in full, those in its middle first."""
        middle = (start + stop) / 2
        lacking = [
            tile
            for tile in tiles_between(start, stop, pixels_per_second)
            if tile not in self._tiles or not self._tiles[tile].is_whole
        ]
        return sorted(lacking, key=lambda tile: abs((tile.start + tile.stop) / 2 - middle))

    def paint(self, painter: QPainter, plane: Plane, start: float, stop: float, top: float, bottom: float) -> None:
        """Paint a stretch between two heights; a tile of a farther zoom stands in for one that is missing."""
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
        for tile in tiles_between(start, stop, plane.scale_x):
            kept: Tile | None = tile
            while kept is not None and kept not in self._tiles:
                kept = kept.parent
            if kept is None:
                continue
            first, last = max(start, tile.start), min(stop, tile.stop)
            # On whole pixels of the screen, so that no seam is seen between two tiles.
            left, right = (math.floor(plane.x(at) * plane.ratio) / plane.ratio for at in (first, last))
            source = QRectF((first - kept.start) / kept.column, 0, (last - first) / kept.column, ROWS)
            painter.drawImage(QRectF(left, top, right - left, bottom - top), self._picture(kept), source)

    def _picture(self, tile: Tile) -> QImage:
        kept = self._tiles[tile]
        self._tiles.move_to_end(tile)
        if kept.picture is None:
            indexed = QImage(kept.shades.tobytes(), COLUMNS, ROWS, COLUMNS, QImage.Format.Format_Indexed8)
            indexed.setColorTable(self._colours())
            kept.picture = indexed.convertToFormat(QImage.Format.Format_RGB32)
        return kept.picture

    def _colours(self) -> list[int]:
        """Return a colour per shade: from the lane's ground over the colour of sound to that of text."""
        stops = [QColor(self._theme.colour(name)) for name in ("panel", "sound", "text")]
        parts = [np.interp(np.arange(256), (0, 170, 255), [part(stop) for stop in stops]) for part in _PARTS]
        return [QColor(*(round(float(part[shade])) for part in parts)).rgb() for shade in range(256)]


_PARTS = (QColor.red, QColor.green, QColor.blue)

"""The strip of pictures: as many as fit side by side, at times that stay put while the view is panned."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import OrderedDict
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QImage, QPainter

from desktop_app.timeline.plane import Plane, PlaneItem

CACHE_BYTES = 48 << 20


@dataclass(frozen=True, slots=True)
class Tiling:
    """Where the pictures of a strip lie: tile ``n`` covers ``n * step`` to ``(n + 1) * step`` seconds."""

    step: float
    first: int
    count: int

    def times(self) -> list[float]:
        """Return the middle of each tile, the time its picture should be from."""
        return [(self.first + n + 0.5) * self.step for n in range(self.count)]


def tiling(start: float, stop: float, pixels_per_second: float, tile_pixels: float) -> Tiling:
    """Return the tiles of a stretch: steps are powers of two of a second, tiles half to all of a picture wide.

    With steps from a fixed series, zooming back brings back the pictures that are remembered.
    """
    step = 2.0 ** math.floor(math.log2(tile_pixels / pixels_per_second))
    first = math.floor(start / step)
    return Tiling(step, first, max(1, math.ceil(stop / step) - first))


class PictureCache:
    """Small pictures by time; the ones not looked at for longest are forgotten first."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._bytes = 0
        self._images: OrderedDict[float, QImage] = OrderedDict()
        self._times: list[float] = []

    def __len__(self) -> int:
        return len(self._times)

    def add(self, seconds: float, image: QImage) -> None:
        """Remember the picture shown at a time, instead of one that was a stopgap."""
        before = self._images.pop(seconds, None)
        if before is None:
            insort(self._times, seconds)
        else:
            self._bytes -= before.sizeInBytes()
        self._images[seconds] = image
        self._bytes += image.sizeInBytes()
        while self._bytes > self._limit and len(self._images) > 1:
            forgotten, old = self._images.popitem(last=False)
            self._times.pop(bisect_left(self._times, forgotten))
            self._bytes -= old.sizeInBytes()

    def nearest(self, seconds: float) -> tuple[float, QImage] | None:
        """Return the time and the picture nearest to a time, ``None`` when there is none at all."""
        if not self._times:
            return None
        after = bisect_left(self._times, seconds)
        around = self._times[max(0, after - 1) : after + 1]
        best = min(around, key=lambda time: abs(time - seconds))
        self._images.move_to_end(best)
        return best, self._images[best]


class ThumbnailStrip(PlaneItem):
    """Pictures side by side.

    Attributes:
        wanted: signal with the times (list of float) whose pictures are missing, those in the middle of the view first;
            each one replaces the ones before it.
    """

    wanted = Signal(list)

    def __init__(self) -> None:
        super().__init__(-1.0, 1.0)
        self.cache = PictureCache()
        self._aspect = 16 / 9
        self._asked: tuple[float, ...] = ()
        self._stopgaps: set[float] = set()

    def set_film(self, start: float, stop: float, aspect: float) -> None:
        """Show another file, whose pictures are ``aspect`` times as wide as high."""
        self.cache = PictureCache()
        self._asked = ()
        self._stopgaps.clear()
        self._aspect = min(max(aspect, 0.3), 4.0)
        self.set_times(start, stop)
        self.update()

    def add(self, seconds: float, image: QImage, *, is_exact: bool) -> None:
        """Take the picture for a time that was wanted, or a stopgap for it."""
        self.cache.add(seconds, image)
        (self._stopgaps.discard if is_exact else self._stopgaps.add)(seconds)
        self.update()

    def forget_asked(self) -> None:
        """Ask for what is missing again the next time, as if it had never been asked for."""
        self._asked = ()

    def look_at(self, start: float, stop: float, pixels_per_second: float, height: float) -> None:
        """Ask for the pictures that a view needs and that are not remembered.

        Args:
            start: first time on screen, seconds.
            stop: last one.
            pixels_per_second: the zoom.
            height: of the lane, pixels.
        """
        tiles = self._tiles(start, stop, pixels_per_second, height)
        missing = [seconds for seconds in tiles.times() if self._lacks(seconds, tiles.step)] if tiles else []
        middle = (start + stop) / 2
        asked = tuple(sorted(missing, key=lambda seconds: abs(seconds - middle)))
        if asked != self._asked and (asked or self._asked):
            self._asked = asked
            self.wanted.emit(list(asked))

    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint the exposed tiles; where a picture is missing, the nearest one stands in."""
        bounds = self.boundingRect()
        top, bottom = sorted((plane.y(1), plane.y(-1)))
        tiles = self._tiles(plane.start, plane.stop, plane.scale_x, bottom - top)
        if tiles is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        film = QRectF(plane.x(bounds.left()), top, bounds.width() * plane.scale_x, bottom - top)
        painter.setClipRect(film, Qt.ClipOperation.IntersectClip)
        for number, seconds in enumerate(tiles.times()):
            found = self.cache.nearest(seconds)
            if found is not None:
                left = plane.x((tiles.first + number) * tiles.step)
                _paint_tile(painter, found[1], QRectF(left, top, tiles.step * plane.scale_x - 1, bottom - top))

    def _tiles(self, start: float, stop: float, pixels_per_second: float, height: float) -> Tiling | None:
        bounds = self.boundingRect()
        start, stop = max(start, bounds.left()), min(stop, bounds.right())
        if stop <= start or height < 1:
            return None
        return tiling(start, stop, pixels_per_second, height * self._aspect)

    def _lacks(self, seconds: float, step: float) -> bool:
        found = self.cache.nearest(seconds)
        return found is None or abs(found[0] - seconds) > step / 2 or found[0] in self._stopgaps


def _paint_tile(painter: QPainter, image: QImage, tile: QRectF) -> None:
    """Fill a tile with the middle of a picture."""
    shown = min(image.width(), tile.width() * image.height() / max(tile.height(), 1))
    painter.drawImage(tile, image, QRectF((image.width() - shown) / 2, 0, shown, image.height()))

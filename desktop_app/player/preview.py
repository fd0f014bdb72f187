"""The picture: what the player shows, with a loupe on the mouth, what was seen of faces, and before beside after."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from desktop_app.document.document import Document
from desktop_app.player.faces import around, face_at, inside, lips_at, mouth_of, opening_at, person_at
from desktop_app.player.player import Player
from desktop_app.theme import DARK, GRID, theme_of
from engine.sync.result import FacePath

_HEIGHTS = (270, 360, 540, 720, 1080, 1440, 2160)
"""Heights at which pictures are decoded: a few, so that resizing the window does not decode everything anew."""
_LOUPE_SHARE = 0.42
"""Width of the loupe as a share of the picture's."""
_LOUPE_RATIO = 1.5


@dataclass(frozen=True, slots=True)
class _Shown:
    """A picture and its presentation time."""

    image: QImage
    seconds: float


class Preview(QWidget):
    """Shows the player's picture.

    A click plays or pauses; a click on a face chooses the person, where there are several; with the loupe on and no
    face known, a click puts the loupe.

    Attributes:
        face_picked: signal, number of the person that was clicked, counted from the left beginning with 1.

    Args:
        player: plays.
        document: what is open.
    """

    face_picked = Signal(int)

    def __init__(self, player: Player, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player = player
        self._document = document
        self._now: _Shown | None = None
        self._before: _Shown | None = None
        self._loupe = self._landmarks = self._split = False
        self._loupe_point: QPointF | None = None
        self._theme = theme_of(self.palette())
        self.setMinimumSize(240, 135)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        player.frame_ready.connect(self._show)
        player.before_ready.connect(self._show_before)
        document.media_changed.connect(self._clear)
        document.measurement_changed.connect(self.update)
        self._name()

    def sizeHint(self) -> QSize:
        """Return a comfortable size (Qt's name)."""
        return QSize(960, 540)

    @property
    def image(self) -> QImage | None:
        """The picture that is shown."""
        return self._now.image if self._now is not None else None

    def set_loupe(self, on: bool) -> None:
        """Show the mouth enlarged, or not."""
        self._loupe = on
        self._choose_height()
        self.update()

    def set_landmarks(self, on: bool) -> None:
        """Show where faces were seen and how far the mouth was open, or not."""
        self._landmarks = on
        self.update()

    def set_split(self, on: bool) -> None:
        """Show what was to be seen at the present sound before the correction, beside what is now; or not."""
        self._split = on
        self._before = None
        self._player.set_compare(on)
        self._choose_height()
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the system's colours and the chosen language (Qt's name)."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._theme = theme_of(self.palette())
            self.update()
        elif event.type() == QEvent.Type.LanguageChange:
            self._name()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Decode no more than is shown (Qt's name)."""
        super().resizeEvent(event)
        self._choose_height()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Paint (Qt's name)."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("ground"))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._now is None:
            return
        if not self._split:
            self._paint_pane(painter, self._now, QRectF(self.rect()), "")
            return
        half = (self.width() - GRID) / 2
        panes = (
            (self._before or self._now, QRectF(0, 0, half, self.height()), self.tr("Before")),
            (self._now, QRectF(half + GRID, 0, half, self.height()), self.tr("After")),
        )
        for shown, area, words in panes:
            self._paint_pane(painter, shown, area, words)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show where a click does more than play (Qt's name)."""
        number = self._person_at(event.position())
        self.setCursor(Qt.CursorShape.PointingHandCursor if number else Qt.CursorShape.ArrowCursor)
        self.setToolTip(self.tr("Measure the lips of person {number}").format(number=number) if number else "")
        super().mouseMoveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a person, put the loupe, or play (Qt's name)."""
        if event.button() is not Qt.MouseButton.LeftButton or self._now is None:
            super().mousePressEvent(event)
            return
        point = self._picture_point(event.position())
        number = self._person_at(event.position())
        if number:
            self.face_picked.emit(number)
        elif self._loupe and point is not None and self._measured() is None:
            self._loupe_point = point
            self.update()
        else:
            self._player.toggle()

    # What it shows.

    def _name(self) -> None:
        self.setAccessibleName(self.tr("Preview"))
        self.update()

    def _clear(self) -> None:
        self._now = self._before = self._loupe_point = None
        self.update()

    def _show(self, image: QImage, seconds: float) -> None:
        self._now = _Shown(image, seconds)
        self.update()

    def _show_before(self, image: QImage, seconds: float) -> None:
        self._before = _Shown(image, seconds)
        self.update()

    def _choose_height(self) -> None:
        """Ask for pictures as high as they are painted; the loupe needs several times as much."""
        wanted = self.height() * self.devicePixelRatioF() * (2.5 if self._loupe else 1.0)
        self._player.set_picture_height(next((height for height in _HEIGHTS if height >= wanted), None))

    def _people(self) -> tuple[FacePath, ...]:
        return self._document.measurement.people if self._document.measurement is not None else ()

    def _measured(self) -> FacePath | None:
        """Return the person on whose mouth the loupe lies: the chosen one, the measured one, or the only one."""
        people, chosen = self._people(), self._document.face
        if chosen is not None and chosen <= len(people):
            return people[chosen - 1]
        return next((path for path in people if path.is_measured), people[0] if people else None)

    def _picture_point(self, position: QPointF) -> QPointF | None:
        """Return where a point of the widget is in the picture, in shares; ``None`` beside it."""
        if self._now is None or self._split:
            return None
        area = _fitted(self._now.image, QRectF(self.rect()))
        if not area.contains(position):
            return None
        return QPointF((position.x() - area.left()) / area.width(), (position.y() - area.top()) / area.height())

    def _person_at(self, position: QPointF) -> int:
        """Return the number of the person that a click would choose, 0 where there is no choice."""
        point = self._picture_point(position)
        if point is None or self._now is None or len(self._people()) < 2:
            return 0
        return person_at(self._people(), self._now.seconds, point)

    # Painting.

    def _paint_pane(self, painter: QPainter, shown: _Shown, area: QRectF, words: str) -> None:
        picture = _fitted(shown.image, area)
        painter.drawImage(picture, shown.image)
        if self._landmarks or len(self._people()) > 1:
            self._paint_faces(painter, shown, picture)
        if self._loupe:
            self._paint_loupe(painter, shown, picture, area)
        if words:
            _paint_label(painter, words, QPointF(picture.left() + GRID, picture.top() + GRID))

    def _paint_faces(self, painter: QPainter, shown: _Shown, picture: QRectF) -> None:
        """Paint corners around each face, numbered where there are several, and a gauge of the measured mouth."""
        several = len(self._people()) > 1
        for number, path in enumerate(self._people(), start=1):
            face = face_at(path, shown.seconds)
            if face is None:
                continue
            chosen = path is self._measured()
            box = _scaled(face, picture)
            # Seen on any picture: a dark line under the light one.
            for pen in (QPen(QColor(0, 0, 0, 110), 4), QPen(QColor(DARK.mouth if chosen else DARK.text), 2)):
                painter.setPen(pen)
                _paint_corners(painter, box)
            if several:
                _paint_label(painter, str(number), box.topLeft() + QPointF(4, 4))
            if self._landmarks:
                self._paint_lips(painter, path, shown, picture)
            if chosen and self._landmarks:
                self._paint_gauge(painter, shown, box)

    def _paint_lips(self, painter: QPainter, path: FacePath, shown: _Shown, picture: QRectF) -> None:
        """Paint the outline of the lips where the whole picture fills a rectangle."""
        lips = lips_at(path, shown.seconds)
        if lips is None:
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for ring, colour in zip(lips, ("mouth", "plosive"), strict=True):
            outline = QPolygonF(
                [
                    QPointF(picture.left() + point.x() * picture.width(), picture.top() + point.y() * picture.height())
                    for point in ring
                ]
            )
            # A dark line under the light one is seen on any skin and on any lipstick.
            for pen in (QPen(QColor(0, 0, 0, 110), 3.5), QPen(self._theme.colour(colour), 1.5)):
                painter.setPen(pen)
                painter.drawPolygon(outline)

    def _paint_gauge(self, painter: QPainter, shown: _Shown, box: QRectF) -> None:
        """Paint how far the lips are open as a bar beside the face."""
        mouth = self._document.measurement.mouth if self._document.measurement is not None else None
        opening = opening_at(mouth, shown.seconds) if mouth is not None else None
        if opening is None:
            return
        bar = QRectF(box.right() + GRID, box.top(), 6, box.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 110))
        painter.drawRoundedRect(bar, 3, 3)
        # Lips open by half of the mouth's width are wide open.
        filled = bar.height() * min(1.0, opening / 0.5)
        painter.setBrush(self._theme.colour("mouth"))
        painter.drawRoundedRect(QRectF(bar.left(), bar.bottom() - filled, bar.width(), filled), 3, 3)

    def _paint_loupe(self, painter: QPainter, shown: _Shown, picture: QRectF, area: QRectF) -> None:
        path = self._measured()
        face = face_at(path, shown.seconds) if path is not None else None
        aspect = shown.image.width() / max(shown.image.height(), 1)
        if face is not None:
            source = mouth_of(face, aspect, _LOUPE_RATIO)
        else:
            # Talking heads look from the middle of the picture; a click puts the loupe elsewhere.
            source = around(self._loupe_point or QPointF(0.5, 0.55), aspect, _LOUPE_RATIO)
        source = inside(source)
        width = picture.width() * _LOUPE_SHARE
        target = _placed(
            QSizeF(width, width * source.height() / source.width() / aspect), area, _scaled(source, picture)
        )
        painter.setPen(QPen(QColor(255, 255, 255, 120), 1, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(_scaled(source, picture))
        size = shown.image.size()
        pixels = QRectF(
            source.x() * size.width(),
            source.y() * size.height(),
            source.width() * size.width(),
            source.height() * size.height(),
        )
        painter.drawImage(target, shown.image, pixels)
        if self._landmarks and path is not None:
            zoom = target.width() / source.width(), target.height() / source.height()
            whole = QRectF(
                target.left() - source.left() * zoom[0], target.top() - source.top() * zoom[1], zoom[0], zoom[1]
            )
            painter.save()
            painter.setClipRect(target)
            self._paint_lips(painter, path, shown, whole)
            painter.restore()
        painter.setPen(QPen(self._theme.colour("accent"), 2))
        painter.drawRect(target)


def _fitted(image: QImage, area: QRectF) -> QRectF:
    """Return where a picture lies that fills an area without being cut."""
    scale = min(area.width() / max(image.width(), 1), area.height() / max(image.height(), 1))
    fitted = QRectF(0, 0, image.width() * scale, image.height() * scale)
    fitted.moveCenter(area.center())
    return fitted


def _placed(size: QSizeF, area: QRectF, avoided: QRectF) -> QRectF:
    """Return where a loupe lies: in the corner of an area where it hides least of what it enlarges."""
    inner = area.adjusted(GRID, GRID, -size.width() - GRID, -size.height() - GRID)
    corners = (inner.bottomRight(), inner.bottomLeft(), inner.topRight(), inner.topLeft())

    def hidden(corner: QPointF) -> float:
        both = QRectF(corner, size).intersected(avoided)
        return both.width() * both.height()

    return QRectF(min(corners, key=hidden), size)


def _scaled(shares: QRectF, picture: QRectF) -> QRectF:
    """Return where a part of the picture lies in the widget."""
    return QRectF(
        picture.left() + shares.left() * picture.width(),
        picture.top() + shares.top() * picture.height(),
        shares.width() * picture.width(),
        shares.height() * picture.height(),
    )


def _paint_corners(painter: QPainter, box: QRectF) -> None:
    length = min(box.width(), box.height()) / 5
    for corner, across, down in (
        (box.topLeft(), 1, 1),
        (box.topRight(), -1, 1),
        (box.bottomLeft(), 1, -1),
        (box.bottomRight(), -1, -1),
    ):
        painter.drawLine(corner, corner + QPointF(across * length, 0))
        painter.drawLine(corner, corner + QPointF(0, down * length))


def _paint_label(painter: QPainter, words: str, corner: QPointF) -> None:
    """Paint words on a dark ground, readable on any picture."""
    font = QFont()
    font.setPixelSize(13)
    font.setWeight(QFont.Weight.DemiBold)
    metrics = QFontMetricsF(font)
    box = QRectF(corner.x(), corner.y(), metrics.horizontalAdvance(words) + 2 * GRID, metrics.height() + GRID / 2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 150))
    painter.drawRoundedRect(box, 4, 4)
    painter.setFont(font)
    painter.setPen(QColor(255, 255, 255))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

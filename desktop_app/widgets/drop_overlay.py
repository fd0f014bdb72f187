"""What lies over the window while files are held above it: labelled places to let them go."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop_app.icons import icon
from desktop_app.theme import GRID, theme_of


class Zone(Enum):
    """Where files can be let go."""

    PICTURE = "picture"
    VOICE = "voice"
    BATCH = "batch"
    FACE = "face"
    SPEECH = "speech"
    RENDER = "render"


class DropOverlay(QWidget):
    """Zones side by side over the whole window; the one under the pointer lights up."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        self._zones: tuple[Zone, ...] = (Zone.PICTURE,)
        self._lit: Zone | None = None

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The zones that are offered."""
        return self._zones

    @property
    def lit(self) -> Zone | None:
        """The zone under the pointer."""
        return self._lit

    def offer(self, zones: tuple[Zone, ...]) -> None:
        """Show zones, from left to right."""
        self._zones = zones
        self._lit = None
        self.setGeometry(self._window.rect())
        self.show()
        self.raise_()

    def zone_at(self, position: QPoint) -> Zone:
        """Return the zone at a position in the window."""
        share = max(0.0, min(0.999, position.x() / max(1, self.width())))
        return self._zones[int(share * len(self._zones))]

    def light(self, position: QPoint) -> None:
        """Light up the zone at a position."""
        zone = self.zone_at(position)
        if zone is not self._lit:
            self._lit = zone
            self.update()

    def _words(self, zone: Zone) -> tuple[str, str, str]:
        return {
            Zone.PICTURE: ("film", self.tr("Picture"), self.tr("Open this clip")),
            Zone.VOICE: ("voice", self.tr("Voice"), self.tr("Use this sound instead of the clip's own")),
            Zone.FACE: ("face", self.tr("Face"), self.tr("Render: this is who speaks")),
            Zone.SPEECH: ("voice", self.tr("Voice"), self.tr("Render: this is what is said")),
            Zone.RENDER: ("generate", self.tr("Face and voice"), self.tr("Render this face saying this")),
            Zone.BATCH: ("queue", self.tr("Queue"), self.tr("Measure all of them in the background")),
        }[zone]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the zones."""
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.colour("ground"))
        width = self.width() / len(self._zones)
        for number, zone in enumerate(self._zones):
            is_lit = zone is self._lit
            area = QRectF(number * width, 0, width, self.height()).adjusted(3 * GRID, 3 * GRID, -3 * GRID, -3 * GRID)
            painter.setBrush(theme.colour("accent", 0.18) if is_lit else theme.colour("panel"))
            painter.setPen(
                QPen(
                    theme.colour("accent" if is_lit else "line"),
                    2,
                    Qt.PenStyle.SolidLine if is_lit else Qt.PenStyle.DashLine,
                )
            )
            painter.drawRoundedRect(area, 12, 12)
            picture, title, sentence = self._words(zone)
            middle = area.center()
            image = icon(picture, "accent" if is_lit else "muted").pixmap(56, 56)
            painter.drawPixmap(QPoint(round(middle.x()) - 28, round(middle.y()) - 72), image)
            font = QFont(self.font())
            font.setPixelSize(24)
            font.setWeight(QFont.Weight.DemiBold)
            painter.setFont(font)
            painter.setPen(theme.colour("text"))
            painter.drawText(
                QRectF(area.left(), middle.y(), area.width(), 36), int(Qt.AlignmentFlag.AlignCenter), title
            )
            painter.setFont(self.font())
            painter.setPen(theme.colour("muted"))
            below = QRectF(area.left() + GRID, middle.y() + 40, area.width() - 2 * GRID, 48)
            painter.drawText(
                below,
                int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap),
                sentence,
            )

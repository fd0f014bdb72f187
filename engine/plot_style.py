"""The look of the pictures that ``--plot`` writes: colours, sizes, and fonts that have every character asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.sync.result import Kind
from engine.words import LANGUAGES, Message, current_language, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUND = "#15181d"
PANEL = "#1c2027"
GRID = "#2b313b"
TEXT = "#e8eaed"
MUTED = "#8d96a5"
MOUTH = "#ffb454"
SOUND = "#4ea1ff"
GOOD = "#58d68d"
POOR = "#ffb454"
BAD = "#ff6b6b"

KIND_COLOURS = {
    Kind.IN_SYNC: GOOD,
    Kind.CONSTANT: BAD,
    Kind.DRIFT: BAD,
    Kind.STEPS: BAD,
    Kind.JITTER: POOR,
    Kind.UNMEASURABLE: MUTED,
}

INCHES = (12.0, 7.6)
DOTS_PER_INCH = 200
"""2400 x 1520 pixels: sharp on HiDPI screens."""

_LATIN = "DejaVu Sans"
"""Comes with matplotlib, so it is there on every computer."""
_CHINESE_FONT_NAMES = (
    "notosanssc", "notosanscjk", "sourcehansans", "msyh", "pingfang", "hiragino", "wqy", "droidsansfallback",
    "simhei", "deng", "simsun", "uming", "ukai",
)  # fmt: skip
"""Beginnings of the file names of Chinese fonts (Linux, Windows, macOS), the ones that read best on a screen first."""


def settings(letters: Lettering) -> Any:
    """Return matplotlib's settings for our look."""
    return {
        "font.family": letters.fonts,
        "font.size": 9.0,
        "text.color": TEXT,
        "figure.facecolor": GROUND,
        "savefig.facecolor": GROUND,
        "axes.facecolor": PANEL,
        "axes.edgecolor": GRID,
        "axes.labelcolor": MUTED,
        "axes.titlecolor": TEXT,
        "axes.titlesize": 9.5,
        "axes.titleweight": letters.weight,
        "axes.titlelocation": "left",
        "axes.titlepad": 7.0,
        "axes.labelsize": 8.5,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.unicode_minus": False,
        "grid.color": GRID,
        "grid.linewidth": 0.6,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelsize": 8.0,
        "ytick.labelsize": 8.0,
        "xtick.major.size": 0.0,
        "ytick.major.size": 0.0,
        "legend.frameon": False,
        "legend.fontsize": 8.0,
        "legend.labelcolor": MUTED,
        "lines.solid_capstyle": "round",
    }


class Lettering:
    """Fonts and language of one picture: Chinese when it is wanted and a font for it is installed, else English."""

    def __init__(self, *texts: str) -> None:
        wanted = current_language()
        chinese = chinese_font() if wanted != LANGUAGES[0] or not all(map(_latin_has, texts)) else None
        self.fonts = [_LATIN] if chinese is None else [_LATIN, chinese]
        self.language = LANGUAGES[0] if chinese is None else wanted
        # Most Chinese fonts come in one weight; bold Latin letters among them look like a mistake.
        self.weight = "bold" if chinese is None else "normal"
        self._chinese = chinese

    def say(self, message: Message) -> str:
        """Return a message in the picture's language."""
        return message.text(self.language)

    def word(self, key: str, **values: object) -> str:
        """Return a sentence of the plot's own catalogue."""
        return self.say(Message(f"plot.{key}", **values))

    def safe(self, text: str) -> str:
        """Return text with ``?`` for characters that no font at hand can draw, rather than empty boxes."""
        return "".join(c if _latin_has(c) or (self._chinese and _font_has(self._chinese, c)) else "?" for c in text)

    def file_name(self, path: str, longest: int = 72) -> str:
        """Return a path's last part, fit to be drawn: shortened in the middle and without odd characters."""
        name = self.safe(printable(Path(path).name))
        if len(name) <= longest:
            return name
        half = (longest - 1) // 2
        return f"{name[:half]}…{name[-half:]}"


@cache
def chinese_font() -> str | None:
    """Return the family name of an installed font with Chinese characters, ready for use, or ``None``."""
    from matplotlib import font_manager

    def rank(path: str) -> int:
        name = Path(path).stem.lower().replace("-", "").replace("_", "").replace(" ", "")
        return next((n for n, start in enumerate(_CHINESE_FONT_NAMES) if name.startswith(start)), -1)

    candidates = [path for path in font_manager.findSystemFonts() if rank(path) >= 0]
    for path in sorted(candidates, key=lambda path: (rank(path), "bold" in path.lower(), path)):
        try:
            # Not by matplotlib's own list: that is cached from the day it was made, and knows no newer fonts.
            font_manager.fontManager.addfont(path)
        except (OSError, RuntimeError, ValueError):
            continue
        # A collection holds several countries' shapes of the same characters.
        families = [font.name for font in font_manager.fontManager.ttflist if font.fname == path]
        for family in sorted(families, key=lambda name: (not name.endswith("SC"), "Mono" in name, name)):
            if _font_has(family, "声音晚毫秒。"):
                return family
    return None


def _latin_has(text: str) -> bool:
    return _font_has(_LATIN, text)


def _font_has(family: str, text: str) -> bool:
    glyphs = _glyphs(family)
    return all(ord(character) in glyphs for character in text)


@cache
def _glyphs(family: str) -> frozenset[int]:
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(font_manager.findfont(family, fallback_to_default=False)).get_charmap())


def quiet_axes(axes: Axes) -> None:
    """Remove the box around a panel and the grid across it."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.grid(visible=False)


def save(figure: Figure, target: Path) -> None:
    """Write the picture to a temporary name, then put it in place: PDF where the name says so, else PNG.

    Raises:
        OSError: if the folder cannot be written or is full.
    """
    part = target.with_name(f".{target.name[:100]}.part")
    try:
        form = "pdf" if target.suffix.lower() == ".pdf" else "png"
        figure.savefig(part, format=form, dpi=DOTS_PER_INCH)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)

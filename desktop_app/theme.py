"""The colours of the window, by name, in a dark and a light set. Nothing else in the window names a colour."""

from __future__ import annotations

from dataclasses import dataclass, fields

from PySide6.QtGui import QColor, QPalette

GRID = 8
"""Distances and sizes are multiples of this many pixels."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Named colours as ``#rrggbb``.

    Attributes:
        is_dark: whether light text stands on dark ground.
        ground: the window behind everything.
        panel: panels, lanes, fields.
        raised: buttons, headers, what lies on a panel.
        line: borders, grids, separators.
        text: what is to be read.
        muted: labels, ticks, hints.
        faded: what cannot be used now.
        accent: what can be dragged or pressed, selection, focus.
        on_accent: text on the accent.
        sound: everything heard.
        mouth: everything seen on the lips.
        plosive: bursts, seen and heard.
        good: in step.
        poor: doubtful.
        bad: out of step, failures.
        playhead: where the player is.
        marker: the user's own marks.
        shade: laid over what is out of range.
    """

    is_dark: bool
    ground: str
    panel: str
    raised: str
    line: str
    text: str
    muted: str
    faded: str
    accent: str
    on_accent: str
    sound: str
    mouth: str
    plosive: str
    good: str
    poor: str
    bad: str
    playhead: str
    marker: str
    shade: str

    def colour(self, name: str, alpha: float = 1.0) -> QColor:
        """Return a colour by its name, ``alpha`` from 0 (invisible) to 1.

        Raises:
            ValueError: if there is no such colour.
        """
        if name not in _NAMES:
            raise ValueError(f"no colour is called {name}")
        colour = QColor(getattr(self, name))
        colour.setAlphaF(alpha)
        return colour


_NAMES = frozenset(field.name for field in fields(Theme)) - {"is_dark"}

DARK = Theme(
    is_dark=True,
    ground="#121519",
    panel="#191d23",
    raised="#232932",
    line="#2e3540",
    text="#e8eaed",
    muted="#9aa4b2",
    faded="#6d7580",
    accent="#5aa8ff",
    on_accent="#0b1016",
    sound="#5aa8ff",
    mouth="#ffb454",
    plosive="#f078c8",
    good="#58d68d",
    poor="#ffb454",
    bad="#ff7676",
    playhead="#ffffff",
    marker="#b48cff",
    shade="#000000",
)

LIGHT = Theme(
    is_dark=False,
    ground="#eef0f3",
    panel="#ffffff",
    raised="#f4f6f8",
    line="#d3d8df",
    text="#1b1f24",
    muted="#5c6673",
    faded="#858c96",
    accent="#0a60c6",
    on_accent="#ffffff",
    sound="#1b64bf",
    mouth="#9c5900",
    plosive="#b3268c",
    good="#136f3a",
    poor="#8f5500",
    bad="#bf2929",
    playhead="#111111",
    marker="#6a3fd0",
    shade="#5c6673",
)


def theme_of(palette: QPalette) -> Theme:
    """Return the theme that goes with a palette: dark where its windows are dark."""
    return DARK if palette.color(QPalette.ColorRole.Window).lightnessF() < 0.5 else LIGHT

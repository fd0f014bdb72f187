"""Everything written in the window can be read: contrasts as WCAG 2.2 asks for them."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QTextLayout
from PySide6.QtWidgets import QApplication

from desktop_app.letters import small_pixels
from desktop_app.theme import DARK, LIGHT, Theme
from desktop_app.translation import speak

GROUNDS = ("ground", "panel", "raised")
TEXT_CONTRAST, PICTURE_CONTRAST = 4.5, 3.0
"""WCAG 2.2, success criteria 1.4.3 and 1.4.11."""
STILL_SEEN = 2.9
"""What cannot be used now needs no contrast there; but that it exists should be seen."""


def luminance(colour: QColor) -> float:
    """Return the relative luminance, 0 to 1, as WCAG 2.2 defines it."""
    linear = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: QColor, other: QColor) -> float:
    """Return the ratio of contrast, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_has_the_largest_contrast() -> None:
    assert contrast(QColor("#000000"), QColor("#ffffff")) == pytest.approx(21)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_colour_of_a_text_can_be_read_on_every_ground(theme: Theme, ground: str) -> None:
    for name in ("text", "muted", "accent", "good", "poor", "bad", "marker", "plosive"):
        assert contrast(theme.colour(name), theme.colour(ground)) >= TEXT_CONTRAST, name
    for name in ("sound", "mouth", "playhead"):
        assert contrast(theme.colour(name), theme.colour(ground)) >= PICTURE_CONTRAST, name
    assert contrast(theme.colour("faded"), theme.colour(ground)) >= STILL_SEEN


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_a_text_on_the_accent_can_be_read(theme: Theme) -> None:
    assert contrast(theme.colour("on_accent"), theme.colour("accent")) >= TEXT_CONTRAST


def test_chinese_is_written_in_letters_of_the_mainland_and_not_too_small(qapp: QApplication) -> None:
    latin = qapp.font().families()
    small = small_pixels()
    speak("zh_CN")
    try:
        layout = QTextLayout("骨直复", qapp.font())  # these three look otherwise in Japan
        layout.beginLayout()
        layout.createLine()
        layout.endLayout()
        assert {run.rawFont().familyName()[-3:] for run in layout.glyphRuns()} & {" JP", " KR"} == set()
        assert small_pixels() > small
    finally:
        speak("en")
    assert qapp.font().families() == latin

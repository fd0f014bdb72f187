"""Letters of the user's language: the family that Chinese is written in, and how small it may be."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QApplication

from engine.words import current_language

_CHINESE = ("PingFang SC", "Microsoft YaHei UI", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC")
"""Families with mainland China's forms, of macOS, Windows and Linux. Left to itself, Qt may take Japanese ones."""
_SMALL, _SMALL_CHINESE = 11, 12


def write_letters() -> None:
    """Let the window write in the system's font, completed by what the language of now needs."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if _is_chinese():
        # Families that are not there are left out: Qt would spend time on looking for something like them.
        font.setFamilies([font.family(), *filter(QFontDatabase.hasFamily, _CHINESE)])
    if QGuiApplication.font() != font:
        QApplication.setFont(font)


def small_pixels() -> int:
    """Return the height of small letters in pixels; strokes of Chinese run together in what Latin letters bear."""
    return _SMALL_CHINESE if _is_chinese() else _SMALL


def _is_chinese() -> bool:
    return current_language().startswith("zh")

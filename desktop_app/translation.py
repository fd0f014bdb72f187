"""The window's language: Qt's own texts, ours, and the engine's sentences change together, while it runs."""

from __future__ import annotations

import logging
from importlib.resources import as_file, files

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from engine.words import LANGUAGES, current_language, system_language, use_language

_LOG = logging.getLogger(__name__)
_installed: list[QTranslator] = []


def speak(choice: str) -> None:
    """Use a language for everything that is said from now on.

    Args:
        choice: a code of :data:`engine.words.LANGUAGES`, or ``system`` for the user's own.
    """
    use_language(system_language() if choice == "system" else choice)
    code = current_language()
    QLocale.setDefault(QLocale(code))
    while _installed:
        QCoreApplication.removeTranslator(_installed.pop())
    own = files("resources").joinpath("translations", f"plosive_{code}.qm")
    with as_file(own) as path:
        _install(str(path))
    if code != LANGUAGES[0]:
        _install(f"{QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)}/qtbase_{code}.qm")


def _install(path: str) -> None:
    translator = QTranslator()
    if translator.load(path):
        QCoreApplication.installTranslator(translator)
        _installed.append(translator)
    else:
        _LOG.warning("no translation in %s", path)

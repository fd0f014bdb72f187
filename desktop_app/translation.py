"""The window's language: Qt's own texts, ours, and the engine's sentences change together, while it runs."""

from __future__ import annotations

import logging
from importlib.resources import as_file, files

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from desktop_app.letters import write_letters
from desktop_app.marking import QT_TRANSLATE_NOOP
from engine.words import LANGUAGES, current_language, system_language, use_language

_LOG = logging.getLogger(__name__)
_installed: list[QTranslator] = []
LEFT_OUT = (QT_TRANSLATE_NOOP("QFileDialog", "&Look in:"), QT_TRANSLATE_NOOP("QFileDialog", "Files of &type:"))
"""What Qt says in its own file dialog and its Chinese translation lacks; ours has it."""


def speak(choice: str) -> tuple[str, ...]:
    """Use a language for everything that is said from now on.

    Args:
        choice: a code of :data:`engine.words.LANGUAGES`, or ``system`` for the user's own.

    Returns:
        Files of translations that should be there and cannot be read; what they hold stays English.
    """
    use_language(system_language() if choice == "system" else choice)
    code = current_language()
    QLocale.setDefault(QLocale(code))
    write_letters()
    while _installed:
        QCoreApplication.removeTranslator(_installed.pop())
    own = files("resources").joinpath("translations", f"plosive_{code}.qm")
    with as_file(own) as path:
        missing = _install(str(path))
    if code != LANGUAGES[0]:
        # What Qt says itself: the buttons of its dialogs, the menus of its text fields.
        missing += _install(f"{QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)}/qtbase_{code}.qm")
    return missing


def _install(path: str) -> tuple[str, ...]:
    translator = QTranslator()
    if not translator.load(path):
        _LOG.warning("no translation in %s", path)
        return (path,)
    QCoreApplication.installTranslator(translator)
    _installed.append(translator)
    return ()

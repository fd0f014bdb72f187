"""Every sentence a person reads, by key, in the language they chose.

The engine never builds a sentence itself: it returns a :class:`Message` (a key and its values), and the edge of the
program, terminal or window, turns it into text. Catalogues are TOML files in ``resources/words/<language>/``, one per
room; the file name is the first part of the key. English and Simplified Chinese are complete at all times (a test
compares keys and placeholders).
"""

from __future__ import annotations

import locale
import os
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "zh_CN")
"""Languages that ship, the first being the one keys fall back to."""

_current = [LANGUAGES[0]]


@dataclass(frozen=True, slots=True, init=False)
class Message:
    """A sentence to be: its catalogue key and the values of its placeholders."""

    key: str
    values: tuple[tuple[str, Any], ...]

    def __init__(self, key: str, **values: object) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "values", tuple(sorted(values.items())))

    def text(self, language: str | None = None) -> str:
        """Return the sentence in ``language`` (by default the current one).

        Raises:
            KeyError: if no catalogue has the key, which is a bug.
        """
        language = language or _current[0]
        template = _catalogue(language).get(self.key) or _catalogue(LANGUAGES[0])[self.key]
        return template.format(**{name: _plain(value, language) for name, value in self.values})

    def __str__(self) -> str:
        return self.text()


def printable(text: str) -> str:
    """Return text that any terminal or file takes: control characters and undecodable bytes of file names escaped."""
    return "".join(
        character.encode("unicode_escape", "surrogatepass").decode("ascii")
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        else character
        for character in text
    )


def _plain(value: Any, language: str) -> Any:
    """Turn a nested message into text, make text printable, and leave the rest to the format specification."""
    if isinstance(value, Message):
        return value.text(language)
    return printable(os.fspath(value)) if isinstance(value, str | os.PathLike) else value


def use_language(language: str) -> None:
    """Make ``language`` (a code such as ``zh``, ``zh_CN`` or ``en_GB.UTF-8``) the one sentences are said in.

    A language that does not ship becomes English.
    """
    wanted = language.replace("-", "_").split(".")[0]
    same = [code for code in LANGUAGES if code == wanted or code.split("_")[0] == wanted.split("_")[0]]
    _current[0] = same[0] if same else LANGUAGES[0]


def current_language() -> str:
    """Return the code of the language sentences are said in."""
    return _current[0]


def one_after_another(*sentences: str) -> str:
    """Return sentences as one text, as the language of now writes it: Chinese leaves no space between them."""
    return ("" if current_language().startswith("zh") else " ").join(sentences)


def system_language() -> str:
    """Return the user's language: ``PLOSIVE_LANG``, else the locale of the process, else English."""
    return os.environ.get("PLOSIVE_LANG") or locale.getlocale()[0] or LANGUAGES[0]


@cache
def _catalogue(language: str) -> dict[str, str]:
    """Read all files of one language into ``{"room.key": "template"}``."""
    merged: dict[str, str] = {}
    for entry in sorted(files("resources").joinpath("words", language).iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".toml"):
            _flatten(tomllib.loads(entry.read_text(encoding="utf-8")), entry.name.removesuffix(".toml"), merged)
    return merged


def _flatten(table: dict[str, Any], prefix: str, into: dict[str, str]) -> None:
    for name, value in table.items():
        if isinstance(value, dict):
            _flatten(value, f"{prefix}.{name}", into)
        else:
            into[f"{prefix}.{name}"] = str(value)

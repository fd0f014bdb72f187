"""Mark texts for translators where they are written long before they are said."""

from __future__ import annotations


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:  # noqa: ARG001 - lupdate reads both
    """Return the text; Qt's tools find this function by its name. Qt's own one returns ``object``."""
    return text

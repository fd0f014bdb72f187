"""Ask where a file is to be written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_app.widgets.question import Question


def ask_target(parent: QWidget, title: str, proposed: Path, suffixes: tuple[str, ...] = ()) -> Path | None:
    """Let the user name a file; one without its suffix gets it.

    The dialog asks before the file is replaced that was named. With its suffix that is another one, so it is asked
    about here.

    Args:
        parent: the widget that the dialog belongs to.
        title: what the dialog is for.
        proposed: the name that is proposed; its suffix is the one that is added.
        suffixes: others that are fine, too.

    Returns:
        The file, or ``None`` if there is to be none.
    """
    chosen, _ = QFileDialog.getSaveFileName(parent, title, str(proposed), f"*{proposed.suffix}")
    if not chosen:
        return None
    named = Path(chosen)
    if named.suffix.lower() in {proposed.suffix, *suffixes}:
        return named
    target = named.with_name(f"{named.name}{proposed.suffix}")
    return target if not target.exists() or _may_replace(parent, target) else None


def _may_replace(parent: QWidget, target: Path) -> bool:
    title, text, yes, no = (
        QCoreApplication.translate("ExportPanel", said)
        for said in ("Replace the file?", "{file} exists already. Replace it?", "Replace", "Keep it")
    )
    return bool(Question.ask(parent, title, text.format(file=target.name), yes, no, is_harmless=False))

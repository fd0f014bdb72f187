"""What was decided about clips that were open before, so that opening one again brings it back."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from desktop_app.document.corrections import NOTHING, AnyCorrection
from desktop_app.document.files import write_json
from engine.timing import Correction, DriftCorrection, StepCorrection
from engine.wire import Unreadable, dump, load

_MOST = 1000
_LOG = logging.getLogger(__name__)


class Memory:
    """Corrections by clip: the same path with the same size is the same clip.

    Args:
        path: the file that keeps them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Any] = {}
        try:
            self._known = dict(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError) as error:
            _LOG.warning("memory begins anew: %s", error)

    def recall(self, clip: Path) -> AnyCorrection:
        """Return the correction that a clip had, or none."""
        try:
            correction = load(self._known[_key(clip)])
        except (KeyError, OSError, Unreadable):
            return NOTHING
        return correction if isinstance(correction, Correction | DriftCorrection | StepCorrection) else NOTHING

    def remember(self, clip: Path, correction: AnyCorrection) -> None:
        """Keep the correction of a clip."""
        try:
            key = _key(clip)
            known = {name: value for name, value in self._known.items() if name != key}
            if correction != NOTHING:
                known[key] = dump(correction)
            if known == self._known:
                return
            self._known = dict(list(known.items())[-_MOST:])
            write_json(self._path, self._known)
        except OSError as error:
            _LOG.warning("correction not remembered: %s", error)


def _key(clip: Path) -> str:
    return f"{clip.stat().st_size} {clip.absolute()}"

"""The offset sidecar: ``talk.mp4.offset.json`` beside ``talk.mp4`` says how its sound is to be moved.

.. code-block:: json

    {
     "plosive_offset": 1,
     "media": {"name": "talk.mp4", "bytes": 1048576},
     "sound": null,
     "correction": {"kind": "constant", "ms": -83.0}
    }

``correction`` is one of ``{"kind": "constant", "ms"}``, ``{"kind": "drift", "at_zero_ms", "rate_ppm"}`` and
``{"kind": "steps", "steps": [{"from_seconds", "ms"}, ...]}``; positive milliseconds move the sound later. ``sound`` is
the name, relative to the sidecar, of a recording that replaces the clip's own sound, or ``null``.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from engine.media.export.report import AnyCorrection
from engine.media.interchange.formats import EditFormat
from engine.timing import Correction, DriftCorrection, StepCorrection

VERSION = 1
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a sidecar says.

    Attributes:
        correction: how the sound is moved.
        sound: a recording that replaces the clip's own sound, or ``None``.
    """

    correction: AnyCorrection
    sound: Path | None = None


def sidecar_text(clip: Path, correction: AnyCorrection, sound: Path | None, target: Path) -> str:
    """Return the text of the file.

    Args:
        clip: the clip that it is about.
        correction: how its sound is moved.
        sound: a recording that replaces its sound.
        target: where the text will be: the recording's name is relative to it.

    Raises:
        OSError: if the clip is gone.
    """
    data = {
        "plosive_offset": VERSION,
        "media": {"name": clip.name, "bytes": clip.stat().st_size},
        "sound": None if sound is None else _relative(sound, target),
        "correction": _plain(correction),
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def find_sidecar(clip: Path) -> Sidecar | None:
    """Return what the sidecar beside a clip says; ``None`` where there is none, or it belongs to another file."""
    path = EditFormat.SIDECAR.target_for(clip)
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["plosive_offset"] != VERSION or data["media"]["bytes"] != clip.stat().st_size:
            return None
        sound = None if data["sound"] is None else Path(os.path.normpath(path.absolute().parent / data["sound"]))
        return Sidecar(_correction(data["correction"]), sound)
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError):
        return None


def _plain(correction: AnyCorrection) -> dict[str, Any]:
    if isinstance(correction, Correction):
        return {"kind": "constant", "ms": correction.ms}
    if isinstance(correction, DriftCorrection):
        return {"kind": "drift", "at_zero_ms": correction.at_zero_ms, "rate_ppm": correction.rate_ppm}
    steps = [{"from_seconds": str(start), "ms": ms} for start, ms in correction.steps]
    return {"kind": "steps", "steps": steps}


def _correction(data: dict[str, Any]) -> AnyCorrection:
    match data["kind"]:
        case "constant":
            return Correction(_number(data["ms"]))
        case "drift":
            return DriftCorrection(_number(data["at_zero_ms"]), _number(data["rate_ppm"]))
        case "steps":
            return StepCorrection(
                tuple((Fraction(str(step["from_seconds"])), _number(step["ms"])) for step in data["steps"])
            )
    raise ValueError("no such kind")


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _relative(path: Path, target: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), target.absolute().parent)).as_posix()
    except ValueError:  # another drive of Windows
        return str(path.absolute())

"""Results as plain data and back, for the pipe between two processes and for files: JSON that loses nothing.

Only the types listed here can be read, whatever the data says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from engine.words import Message

_MODULES = {
    "engine.timing": ("Correction", "DriftCorrection", "StepCorrection", "Offset"),
    "engine.refusal": ("Refusal",),
    "engine.sync.result": (
        "Kind",
        "Reason",
        "OffsetPoint",
        "Step",
        "LagCurve",
        "PlosivePair",
        "MouthTrace",
        "FacePath",
        "Glimpse",
        "Measurement",
    ),
    "engine.sound.finding": ("Severity", "Span", "Finding", "Diagnosis"),
    "engine.media.interchange.formats": ("EditFormat", "EditFile"),
    "engine.media.export.treatment": ("Treatment",),
    "engine.media.export.report": ("Mode", "Fate", "StreamFate", "Check", "ExportReport"),
    "engine.generation.spec": ("LengthPolicy", "SilencePolicy", "Offload", "Precision", "RenderSpec"),
    "engine.generation.backend": (
        "SourceKind",
        "Demand",
        "ParameterKind",
        "Parameter",
        "Requirement",
        "Capabilities",
        "Estimate",
    ),
    "engine.generation.registry": ("EngineStatus",),
    "engine.generation.events": ("Preview", "GpuReading", "Reading", "Notice"),
    "engine.generation.profiles": ("CalibrationProfile",),
    "engine.generation.report": ("SyncCheck", "Statistics", "RenderReport"),
    "engine.generation.prompts": ("PromptAdvice",),
    "engine.models.finder": ("Found", "Library"),
    "engine.models.checking": ("State", "Checked"),
    "engine.worker_messages": (
        "Measure",
        "Export",
        "Doctor",
        "Prepare",
        "Relabel",
        "Sample",
        "Warm",
        "WriteEdit",
        "Draw",
        "Engines",
        "PlanRender",
        "Render",
        "Calibrate",
        "CheckPrompt",
        "FindModels",
        "CheckModel",
        "ImportModels",
        "DownloadModel",
    ),
}
"""The types that travel, by the module that defines them; all of them are light."""

_HOME = {name: module for module, names in _MODULES.items() for name in names}
_ARRAY_TYPES = {"float32", "float64", "int64", "int32", "uint16", "uint8", "bool"}


class Unreadable(ValueError):  # noqa: N818 - it says what the data is
    """The data was not written by :func:`dump`, or by a version that knew more types."""


def dump(value: object) -> Any:
    """Return plain data (what :mod:`json` takes) for a value.

    Args:
        value: plain data, :class:`~pathlib.Path`, :class:`~fractions.Fraction`, numpy arrays, messages, the listed
            dataclasses and enumerations, and tuples, lists and mappings of them.

    Raises:
        TypeError: for anything else, which is a bug.
    """
    if isinstance(value, Enum):
        return {"$": _known(value), "v": value.value}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return {"$": "Path", "v": str(value)}
    if isinstance(value, Fraction):
        return {"$": "Fraction", "v": str(value)}
    if isinstance(value, Message):
        return {"$": "Message", "key": value.key, "v": {name: dump(each) for name, each in value.values}}
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
        return {"$": "array", "dtype": value.dtype.name, "shape": list(value.shape), "v": data}
    if isinstance(value, tuple):
        return {"$": "tuple", "v": [dump(each) for each in value]}
    if isinstance(value, list):
        return [dump(each) for each in value]
    if isinstance(value, Mapping):
        return {"$": "dict", "v": [[dump(name), dump(each)] for name, each in value.items()]}
    if is_dataclass(value):
        return {"$": _known(value), **{each.name: dump(getattr(value, each.name)) for each in fields(value)}}
    raise TypeError(f"{type(value).__name__} does not travel")


def load(data: Any) -> Any:
    """Return the value for what :func:`dump` returned.

    Raises:
        Unreadable: if the data holds anything that is not known here.
    """
    if isinstance(data, list):
        return [load(each) for each in data]
    if not isinstance(data, dict):
        return data
    try:
        return _load_tagged(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"not understood: {error}") from error


def to_line(value: object) -> bytes:
    """Return a value as one line of JSON, in ASCII, with its newline."""
    return json.dumps(dump(value), separators=(",", ":")).encode("ascii") + b"\n"


def from_line(line: bytes) -> Any:
    """Return the value of one line.

    Raises:
        Unreadable: if the line is not one of :func:`to_line`.
    """
    try:
        data = json.loads(line)
    except ValueError as error:
        raise Unreadable(str(error)) from error
    return load(data)


def _known(value: object) -> str:
    kind = type(value)
    if _HOME.get(kind.__name__) != kind.__module__:
        raise TypeError(f"{kind.__module__}.{kind.__name__} does not travel")
    return kind.__name__


def _load_tagged(data: dict[str, Any]) -> Any:
    tag = data["$"]
    match tag:
        case "tuple":
            return tuple(load(each) for each in data["v"])
        case "dict":
            return {load(name): load(each) for name, each in data["v"]}
        case "Path":
            return Path(data["v"])
        case "Fraction":
            return Fraction(data["v"])
        case "Message":
            return Message(data["key"], **{name: load(each) for name, each in data["v"].items()})
        case "array":
            if data["dtype"] not in _ARRAY_TYPES:
                raise ValueError(f"arrays of {data['dtype']} do not travel")
            flat = np.frombuffer(base64.b64decode(data["v"]), dtype=data["dtype"])
            return flat.reshape(data["shape"])
    kind = getattr(import_module(_HOME[tag]), tag)
    if issubclass(kind, Enum):
        return kind(data["v"])
    return kind(**{name: load(each) for name, each in data.items() if name != "$"})

"""What can be set on LatentSync. Light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from engine.generation.backend import Parameter, ParameterKind
from engine.generation.backends.latentsync.files import Version
from engine.generation.spec import ParameterValue
from engine.words import Message

_CALIBRATION = 0.97
"""Faces cut out by MediaPipe's points come out 0 to 6 % larger than those the published detector gives (five clips of
the publishers, measured against their aligned faces); this is the middle of it."""
_MOST_OVERLAP = 8


class Solver(StrEnum):
    """How a step of the diffusion follows from a prediction."""

    DDIM = "ddim"
    """As published."""
    DPM = "dpm"
    """DPM-Solver++ of second order: about half the steps for the same picture."""


class Paste(StrEnum):
    """What of the drawn face is put into the picture."""

    MOUTH = "mouth"
    """Only the region that is drawn."""
    FACE = "face"
    """The whole face box, as published."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The engine's own settings.

    Attributes:
        version: which checkpoint.
        steps: of the diffusion.
        guidance: how closely the mouth follows the sound; from 1, which is the fastest.
        feature_cache: whether two of three steps reuse what the deep layers said.
        solver: how a step follows from a prediction.
        overlap: frames that neighbouring windows share and fade over.
        calibration: size of the face in the network's square.
        paste: what of the drawn face is put into the picture.
        channels_last: lay out convolutions with their channels last in memory.
        compiled: let torch compile the networks.
    """

    version: Version
    steps: int
    guidance: float
    feature_cache: bool
    solver: Solver
    overlap: int
    calibration: float
    paste: Paste
    channels_last: bool
    compiled: bool

    @classmethod
    def of(cls, values: Mapping[str, ParameterValue]) -> Self:
        """Read them from a job's parameters."""
        return cls(
            Version(str(values["version"])),
            int(values["steps"]),
            float(values["guidance"]),
            bool(values["feature_cache"]),
            Solver(str(values["solver"])),
            int(values["overlap"]),
            float(values["calibration"]),
            Paste(str(values["paste"])),
            bool(values["channels_last"]),
            bool(values["compile"]),
        )


def _about(name: str) -> tuple[Message, Message]:
    return Message(f"latentsync.{name}.title"), Message(f"latentsync.{name}.help")


PARAMETERS = (
    Parameter("version", ParameterKind.CHOICE, Version.AUTO.value, *_about("version"), choices=tuple(Version)),
    Parameter("steps", ParameterKind.WHOLE, 20, *_about("steps"), minimum=1, maximum=50, step=1),
    Parameter("guidance", ParameterKind.NUMBER, 1.5, *_about("guidance"), minimum=1.0, maximum=3.0, step=0.1),
    Parameter("feature_cache", ParameterKind.FLAG, True, *_about("feature_cache")),
    Parameter("solver", ParameterKind.CHOICE, Solver.DDIM, *_about("solver"), choices=tuple(Solver)),
    Parameter("overlap", ParameterKind.WHOLE, 0, *_about("overlap"), minimum=0, maximum=_MOST_OVERLAP, step=1),
    Parameter(
        "calibration", ParameterKind.NUMBER, _CALIBRATION, *_about("calibration"), minimum=0.8, maximum=1.2, step=0.01
    ),
    Parameter("paste", ParameterKind.CHOICE, Paste.MOUTH, *_about("paste"), choices=tuple(Paste)),
    Parameter("channels_last", ParameterKind.FLAG, False, *_about("channels_last")),
    Parameter("compile", ParameterKind.FLAG, False, *_about("compile")),
)

"""What can be set on the Draft engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from engine.generation.backend import Parameter, ParameterKind
from engine.generation.spec import ParameterValue
from engine.words import Message


@dataclass(frozen=True, slots=True)
class Settings:
    """The engine's own settings.

    Attributes:
        expressiveness: size of the mouth's movements against those of a clear speaker.
        sway: size of the head's turning, still pictures only.
        blinks: whether the eyes blink, still pictures only.
    """

    expressiveness: float = 1.0
    sway: float = 1.0
    blinks: bool = True

    @classmethod
    def of(cls, values: Mapping[str, ParameterValue]) -> Self:
        """Read them from a job's parameters."""
        return cls(float(values["expressiveness"]), float(values["sway"]), bool(values["blinks"]))


def _number(name: str, most: float) -> Parameter:
    title, about = Message(f"draft.{name}.title"), Message(f"draft.{name}.help")
    return Parameter(name, ParameterKind.NUMBER, 1.0, title, about, minimum=0.0, maximum=most, step=0.1)


PARAMETERS = (
    _number("expressiveness", 1.6),
    _number("sway", 2.0),
    Parameter("blinks", ParameterKind.FLAG, True, Message("draft.blinks.title"), Message("draft.blinks.help")),
)

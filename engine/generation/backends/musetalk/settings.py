"""MuseTalk's own parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.generation.backend import Parameter, ParameterKind
from engine.generation.spec import ParameterValue
from engine.words import Message


class Version(StrEnum):
    """Which MuseTalk; one network, two trainings."""

    AUTO = "auto"
    V1_5 = "1.5"
    V1_0 = "1.0"


class MouthArea(StrEnum):
    """What of the drawn face is taken over."""

    JAW = "jaw"
    """Skin of the lower face and some of what is below it, lips and mouth."""
    RAW = "raw"
    """Skin, lips and mouth as the parsing network sees them."""
    NECK = "neck"
    """The same and the neck."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All parameters.

    Attributes:
        version: of MuseTalk; ``AUTO`` takes the newest that is there.
        bbox_shift: how far the box's middle is moved down, pixels.
        extra_margin: how much further down the box reaches, pixels; 1.5 only.
        area: what is taken over; 1.5 only.
        left_cheek: half-width from the middle to the left, in 512ths of the square, within which the jaw is not eroded.
        right_cheek: the same to the right.
        batch: frames drawn at a time.
        channels_last: lay out convolutions with their channels last in memory.
        compiled: let torch compile the networks.
    """

    version: Version
    bbox_shift: int
    extra_margin: int
    area: MouthArea
    left_cheek: int
    right_cheek: int
    batch: int
    channels_last: bool
    compiled: bool

    @classmethod
    def of(cls, values: Mapping[str, ParameterValue]) -> Settings:
        """Read the values of :data:`PARAMETERS`."""
        whole = {
            name: int(values[name]) for name in ("bbox_shift", "extra_margin", "left_cheek", "right_cheek", "batch")
        }
        return cls(
            Version(str(values["version"])),
            area=MouthArea(str(values["mouth_area"])),
            channels_last=bool(values["channels_last"]),
            compiled=bool(values["compile"]),
            **whole,
        )


def _declared(name: str, kind: ParameterKind, default: ParameterValue, **more: object) -> Parameter:
    about = {"title": Message(f"musetalk.{name}.title"), "help": Message(f"musetalk.{name}.help")}
    return Parameter(name, kind, default, **about, **more)  # type: ignore[arg-type]  # the names of its own fields


PARAMETERS = (
    _declared("version", ParameterKind.CHOICE, Version.AUTO, choices=tuple(Version)),
    _declared("mouth_area", ParameterKind.CHOICE, MouthArea.JAW, choices=tuple(MouthArea)),
    _declared("bbox_shift", ParameterKind.WHOLE, 0, minimum=-40, maximum=40, step=1, unit="px"),
    _declared("extra_margin", ParameterKind.WHOLE, 10, minimum=0, maximum=60, step=1, unit="px"),
    _declared("left_cheek", ParameterKind.WHOLE, 90, minimum=0, maximum=200, step=5),
    _declared("right_cheek", ParameterKind.WHOLE, 90, minimum=0, maximum=200, step=5),
    _declared("batch", ParameterKind.WHOLE, 8, minimum=1, maximum=64, step=1),
    _declared("channels_last", ParameterKind.FLAG, False),
    _declared("compile", ParameterKind.FLAG, False),
)
"""In the order of a form; defaults are those of the published scripts."""

"""Named sets of values for a render, as data in ``resources/generation/presets``. Light: the window lists them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from engine.generation.backend import Capabilities
from engine.generation.spec import ParameterValue, RenderSpec
from engine.refusal import Refused
from engine.words import Message


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of values.

    Attributes:
        name: as on the command line, such as ``balanced``.
        order: its place in a list.
        values: fields of a spec, as in its JSON.
        parameters: per engine, its own parameters.
        most_pixels: largest width times height when none is asked for, or ``None``.
    """

    name: str
    order: int
    values: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, ParameterValue]] = field(default_factory=dict)
    most_pixels: int | None = None

    @property
    def title(self) -> Message:
        """What it is called."""
        return Message(f"generation.preset.{self.name}.title")

    @property
    def about(self) -> Message:
        """One sentence about it."""
        return Message(f"generation.preset.{self.name}.about")

    def applied(self, spec: RenderSpec, capabilities: Capabilities) -> RenderSpec:
        """Return a spec with this preset's values; what the engine does not have, or cannot take, is left alone.

        Args:
            spec: a spec with its defaults; what the user sets is set afterwards.
            capabilities: of the engine.
        """
        changed = RenderSpec.from_json(spec.to_json() | dict(self.values))
        wanted = self.parameters.get(capabilities.name, {})
        fitting = {
            each.name: wanted[each.name]
            for each in capabilities.parameters
            if each.name in wanted and each.problem(wanted[each.name]) is None
        }
        return replace(changed, parameters={**spec.parameters, **fitting})

    def size(self, source: tuple[int, int], capabilities: Capabilities) -> tuple[int, int] | None:
        """Return the size for a source of this width and height; ``None`` if that is not to be made smaller."""
        usual = capabilities.usual_pixels or source[0] * source[1]
        if self.most_pixels is None or usual <= self.most_pixels or not capabilities.keeps_size:
            return None
        scale = math.sqrt(self.most_pixels / (source[0] * source[1]))
        step = capabilities.size_multiple
        return max(step, int(source[0] * scale / step) * step), max(step, int(source[1] * scale / step) * step)


@cache
def presets() -> tuple[Preset, ...]:
    """Return all presets in their order."""
    found = []
    for entry in files("resources").joinpath("generation", "presets").iterdir():
        if entry.name.endswith(".toml"):
            data = tomllib.loads(entry.read_text(encoding="utf-8"))
            found.append(
                Preset(
                    name=entry.name.removesuffix(".toml"),
                    order=data["order"],
                    values=data.get("spec", {}),
                    parameters=data.get("engine", {}),
                    most_pixels=data.get("size", {}).get("most_pixels"),
                )
            )
    return tuple(sorted(found, key=lambda preset: preset.order))


def preset(name: str) -> Preset:
    """Return a preset by its name.

    Raises:
        Refused: ``generation.no_preset``.
    """
    for each in presets():
        if each.name == name.replace("-", "_"):
            return each
    raise Refused.because("generation.no_preset", name=name, known=", ".join(each.name for each in presets()))

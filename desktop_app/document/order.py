"""What is to be rendered next, while the user is still choosing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.generation.backend import Capabilities
from engine.generation.presets import Preset, preset, presets
from engine.generation.spec import ParameterValue, RenderSpec

_NOTHING = Path()
_MOST_NUMBERS = 1000
_FIRST_PRESET = "balanced"
_PRESET_FIELDS = frozenset({"parameters", "size"}.union(*(each.values for each in presets())))
"""Fields that a preset sets; all others are left alone by it."""


class Order(QObject):
    """A spec that grows: face and voice first, the rest has recommended values.

    Args:
        is_promised: whether a render that is still to come will write this file.
    """

    changed = Signal()
    """Some choice is another one now."""

    def __init__(self, is_promised: Callable[[Path], bool] = lambda _: False, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_promised = is_promised
        self._spec = RenderSpec(_NOTHING, _NOTHING, _NOTHING)
        self._target: Path | None = None
        self._engine: Capabilities | None = None
        self._size: tuple[int, int] | None = None
        self._preset: Preset | None = preset(_FIRST_PRESET)

    @property
    def preset(self) -> Preset | None:
        """The preset that the choices follow, ``None`` if the user went another way."""
        return self._preset

    @property
    def choices(self) -> RenderSpec:
        """All choices so far; its paths are empty where nothing was chosen."""
        return self._spec

    @property
    def source(self) -> Path | None:
        """The face."""
        return None if self._spec.source == _NOTHING else self._spec.source

    @property
    def voice(self) -> Path | None:
        """The voice."""
        return None if self._spec.voice == _NOTHING else self._spec.voice

    @property
    def target(self) -> Path | None:
        """The file that will be written: the chosen one, else a new name beside the voice."""
        if self._target is not None or self.source is None or self.voice is None:
            return self._target
        parts = dict.fromkeys((self.source.stem, self.voice.stem, self._spec.engine))
        name = "-".join(parts)
        names = [f"{name}.mp4", *(f"{name}-{number}.mp4" for number in range(2, _MOST_NUMBERS))]
        free = (self.voice.with_name(each) for each in names)
        return next((path for path in free if not path.exists() and not self._is_promised(path)), None)

    @property
    def spec(self) -> RenderSpec | None:
        """What to render, ``None`` while face or voice is missing."""
        target = self.target
        if self.source is None or self.voice is None or target is None:
            return None
        return replace(self._spec, target=target, overwrite=target.exists())

    def set_source(self, path: Path | None) -> None:
        """Choose the face; which one of several, and points marked by hand, belong to the one before."""
        self._set(source=path or _NOTHING, face=None, face_points=())

    def set_source_size(self, size: tuple[int, int]) -> None:
        """Say how large the face's picture is, width and height; presets make large ones smaller."""
        self._size = size
        self._follow_preset()

    def set_preset(self, chosen: Preset) -> None:
        """Follow a preset, until one of the choices that it makes is made differently."""
        self._preset = chosen
        self._follow_preset()

    def set_voice(self, path: Path | None) -> None:
        """Choose the voice."""
        self._set(voice=path or _NOTHING)

    def set_target(self, path: Path | None) -> None:
        """Choose the file that will be written; ``None`` for a new one beside the voice."""
        self._target = path
        self.changed.emit()

    def set_engine(self, engine: Capabilities) -> None:
        """Choose the engine; what it cannot do of the other choices is forgotten."""
        spec = replace(self._spec, engine=engine.name)
        known = {each.name: each for each in engine.parameters}
        parameters = {
            name: value
            for name, value in spec.parameters.items()
            if name in known and known[name].problem(value) is None
        }
        spec = replace(spec, parameters=parameters)
        if engine.fps and spec.fps not in (None, *engine.fps):
            spec = replace(spec, fps=None)
        if engine.problem(spec) is not None:
            spec = replace(spec, size=None)
        self._engine = engine
        self._take(spec)
        self._follow_preset()

    def set_parameter(self, name: str, value: ParameterValue) -> None:
        """Choose a value for one of the engine's parameters."""
        self._preset = None
        self._take(self._spec.with_parameters(**{name: value}))

    def choose(self, **choices: Any) -> None:
        """Set fields of the spec by name; see :class:`~engine.generation.spec.RenderSpec`."""
        if not _PRESET_FIELDS.isdisjoint(choices):
            self._preset = None
        self._set(**choices)

    def take(self, spec: RenderSpec) -> None:
        """Begin again with all choices of a render; its file gets a new name."""
        self._target = self._preset = None
        self._take(replace(spec, target=_NOTHING, overwrite=False))

    def _follow_preset(self) -> None:
        if self._preset is None or self._engine is None:
            return
        plain = RenderSpec(_NOTHING, _NOTHING, _NOTHING)
        unset = replace(self._spec, **{name: getattr(plain, name) for name in _PRESET_FIELDS})
        spec = self._preset.applied(unset, self._engine)
        self._take(replace(spec, size=self._preset.size(self._size, self._engine) if self._size else None))
        self.changed.emit()

    def _set(self, **choices: Any) -> None:
        self._take(replace(self._spec, **choices))

    def _take(self, spec: RenderSpec) -> None:
        if spec != self._spec:
            self._spec = spec
            self.changed.emit()

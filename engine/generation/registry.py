"""Which engines there are: those that come with the program, those of other packages, and commands of the user's.

A package offers an engine through the entry point group ``plosive.engines``: a name, and a function without arguments
that returns a :class:`~engine.generation.backend.Backend`. The engines that come with the program are the packages in
:mod:`engine.generation.backends`, each with a function ``backend``, so that they are found in a frozen program, too.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points

from engine.generation import backends
from engine.generation.backend import Backend, Capabilities
from engine.generation.external import external_names, open_external
from engine.refusal import Refusal, Refused

GROUP = "plosive.engines"
"""Entry points of this group are engines."""

Factory = Callable[[], Backend]

_FIRST = ("draft", "musetalk", "latentsync", "liveavatar")
"""Order of the engines that come with the program: from the least to the most demanding."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """An engine in the list.

    Attributes:
        name: as in a spec.
        capabilities: what it can do, ``None`` if its package fails.
        problem: why its package cannot be used.
    """

    name: str
    capabilities: Capabilities | None
    problem: Refusal | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it can render now."""
        return self.capabilities is not None and self.capabilities.is_ready


def engine_names() -> tuple[str, ...]:
    """Return the names of all engines, our own first."""
    own = _own_names()
    others = {point.name for point in entry_points(group=GROUP)} | set(external_names())
    return (*own, *sorted(others - set(own)))


def open_engine(name: str) -> Backend:
    """Return a new engine by its name.

    Raises:
        Refused: ``generation.no_engine`` if there is none of this name, ``generation.broken_engine`` if the package of
            somebody else fails, ``generation.external_unreadable`` if the description of a command makes no sense.
    """
    own = _own_names()
    if name in own:
        return _own_factory(name)()
    for point in entry_points(group=GROUP):
        if point.name == name:
            try:
                engine: Backend = point.load()()
            except Exception as error:
                # Whatever goes wrong in another package is that package's, and must not look like ours.
                raise Refused.because("generation.broken_engine", name=name, why=_said(error)) from error
            return engine
    if name in external_names():
        return open_external(name)
    raise Refused.because("generation.no_engine", name=name, known=", ".join(engine_names()))


def engine_list() -> tuple[EngineStatus, ...]:
    """Ask every engine what it can do; one that fails is listed with its problem."""
    return tuple(_status(name) for name in engine_names())


def _status(name: str) -> EngineStatus:
    try:
        engine = open_engine(name)
        try:
            return EngineStatus(name, engine.capabilities())
        finally:
            engine.close()
    except Refused as refused:
        return EngineStatus(name, None, refused.refusal)
    except Exception as error:
        if name in _own_names():
            raise
        return EngineStatus(name, None, Refusal.of("generation.broken_engine", name=name, why=_said(error)))


def _own_names() -> tuple[str, ...]:
    found = {
        module.name
        for module in pkgutil.iter_modules(backends.__path__)
        if module.ispkg and hasattr(import_module(f"{backends.__name__}.{module.name}"), "backend")
    }
    return (*(name for name in _FIRST if name in found), *sorted(found - set(_FIRST)))


def _own_factory(name: str) -> Factory:
    factory: Factory = import_module(f"{backends.__name__}.{name}").backend
    return factory


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"

"""Which network the tensors of a file belong to, told by a few names and shapes that only it has. Light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from engine.models.catalog import Kind, kinds
from engine.models.headers import Header
from engine.words import Message

Shapes = Mapping[str, Sequence[int]]
_SHOWN = 3


def kind_of(shapes: Shapes) -> Kind | None:
    """Return the kind of network whose marks are all there, or ``None``.

    Args:
        shapes: shape by tensor name, as :class:`~engine.models.headers.Header` has them.
    """
    return next((kind for kind in kinds() if all(_fits(shapes.get(name), shape) for name, shape in kind.marks)), None)


def kind_named(name: str) -> Kind | None:
    """Return the kind of network of that name in the catalog, or ``None``."""
    return next((kind for kind in kinds() if kind.name == name), None)


def kind_of_header(header: Header) -> Kind | None:
    """Return the kind of network a file holds, or ``None``."""
    return kind_of(header.shapes)


def looks_like(kind: Kind | None) -> Message:
    """Say what a file looks like."""
    return Message("models.looks_like_nothing") if kind is None else Message("models.looks_like", title=kind.title)


def _fits(found: Sequence[int] | None, wanted: Sequence[int]) -> bool:
    """Compare shapes; a 0 in ``wanted`` stands for any length, so that small networks of the same kind fit, too."""
    return (
        found is not None
        and len(found) == len(wanted)
        and all(length in {0, side} for side, length in zip(found, wanted, strict=True))
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is wrong with a set of tensors, by name, sorted.

    Attributes:
        missing: names the network needs and the file lacks.
        unexpected: names the file has and the network does not know.
        reshaped: name, shape needed, shape found.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    reshaped: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]

    @property
    def fits(self) -> bool:
        """Whether every tensor is there, once, in its shape."""
        return not (self.missing or self.unexpected or self.reshaped)

    def summary(self) -> Message:
        """Return how many there are of each sort, and the first few, for a report; only where there is a difference."""
        sorts = {
            "missing": self.missing,
            "unexpected": self.unexpected,
            "reshaped": tuple(f"{name} {list(found)}≠{list(wanted)}" for name, wanted, found in self.reshaped),
        }
        parts = [
            Message(f"models.difference.{sort}", count=len(names), names=_first_of(names))
            for sort, names in sorts.items()
            if names
        ]
        return reduce(lambda first, second: Message("models.difference.and", first=first, second=second), parts)


def _first_of(names: Sequence[str]) -> str:
    return ", ".join([*names[:_SHOWN], *(["…"] if len(names) > _SHOWN else [])])


def compare(expected: Shapes, found: Shapes) -> Comparison:
    """Hold the tensors of a file against those a network needs."""
    return Comparison(
        missing=tuple(sorted(expected.keys() - found.keys())),
        unexpected=tuple(sorted(found.keys() - expected.keys())),
        reshaped=tuple(
            (name, tuple(expected[name]), tuple(found[name]))
            for name in sorted(expected.keys() & found.keys())
            if tuple(expected[name]) != tuple(found[name])
        ),
    )

"""Reference numbers from a folder beside the checkout, and the rule that makes the weights they were computed with.

Each fixture is a pair: ``NAME.safetensors`` with inputs and expected outputs, ``NAME.json`` with configuration,
tolerances and the seeds of the weights. Tests ask for a family by the beginning of its name and run over every fixture
found, so that another folder with other seeds and sizes is tested without a change.
"""

from __future__ import annotations

import json
import math
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

ROOT = Path(__file__).resolve().parent.parent
Shapes = Mapping[str, Sequence[int]]


USUAL_FOLDER = ROOT.parent / "shared" / "golden"


def golden_folder() -> Path:
    """Return the folder of reference numbers, which need not exist: ``PLOSIVE_GOLDEN``, else beside the checkout."""
    return Path(os.environ.get("PLOSIVE_GOLDEN") or USUAL_FOLDER)


def goldens(*families: str, slow: bool = False) -> pytest.MarkDecorator:
    """Parametrise a test's argument ``golden`` over every fixture of some families, marked ``golden``.

    Args:
        families: beginnings of names, such as ``musetalk/unet_tiny``.
        slow: also mark the test ``slow``, for full-size networks.
    """
    marks = [pytest.mark.golden, *([pytest.mark.slow] if slow else [])]
    found = [
        pytest.param(Golden(name, path), id=name, marks=marks)
        for name, path in _fixtures()
        if name.startswith(tuple(families))
    ]
    nothing = pytest.param(None, id="none", marks=[*marks, pytest.mark.skip(reason=f"no reference numbers {families}")])
    return pytest.mark.parametrize("golden", found or [nothing])


def _fixtures() -> Iterator[tuple[str, Path]]:
    folder = golden_folder()
    for path in sorted(folder.glob("*/*.json")):
        if path.with_suffix(".safetensors").exists():
            yield f"{path.parent.name}/{path.stem}", path


def key_list(name: str) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor of an official checkpoint, ``keys/<name>.json``; skip the test without it."""
    return _shapes_of(key_file(name))


def key_file(name: str) -> dict[str, Any]:
    """Return what ``keys/<name>.json`` says; skip the test without it.

    Official files are the same whatever the numbers: a folder without lists is served by those beside the checkout.
    """
    for folder in (golden_folder(), USUAL_FOLDER):
        path = folder / "keys" / f"{name}.json"
        if path.exists():
            listed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return listed
    pytest.skip(f"no list of keys {name}")


def _shapes_of(listed: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(each["shape"] if isinstance(each, dict) else each) for key, each in listed.items()}


@dataclass(frozen=True)
class Golden:
    """One fixture.

    Attributes:
        name: folder and name, such as ``musetalk/unet_tiny_b2``.
        path: its JSON file.
    """

    name: str
    path: Path
    sidecar: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sidecar", json.loads(self.path.read_text(encoding="utf-8")))

    @property
    def config(self) -> dict[str, Any]:
        """What the reference was run with."""
        config: dict[str, Any] = self.sidecar["config"]
        return config

    @property
    def tolerance(self) -> dict[str, Any]:
        """What the sidecar says of errors."""
        tolerance: dict[str, Any] = self.sidecar.get("tolerance", {})
        return tolerance

    @cached_property
    def tensors(self) -> dict[str, torch.Tensor]:
        """All stored tensors."""
        from safetensors.torch import load_file

        return dict(load_file(self.path.with_suffix(".safetensors")))

    @cached_property
    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All stored tensors as numpy arrays."""
        return {name: tensor.numpy() for name, tensor in self.tensors.items()}

    def inputs(self) -> dict[str, torch.Tensor]:
        """Return what a network is given: as stored, or drawn by the sidecar's rule where it is too large for that."""
        return self.tensors if {"x", "audio"} <= self.tensors.keys() else self.drawn_inputs() | self.tensors

    def drawn_inputs(self) -> dict[str, torch.Tensor]:
        """Draw the inputs as ``case.input_rule`` says: a seed, then ``name = torch.randn(sizes)`` in this order."""
        import torch

        rule = self.sidecar["case"]["input_rule"]
        seed = re.search(r"(?:manual_seed\(|seeded )(\d+)", rule)
        assert seed, f"{self.name}: no seed in {rule!r}"
        generator = torch.Generator("cpu").manual_seed(int(seed[1]))
        return {
            name: torch.randn([int(each) for each in re.findall(r"\d+", sizes)], generator=generator)
            for name, sizes in re.findall(r"(\w+) = torch\.randn\(((?:\d+,? ?)+)", rule)
        }

    def weights(self, part: str | None = None) -> dict[str, Any]:
        """Return how the weights of a network (of several: ``part``) are made."""
        weights: dict[str, Any] = self.sidecar["weights"]
        return weights if part is None else weights[part]

    def state(self, part: str | None = None, *, shapes: Shapes | None = None) -> dict[str, torch.Tensor]:
        """Return the state dict of a network under the names of the reference, checked against the sidecar.

        Args:
            part: which network, where the fixture has several.
            shapes: shape by name, where neither the sidecar nor a ``*_shapes.json`` beside it has them.

        Raises:
            AssertionError: if the sum over all values is not what the sidecar says.
        """
        weights = self.weights(part)
        known = weights.get("shapes") or self._shapes_beside(part) or shapes
        if known is None:
            raise LookupError(f"{self.name}: no shapes for {part or 'its network'}")
        factors = weights.get("factors", {})
        state = {
            key: made
            for key, shape in _shapes_of(known).items()
            if (made := draw(key, shape, weights["seed"], weights.get("gain", 1.0), factors.get(key, 1.0))) is not None
        }
        _check(state, weights)
        return state

    def _shapes_beside(self, part: str | None) -> dict[str, Any] | None:
        """Return the list whose name begins as the fixture's does: ``unet_tiny_shapes`` serves ``unet_tiny_b2``."""
        wanted = f"_{part}_shapes" if part else "_shapes"
        fitting = [
            path
            for path in self.path.parent.glob("*_shapes.json")
            if path.stem.endswith(wanted) and self.path.stem.startswith(path.stem.removesuffix(wanted))
        ]
        if not fitting:
            return None
        longest = max(fitting, key=lambda path: len(path.stem))
        listed: dict[str, Any] = json.loads(longest.read_text(encoding="utf-8"))
        return listed


def draw(key: str, shape: Sequence[int], seed: int, gain: float = 1.0, factor: float = 1.0) -> torch.Tensor | None:
    """Return the value of one tensor by the rule of the folder's README, section 2; ``None`` for unused counters.

    Args:
        key: name in the reference's state dict.
        shape: its shape.
        seed: of the fixture.
        gain: of matrices.
        factor: of this key alone.
    """
    import torch

    last = key.rsplit(".", 1)[-1]
    if last == "num_batches_tracked":
        return None
    if last in {"pe", "positional_embedding"}:
        return _positions(last, shape)
    generator = torch.Generator("cpu").manual_seed((zlib.crc32(key.encode()) + seed) % 2**31)
    value = torch.randn(tuple(shape), generator=generator, dtype=torch.float32)
    if last == "running_var":
        value = value.abs_().mul_(0.1).add_(1)
    elif last == "running_mean":
        value.mul_(0.1)
    elif (last == "weight" and len(shape) == 1) or last in {"gamma", "original0", "weights"}:
        value.mul_(0.1).add_(1)
    elif last in {"weight", "original1"} and len(shape) >= 2:
        value.mul_(gain).div_(math.sqrt(math.prod(shape[1:])))
    else:
        value.mul_(0.02)
    return value if factor == 1.0 else value.mul_(factor)


def _positions(last: str, shape: Sequence[int]) -> torch.Tensor:
    """Return the tables that are formulas: sine and cosine interleaved (``pe``) or side by side."""
    import torch

    rows, columns = shape[-2], shape[-1]
    half = columns // 2
    steps = torch.arange(half, dtype=torch.float32)
    position = torch.arange(rows, dtype=torch.float32)[:, None]
    if last == "pe":
        angle = position * torch.exp(2 * steps * (-math.log(10000.0) / columns))
        return torch.stack([angle.sin(), angle.cos()], -1).reshape(tuple(shape))
    angle = position * torch.exp(-math.log(10000.0) / (half - 1) * steps)
    return torch.cat([angle.sin(), angle.cos()], 1).reshape(tuple(shape))


def _check(state: Mapping[str, torch.Tensor], weights: Mapping[str, Any]) -> None:
    import torch

    total = sum(float(state[key].abs().sum(dtype=torch.float64)) for key in sorted(state))
    assert len(state) == weights["num_tensors"]
    # Other CPUs draw other last bits; the README's second implementation came within 1e-9.
    assert total == pytest.approx(weights["checksum_abs_sum"], rel=1e-7)
    for sample in weights["samples"]:
        value = float(state[sample["key"]].flatten()[sample["flat_index"]])
        assert value == pytest.approx(sample["value"], rel=1e-5, abs=1e-7), sample["key"]


def worst(found: torch.Tensor | npt.ArrayLike, expected: torch.Tensor | npt.ArrayLike) -> float:
    """Return the largest absolute difference of two arrays of the same shape."""
    import numpy as np

    first, second = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert first.shape == second.shape
    return float(np.abs(first - second).max(initial=0.0))

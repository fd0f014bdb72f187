"""The official files, checked tensor by tensor, merged with the LoRA layer by layer, and kept that way on disk.

Nothing here holds more than one layer: 33 GB of weights pass through a machine with much less memory. What a layer has
become is kept in the cache folder, so that only the first start merges and quantises.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.generation.backends.liveavatar.config import WeightFormat
from engine.generation.backends.liveavatar.files import Files
from engine.generation.backends.liveavatar.fp8 import quantise, replace_linears
from engine.generation.backends.liveavatar.lora import SCALE, Lora
from engine.generation.backends.liveavatar.model import S2VTransformer, layer_parts
from engine.jobs import Job, Progress
from engine.media.cache import content_key
from engine.models.checkpoints import mismatch
from engine.models.headers import read_header
from engine.models.identify import compare
from engine.places import cache_folder
from engine.refusal import Refused

_VERSION = 1
_INDEX = "diffusion_pytorch_model.safetensors.index.json"
_WANTED = "Wan2.2-S2V-14B"
_SPARE_DISK = 4 << 30
"""Bytes left free on the disk of the cache."""


class Transformer:
    """The tensors of the transformer, merged, in one format.

    Args:
        files: where they come from.
        weight_format: how the matrices of the layers are stored.
        keep: whether merged layers are kept on disk, where there is room.
    """

    def __init__(self, files: Files, weight_format: WeightFormat = WeightFormat.PLAIN, *, keep: bool = True) -> None:
        self.files = files
        self.format = weight_format
        self.config = files.config()
        self._keep = keep

    @cached_property
    def _where(self) -> dict[str, Path]:
        """File of every tensor; all of them are there, in their shapes."""
        index = self.files.wan / _INDEX
        try:
            listed: Mapping[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        except (OSError, ValueError, KeyError) as error:
            raise Refused.because("liveavatar.no_index", path=index) from error
        paths = {name: self.files.wan / Path(file).name for name, file in listed.items()}
        found: dict[str, tuple[int, ...]] = {}
        where = {}
        for path in sorted(set(paths.values())):
            if not path.exists():
                parts = len(set(paths.values()))
                raise Refused.because("liveavatar.no_shard", path=path, parts=parts)
            for name, shape in read_header(path).shapes.items():
                found[name], where[name] = tuple(shape), path
        difference = compare(_shapes(self.meta_model()), found)
        if not difference.fits:
            raise mismatch(self.files.wan, _WANTED, difference.summary(), found)
        return where

    @cached_property
    def _lora(self) -> Lora:
        return Lora(self.files.lora, self.config, _shapes(self.meta_model()))

    def check(self) -> None:
        """Look at all headers, and at the LoRA.

        Raises:
            Refused: if a part is missing, damaged, or belongs to another network.
        """
        _ = self._where, self._lora

    def meta_model(self, layers: range | None = None, *, ends: bool = True) -> S2VTransformer:
        """Return the network without numbers."""
        with torch.device("meta"):
            return S2VTransformer(self.config, layers, ends=ends)

    @cached_property
    def kept_folder(self) -> Path:
        """Where merged layers are kept; another one for other files, another LoRA or another format."""
        shards = sorted(set(self._where.values()))
        key = content_key(self.files.lora, self.format.value, SCALE, _VERSION, *(content_key(path) for path in shards))
        return cache_folder() / "liveavatar" / key

    def layer(self, number: int) -> dict[str, Tensor]:
        """Return the tensors of a layer and its audio injector by their full names, on the CPU."""
        return self._kept(f"layer-{number:02d}", self._names_in(number))

    def ends(self) -> dict[str, Tensor]:
        """Return the tensors before and after the layers."""
        inside = {name for number in range(self.config.num_layers) for name in self._names_in(number)}
        return self._kept("ends", [name for name in self._where if name not in inside])

    def _names_in(self, number: int) -> list[str]:
        begins = tuple(f"{part}." for part in layer_parts(self.config, number))
        return [name for name in self._where if name.startswith(begins)]

    def _kept(self, part: str, names: list[str]) -> dict[str, Tensor]:
        path = self.kept_folder / f"{part}.safetensors"
        if path.exists():
            try:
                return load_file(path)
            except (OSError, SafetensorError):
                path.unlink(missing_ok=True)
        made = self._made(names, quantised=part != "ends")
        if self._keep:
            _store(path, made)
        return made

    def _made(self, names: list[str], *, quantised: bool) -> dict[str, Tensor]:
        made = {}
        for path in sorted({self._where[name] for name in names}):
            with safe_open(path, "pt") as file:
                for name in (name for name in names if self._where[name] == path):
                    value = file.get_tensor(name)
                    module = name.removesuffix(".weight")
                    if module in self._lora:
                        value = self._lora.merged(module, value)
                    if quantised and value.dim() == 2 and self.format is not WeightFormat.PLAIN:
                        per_row = self.format is WeightFormat.FP8_ROWS
                        made[name], made[f"{name}_scale"] = quantise(value, per_row=per_row)
                    else:
                        made[name] = value
        return made


def load_network(
    weights: Transformer,
    layers: range | None = None,
    *,
    ends: bool = True,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    layers_device: torch.device | str | None = None,
) -> Job[S2VTransformer]:
    """Load a network or some of its layers, one layer at a time.

    Args:
        weights: the tensors.
        layers: which layers; all by default.
        ends: whether it has what comes before and after the layers.
        device: where to put it.
        dtype: of the activations, and of weights that are not in 8 bits.
        layers_device: where to put the layers if not there.

    Raises:
        Refused: if a part is missing, damaged, or belongs to another network.
    """
    weights.check()
    model = weights.meta_model(layers, ends=ends)
    if weights.format is not WeightFormat.PLAIN:
        for number in model.owned:
            for part in layer_parts(weights.config, number):
                replace_linears(model.get_submodule(part), per_row=weights.format is WeightFormat.FP8_ROWS, dtype=dtype)
    total = len(model.owned) + ends
    if ends:
        _assign(model, weights.ends(), device, dtype)
    for done, number in enumerate(model.owned):
        yield Progress("loading", (done + ends) / total)
        _assign(model, weights.layer(number), layers_device or device, dtype)
    return model.eval().requires_grad_(requires_grad=False)


def _assign(model: S2VTransformer, tensors: dict[str, Tensor], device: torch.device | str, dtype: torch.dtype) -> None:
    moved = {name: value.to(device, _held_in(name, value, dtype)) for name, value in tensors.items()}
    unexpected = model.load_state_dict(moved, strict=False, assign=True).unexpected_keys
    assert not unexpected, unexpected


def _held_in(name: str, value: Tensor, dtype: torch.dtype) -> torch.dtype:
    """Return the precision a tensor is held in: codes and their factors stay as they are."""
    return value.dtype if value.element_size() == 1 or name.endswith("_scale") else dtype


def _shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


def _store(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a file at once; a full disk or a read-only home is no failure, the layer is merged again next time."""
    needed = sum(value.numel() * value.element_size() for value in tensors.values())
    partial = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(path.parent).free < needed + _SPARE_DISK:
            return
        save_file({name: value.contiguous() for name, value in tensors.items()}, partial)
        partial.replace(path)
    except (OSError, SafetensorError):
        partial.unlink(missing_ok=True)

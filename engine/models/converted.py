"""Checkpoints in the precision they are used in, kept on disk: the next start reads half as much, and maps it.

Only the engine's process imports this module: it needs torch.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from engine.media.cache import Cache, content_key
from engine.models.checkpoints import State, read_state
from engine.places import cache_folder

if TYPE_CHECKING:
    import torch

_LIMIT_BYTES = 40 << 30
"""The largest model of the catalog in half precision, and the smaller ones beside it."""
_SPARE = 1.2
"""Nothing is kept on a disk that would be all but full afterwards."""
_NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
"""What the safetensors format calls the number formats."""


def read_converted(path: Path, dtype: torch.dtype) -> State:
    """Read a checkpoint with its floating-point tensors in a given precision.

    The converted tensors are kept among the caches of the program, where there is room; a change of the file makes
    what was kept worthless, and it is not asked for again.

    Raises:
        Refused: as :func:`engine.models.checkpoints.read_state`.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    cache = Cache("models", _LIMIT_BYTES)
    key = content_key(path, "converted", 1, str(dtype)) if path.is_file() else ""
    if kept := cache.find(key):
        try:
            return dict(load_file(kept))
        except (SafetensorError, OSError):
            cache.forget(key)
    state = {
        name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in read_state(path).items()
    }
    if _has_room(sum(tensor.nbytes for tensor in state.values())):
        cache.keep(key, lambda stream: write_safetensors(stream, state))
    return state


def _has_room(size: int) -> bool:
    folder = cache_folder()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free > _SPARE * size


def write_safetensors(stream: IO[bytes], state: Mapping[str, torch.Tensor]) -> None:
    """Write tensors in the safetensors format one after the other, so that no second copy of all of them is held."""
    import torch

    header: dict[str, dict[str, object]] = {}
    begin = 0
    for name, tensor in state.items():
        kind = _NAMES[str(tensor.dtype).removeprefix("torch.")]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [begin, begin + tensor.nbytes]}
        begin += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)  # the format wants the numbers aligned
    stream.write(struct.pack("<Q", len(text)) + text)
    for tensor in state.values():
        stream.write(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)

"""Tensors from files into networks: nothing a file says is run, and nothing that does not fit is passed over.

Only the engine's process imports this module: it needs torch.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.models.headers import NONSENSE, FileFormat, read_header
from engine.models.identify import compare, kind_of, looks_like
from engine.refusal import Refused
from engine.words import Message

if TYPE_CHECKING:
    import torch
    from torch import nn

State = dict[str, "torch.Tensor"]
"""Tensors by name."""


def read_state(path: Path) -> State:
    """Read the tensors of a checkpoint, whatever its format, without what training programs put around them.

    Tensors of the newer formats stay in the file until they are used (memory mapping).

    Raises:
        Refused: as :func:`engine.models.headers.read_header`.
    """
    import torch

    header = read_header(path)
    if header.format is FileFormat.SAFETENSORS:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return dict(load_file(path))
        except SafetensorError as error:  # its table contradicts itself
            raise Refused.because("models.not_a_checkpoint", path=path) from error
    try:
        # The old format has no index, so it cannot be mapped.
        held = torch.load(path, map_location="cpu", weights_only=True, mmap=header.format is FileFormat.ARCHIVE or None)
    except pickle.UnpicklingError as error:
        raise Refused.because("models.code", path=path, name=_first_line(error)) from error
    except (*NONSENSE, AssertionError, EOFError) as error:
        raise Refused.because("models.truncated", path=path) from error
    tensors = held if header.wrapper is None else held[header.wrapper]
    return {str(name): value for name, value in tensors.items() if isinstance(value, torch.Tensor)}


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def load_strict(
    network: nn.Module,
    state: Mapping[str, torch.Tensor],
    *,
    path: Path,
    wanted: str,
    dtype: torch.dtype | None = None,
    device: torch.device | str = "cpu",
) -> None:
    """Put tensors into a network, all of them and no others, without a copy where precision and device stay.

    The network is best made on the ``meta`` device. Counters of batches, which files may or may not have and nothing
    reads, are left out of account.

    Args:
        network: takes the tensors as they are (``assign``), so that mapped files stay mapped.
        state: tensors by the network's own names.
        path: where they came from, for the report.
        wanted: what the network is called, such as ``MuseTalk UNet``.
        dtype: precision of the tensors that are floating point; by default that of the file.
        device: where to put them.

    Raises:
        Refused: ``models.mismatch`` with what is missing, unexpected or of another shape, and what the file looks
            like instead.
    """
    import torch

    state = dict(state)
    expected = network.state_dict()
    for name in [name for name in (*expected, *state) if name.endswith("num_batches_tracked")]:
        if name in expected:
            state[name] = torch.zeros((), dtype=torch.int64)
        else:
            state.pop(name, None)
    difference = compare(
        {name: tuple(tensor.shape) for name, tensor in expected.items()},
        {name: tuple(tensor.shape) for name, tensor in state.items()},
    )
    if not difference.fits:
        raise mismatch(path, wanted, difference.summary(), {name: tuple(each.shape) for name, each in state.items()})
    for name in state:
        tensor = state[name]
        state[name] = tensor.to(device, dtype if tensor.is_floating_point() else tensor.dtype)
    network.load_state_dict(state, strict=True, assign=True)
    network.requires_grad_(requires_grad=False)


def mismatch(path: Path, wanted: str, details: Message, shapes: Mapping[str, tuple[int, ...]]) -> Refused:
    """Return the refusal of a file whose tensors are not those of the network that should take them."""
    kind = kind_of(shapes)
    is_changed = kind is not None and wanted in kind.title
    like = Message("models.looks_changed") if is_changed else looks_like(kind)
    return Refused.because("models.mismatch", path=path, wanted=wanted, details=details, looks_like=like)

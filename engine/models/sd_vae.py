"""Stable Diffusion's picture autoencoder, from any of its files; what LatentSync and MuseTalk draw with.

Only the engine's process imports this module: it needs torch and diffusers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.models.checkpoints import State, load_strict, mismatch, read_state
from engine.models.identify import compare

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL

SCALING = 0.18215
"""Latents are multiplied by this so that their variance is about 1 (Stable Diffusion 1; no shift)."""

_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
"""Names of the attention layers before diffusers 0.17, and what they are called now."""
_NEEDED = ("encoder.down_blocks.0.resnets.0.conv1.weight", "quant_conv.weight")
_WANTED = "Stable Diffusion VAE"


def load_vae(path: Path, *, dtype: torch.dtype | None = None) -> AutoencoderKL:
    """Return the autoencoder in evaluation mode; its widths are read off the file, no configuration is needed.

    Args:
        path: ``diffusion_pytorch_model.safetensors`` or ``.bin``, with old or new names.
        dtype: precision; by default that of the file.

    Raises:
        Refused: as :func:`engine.models.checkpoints.load_strict`.
    """
    import torch
    from diffusers import AutoencoderKL

    state = _renamed(read_state(path))
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    widths = _widths(shapes)
    if not widths or "quant_conv.weight" not in shapes:
        raise mismatch(
            path, _WANTED, compare({"encoder.conv_in.weight": (), "quant_conv.weight": ()}, {}).summary(), shapes
        )
    layers = sum(1 for name in shapes if _is_layer(name))
    with torch.device("meta"):
        network: Any = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * len(widths),
            up_block_types=("UpDecoderBlock2D",) * len(widths),
            block_out_channels=widths,
            layers_per_block=layers,
            latent_channels=shapes["quant_conv.weight"][0] // 2,
            scaling_factor=SCALING,
        )
    load_strict(network, state, path=path, wanted=_WANTED, dtype=dtype)
    network.eval()
    vae: AutoencoderKL = network
    return vae


def _renamed(state: State) -> State:
    return {_new_name(name): tensor for name, tensor in state.items()}


def _new_name(name: str) -> str:
    for old, new in _OLD_ATTENTION.items():
        name = name.replace(old, new)
    return name


def _widths(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    widths: list[int] = []
    while (first := f"encoder.down_blocks.{len(widths)}.resnets.0.conv1.weight") in shapes:
        widths.append(shapes[first][0])
    return tuple(widths)


def _is_layer(name: str) -> bool:
    return name.startswith("encoder.down_blocks.0.resnets.") and name.endswith(".conv1.weight")

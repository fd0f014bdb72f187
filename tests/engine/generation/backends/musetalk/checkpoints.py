"""A folder with MuseTalk's files as they are officially laid out, of tiny networks with random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import nn
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine.generation.backends.musetalk.network import unet_for
from engine.generation.backends.musetalk.parsing import BiSeNet

_OLD_NAMES = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}


def write_checkpoints(folder: Path, *, version: str = "1.5", parser: bool = False) -> Path:
    """Write a checkout's ``models`` folder and return it.

    Args:
        folder: the folder to make.
        version: ``1.5`` or ``1.0``, whose files have other names.
        parser: also write the face parsing network, 53 MB.
    """
    with torch.random.fork_rng():
        torch.manual_seed(11)
        unet = folder / {"1.5": "musetalkV15/unet.pth", "1.0": "musetalk/pytorch_model.bin"}[version]
        unet.parent.mkdir(parents=True)
        torch.save(_unet(), unet)
        (folder / "sd-vae").mkdir()
        torch.save(_vae(), folder / "sd-vae" / "diffusion_pytorch_model.bin")
        (folder / "whisper").mkdir()
        torch.save(_whisper(), folder / "whisper" / "pytorch_model.bin")
        if parser:
            place = folder / "face-parse-bisent" / "79999_iter.pth"
            place.parent.mkdir()
            torch.save(BiSeNet().state_dict(), place, _use_new_zipfile_serialization=False)
    return folder


def _unet() -> dict[str, torch.Tensor]:
    shapes = {
        "conv_in.weight": (32, 8, 3, 3),
        "conv_out.weight": (4, 32, 3, 3),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (32, 384),
    } | {f"down_blocks.{level}.resnets.0.conv1.weight": (32, 32, 3, 3) for level in range(4)}
    state = unet_for(shapes).state_dict()
    return {name: _random(name, tensor) for name, tensor in state.items()}


def _random(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """Return weights that keep the size of what they are given: nothing vanishes, nothing grows."""
    if tensor.ndim == 1:
        return torch.ones(tensor.shape) if name.endswith("weight") else torch.zeros(tensor.shape)
    return torch.randn(tensor.shape) / float(tensor[0].numel()) ** 0.5


def _vae() -> dict[str, torch.Tensor]:
    network: nn.Module = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 32, 32, 32),
        layers_per_block=1,
    )

    def old(name: str) -> str:
        for new, before in _OLD_NAMES.items():
            name = name.replace(new, before)
        return name

    return {old(name): tensor for name, tensor in network.state_dict().items()}


def _whisper() -> dict[str, torch.Tensor]:
    encoder = WhisperEncoder(
        WhisperConfig(d_model=384, encoder_layers=4, encoder_attention_heads=6, encoder_ffn_dim=64)
    )
    state = {f"model.encoder.{name}": _random(name, tensor) for name, tensor in encoder.state_dict().items()}
    # The place in time must not drown what is heard.
    state["model.encoder.embed_positions.weight"] *= 0.01
    return state

"""A folder with LatentSync's files as they are officially laid out, of tiny networks with random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from torch import nn

from engine.generation.backends.latentsync.unet import LatentSyncUNet, UNetConfig

AUDIO_CHANNELS = 384
"""Of the official network: by its width a Whisper is told from larger ones."""
_LAYERS = 4


def write_checkpoints(folder: Path, version: str = "1.5") -> Path:
    """Write the three files below ``folder``, as a checkout of LatentSync has them, and return it.

    Args:
        folder: the folder of models.
        version: which one; a tiny file cannot be told by its size, so its folder has to say it.
    """
    with torch.random.fork_rng():
        torch.manual_seed(7)
        base = folder / f"LatentSync-{version}"
        (base / "whisper").mkdir(parents=True)
        (base / "vae").mkdir()
        unet = LatentSyncUNet(UNetConfig(channels=(32, 32, 32, 64), audio_channels=AUDIO_CHANNELS))
        torch.save({"global_step": 1, "state_dict": unet.state_dict()}, base / "latentsync_unet.pt")
        torch.save(_whisper(), base / "whisper" / "tiny.pt")
        vae: nn.Module = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(32, 32, 32, 32),
            layers_per_block=1,
        )
        save_file(vae.state_dict(), base / "vae" / "diffusion_pytorch_model.safetensors")
    return folder


def _whisper() -> dict[str, object]:
    """Return a checkpoint in OpenAI's format: half precision, encoder and decoder."""
    width = AUDIO_CHANNELS
    shapes: dict[str, tuple[int, ...]] = {
        "encoder.positional_embedding": (1500, width),
        "encoder.conv1.weight": (width, 80, 3),
        "encoder.conv1.bias": (width,),
        "encoder.conv2.weight": (width, width, 3),
        "encoder.conv2.bias": (width,),
        "encoder.ln_post.weight": (width,),
        "encoder.ln_post.bias": (width,),
        "decoder.positional_embedding": (448, width),
    }
    for layer in range(_LAYERS):
        block = f"encoder.blocks.{layer}."
        for name in ("query", "key", "value", "out"):
            shapes[f"{block}attn.{name}.weight"] = (width, width)
            if name != "key":
                shapes[f"{block}attn.{name}.bias"] = (width,)
        for name in ("attn_ln", "mlp_ln"):
            shapes |= {f"{block}{name}.weight": (width,), f"{block}{name}.bias": (width,)}
        shapes |= {f"{block}mlp.0.weight": (4 * width, width), f"{block}mlp.0.bias": (4 * width,)}
        shapes |= {f"{block}mlp.2.weight": (width, 4 * width), f"{block}mlp.2.bias": (width,)}
    state = {name: (torch.randn(shape) * 0.1).half() for name, shape in shapes.items()}
    return {"dims": {"n_mels": 80, "n_audio_state": width}, "model_state_dict": state}

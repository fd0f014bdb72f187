"""LatentSync's three networks with the weights of a fixture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine.generation.backends.latentsync.unet import LatentSyncUNet, UNetConfig
from engine.models.sd_vae import load_vae
from engine.models.whisper import encoder_for, renamed
from tests.golden import Golden, key_list

State = Mapping[str, torch.Tensor]


def unet_of(state: State) -> LatentSyncUNet:
    """Return the denoiser with weights of the reference's names."""
    with torch.device("meta"):
        unet = LatentSyncUNet(UNetConfig.of(_shapes(state)))
    unet.load_state_dict(state, strict=True, assign=True)
    return unet.eval().requires_grad_(False)


def encoder_of(state: State) -> WhisperEncoder:
    """Return Whisper's encoder with weights of OpenAI's names."""
    state = {renamed(key.removeprefix("encoder.")): value for key, value in state.items()}
    encoder = encoder_for(_shapes(state))
    encoder.load_state_dict(state, strict=True)
    return encoder.eval().requires_grad_(False)


def whisper_shapes() -> dict[str, tuple[int, ...]]:
    """Return the shapes of the encoder in the official ``tiny.pt``."""
    listed = key_list("whisper_tiny_openai_keys")
    return {key: shape for key, shape in listed.items() if key.startswith("encoder.")}


def vae_of(golden: Golden, folder: Path) -> AutoencoderKL:
    """Return the autoencoder of a pipeline fixture, read from a file as users have it."""
    path = folder / "diffusion_pytorch_model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in golden.state("vae").items()}, path)
    return load_vae(path)


def _shapes(state: State) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}

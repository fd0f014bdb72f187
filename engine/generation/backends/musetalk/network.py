"""What MuseTalk computes: pictures to latents, one step of a diffusion network that hears, latents to pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn

from engine.generation.backends.compiling import compiler_of
from engine.generation.backends.device_memory import memory_of
from engine.generation.backends.musetalk.boxes import Box
from engine.generation.backends.musetalk.memory import DECODED_TOGETHER
from engine.generation.backends.placement import Placement
from engine.models.checkpoints import State, load_strict, mismatch, read_state
from engine.models.converted import read_converted
from engine.models.identify import compare
from engine.models.sd_vae import SCALING

SIDE = 256
"""Width and height of the picture the network draws."""

_HEADS = 8
_WANTED = "MuseTalk UNet"

Image = npt.NDArray[np.uint8]


def unet_for(shapes: Mapping[str, tuple[int, ...]]) -> UNet2DConditionModel:
    """Return a network with the widths of a checkpoint, its weights unset.

    Everything but the widths is as in ``musetalk.json``.

    Args:
        shapes: shape by key; must hold ``conv_in.weight``.
    """
    widths = _widths(shapes)
    with torch.device("meta"):
        return UNet2DConditionModel(
            in_channels=shapes["conv_in.weight"][1],
            out_channels=shapes["conv_out.weight"][0],
            block_out_channels=widths,
            down_block_types=("CrossAttnDownBlock2D",) * (len(widths) - 1) + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * (len(widths) - 1),
            layers_per_block=2,
            attention_head_dim=_HEADS,  # the library's name for the number of heads
            cross_attention_dim=shapes["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"][1],
        )


def _widths(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    widths: list[int] = []
    while (first := f"down_blocks.{len(widths)}.resnets.0.conv1.weight") in shapes:
        widths.append(shapes[first][0])
    return tuple(widths)


def load_unet(path: Path, dtype: torch.dtype) -> UNet2DConditionModel:
    """Read ``musetalkV15/unet.pth`` or ``musetalk/pytorch_model.bin`` in a precision.

    Raises:
        Refused: if it is anything else, see :func:`engine.models.checkpoints.load_strict`.
    """
    # The official file is in single precision: there is nothing to convert, and it is mapped as it is.
    state = read_state(path) if dtype is torch.float32 else read_converted(path, dtype)
    return unet_from(state, path, dtype)


def unet_from(state: State, path: Path, dtype: torch.dtype = torch.float32) -> UNet2DConditionModel:
    """Return the network with given weights; ``path`` is for the report when they do not fit.

    Raises:
        Refused: as :func:`engine.models.checkpoints.load_strict`.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    marks = {
        "conv_in.weight": (0, 8, 3, 3),
        "conv_out.weight": (4, 0, 3, 3),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (0, 384),
    }
    if not marks.keys() <= shapes.keys() or not _widths(shapes):
        raise mismatch(path, _WANTED, compare(marks, {}).summary(), shapes)
    network: Any = unet_for(shapes)
    load_strict(network, state, path=path, wanted=_WANTED, dtype=dtype)
    network.eval()
    unet: UNet2DConditionModel = network
    return unet


def cropped(picture: Image, box: Box) -> Image:
    """Return the face as the network sees it, shape ``(256, 256, 3)``."""
    x0, y0, x1, y1 = box
    return np.asarray(cv2.resize(picture[y0:y1, x0:x1], (SIDE, SIDE), interpolation=cv2.INTER_LANCZOS4))


def network_pictures(crop: Image) -> Tensor:
    """Return the face with its lower half masked, and whole; shape ``(2, 3, 256, 256)``, values -1 to 1.

    Args:
        crop: RGB, shape ``(256, 256, 3)``.
    """
    scaled = torch.from_numpy(crop.astype(np.float32)).permute(2, 0, 1) / 255
    masked = scaled.clone()
    masked[:, SIDE // 2 :] = 0  # before centring: the network was trained with black, not with grey
    return torch.stack([masked, scaled]) * 2 - 1


class Networks:
    """Autoencoder and UNet on one device.

    Args:
        vae: pictures to latents and back.
        unet: the network that draws.
        placement: where and how they compute.

    Raises:
        OutOfMemory: if they do not fit.
    """

    def __init__(self, vae: AutoencoderKL, unet: UNet2DConditionModel, placement: Placement) -> None:
        self._vae = cast("Any", vae)  # diffusers' mixins hide that they are torch's modules
        self._unet = cast("Any", unet)
        self._placement = placement
        # The autoencoder is asked for its halves, never as a whole.
        placement.tuning.apply([self._unet, self._vae.encoder, self._vae.decoder])
        with memory_of(placement.device):
            placement.place([self._vae, self._unet])

    @property
    def is_single_precision(self) -> bool:
        """Whether weights have all their bits."""
        return self._placement.dtype is torch.float32

    def in_single_precision(self) -> None:
        """Compute exactly from now on."""
        self._placement = replace(self._placement, dtype=torch.float32)
        self._vae.float()
        self._unet.float()

    @contextmanager
    def _turn_of(self, network: nn.Module) -> Iterator[None]:
        device = self._placement.device
        with memory_of(device), compiler_of(device), torch.inference_mode(), self._placement.turn_of(network):
            yield

    def _given(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._placement.device, self._placement.dtype)

    def encode(self, crop: Image, noise: Tensor) -> Tensor:
        """Return what the UNet is given of one picture, shape ``(8, 32, 32)``: the masked face, then the whole one.

        Args:
            crop: RGB, shape ``(256, 256, 3)``.
            noise: normal numbers that pick a sample of each posterior, shape ``(2, 4, 32, 32)``.
        """
        with self._turn_of(self._vae):
            posterior = self._vae.encode(self._given(network_pictures(crop))).latent_dist
            sample: Tensor = posterior.mean.float() + posterior.std.float() * noise.to(self._placement.device)
        return (sample * SCALING).flatten(0, 1)

    def predict(self, latents: Tensor, tokens: Tensor) -> Tensor:
        """Return latents of the speaking faces, shape ``(n, 4, 32, 32)``: one step, at time 0.

        Args:
            latents: of :meth:`encode`, shape ``(n, 8, 32, 32)``.
            tokens: what each frame hears, shape ``(n, 50, 384)``.
        """
        with self._turn_of(self._unet):
            time = torch.zeros((), dtype=torch.int64, device=self._placement.device)
            answer: Tensor = self._unet(self._given(latents), time, encoder_hidden_states=self._given(tokens)).sample
        return answer

    def decode(self, latents: Tensor) -> Tensor:
        """Return the drawn faces, RGB, uint8, in main memory, shape ``(n, 256, 256, 3)``.

        Args:
            latents: of :meth:`predict`, shape ``(n, 4, 32, 32)``.
        """
        with self._turn_of(self._vae):
            return torch.cat([self._decoded(part).cpu() for part in latents.split(DECODED_TOGETHER)])

    def _decoded(self, latents: Tensor) -> Tensor:
        pictures: Tensor = self._vae.decode(self._given(latents) / SCALING).sample.float()
        scaled = (pictures / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1) * 255
        return scaled.round().to(torch.uint8)

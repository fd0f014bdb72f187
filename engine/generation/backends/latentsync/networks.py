"""The networks of LatentSync: which files they come from, and what the picture autoencoder computes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.generation.backends.device_memory import memory_of
from engine.generation.backends.latentsync.files import Files
from engine.generation.backends.latentsync.unet import LatentSyncUNet, UNetConfig
from engine.generation.backends.placement import Placement
from engine.jobs import Job, Progress
from engine.models.checkpoints import load_strict, read_state
from engine.models.converted import read_converted
from engine.models.sd_vae import SCALING, load_vae

if TYPE_CHECKING:
    from diffusers import AutoencoderKL


class Networks:
    """Denoiser and picture autoencoder, ready to compute.

    Args:
        unet: the denoiser.
        vae: the picture autoencoder.
        placement: where and how.
        vae_batch: pictures that the autoencoder takes at once.

    Attributes:
        unet: the denoiser.
        vae: the picture autoencoder.
        placement: where and how.

    Raises:
        OutOfMemory: if they do not fit.
    """

    def __init__(self, unet: LatentSyncUNet, vae: AutoencoderKL, placement: Placement, vae_batch: int = 1) -> None:
        self.unet = unet
        self.vae: nn.Module = vae  # type: ignore[assignment]  # diffusers' mixins hide what it is
        self.placement = placement
        self._vae_batch = vae_batch
        # The autoencoder is asked for its halves, never as a whole.
        placement.tuning.apply([self.unet, self.vae.encoder, self.vae.decoder])  # type: ignore[list-item]
        with memory_of(placement.device):
            placement.place([self.unet, self.vae])

    def in_single_precision(self) -> None:
        """Compute exactly from now on, after a result that is not a number."""
        self.placement = replace(self.placement, dtype=torch.float32)
        self.unet.float()
        self.vae.float()

    @property
    def is_single_precision(self) -> bool:
        """Whether weights have all their bits."""
        return self.placement.dtype is torch.float32

    @torch.inference_mode()
    def encoded(self, pictures: Tensor, noise: Tensor) -> Iterator[Tensor]:
        """Yield samples of the latents of pictures, some at a time, shape ``(n, 4, h / 8, w / 8)``, float32.

        Args:
            pictures: in -1..1, shape ``(f, 3, h, w)``.
            noise: standard normal, of the latents' shape: what the sample is drawn with.
        """
        for part, drawn in zip(self._parts(pictures), noise.split(self._vae_batch), strict=True):
            posterior = self.vae.encode(part).latent_dist  # type: ignore[operator]
            sample = posterior.mean.float() + posterior.std.float() * drawn.to(posterior.mean.device)
            yield sample * SCALING

    @torch.inference_mode()
    def decoded(self, latents: Tensor) -> Iterator[Tensor]:
        """Yield the pictures of latents, some at a time: ``(n, 3, h, w)``, about -1..1, float32, in main memory."""
        for part in self._parts(latents / SCALING):
            yield self.vae.decode(part).sample.cpu().float()  # type: ignore[operator]

    def _parts(self, tensor: Tensor) -> Iterator[Tensor]:
        for part in tensor.split(self._vae_batch):
            yield part.to(self.placement.device, self.placement.dtype)


def load_networks(files: Files, placement: Placement, vae_batch: int = 1) -> Job[Networks]:
    """Load both networks, strictly; see :class:`Networks` for the arguments.

    Raises:
        Refused: as :func:`engine.models.checkpoints.load_strict`.
        OutOfMemory: if they do not fit.
    """
    with memory_of("cpu"):
        yield Progress("loading", 0.0)
        unet = _unet(files.unet, placement.dtype)
        yield Progress("loading", 0.8)
        vae = load_vae(files.vae, dtype=placement.dtype)
        yield Progress("loading", 0.9)
    networks = Networks(unet, vae, placement, vae_batch)
    yield Progress("loading", 1.0)
    return networks


def _unet(path: Path, dtype: torch.dtype) -> LatentSyncUNet:
    # The official file is in single precision: there is nothing to convert, and it is mapped as it is.
    state = read_state(path) if dtype is torch.float32 else read_converted(path, dtype)
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    with torch.device("meta"):
        network = LatentSyncUNet(UNetConfig.of(shapes))
    load_strict(network, state, path=path, wanted="LatentSync UNet", dtype=dtype)
    return network.eval()

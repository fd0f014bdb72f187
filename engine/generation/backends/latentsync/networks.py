"""The networks of LatentSync: which files they come from, and on which device each of them is when."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.generation.backend import OutOfMemory
from engine.generation.backends.compiling import AS_IS, Tuning
from engine.generation.backends.latentsync.files import Files
from engine.generation.backends.latentsync.unet import LatentSyncUNet, UNetConfig
from engine.generation.spec import Offload, Precision
from engine.jobs import Job, Progress
from engine.models.checkpoints import load_strict, read_state
from engine.models.converted import read_converted
from engine.models.sd_vae import SCALING, load_vae

if TYPE_CHECKING:
    from diffusers import AutoencoderKL

_DTYPES = {
    Precision.FP32: torch.float32,
    Precision.BF16: torch.bfloat16,
    Precision.FP16: torch.float16,
    Precision.FP8: torch.bfloat16,  # nothing here gains from 8 bits: the nearest format that is kept
}
_GROUP_LEAVES = "leaf_level"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how the networks compute.

    Attributes:
        device: such as ``cuda:0``.
        dtype: of weights and activations.
        offload: where weights wait for their turn.
        vae_batch: pictures that the autoencoder takes at once.
        tuning: what is done to the networks first.
    """

    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    offload: Offload = Offload.NONE
    vae_batch: int = 1
    tuning: Tuning = AS_IS


def dtype_of(precision: Precision, device: str) -> torch.dtype:
    """Return the number format for a precision; one that the device computes in."""
    if device.startswith("cuda") and precision in {Precision.BF16, Precision.FP8}:
        # Before Ampere bfloat16 is emulated, at a tenth of the speed.
        major, _ = torch.cuda.get_device_capability(device)
        return torch.bfloat16 if major >= 8 else torch.float16
    return _DTYPES[precision]


class Networks:
    """Denoiser and picture autoencoder, ready to compute.

    Attributes:
        unet: the denoiser.
        vae: the picture autoencoder.
        placement: where and how.
    """

    def __init__(self, unet: LatentSyncUNet, vae: AutoencoderKL, placement: Placement) -> None:
        self.unet = unet
        self.vae: nn.Module = vae  # type: ignore[assignment]  # diffusers' mixins hide what it is
        self.placement = placement
        self._place()

    def in_single_precision(self) -> None:
        """Compute exactly from now on, after a result that is not a number."""
        self.placement = replace(self.placement, dtype=torch.float32)
        self.unet.float()
        self.vae.float()

    @property
    def is_single_precision(self) -> bool:
        """Whether weights have all their bits."""
        return self.placement.dtype is torch.float32

    def _place(self) -> None:
        device = self.placement.device
        # The autoencoder is asked for its halves, never as a whole.
        self.placement.tuning.apply([self.unet, self.vae.encoder, self.vae.decoder])  # type: ignore[list-item]
        with memory_of(device):
            if self.placement.offload is Offload.NONE:
                self.unet.to(device)
                self.vae.to(device)
            elif self.placement.offload is Offload.LAYERS:
                from diffusers.hooks.group_offloading import apply_group_offloading

                for network in (self.unet, self.vae):
                    apply_group_offloading(network, onload_device=torch.device(device), offload_type=_GROUP_LEAVES)

    @contextmanager
    def turn_of(self, network: nn.Module) -> Iterator[None]:
        """Have a network on the device, where the networks take turns."""
        if self.placement.offload is not Offload.MODEL:
            yield
            return
        with memory_of(self.placement.device):
            network.to(self.placement.device)
        try:
            yield
        finally:
            network.to("cpu")

    @torch.inference_mode()
    def encoded(self, pictures: Tensor, noise: Tensor) -> Iterator[Tensor]:
        """Yield samples of the latents of pictures, some at a time, shape ``(n, 4, h / 8, w / 8)``, float32.

        Args:
            pictures: in -1..1, shape ``(f, 3, h, w)``.
            noise: standard normal, of the latents' shape: what the sample is drawn with.
        """
        for part, drawn in zip(self._parts(pictures), noise.split(self.placement.vae_batch), strict=True):
            posterior = self.vae.encode(part).latent_dist  # type: ignore[operator]
            sample = posterior.mean.float() + posterior.std.float() * drawn.to(posterior.mean.device)
            yield sample * SCALING

    @torch.inference_mode()
    def decoded(self, latents: Tensor) -> Iterator[Tensor]:
        """Yield the pictures of latents, some at a time: ``(n, 3, h, w)``, about -1..1, float32, in main memory."""
        for part in self._parts(latents / SCALING):
            yield self.vae.decode(part).sample.cpu().float()  # type: ignore[operator]

    def _parts(self, tensor: Tensor) -> Iterator[Tensor]:
        for part in tensor.split(self.placement.vae_batch):
            yield part.to(self.placement.device, self.placement.dtype)


@contextmanager
def memory_of(device: str) -> Iterator[None]:
    """Raise :class:`OutOfMemory` where torch says that memory does not suffice."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise OutOfMemory(device) from error
    except MemoryError as error:
        raise OutOfMemory("cpu") from error
    except RuntimeError as error:
        # torch's allocator of main memory has no exception of its own.
        if "not enough memory" not in str(error):
            raise
        raise OutOfMemory("cpu") from error


def give_back() -> None:
    """Return what cards hold for objects that are gone to their driver."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def load_networks(files: Files, placement: Placement) -> Job[Networks]:
    """Load both networks, strictly.

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
    networks = Networks(unet, vae, placement)
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

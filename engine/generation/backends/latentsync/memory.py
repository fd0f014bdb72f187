"""What a render needs, before anything is loaded: memory for every way to place the networks, and time. Light.

Live tensors and operations were counted on the published architecture, in half precision with a window of 16 frames and
without a card (tests/benchmarks/memory.py). Single precision needs twice as much of both weights and activations.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from engine.generation.backend import Gpu, Host
from engine.generation.backends.cards import GIB, RUNTIME_BYTES, peak_bytes, tera_per_second
from engine.generation.spec import Offload, Precision

_UNET_PARAMETERS = 1_267_099_844
_VAE_PARAMETERS = 83_653_863
_UNET_CHANNELS = 320
_UNET_PEAK = {256: (0.27, 0.51), 512: (1.06, 2.04)}
"""GiB of activations, one prediction and two at once (guidance), half precision, with the feature cache."""
_VAE_PEAK = {256: 0.149, 512: 0.595}
"""GiB of activations per picture while decoding (encoding needs less), half precision; a third of it: the copies that
convolutions make in another layout."""
_MAIN_MEMORY = 1.5
"""GiB of libraries, pictures on their way and the face models."""

_UNET_TERA = {256: 4.05, 512: 17.63}
"""10^12 operations of one prediction for a window."""
_LIGHT_SHARE = {256: 0.065, 512: 0.074}
"""What a step with the feature cache costs of a whole one."""
_VAE_TERA = {256: 2 * 4.36 + 9.95, 512: 2 * 17.9 + 40.2}
"""10^12 operations to encode a window twice and decode it once."""
_TERA_PER_CORE = 0.03
"""Measured: 63 s for one prediction at 256 on two cores."""


@dataclass(frozen=True, slots=True)
class Work:
    """What has to be computed.

    Attributes:
        resolution: side of the network's square, 256 or 512.
        precision: number format; never ``AUTO``.
        guided: whether every step predicts twice.
        unet_values: parameters of the denoiser.
        vae_values: parameters of the picture autoencoder.
        channels: width of the denoiser's finest level.
    """

    resolution: int
    precision: Precision
    guided: bool
    unet_values: int = _UNET_PARAMETERS
    vae_values: int = _VAE_PARAMETERS
    channels: int = _UNET_CHANNELS

    @property
    def published(self) -> int:
        """The published resolution whose figures hold: the network's own, or the next larger one."""
        return 256 if self.resolution <= 256 else 512

    @property
    def width(self) -> float:
        """Bytes per number relative to half precision."""
        return 2.0 if self.precision is Precision.FP32 else 1.0

    @property
    def scale(self) -> float:
        """Size of activations relative to the published network's, half precision."""
        return self.width * self.channels / _UNET_CHANNELS

    @property
    def weight_bytes(self) -> float:
        """Of both networks."""
        return (self.unet_values + self.vae_values) * 2 * self.width


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One way to place the networks.

    Attributes:
        offload: where weights wait.
        sequential: whether both predictions of a step are made one after the other.
        vae_batch: pictures that the autoencoder takes at once.
    """

    offload: Offload
    sequential: bool
    vae_batch: int

    def card_bytes(self, work: Work) -> int:
        """Return the peak memory of the card."""
        return math.ceil(self._computing_bytes(work) + RUNTIME_BYTES)

    def _computing_bytes(self, work: Work) -> float:
        """Return the peak of weights and activations where the networks compute."""
        unet, vae = (2 * work.width * values for values in (work.unet_values, work.vae_values))
        both = work.guided and not self.sequential
        predicting = GIB * _UNET_PEAK[work.published][both] * work.scale
        picturing = GIB * _VAE_PEAK[work.published] * self.vae_batch * work.scale
        return peak_bytes(self.offload, unet=unet, vae=vae, predicting=predicting, picturing=picturing)

    def main_bytes(self, work: Work, held_bytes: int, *, on_card: bool) -> int:
        """Return the peak of main memory.

        Args:
            work: what is computed.
            held_bytes: of the pictures that are held at once.
            on_card: whether a card computes.
        """
        # Weights pass through main memory on their way to the card, and stay there if they are to wait there.
        computing = work.weight_bytes if on_card else self._computing_bytes(work)
        return math.ceil(_MAIN_MEMORY * GIB + computing + held_bytes)


_LADDER = (
    Arrangement(Offload.NONE, sequential=False, vae_batch=4),
    Arrangement(Offload.NONE, sequential=True, vae_batch=1),
    Arrangement(Offload.MODEL, sequential=True, vae_batch=1),
    Arrangement(Offload.LAYERS, sequential=True, vae_batch=1),
)
"""From the fastest to the most frugal."""


def arrangements(offload: Offload) -> Iterator[Arrangement]:
    """Yield the ways to place the networks that are at least as frugal as is asked for, the fastest first."""
    order = list(Offload)
    for each in _LADDER:
        if offload is Offload.AUTO or order.index(each.offload) >= order.index(offload):
            yield each


def best_for(gpu: Gpu, work: Work, offload: Offload) -> Arrangement | None:
    """Return the fastest arrangement that fits into what is free of a card, or ``None``."""
    return next((each for each in arrangements(offload) if each.card_bytes(work) <= gpu.free_bytes), None)


def least_bytes(work: Work, offload: Offload) -> int:
    """Return the smallest free memory of a card with which a render is possible."""
    return min(each.card_bytes(work) for each in arrangements(offload))


def seconds(work: Work, host: Host, devices: tuple[str, ...], windows: int, steps: int, *, cached: bool) -> float:
    """Return about how long drawing takes; the order of magnitude, since cards of one generation differ by three times.

    Args:
        work: what is computed.
        host: the machine.
        devices: where.
        windows: of the clip.
        steps: of the diffusion.
        cached: whether the feature cache is used.
    """
    whole = -(-steps // 3) if cached else steps
    predictions = whole + (steps - whole) * _LIGHT_SHARE[work.published]
    unet = _UNET_TERA[work.published] * work.unet_values / _UNET_PARAMETERS
    vae = _VAE_TERA[work.published] * work.vae_values / _VAE_PARAMETERS
    tera = unet * (2 if work.guided else 1) * predictions + vae
    speeds = [_speed(work, host, device) for device in devices]
    return windows * tera / sum(speeds)


def _speed(work: Work, host: Host, device: str) -> float:
    card = next((gpu for gpu in host.gpus if gpu.device == device), None)
    if card is None:
        return _TERA_PER_CORE * max(1, host.cores)
    return tera_per_second(card, is_exact=work.precision is Precision.FP32)

"""From faces and sound to faces that speak, batch by batch, on one device.

What is random depends on the seed and the number of the source's picture alone: the faces are the same on any device,
in any order, after any interruption.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.generation.backends.device_memory import memory_of
from engine.generation.backends.musetalk.blending import Image
from engine.generation.backends.musetalk.files import Files
from engine.generation.backends.musetalk.kept import Kept, Key
from engine.generation.backends.musetalk.network import Networks, load_unet
from engine.generation.backends.placement import Placement
from engine.generation.device_pool import Draw, Drawing
from engine.jobs import Job, Progress
from engine.models.sd_vae import load_vae
from engine.refusal import Refused

_LATENT_SIDE = 32
_ENCODED = 0.6
"""Share of the work: the autoencoder's encoder runs twice for each picture, decoder and UNet once."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces that are drawn together.

    Attributes:
        keys: pictures of the source and boxes in them.
        crops: as the network sees them, shape ``(n, 256, 256, 3)``.
        tokens: what each of them hears, shape ``(n, 50, 384)``.
    """

    keys: tuple[Key, ...]
    crops: Image
    tokens: npt.NDArray[np.float32]


class Drawer:
    """Draws faces on one device.

    Args:
        networks: what computes.
        seed: of everything random.
    """

    def __init__(self, networks: Networks, seed: int) -> None:
        self._networks = networks
        self._seed = seed
        self._latents = Kept[Tensor]()

    def draw(self, faces: Faces) -> Drawing[Image]:
        """Draw some faces; where a result is not a number, once more in single precision.

        Returns:
            RGB, shape ``(n, 256, 256, 3)``.

        Raises:
            OutOfMemory: if they do not fit.
            Refused: ``musetalk.not_a_number``.
        """
        latents = []
        for number, (key, crop) in enumerate(zip(faces.keys, faces.crops, strict=True), start=1):
            latents.append(self._encoded(key, crop))
            yield _ENCODED * number / len(faces.keys)
        predicted = self._networks.predict(torch.stack(latents), torch.from_numpy(faces.tokens))
        if bool(torch.isfinite(predicted).all()):
            return self._networks.decode(predicted).numpy()
        if self._networks.is_single_precision:
            raise Refused.because("musetalk.not_a_number")
        # Half precision overflows on some cards; what was computed with it is not to be trusted.
        self._networks.in_single_precision()
        self._latents.clear()
        return (yield from self.draw(faces))

    def _encoded(self, key: Key, crop: Image) -> Tensor:
        latents = self._latents.get(key)
        if latents is None:
            generator = torch.Generator().manual_seed((self._seed * 1_000_003 + key[0]) % 2**63)
            noise = torch.randn(2, 4, _LATENT_SIDE, _LATENT_SIDE, generator=generator)
            latents = self._networks.encode(crop, noise).float().cpu()
            self._latents.put(key, latents, latents.nbytes)
        return latents


@dataclass(frozen=True, slots=True)
class Setup:
    """What one device needs in order to draw.

    Attributes:
        files: what is loaded.
        placement: where and how it computes.
        seed: of everything random.
    """

    files: Files
    placement: Placement
    seed: int

    def load(self) -> Job[Draw[Faces, Image]]:
        """Load the networks; see :class:`engine.generation.device_pool.Setup`."""
        dtype = self.placement.dtype
        with memory_of("cpu"):
            yield Progress("loading", 0.0)
            unet = load_unet(self.files.unet, dtype)
            yield Progress("loading", 0.8)
            vae = load_vae(self.files.vae, dtype=dtype)
        return Drawer(Networks(vae, unet, self.placement), self.seed).draw

"""What the published networks take on a card to draw a window, counted on shapes alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from engine.generation.backends.latentsync import sampler
from engine.generation.backends.latentsync.memory import Arrangement, Work
from engine.generation.backends.latentsync.networks import Networks
from engine.generation.backends.latentsync.sampler import CACHE_INTERVAL, Condition, Sampling, sample_window
from engine.generation.backends.latentsync.unet import LatentSyncUNet
from engine.generation.backends.latentsync.windows import WINDOW
from engine.generation.backends.placement import Placement, dtype_of
from engine.generation.spec import Offload
from tests.engine.generation.counting import CARD, LayoutCopies, counting, on_card, picture_autoencoder, placed


@dataclass(frozen=True, slots=True)
class Counted:
    """What one window takes.

    Attributes:
        peak_bytes: of tensors on the card, weights included.
        encoding: floating point operations to encode it twice, masked and whole.
        predicting: of one step of the denoiser, both predictions if there is guidance.
        cached: of one step that takes up the features of another.
        decoding: of decoding it.
    """

    peak_bytes: int
    encoding: int
    predicting: int
    cached: int
    decoding: int


class _Steps:
    """Steps without a solver, whose tensors are small, and which looks up numbers that are not there."""

    init_noise_sigma = 1.0

    def set_timesteps(self, count: int, device: torch.device) -> None:
        self.timesteps = [torch.zeros((), dtype=torch.int64, device=device)] * count

    def scale_model_input(self, latents: Tensor, _: Tensor) -> Tensor:
        return latents

    def step(self, predicted: Tensor, _: Tensor, latents: Tensor) -> Any:
        return SimpleNamespace(prev_sample=latents - predicted)


def count(work: Work, arrangement: Arrangement) -> Counted:
    """Draw one window of faces with the product's own code and networks of full size."""
    side, offload, dtype = work.resolution // 8, arrangement.offload, dtype_of(work.precision, "cpu")
    with torch.device("meta"):
        unet = LatentSyncUNet()
    vae = picture_autoencoder()
    sampling = Sampling(CACHE_INTERVAL + 1, 1.5 if work.guided else 1.0, sequential=arrangement.sequential)
    operations = []
    with counting() as counter, LayoutCopies(), patch.object(sampler, "_scheduler", lambda _: _Steps()):
        for network in (unet, vae):
            placed(network, dtype, CARD if offload is Offload.NONE else "cpu")
        # Nothing is moved by this object: fake weights cannot be.
        networks = Networks(unet, vae, Placement("meta", dtype, Offload.MODEL), arrangement.vae_batch)

        def tell() -> None:
            operations.append(counter.operations)

        tell()
        with on_card(vae, dtype, offload):
            latents = [
                torch.cat(list(networks.encoded(torch.empty(WINDOW, 3, *[work.resolution] * 2), _noise(side))))
                for _ in range(2)
            ]
        tell()
        condition = Condition(torch.empty(side, side, device=CARD), *latents, torch.empty(WINDOW, 50, 384))
        with on_card(unet, dtype, offload):
            noise = torch.empty(4, side, side, device=CARD)
            for drawn in sample_window(unet, noise, condition, sampling):  # noqa: B007 - the last one is wanted
                tell()
        with on_card(vae, dtype, offload):
            torch.cat(list(networks.decoded(drawn)))
        tell()
    costs = [after - before for before, after in pairwise(operations)]
    return Counted(counter.peak_bytes, costs[0], costs[1], costs[2], costs[-1])


def _noise(side: int) -> Tensor:
    return torch.empty(WINDOW, 4, side, side)

"""Where networks compute, in which number format, and where their weights wait meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import nn

from engine.generation.backends.compiling import AS_IS, Tuning
from engine.generation.spec import Offload, Precision

_DTYPES = {
    Precision.FP32: torch.float32,
    Precision.BF16: torch.bfloat16,
    Precision.FP16: torch.float16,
    Precision.FP8: torch.bfloat16,  # nothing here gains from 8 bits: the nearest format that is kept
}


@dataclass(frozen=True, slots=True)
class Placement:
    """How the networks of one engine share one device.

    Attributes:
        device: such as ``cuda:0``.
        dtype: of weights and activations.
        offload: where weights wait for their turn; never ``AUTO``.
        tuning: what is done to the networks first.
    """

    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    offload: Offload = Offload.NONE
    tuning: Tuning = AS_IS

    @classmethod
    def on(cls, device: str, precision: Precision, offload: Offload, tuning: Tuning = AS_IS) -> Placement:
        """Return what comes nearest to a wish among what the device can do."""
        if not device.startswith("cuda"):
            offload = Offload.NONE  # weights are in main memory already
        if offload is Offload.LAYERS:
            # Layers that come and go one by one cannot be compiled together.
            tuning = replace(tuning, compiled=False)
        return cls(device, dtype_of(precision, device), offload, tuning)

    def place(self, networks: Sequence[nn.Module]) -> None:
        """Put networks where they compute or wait, once they have their weights."""
        for network in networks:
            if self.offload is Offload.NONE:
                network.to(self.device)
            elif self.offload is Offload.LAYERS:
                from diffusers.hooks.group_offloading import apply_group_offloading

                apply_group_offloading(network, onload_device=torch.device(self.device), offload_type="leaf_level")

    @contextmanager
    def turn_of(self, network: nn.Module) -> Iterator[None]:
        """Have a network on the device, where the networks take turns."""
        if self.offload is not Offload.MODEL:
            yield
            return
        network.to(self.device)
        try:
            yield
        finally:
            network.to("cpu")


def dtype_of(precision: Precision, device: str) -> torch.dtype:
    """Return the number format for a precision, never ``AUTO``; one that the device computes in."""
    if device.startswith("cuda") and precision in {Precision.BF16, Precision.FP8}:
        # Before Ampere bfloat16 is emulated, at a tenth of the speed.
        major, _ = torch.cuda.get_device_capability(device)
        return torch.bfloat16 if major >= 8 else torch.float16
    return _DTYPES[precision]

"""What drawing with MuseTalk needs of a card, before anything is loaded. Light.

Live tensors were counted on the published networks, in half precision and without a card (tests/benchmarks/memory.py);
single precision needs twice as much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.generation.backends.cards import RUNTIME_BYTES, peak_bytes
from engine.generation.spec import Offload

DECODED_TOGETHER = 4
"""Faces that the autoencoder decodes at a time: more take memory and are hardly faster."""

_MIB = 1 << 20
_ENCODING = 193 * _MIB
"""To encode one face, masked and whole. A sixth of it: the copies that convolutions make in another layout."""
_PREDICTING = 16.5 * _MIB
"""Of the UNet, per face."""
_DECODING = 152 * _MIB
"""Per face; a third of it: copies, as above."""
_PARSER = 116 * _MIB
"""The network that tells skin from hair, always in single precision, with its activations."""

_OFFLOADS = (Offload.NONE, Offload.MODEL, Offload.LAYERS)
"""From the fastest to the most frugal."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is computed.

    Attributes:
        unet_values: parameters of the UNet.
        vae_values: parameters of the picture autoencoder.
        is_exact: whether in single precision.
        is_parsed: whether a network finds the skin, which stays on the card.
    """

    unet_values: int
    vae_values: int
    is_exact: bool
    is_parsed: bool

    def card_bytes(self, batch: int, offload: Offload) -> int:
        """Return the peak memory of a card.

        Args:
            batch: faces drawn at a time.
            offload: where weights wait; never ``AUTO``.
        """
        width = 2 if self.is_exact else 1
        unet, vae = 2 * width * self.unet_values, 2 * width * self.vae_values
        predicting = width * _PREDICTING * batch
        picturing = width * max(_ENCODING, _DECODING * min(batch, DECODED_TOGETHER))
        peak = peak_bytes(offload, unet=unet, vae=vae, predicting=predicting, picturing=picturing)
        return math.ceil(peak + _PARSER * self.is_parsed + RUNTIME_BYTES)

    def best_for(self, free_bytes: int, batch: int, offload: Offload) -> Offload:
        """Return the fastest place for weights that fits into what is free of a card; if none does, the most frugal.

        Args:
            free_bytes: of the card.
            batch: faces drawn at a time.
            offload: what was asked for; with ``AUTO`` anything goes.
        """
        allowed = _allowed(offload)
        return next((each for each in allowed if self.card_bytes(batch, each) <= free_bytes), allowed[-1])

    def least_bytes(self, offload: Offload) -> int:
        """Return the smallest free memory of a card with which a render is possible, face by face."""
        return self.card_bytes(1, _allowed(offload)[-1])


def _allowed(offload: Offload) -> tuple[Offload, ...]:
    return _OFFLOADS if offload is Offload.AUTO else (offload,)

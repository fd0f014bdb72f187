"""What the published networks take on a card to draw some faces, counted on shapes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from engine.generation.backends.musetalk.memory import Work
from engine.generation.backends.musetalk.network import SIDE, Networks, unet_for
from engine.generation.backends.musetalk.parsing import BiSeNet
from engine.generation.backends.placement import Placement
from engine.generation.spec import Offload
from tests.engine.generation.counting import CARD, LayoutCopies, counting, on_card, picture_autoencoder, placed

_WIDTHS = (320, 640, 1280, 1280)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a batch of faces takes.

    Attributes:
        peak_bytes: of tensors on the card, weights included.
        operations: floating point operations to encode, predict and decode one new face, skin not parsed.
    """

    peak_bytes: int
    operations: int


def full_size_unet() -> Any:
    """Return MuseTalk's UNet as it is published, on torch's device ``meta``."""
    shapes: dict[str, tuple[int, ...]] = {
        f"down_blocks.{level}.resnets.0.conv1.weight": (width,) for level, width in enumerate(_WIDTHS)
    }
    shapes |= {"conv_in.weight": (_WIDTHS[0], 8, 3, 3), "conv_out.weight": (4, _WIDTHS[0], 3, 3)}
    shapes["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"] = (_WIDTHS[0], 384)
    return unet_for(shapes)


def count(work: Work, batch: int, offload: Offload) -> Counted:
    """Draw a batch of new faces with the product's own code and networks of full size."""
    dtype = torch.float32 if work.is_exact else torch.bfloat16
    unet, vae = full_size_unet(), picture_autoencoder()
    with torch.device("meta"):
        parser = BiSeNet()
    # Fake weights cannot be moved as real ones are: they are put where they belong instead.
    with counting() as counter, LayoutCopies(), patch.object(Placement, "place"):
        for network in (unet, vae):
            placed(network, dtype, CARD if offload is Offload.NONE else "cpu")
        networks = Networks(vae, unet, Placement(str(CARD), dtype))
        with on_card(vae, dtype, offload):
            shown = torch.stack([networks.encode(np.zeros((SIDE, SIDE, 3), np.uint8), _noise()) for _ in range(batch)])
        encoding = counter.operations
        with on_card(unet, dtype, offload):
            predicted = networks.predict(shown, torch.empty(batch, 50, 384))
        with on_card(vae, dtype, offload):
            networks.decode(predicted)
        operations = encoding // batch + (counter.operations - encoding) // batch
        peak = counter.peak_bytes
        if work.is_parsed:
            # It works in another thread, at any moment of the others.
            before = counter.live_bytes
            placed(parser, torch.float32)
            counter.forget_peak()
            parser(torch.empty(1, 3, 512, 512, device=CARD))
            peak += counter.peak_bytes - before
    return Counted(peak, operations)


def _noise() -> torch.Tensor:
    return torch.empty(2, 4, SIDE // 8, SIDE // 8)

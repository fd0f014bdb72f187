"""Which cards a render is to use, what cards reach and what they hold: for plans before anything is loaded. Light."""

from __future__ import annotations

from engine.generation.backend import Gpu, Host
from engine.generation.spec import Offload, RenderSpec

GIB = 1 << 30

_TERA_PER_SECOND = ((9, 90.0), (8, 30.0), (7, 10.0), (0, 3.0))
"""10^12 operations per second that consumer cards reach in practice in half precision, by compute capability. An RTX
5070 Ti was reported to take 41 s for a second of LatentSync at 512 and 20 steps with guidance, which is 29."""
_SINGLE_PRECISION = 0.3
"""Speed in single precision relative to half."""
RUNTIME_BYTES = GIB // 2
"""Of a card: what the CUDA runtime and its kernels take; not counted."""
_LAYERS_SHARE = 0.01
"""Share of the weights on the card where activations are largest, when every layer waits in main memory: one layer's,
and most layers' are small there."""


def cards_of(spec: RenderSpec, host: Host) -> list[Gpu]:
    """Return the cards of this machine that a spec asks for: all with ``auto``, none where it names the processor."""
    named = {"cuda:0" if name == "cuda" else name for name in spec.devices}
    return [gpu for gpu in host.gpus if "auto" in named or gpu.device in named]


def tera_per_second(card: Gpu, *, is_exact: bool) -> float:
    """Return about how many 10^12 operations a card does in a second.

    Args:
        card: which.
        is_exact: whether in single precision.
    """
    major = card.compute[0] if card.compute is not None else 0
    reached = next(speed for since, speed in _TERA_PER_SECOND if major >= since)
    return reached * (_SINGLE_PRECISION if is_exact else 1.0)


def peak_bytes(offload: Offload, *, unet: float, vae: float, predicting: float, picturing: float) -> float:
    """Return the peak of weights and activations where a UNet and a picture autoencoder compute one after the other.

    Args:
        offload: where weights wait; never ``AUTO``.
        unet: bytes of the UNet's weights.
        vae: bytes of the autoencoder's weights.
        predicting: bytes of the UNet's activations.
        picturing: bytes of the autoencoder's activations.
    """
    match offload:
        case Offload.LAYERS:
            return _LAYERS_SHARE * (unet + vae) + max(predicting, picturing)
        case Offload.MODEL:
            return max(unet + predicting, vae + picturing)
        case _:
            return unet + vae + max(predicting, picturing)

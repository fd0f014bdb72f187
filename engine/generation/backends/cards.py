"""Which cards a render is to use, and what cards reach: for estimates before anything is loaded. Light."""

from __future__ import annotations

from engine.generation.backend import Gpu, Host
from engine.generation.spec import RenderSpec

_TERA_PER_SECOND = ((9, 90.0), (8, 30.0), (7, 10.0), (0, 3.0))
"""10^12 operations per second that consumer cards reach in practice in half precision, by compute capability. An RTX
5070 Ti was reported to take 41 s for a second of LatentSync at 512 and 20 steps with guidance, which is 29."""
_SINGLE_PRECISION = 0.3
"""Speed in single precision relative to half."""


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

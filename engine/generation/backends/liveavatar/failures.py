"""Errors of torch and the driver that are no bugs, in words. Light: told by name and text, torch is not imported."""

from __future__ import annotations

from engine.refusal import Refusal

_LOST = ("CUDA error: unspecified launch failure", "CUDA error: device-side", "GPU is lost", "CUDA-capable device(s)")
_NO_KERNEL = ("No available kernel", "No viable backend for scaled_dot_product_attention")
_COMPILERS = ("torch._dynamo", "torch._inductor")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, of a card or of the machine."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "out of memory" in str(error).lower()
    )


def failure(error: BaseException, device: str) -> Refusal | None:
    """Return what a person can do about an error, or ``None`` for a bug (or memory, which the frame deals with).

    Args:
        error: what was raised.
        device: where it was computed.
    """
    if is_out_of_memory(error):
        return None
    said = str(error)
    if any(mark in said for mark in _LOST):
        return Refusal.of("liveavatar.card_lost", device=device)
    if any(mark in said for mark in _NO_KERNEL):
        return Refusal.of("liveavatar.no_kernel", device=device)
    if any(kind.__module__.startswith(_COMPILERS) for kind in type(error).__mro__):
        return Refusal.of("liveavatar.not_compiled", device=device)
    return None

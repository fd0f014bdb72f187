"""How the process gets memory for pictures, and gives it back."""

from __future__ import annotations

import ctypes
import sys

_M_MMAP_THRESHOLD = -3
_LARGE = 256 << 10
"""Bytes: pictures and decoders' buffers are larger, nearly everything else is smaller."""


def return_large_blocks() -> None:
    """Let large blocks go back to the system as soon as they are freed, where the allocator has to be told to.

    glibc raises its limit for blocks of their own to the size of the first one that is freed. From then on pictures lie
    among everything else in the heaps of all threads, where what is freed stays: 200 MB after stepping and playing in
    a clip of 1920 x 1080.
    """
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:  # musl has none and needs none
        set_option(_M_MMAP_THRESHOLD, _LARGE)

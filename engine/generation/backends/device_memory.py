"""Memory that does not suffice, and memory that is no longer needed, as torch has them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from engine.generation.backend import OutOfMemory


@contextmanager
def memory_of(device: str) -> Iterator[None]:
    """Raise :class:`~engine.generation.backend.OutOfMemory` where torch says that memory does not suffice."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise OutOfMemory(device) from error
    except MemoryError as error:
        raise OutOfMemory("cpu") from error
    except RuntimeError as error:
        # torch's allocator of main memory has no exception of its own.
        if "not enough memory" not in str(error):
            raise
        raise OutOfMemory("cpu") from error


def give_back() -> None:
    """Return what cards hold for objects that are gone to their driver."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()

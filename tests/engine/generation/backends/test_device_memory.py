"""Memory that does not suffice is told from bugs, and by whose memory it was."""

from __future__ import annotations

import pytest
import torch

from engine.generation.backend import OutOfMemory
from engine.generation.backends.device_memory import memory_of


@pytest.mark.parametrize(
    ("error", "device"),
    [
        (torch.OutOfMemoryError("stub: out of memory"), "cuda:1"),
        (MemoryError(), "cpu"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: not enough memory"), "cpu"),
    ],
    ids=["card", "python", "processor"],
)
def test_full_memory_says_whose(error: Exception, device: str) -> None:
    with pytest.raises(OutOfMemory) as full, memory_of("cuda:1"):
        raise error
    assert full.value.device == device


def test_bugs_stay_bugs() -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2"), memory_of("cuda:1"):
        torch.zeros(2, 3) @ torch.zeros(2, 3)

"""The kernel that is asked for serves the network, and does not take the others from the decoder beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from engine.generation.backends.liveavatar.attention import KERNELS, attend, attention_kernel, check_kernel


@pytest.mark.parametrize("name", KERNELS)
def test_a_decoder_in_another_thread_finds_a_kernel(name: str) -> None:
    """Its heads are 384 channels wide, which only the plain kernel takes on every card."""
    with attention_kernel(name), ThreadPoolExecutor(1) as beside:
        assert beside.submit(torch.backends.cuda.math_sdp_enabled).result()


@pytest.mark.parametrize("name", ["auto", "flash", "math"])
def test_kernels_of_this_machine_agree(name: str) -> None:
    check_kernel(name, 2, 24, "cpu", torch.float32)
    queries, keys, values = torch.randn(3, 50, 2, 24, generator=torch.Generator().manual_seed(1))
    expected = attend(queries, keys, values)
    with attention_kernel(name):
        found = attend(queries, keys, values)
    assert torch.allclose(found, expected, atol=1e-6)  # sums of 50 numbers of size 1 in another order


def test_a_kernel_that_is_not_here_is_noticed_before_anything_is_computed() -> None:
    with pytest.raises(RuntimeError, match=r"No (available kernel|viable backend)"):
        check_kernel("cudnn", 2, 24, "cpu", torch.float32)

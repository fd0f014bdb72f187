"""Two ways to make networks faster that pay on some machines only: another layout of memory, and compiled code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from engine.refusal import Refused

_COMPILERS = ("torch._dynamo", "torch._inductor")


@dataclass(frozen=True, slots=True)
class Tuning:
    """What is done to networks before they compute.

    Attributes:
        channels_last: lay out convolutions' weights with the channels last in memory.
        compiled: let torch compile them; the first pictures, and those of every new shape, take minutes longer.
    """

    channels_last: bool = False
    compiled: bool = False

    def apply(self, networks: Sequence[nn.Module]) -> None:
        """Do it; with ``compiled`` the compiler runs when a network first computes."""
        for network in networks:
            if self.channels_last:
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
            if self.compiled:
                network.compile()


AS_IS = Tuning()


@contextmanager
def compiler_of(device: str) -> Iterator[None]:
    """Say in words that there is no compiler, or that it failed.

    Raises:
        Refused: ``workers.not_compiled``.
    """
    try:
        yield
    except Exception as error:
        if any(kind.__module__.startswith(_COMPILERS) for kind in type(error).__mro__):
            raise Refused.because("workers.not_compiled", device=device) from error
        raise

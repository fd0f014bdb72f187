"""Attention over tokens without a batch: one video at a time is what fits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

KERNELS = {
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "math": SDPBackend.MATH,
}
"""Names of the attention kernels that can be asked for."""
_TRIAL_TOKENS = 16


def check_kernel(name: str, heads: int, head_dim: int, device: torch.device | str, dtype: torch.dtype) -> None:
    """See whether a device has a kernel, before anything else computes attention.

    Raises:
        RuntimeError: torch's, if it has not.
    """
    if name == "auto":
        return
    tokens = torch.zeros(1, heads, _TRIAL_TOKENS, head_dim, device=device, dtype=dtype)
    with sdpa_kernel(KERNELS[name]):
        functional.scaled_dot_product_attention(tokens, tokens, tokens)


@contextlib.contextmanager
def attention_kernel(name: str) -> Iterator[None]:
    """Compute attention with one kernel of :data:`KERNELS` inside this context; ``"auto"`` leaves it to torch.

    Torch's choice of kernels is one for all threads. The decoder works beside the network, with heads too wide for
    most kernels, so what takes any shape stays allowed, as the last to be tried; :func:`check_kernel` sees to it that
    the network gets what was asked for.
    """
    if name == "auto":
        yield
        return
    with sdpa_kernel([KERNELS[name], SDPBackend.MATH], set_priority=True):
        yield


def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return ``[..., tokens, heads * head_dim]`` for queries, keys and values ``[..., tokens, heads, head_dim]``."""
    query, key, value = (_batched(part).transpose(1, 2) for part in (queries, keys, values))
    mixed = functional.scaled_dot_product_attention(query, key, value)
    return mixed.transpose(1, 2).reshape(*queries.shape[:-2], -1)


def _batched(x: Tensor) -> Tensor:
    return x if x.dim() == 4 else x[None]


class RMSNorm(nn.Module):
    """Root mean square norm over all heads together, computed in float32."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Norm ``[..., dim]``."""
        wide = x.float()
        return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)).to(x.dtype) * self.weight


class Attention(nn.Module):
    """Projections to queries, keys and values and back; what is attended to is the caller's choice."""

    def __init__(self, dim: int, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(dim, dim)
        self.v = nn.Linear(dim, dim)
        self.o = nn.Linear(dim, dim)
        self.norm_q = RMSNorm(dim, eps)
        self.norm_k = RMSNorm(dim, eps)

    def queries(self, x: Tensor) -> Tensor:
        """Return ``[..., tokens, heads, head_dim]`` for ``[..., tokens, dim]``."""
        queries: Tensor = self.norm_q(self.q(x))
        return queries.unflatten(-1, (self.heads, -1))

    def keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values, each ``[..., tokens, heads, head_dim]``."""
        keys, values = self.norm_k(self.k(x)), self.v(x)
        return keys.unflatten(-1, (self.heads, -1)), values.unflatten(-1, (self.heads, -1))

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend from ``x`` to given keys and values, without positions (prompt and sound have none)."""
        mixed: Tensor = self.o(attend(self.queries(x), keys, values))
        return mixed

"""Linear layers with 8-bit weights (e4m3): multiplied as such where the card can, else made wide again for each use."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

DTYPE = torch.float8_e4m3fn
_MOST = torch.finfo(DTYPE).max
_LEAST_MAXIMUM = 1e-12
SCALED_MM_CAPABILITY = (8, 9)
"""Compute capability from which on tensor cores multiply 8-bit floats."""


def quantise(x: Tensor, *, per_row: bool = False) -> tuple[Tensor, Tensor]:
    """Return codes and the factor that makes them numbers again.

    The factor of a tensor is capped as published: one whose largest value is below 1 does not fill the range.

    Args:
        x: ``[rows, columns]``, computed with in float32.
        per_row: a factor for each row ``[rows, 1]``, not capped, instead of one for all ``[1]``.
    """
    if per_row:
        stretch = _MOST / x.abs().amax(-1, keepdim=True).float().clamp(min=_LEAST_MAXIMUM)
    else:
        stretch = (_MOST / x.abs().amax().float().clamp(min=_LEAST_MAXIMUM)).clamp(max=_MOST).view(1)
    # One float32 copy, changed in place: of a block's widest activations it takes 175 MB.
    return (x * stretch).clamp_(-_MOST, _MOST).to(DTYPE), stretch.reciprocal()


def can_multiply(device: torch.device) -> bool:
    """Return whether 8-bit floats are multiplied as such on a device; torch also does it on processors, slowly."""
    return device.type == "cpu" or (
        device.type == "cuda" and torch.cuda.get_device_capability(device) >= SCALED_MM_CAPABILITY
    )


class Fp8Linear(nn.Module):
    """A linear layer of codes and a factor.

    Args:
        in_features: width of what comes in.
        out_features: width of what goes out.
        per_row: whether every row of the weight has its own factor; then it is made wide for each use.
        dtype: of the bias.
    """

    weight: Tensor
    weight_scale: Tensor

    def __init__(
        self, in_features: int, out_features: int, *, per_row: bool = False, dtype: torch.dtype = torch.bfloat16
    ) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(out_features, in_features, dtype=DTYPE))
        self.register_buffer("weight_scale", torch.ones((out_features, 1) if per_row else 1))
        self.bias = nn.Parameter(torch.zeros(out_features, dtype=dtype), requires_grad=False)
        self._per_row = per_row

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[..., in_features]`` to ``[..., out_features]`` in the precision of ``x``."""
        if self._per_row or not can_multiply(x.device):
            weight = self.weight.to(x.dtype) * self.weight_scale.to(x.dtype)
            return functional.linear(x, weight, self.bias.to(x.dtype))
        codes, scale = quantise(x.flatten(0, -2))
        product = torch._scaled_mm(  # noqa: SLF001 - torch's only way to the 8-bit tensor cores
            codes,
            self.weight.t(),
            scale_a=scale,
            scale_b=self.weight_scale,
            bias=self.bias.bfloat16(),
            out_dtype=torch.bfloat16,
            use_fast_accum=x.device.type == "cuda",
        )
        return product.to(x.dtype).unflatten(0, x.shape[:-1])


def replace_linears(module: nn.Module, *, per_row: bool, dtype: torch.dtype) -> None:
    """Put 8-bit layers in the place of all linear ones inside a module; their weights are loaded afterwards."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            device = child.weight.device
            with torch.device(device):
                small = Fp8Linear(child.in_features, child.out_features, per_row=per_row, dtype=dtype)
            setattr(module, name, small)
        else:
            replace_linears(child, per_row=per_row, dtype=dtype)

"""Small residual convolutional networks over rows in time, computed with NumPy alone.

The sync model's towers and the Draft engine's mouth are made of them: neither needs a deep-learning framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_EPSILON = 1e-5  # of the layer norms, PyTorch's default


@dataclass(frozen=True, slots=True)
class Block:
    """Residual block: layer norm, dilated convolution, GELU, pointwise convolution.

    Attributes:
        gain: layer norm's gain, shape ``(channels,)``.
        shift: layer norm's shift, shape ``(channels,)``.
        kernel: shape ``(taps, channels, channels)``, input channels before output channels.
        bias: shape ``(channels,)``.
        point: pointwise weights, shape ``(channels, channels)``, input before output.
        point_bias: shape ``(channels,)``.
        dilation: rows between taps.
    """

    gain: Floats
    shift: Floats
    kernel: Floats
    bias: Floats
    point: Floats
    point_bias: Floats
    dilation: int

    def __call__(self, rows: Floats, mask: Floats) -> Floats:
        """Map ``(rows, channels)`` to the same shape; rows whose mask is 0 count as zero."""
        centred = rows - rows.mean(1, keepdims=True)
        normed = centred / np.sqrt((centred**2).mean(1, keepdims=True) + _EPSILON)
        inner = (normed * self.gain + self.shift) * mask
        reach = self.dilation * (len(self.kernel) // 2)
        padded = np.pad(inner, ((reach, reach), (0, 0)))
        total = np.repeat(self.bias[None], len(rows), 0)
        for tap, weights in enumerate(self.kernel):
            begin = tap * self.dilation
            total += padded[begin : begin + len(rows)] @ weights
        return rows + _gelu(total) @ self.point + self.point_bias


def _gelu(x: Floats) -> Floats:
    """GELU in its tanh form (Hendrycks and Gimpel, arXiv 1606.08415)."""
    result: Floats = 0.5 * x * (1 + np.tanh(np.float32(0.7978845608) * (x + np.float32(0.044715) * x**3)))
    return result


@dataclass(frozen=True, slots=True)
class ResidualStack:
    """A linear layer, residual blocks, and a linear layer.

    Attributes:
        enter: shape ``(inputs, channels)``; ``enter_bias`` ``(channels,)``.
        blocks: in order.
        leave: shape ``(channels, outputs)``; ``leave_bias`` ``(outputs,)``.
    """

    enter: Floats
    enter_bias: Floats
    blocks: tuple[Block, ...]
    leave: Floats
    leave_bias: Floats

    @classmethod
    def read(cls, arrays: Mapping[str, npt.NDArray[np.generic]], prefix: str = "") -> ResidualStack:
        """Return the network with given weights.

        Args:
            arrays: weights by the names that PyTorch gives them, and ``dilations`` of the blocks.
            prefix: what the names begin with, such as ``0.mouth.``.
        """

        def floats(name: str) -> Floats:
            return np.asarray(arrays[prefix + name], np.float32)

        return cls(
            enter=floats("enter.weight").T,
            enter_bias=floats("enter.bias"),
            blocks=tuple(
                Block(
                    gain=floats(f"blocks.{number}.norm.weight"),
                    shift=floats(f"blocks.{number}.norm.bias"),
                    kernel=np.ascontiguousarray(floats(f"blocks.{number}.conv.weight").transpose(2, 1, 0)),
                    bias=floats(f"blocks.{number}.conv.bias"),
                    point=floats(f"blocks.{number}.point.weight").T,
                    point_bias=floats(f"blocks.{number}.point.bias"),
                    dilation=dilation,
                )
                for number, dilation in enumerate(arrays["dilations"].astype(int).tolist())
            ),
            leave=floats("leave.weight").T,
            leave_bias=floats("leave.bias"),
        )

    @property
    def outputs(self) -> int:
        """Numbers per row that it returns."""
        return self.leave.shape[1]

    def __call__(self, rows: Floats, mask: Floats) -> Floats:
        """Map ``(rows, inputs)`` to ``(rows, outputs)``.

        Args:
            rows: what is seen or heard.
            mask: 1 for rows that count, 0 for rows that count as zero, shape ``(rows, 1)``.
        """
        x = (rows @ self.enter + self.enter_bias) * mask
        for block in self.blocks:
            x = block(x, mask)
        return x @ self.leave + self.leave_bias

"""Rotary position embedding over time, rows and columns, computed where it is needed.

The published code looks angles up in a table of 45,000 latent frames and ends after two hours; there is no table here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.generation.backends.liveavatar.config import BLOCK_LATENTS, LatentSize

_BASE = 10000.0
REFERENCE_TIME = 30
"""Latent time at which the reference picture stands, seen from the first block."""
_NEWEST_TIMES = (-1,)
_HALF_TIMES = (-3,)
_QUARTER_TIMES = (-19, -14, -9, -4)


_Grid = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Latent times, rows and columns; there is a token at every combination, the columns of a row side by side."""


class Rotation(NamedTuple):
    """Cosines and sines of the angles of some tokens, each ``[tokens, 1, head_dim / 2]``, float32."""

    cos: Tensor
    sin: Tensor


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Turn neighbouring pairs of channels of ``x`` ``[tokens, heads, head_dim]``; computed in float32."""
    first, second = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack(
        (first * rotation.cos - second * rotation.sin, first * rotation.sin + second * rotation.cos), dim=-1
    )
    return turned.flatten(-2).to(x.dtype)


def block_rotation(block: int, size: LatentSize, head_dim: int, device: torch.device | str) -> Rotation:
    """Return the angles of the tokens of one block, frame by frame, row by row."""
    times = range(BLOCK_LATENTS * block, BLOCK_LATENTS * (block + 1))
    return _rotation([(times, range(size.rows), range(size.columns))], head_dim, device)


def sink_rotation(size: LatentSize, head_dim: int, device: torch.device | str, reference_shift: int = 0) -> Rotation:
    """Return the angles of the sink's tokens: the reference, then the past, newest first.

    Args:
        size: of a latent frame.
        head_dim: channels of one head.
        device: where the angles are wanted.
        reference_shift: by how many latent frames the reference has moved along with the video
            (see :func:`reference_shift`); the past stays where it is.
    """
    rows, columns = range(size.rows), range(size.columns)
    parts = [
        ((REFERENCE_TIME + reference_shift,), rows, columns),
        (_NEWEST_TIMES, rows, columns),
        (_HALF_TIMES, _spread(size.rows, 2), _spread(size.columns, 2)),
        (_QUARTER_TIMES, _spread(size.rows, 4), _spread(size.columns, 4)),
    ]
    return _rotation(parts, head_dim, device)


def reference_shift(block: int, distance: int) -> int:
    """Return how far the reference moves so that it stays ``distance`` latent frames ahead of the block.

    Args:
        block: number of the block.
        distance: 4 to 30 latent frames. The published code draws it anew, unseeded, for every pass.
    """
    return max(0, BLOCK_LATENTS * block - (REFERENCE_TIME - distance))


def _spread(full: int, step: int) -> Sequence[int]:
    """Return where the rows of a reduced grid lie in the full one: evenly from first to last, cut to whole numbers."""
    return [int(place) for place in np.linspace(0, full - 1, full // step)]


def _rotation(grids: Sequence[_Grid], head_dim: int, device: torch.device | str) -> Rotation:
    """Return the angles of the tokens of several grids, one grid behind the other.

    Every channel turns with one axis only. What is computed here and copied to the device is a few kilobytes for the
    places along the axes; it is spread over the tokens there, and nobody waits for it.
    """
    side = head_dim // 6 * 2  # 44, 42 and 42 of 128 channels for time, rows and columns
    channels = head_dim - 2 * side, side, side
    tables = [_turns(*axis) for grid in grids for axis in zip(grid, channels, strict=True)]
    there = torch.cat([table.flatten() for table in tables]).to(device, non_blocking=True)
    spread = there.split([table.numel() for table in tables])
    axes = [values.view(table.shape) for values, table in zip(spread, tables, strict=True)]
    parts = []
    for times, rows, columns in zip(axes[::3], axes[1::3], axes[2::3], strict=True):
        shape = 2, times.shape[1], rows.shape[1], columns.shape[1], -1
        by_axis = times[:, :, None, None], rows[:, None, :, None], columns[:, None, None]
        parts.append(torch.cat([values.expand(shape) for values in by_axis], dim=-1).flatten(1, 3))
    cos, sin = torch.cat(parts, dim=1)[:, :, None]
    return Rotation(cos, sin)


def _turns(places: Sequence[int], channels: int) -> Tensor:
    """Return cosines and sines ``[2, places, channels / 2]`` of the angles at places along one axis."""
    angles = np.array(places, np.float64)[:, None] * _BASE ** (-np.arange(0, channels, 2) / channels)
    # The weights were trained with angles rounded to half precision; leaving that out costs 4e-5 in the result.
    return torch.from_numpy(np.stack([np.cos(angles), np.sin(angles)]).astype(np.float16)).float()

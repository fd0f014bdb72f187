"""The sync model: two small convolutional towers whose embeddings agree where sound and mouth belong together.

One tower reads the mouth (landmarks and a small picture of it), the other the sound; the inner product of their
embeddings, summed over time, is the evidence for a lag. Trained on real speech by ``training/`` (see its data card);
computed here with NumPy alone, so that measuring needs no deep-learning framework.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from engine.sync.rows import MouthRows

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

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
class Tower:
    """Rows of one side to embeddings.

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

    def __call__(self, rows: Floats, present: Mask) -> Floats:
        """Return embeddings, mean over the present rows removed, zero elsewhere, shape ``(rows, outputs)``."""
        mask = present.astype(np.float32)[:, None]
        x = (rows @ self.enter + self.enter_bias) * mask
        for block in self.blocks:
            x = block(x, mask)
        x = x @ self.leave + self.leave_bias
        if present.any():
            x = x - x[present].mean(0)
        embedded: Floats = x * mask
        return embedded


@dataclass(frozen=True, slots=True)
class SyncModel:
    """An ensemble of tower pairs over one basis.

    Attributes:
        points_basis: whitened principal components of the mouth's landmarks, shape ``(183, n)``.
        patches_basis: the same of the mouth's picture, shape ``(384, m)``.
        mouths: one mouth tower per member.
        sounds: one sound tower per member.
        scales: what each member's inner products are multiplied with, shape ``(members,)``.
        null: score of "this sound does not belong to this mouth".
        zero_ms: what the model says when sound and lips are truly together; subtracted from every lag.
        calibration: see :mod:`engine.sync.calibration`.
    """

    points_basis: Floats
    patches_basis: Floats
    mouths: tuple[Tower, ...]
    sounds: tuple[Tower, ...]
    scales: Floats
    null: float
    zero_ms: float
    calibration: dict[str, npt.NDArray[np.float64]]

    def embed_mouth(self, mouth: MouthRows) -> Floats:
        """Return the mouth's embeddings of all members side by side, shape ``(rows, members * outputs)``."""
        if not mouth.seen.any():
            return np.zeros((len(mouth.seen), sum(tower.leave.shape[1] for tower in self.mouths)), np.float32)
        points = (mouth.points - mouth.points[mouth.seen].mean(0)) @ self.points_basis
        patches = (mouth.patches - mouth.patches[mouth.seen].mean(0)) @ self.patches_basis
        rows = np.concatenate([points, patches], 1) * mouth.seen[:, None]
        return np.concatenate(
            [
                tower(rows, mouth.seen) * (scale / len(self.mouths))
                for tower, scale in zip(self.mouths, self.scales, strict=True)
            ],
            axis=1,
        )

    def embed_sound(self, rows: Floats, heard: Mask) -> Floats:
        """Return the sound's embeddings of all members side by side, shape ``(rows, members * outputs)``."""
        return np.concatenate([tower(rows, heard) for tower in self.sounds], axis=1)


@cache
def shipped_model() -> SyncModel:
    """Return the model that ships with the program."""
    with files("resources").joinpath("sync", "towers.npz").open("rb") as stream:
        return read_model(dict(np.load(stream)))


def read_model(arrays: dict[str, npt.NDArray[np.generic]]) -> SyncModel:
    """Build a model from the arrays of a weights file (written by ``training/``)."""

    def floats(name: str) -> Floats:
        return np.asarray(arrays[name], np.float32)

    def tower(prefix: str) -> Tower:
        dilations = arrays["dilations"].astype(int)
        return Tower(
            enter=floats(f"{prefix}.enter.weight").T,
            enter_bias=floats(f"{prefix}.enter.bias"),
            blocks=tuple(
                Block(
                    gain=floats(f"{prefix}.blocks.{number}.norm.weight"),
                    shift=floats(f"{prefix}.blocks.{number}.norm.bias"),
                    kernel=np.ascontiguousarray(floats(f"{prefix}.blocks.{number}.conv.weight").transpose(2, 1, 0)),
                    bias=floats(f"{prefix}.blocks.{number}.conv.bias"),
                    point=floats(f"{prefix}.blocks.{number}.point.weight").T,
                    point_bias=floats(f"{prefix}.blocks.{number}.point.bias"),
                    dilation=int(dilation),
                )
                for number, dilation in enumerate(dilations)
            ),
            leave=floats(f"{prefix}.leave.weight").T,
            leave_bias=floats(f"{prefix}.leave.bias"),
        )

    members = len(arrays["scales"])
    return SyncModel(
        points_basis=floats("points_basis"),
        patches_basis=floats("patches_basis"),
        mouths=tuple(tower(f"{member}.mouth") for member in range(members)),
        sounds=tuple(tower(f"{member}.sound") for member in range(members)),
        scales=floats("scales"),
        null=float(floats("null")),
        zero_ms=float(floats("zero_ms")),
        calibration={
            name.removeprefix("calibration."): np.asarray(values, np.float64)
            for name, values in arrays.items()
            if name.startswith("calibration.")
        },
    )

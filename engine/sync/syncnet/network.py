"""SyncNet v2: 0.2 s of a mouth and of sound as points of one space, near each other where they belong together.

Chung and Zisserman, "Out of time: automated lip sync in the wild", 2016; layers, names and sizes are those of the
public checkpoint ``syncnet_v2.model``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from engine.models.checkpoints import load_strict, read_state

PICTURES = 5
"""Successive pictures at 25 fps that one point stands for."""
COLUMNS = 20
"""Columns of cepstra at 100 Hz for the same time."""
SIDE = 224
"""Width and height of a picture of the face."""


class SyncNet(nn.Module):
    """The two networks."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_flat(1, 64, 3, padding=1),
            nn.MaxPool2d(1, 1),
            *_flat(64, 192, 3, padding=1),
            nn.MaxPool2d(3, (1, 2)),
            *_flat(192, 384, 3, padding=1),
            *_flat(384, 256, 3, padding=1),
            *_flat(256, 256, 3, padding=1),
            nn.MaxPool2d(3, 2),
            *_flat(256, 512, (5, 4)),
        )
        self.netfcaud = _head()
        self.netfclip = _head()
        self.netcnnlip = nn.Sequential(
            *_deep(3, 96, (5, 7, 7), stride=(1, 2, 2)),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_deep(96, 256, (1, 5, 5), stride=(1, 2, 2), padding=(0, 1, 1)),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), padding=(0, 1, 1)),
            *_deep(256, 256, (1, 3, 3), padding=(0, 1, 1)),
            *_deep(256, 256, (1, 3, 3), padding=(0, 1, 1)),
            *_deep(256, 256, (1, 3, 3), padding=(0, 1, 1)),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_deep(256, 512, (1, 6, 6)),
        )

    @torch.inference_mode()
    def see(self, pictures: Tensor) -> Tensor:
        """Return the points of windows of pictures, shape ``(windows, 1024)``.

        Args:
            pictures: faces in BGR order, values 0 to 255, shape ``(windows, 3, 5, 224, 224)``.
        """
        points: Tensor = self.netfclip(self.netcnnlip(pictures).flatten(1))
        return points

    @torch.inference_mode()
    def hear(self, cepstra: Tensor) -> Tensor:
        """Return the points of windows of sound, shape ``(windows, 1024)``.

        Args:
            cepstra: of 0.2 s each, shape ``(windows, 1, 13, 20)``.
        """
        points: Tensor = self.netfcaud(self.netcnnaud(cepstra).flatten(1))
        return points


def _flat(into: int, out: int, size: int | tuple[int, int], *, padding: int = 0) -> tuple[nn.Module, ...]:
    return nn.Conv2d(into, out, size, padding=padding), nn.BatchNorm2d(out), nn.ReLU()


def _deep(
    into: int,
    out: int,
    size: tuple[int, int, int],
    *,
    stride: tuple[int, int, int] = (1, 1, 1),
    padding: tuple[int, int, int] = (0, 0, 0),
) -> tuple[nn.Module, ...]:
    return nn.Conv3d(into, out, size, stride, padding), nn.BatchNorm3d(out), nn.ReLU()


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))


def load_syncnet(path: Path) -> SyncNet:
    """Read ``syncnet_v2.model``.

    Raises:
        Refused: if it is anything else, see :func:`engine.models.checkpoints.load_strict`.
    """
    with torch.device("meta"):
        network = SyncNet()
    load_strict(network, read_state(path), path=path, wanted="SyncNet v2", dtype=torch.float32)
    return network.eval()

"""What the scorers differ in: how a face is cut out, how many are seen together, what is heard, what is enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.sync.syncnet.features import mfcc
from engine.sync.syncnet.network import COLUMNS, PICTURES, SIDE
from engine.sync.syncnet.offsets import Floats

Image = npt.NDArray[np.uint8]

_COLUMNS_PER_FRAME = 4
_BATCH = 20
_MARGIN = 0.4
"""How much more than the face is shown, in halves of its larger side."""
_OUTSIDE = 110
"""Grey value beyond the border of the picture."""


class Judge(Protocol):
    """Gives points of one space for windows of faces and windows of sound, the nearer the better they fit.

    Attributes:
        name: as ``--detector`` takes it.
        pictures: faces of a window, at 25 per second.
        stride: frames from one window to the next.
        batch: windows that are seen at a time.
        enough: confidence from which on an offset is told.
    """

    name: str
    pictures: int
    stride: int
    batch: int
    enough: float

    def restart(self) -> None:
        """Forget the face so far; another one begins."""
        ...

    def cut(self, image: Image, place: npt.NDArray[np.float64]) -> Image:
        """Return the face of the next frame as the network wants it.

        Args:
            image: RGB, shape ``(h, w, 3)``.
            place: ``x, y`` of the face's middle and half of its larger side, pixels.
        """
        ...

    def see(self, windows: Sequence[Sequence[Image]]) -> Floats:
        """Return a point per window of faces, shape ``(windows, dim)``."""
        ...

    def hear(self, samples: npt.NDArray[np.float32], count: int) -> Floats:
        """Return a point per window of sound, shape ``(count, dim)``; one begins every 640 samples of 16 kHz."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class Network(Protocol):
    """What gives points of one space for pictures and for sound; see :class:`engine.sync.syncnet.network.SyncNet`."""

    def see(self, pictures: Tensor) -> Tensor:
        """Return a point per window of five faces."""
        ...

    def hear(self, cepstra: Tensor) -> Tensor:
        """Return a point per window of 0.2 s of sound."""
        ...


class SyncNetJudge:
    """SyncNet v2.

    Args:
        network: with its weights.
    """

    name = "syncnet"
    pictures = PICTURES
    stride = 1
    batch = _BATCH
    enough = 3.0
    """Below this LatentSync's data pipeline throws a clip away; SyncNet's own video of 25 s of clear speech has 10."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def restart(self) -> None:
        """Do nothing: a frame's face is cut out by itself."""

    def cut(self, image: Image, place: npt.NDArray[np.float64]) -> Image:
        """Return a square that reaches further down than up, shape ``(224, 224, 3)``."""
        x, y, half = (float(each) for each in place)
        left, right = round(x - half * (1 + _MARGIN)), round(x + half * (1 + _MARGIN))
        top, bottom = round(y - half), round(y + half * (1 + 2 * _MARGIN))
        height, width = image.shape[:2]
        inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        margins = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
        padded = cv2.copyMakeBorder(inside, *margins, cv2.BORDER_CONSTANT, value=(_OUTSIDE,) * 3)
        return np.asarray(cv2.resize(padded, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)

    def see(self, windows: Sequence[Sequence[Image]]) -> Floats:
        """Return a point per window of five faces."""
        # BGR, 0 to 255, as SyncNet was trained.
        pictures = np.stack([np.stack(window)[..., ::-1] for window in windows]).astype(np.float32)
        return np.asarray(self._network.see(torch.from_numpy(pictures).permute(0, 4, 1, 2, 3)).numpy())

    def hear(self, samples: npt.NDArray[np.float32], count: int) -> Floats:
        """Return a point per window of 0.2 s."""
        cepstra = mfcc(np.clip(samples * 32768, -32768, 32767).astype(np.int16)).astype(np.float32)
        windows = np.stack(
            [cepstra[:, _COLUMNS_PER_FRAME * i : _COLUMNS_PER_FRAME * i + COLUMNS] for i in range(count)]
        )
        return np.concatenate(
            [self._network.hear(part[:, None]).numpy() for part in torch.from_numpy(windows).split(_BATCH)]
        )

    def close(self) -> None:
        """Do nothing: the network goes with this object."""

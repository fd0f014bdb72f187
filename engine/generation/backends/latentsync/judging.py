"""Measure a clip with StableSyncNet, LatentSync's own judge, for users who have ``stable_syncnet.pt``.

It was trained on faces that are aligned as LatentSync aligns them, so it lives beside that alignment.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.face.mesh import Mesh
from engine.generation.backends.latentsync.align import Aligner, Image, Matrix, cut_out, three_points
from engine.jobs import Job
from engine.refusal import Refusal
from engine.sync.syncnet.features import mel
from engine.sync.syncnet.measure import measure_with_file
from engine.sync.syncnet.offsets import Floats
from engine.sync.syncnet.result import SyncNetMeasurement
from engine.sync.syncnet.stable import PICTURES, faces_window, load_stable_syncnet, sound_window

_SIDE = 256
"""Side of the aligned faces that it was trained on."""
_FILES = ("stable-syncnet-1.6", "stable-syncnet-1.5")
_LOST = 127
"""Grey where no face has been found yet."""
_SPARE_SAMPLES = 1600
"""Beyond the last window, so that its last columns are whole."""


class Network(Protocol):
    """What gives unit vectors; see :class:`engine.sync.syncnet.stable.StableSyncNet`."""

    def see(self, faces: Tensor) -> Tensor:
        """Return a point per window of 16 lower halves of faces."""
        ...

    def hear(self, spectrogram: Tensor) -> Tensor:
        """Return a point per window of 0.65 s of sound."""
        ...


class StableJudge:
    """StableSyncNet, on faces found and aligned as for LatentSync.

    Args:
        network: with its weights.
    """

    name = "stable-syncnet"
    pictures = PICTURES
    stride = PICTURES // 2
    """A window takes a second on a processor, and neighbouring ones say nearly the same."""
    batch = 4
    enough = 0.1
    """Half of what follows from the cosines reported of one real clip: 0.40 in sync, 0.10 to 0.21 at 400 ms."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._mesh = Mesh()
        self._aligner = Aligner(_SIDE)
        self._matrix: Matrix | None = None

    def restart(self) -> None:
        """Forget the face so far; another one begins."""
        self._mesh.restart()
        self._aligner.restart()
        self._matrix = None

    def cut(self, image: Image, place: npt.NDArray[np.float64]) -> Image:
        """Return the aligned face, shape ``(256, 256, 3)``; while it is lost, what is at its last place."""
        x, y, half = place
        found = self._mesh.follow(image, np.array([x - half, y - half, x + half, y + half], np.float32))
        if found is not None:
            self._matrix = self._aligner.matrix(three_points(found.in_picture()))
        if self._matrix is None:
            return np.full((_SIDE, _SIDE, 3), _LOST, np.uint8)
        return cut_out(image, self._matrix, _SIDE)

    def see(self, windows: Sequence[Sequence[Image]]) -> Floats:
        """Return a unit vector per window of 16 faces."""
        faces = torch.stack([faces_window(np.stack(window)) for window in windows])
        return np.asarray(self._network.see(faces).numpy())

    def hear(self, samples: npt.NDArray[np.float32], count: int) -> Floats:
        """Return a unit vector per window of 0.65 s."""
        spectrogram = mel(np.pad(samples, (0, _SPARE_SAMPLES)))
        points = []
        for first in range(0, count, self.batch):
            windows = [sound_window(spectrogram, start) for start in range(first, min(first + self.batch, count))]
            points.append(self._network.hear(torch.stack([each for each in windows if each is not None])).numpy())
        return np.concatenate(points)

    def close(self) -> None:
        """Free the face model."""
        self._mesh.close()


def measure_stable_syncnet(
    path: str | Path,
    *,
    weights: Path | None = None,
    audio: str | Path | None = None,
    thorough: bool = False,
    face: int | None = None,
) -> Job[SyncNetMeasurement | Refusal]:
    """Measure one clip; see :func:`engine.sync.syncnet.measure.measure_syncnet`, whose arguments are the same."""
    return measure_with_file(
        "StableSyncNet",
        _FILES,
        lambda file: StableJudge(load_stable_syncnet(file)),
        path,
        weights=weights,
        audio=audio,
        thorough=thorough,
        face=face,
    )

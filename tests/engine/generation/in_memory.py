"""Faces and voices in memory, as engines are given them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.generation.backend import Picture, SourceKind

RATE = 16_000


class Pictures:
    """Pictures as a source: one is a still, several are a video, whose last one stays.

    Args:
        images: not to be written to, as those of files are.

    Attributes:
        count: of the pictures.
        asked: frames that were asked for, in order.
    """

    path = Path("face.mp4")

    def __init__(self, images: Sequence[Picture]) -> None:
        self.count = len(images)
        self.kind = SourceKind.PICTURE if self.count == 1 else SourceKind.VIDEO
        self.size = (images[0].shape[1], images[0].shape[0])
        self.asked: list[int] = []
        self._images = images
        for image in images:
            image.flags.writeable = False

    def picture_number(self, frame: int) -> int:
        """Return which picture a frame shows."""
        return min(frame, self.count - 1)

    def frame_at(self, frame: int) -> Picture:
        """Return a frame's picture."""
        self.asked.append(frame)
        return self._images[self.picture_number(frame)]

    def frames(self, first: int, count: int) -> Iterator[Picture]:
        """Yield the pictures of successive frames."""
        for frame in range(first, first + count):
            yield self.frame_at(frame)


class RecordedVoice:
    """Samples as a driving voice.

    Args:
        samples: mono at 16 kHz, within -1..1; int16 is scaled.
    """

    path = Path("voice.wav")
    sample_rate = RATE

    def __init__(self, samples: npt.NDArray[Any]) -> None:
        scale = 32768 if samples.dtype == np.int16 else 1
        self._samples = samples.astype(np.float32) / np.float32(scale)
        self.samples = len(samples)

    def read(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Return samples; silence outside of them."""
        heard = np.zeros(stop - start, np.float32)
        first, last = max(start, 0), min(stop, self.samples)
        if first < last:
            heard[first - start : last - start] = self._samples[first:last]
        return heard


class Silence:
    """Silence as a driving voice, of any length without any memory.

    Args:
        samples: its length, 16000 per second.
    """

    path = Path("voice.wav")
    sample_rate = RATE

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def read(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Return zeros."""
        return np.zeros(stop - start, np.float32)

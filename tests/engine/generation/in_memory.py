"""Voices in memory, as engines are given them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 16_000


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

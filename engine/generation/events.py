"""What a render tells while it runs: values of :attr:`engine.jobs.Progress.partial`.

Light: they travel to the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from engine.words import Message

PREVIEW_HEIGHT = 360
"""Previews are at most so high: a picture of that size is about 300 KB on its way to the window."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A finished picture, made small.

    Attributes:
        frame: its number in the clip.
        time: when it is shown, in seconds.
        image: RGB, shape ``(h, w, 3)``, at most :data:`PREVIEW_HEIGHT` high.
    """

    frame: int
    time: Fraction
    image: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class GpuReading:
    """A graphics card at one moment.

    Attributes:
        device: ``cuda:0``...
        used_bytes: memory in use, by whomever.
        total_bytes: its memory.
        utilisation: share of the last moment in which it computed, 0 to 1.
    """

    device: str
    used_bytes: int
    total_bytes: int
    utilisation: float


@dataclass(frozen=True, slots=True)
class Reading:
    """How the render is at one moment, about twice a second.

    Attributes:
        seconds: since the render began.
        stage: what is done now, as in :class:`~engine.jobs.Progress`.
        frame: pictures finished, those of an earlier run included.
        frame_count: pictures in all.
        frame_gen_ms: time the engine took for each of the last pictures, on average; ``None`` before the first one.
        encode_ms: time the encoder took for each of them.
        eta_seconds: how long it will still take; ``None`` before that can be said.
        ram_bytes: main memory of this process.
        gpus: graphics cards.
    """

    seconds: float
    stage: str
    frame: int
    frame_count: int
    frame_gen_ms: float | None
    encode_ms: float | None
    eta_seconds: float | None
    ram_bytes: int
    gpus: tuple[GpuReading, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know at once: a step down, a render taken up again, advice.

    Attributes:
        message: the sentence.
        is_warning: whether it asks for attention.
    """

    message: Message
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Untouched(Notice):
    """An engine's word that it left pictures of a segment as they are: there was no face that could be drawn on.

    Attributes:
        frames: how many.
    """

    frames: int = 0


RenderEvent = Preview | Reading | Notice

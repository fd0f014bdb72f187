"""How a render is cut up: which samples drive which picture, exactly, and where it may be taken up again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from engine.generation.spec import RenderSpec
from engine.timing import FrameGrid

VOICE_RATE = 16_000
"""Samples per second of the voice that drives an engine."""

PROMPT_SECONDS = 10
"""How much voice each of several prompts is for."""

_SEGMENT_RULE = ((Fraction(180), Fraction(3)), (Fraction(600), Fraction(2)))
"""Up to so many seconds of clip: segments of so many seconds. The longer the clip, the less is to be lost."""
_SHORTEST_SEGMENT = Fraction(1)
_BYTES_PER_PIXEL = 0.02
"""Of a finished picture in H.264 at the usual quality."""


@dataclass(frozen=True, slots=True)
class FrameMap:
    """Which samples sound while a picture is shown: 640 per picture at 16 kHz and 25 fps.

    Every position is computed from the frame's number by itself, so that nothing adds up at 30000/1001.

    Attributes:
        fps: pictures per second, exact.
        sample_rate: samples per second.
    """

    fps: Fraction
    sample_rate: int = VOICE_RATE

    def sample(self, frame: int) -> int:
        """Return the first sample at or after the beginning of a frame; less than a sample after it."""
        return FrameGrid(self.fps).sample(frame, self.sample_rate)

    def time(self, frame: int) -> Fraction:
        """Return when a frame begins, in seconds."""
        return frame / self.fps

    def frames_for(self, samples: int) -> int:
        """Return how many whole frames cover so many samples."""
        return FrameGrid(self.fps).frames_for(samples, self.sample_rate)


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of pictures that is rendered, stored and taken up again as one.

    Attributes:
        index: its number, from 0.
        first_frame: number of its first picture in the clip.
        frame_count: how many pictures it has.
        prompt: what the engine is to read for it.
        audio_offset_ms: by how much the sound that drives it is shifted; already done in the driving voice.
    """

    index: int
    first_frame: int
    frame_count: int
    prompt: str = ""
    audio_offset_ms: float = 0.0

    @property
    def stop_frame(self) -> int:
        """The number of the picture after its last one."""
        return self.first_frame + self.frame_count


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be rendered.

    Attributes:
        frame_map: which samples drive which picture.
        frame_count: pictures of the clip.
        size: width and height of every picture.
        segments: in order, without gaps, all pictures of the clip.
        voice_samples: samples of the voice at the frame map's rate, without padding.
    """

    frame_map: FrameMap
    frame_count: int
    size: tuple[int, int]
    segments: tuple[Segment, ...]
    voice_samples: int

    @property
    def fps(self) -> Fraction:
        """Pictures per second."""
        return self.frame_map.fps

    @property
    def picture_bytes(self) -> int:
        """Size of one picture in memory."""
        return 3 * self.size[0] * self.size[1]

    @property
    def disk_bytes(self) -> int:
        """About what the clip takes on disk, together with its segments, which stay until it is finished."""
        return math.ceil(2 * self.frame_count * self.size[0] * self.size[1] * _BYTES_PER_PIXEL)

    @property
    def samples(self) -> int:
        """Length of the driving voice: exactly the samples of all pictures."""
        return self.frame_map.sample(self.frame_count)

    @property
    def seconds(self) -> Fraction:
        """Length of the picture."""
        return self.frame_map.time(self.frame_count)

    def samples_of(self, segment: Segment) -> tuple[int, int]:
        """Return the first sample of a segment and the one after its last, in the driving voice."""
        return self.frame_map.sample(segment.first_frame), self.frame_map.sample(segment.stop_frame)


def segment_seconds(seconds: Fraction) -> Fraction:
    """Return how long segments of a clip of this length are: 3 s, over three minutes 2 s, over ten minutes 1 s."""
    return next((length for longest, length in _SEGMENT_RULE if seconds <= longest), _SHORTEST_SEGMENT)


def make_plan(
    spec: RenderSpec,
    *,
    fps: Fraction,
    size: tuple[int, int],
    frame_count: int,
    voice_samples: int,
    block_frames: int = 1,
) -> Plan:
    """Cut a clip into segments.

    Args:
        spec: what is wanted.
        fps: pictures per second.
        size: width and height.
        frame_count: pictures of the clip, at least 1.
        voice_samples: samples of the prepared voice.
        block_frames: pictures that the engine draws at once: every segment but the last one is whole blocks.

    Raises:
        ValueError: if there is no picture, or a number is not positive.
    """
    if frame_count < 1 or block_frames < 1 or fps <= 0:
        raise ValueError(f"nothing to plan: {frame_count} frames, blocks of {block_frames}, {fps} fps")
    frames = FrameMap(fps)
    length = spec.segment_seconds or segment_seconds(frames.time(frame_count))
    blocks = max(1, math.floor(length * fps / block_frames + Fraction(1, 2)))
    step = blocks * block_frames
    return Plan(
        frame_map=frames,
        frame_count=frame_count,
        size=size,
        segments=tuple(
            Segment(
                index,
                first,
                min(step, frame_count - first),
                _prompt(spec, frames.time(first)),
                _offset(spec, frames.time(first)),
            )
            for index, first in enumerate(range(0, frame_count, step))
        ),
        voice_samples=voice_samples,
    )


def _prompt(spec: RenderSpec, time: Fraction) -> str:
    if not spec.prompts:
        return spec.prompt
    return spec.prompts[min(int(time / PROMPT_SECONDS), len(spec.prompts) - 1)]


def _offset(spec: RenderSpec, time: Fraction) -> float:
    return next((offset for start, offset in reversed(spec.audio_offset_steps) if start <= time), spec.audio_offset_ms)

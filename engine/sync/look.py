"""Look at one stretch: faces from the picture, rows from the sound, evidence for every face."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from engine.face.mesh import Image
from engine.face.tracks import FaceTrack, FaceTracker
from engine.jobs import Job, Progress
from engine.media.frames import read_frames
from engine.media.opening import MediaPath
from engine.media.samples import read_samples
from engine.sound.features import ROW_RATE as SPEECH_ROW_RATE
from engine.sound.features import log_mel
from engine.sound.speech import speech_activity
from engine.sync.ahead import read_ahead
from engine.sync.evidence import Sound
from engine.sync.plosives import Burst, find_bursts
from engine.sync.stretches import Stretch

LOOK_HEIGHT = 720
"""Pictures are looked at in this height at most: a face of a tenth of it still has 30 pixels between the eyes."""

SMALL_FACE = 20.0
"""Pixels between the eyes below which a larger picture, where there is one, is looked at."""

_SAMPLE_RATE = 16_000
_MEL_FLOOR = 1e-5
"""Added before the logarithm of :func:`log_mel`, and taken off again."""
_SHORTEST_TRACK = 0.6
"""Seconds for which a face has to be followed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The sound around one stretch.

    Attributes:
        sound: for the towers; with margins, as much as was asked for.
        speech_seconds: how long somebody speaks in the stretch itself.
        bursts: plosive bursts heard in the stretch.
    """

    sound: Sound
    speech_seconds: float
    bursts: tuple[Burst, ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything seen in one stretch.

    Attributes:
        tracks: faces followed for at least 0.6 s.
        frames: how many pictures were looked at.
        frame_seconds: median time between pictures; 0 with fewer than two.
    """

    tracks: tuple[FaceTrack, ...]
    frames: int
    frame_seconds: float


class Looker:
    """Looks at stretches of one clip; keeps the face models between them.

    Attributes:
        seconds: time spent per kind of work.
    """

    def __init__(self, picture: MediaPath, sound: MediaPath, height: int) -> None:
        self._picture = picture
        self._sound = sound
        self._height = height
        self._limit = LOOK_HEIGHT
        self._tracker = FaceTracker()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def close(self) -> None:
        """Free the face models."""
        self._tracker.close()

    def see(self, stretch: Stretch) -> Job[Sight]:
        """Follow the faces of a stretch; looks again in full size when they are small and there is more to see."""
        sight = yield from self._see(stretch)
        sizes = [float(np.median(track.eye_distance)) for track in sight.tracks]
        if self._height > self._limit and (not sizes or max(sizes) < SMALL_FACE):
            self._limit = self._height
            sight = yield from self._see(stretch)
        return sight

    def _see(self, stretch: Stretch) -> Job[Sight]:
        begin = time.perf_counter()
        times: list[float] = []

        def pictures() -> Iterator[tuple[float, Image]]:
            frames = read_frames(
                self._picture, start=Fraction(stretch.start), stop=Fraction(stretch.stop), max_height=self._limit
            )
            for frame in read_ahead(frames):
                times.append(float(frame.time))
                yield times[-1], frame.image

        tracks, length = [], max(stretch.stop - stretch.start, 1e-6)
        for track in self._tracker.steps(pictures()):
            if track is None:
                yield Progress("looking", min(max(times[-1] - stretch.start, 0.0) / length, 1.0))
            elif track.seconds >= _SHORTEST_TRACK:
                tracks.append(track)
        self.seconds["faces"] += time.perf_counter() - begin
        gaps = np.diff(times)
        return Sight(tuple(tracks), len(times), float(np.median(gaps)) if len(gaps) else 0.0)

    def hear(self, stretch: Stretch, margin: float, centre: float) -> Heard:
        """Listen to a stretch moved by ``centre`` seconds and widened by ``margin`` seconds on both sides."""
        begin = time.perf_counter()
        start, stop = stretch.start + centre, stretch.stop + centre
        blocks = list(
            read_samples(
                self._sound, sample_rate=_SAMPLE_RATE, start=Fraction(start - margin), stop=Fraction(stop + margin)
            )
        )
        heard = Heard(Sound(start, np.zeros((0, 40), np.float32)), 0.0, ())
        if blocks:
            origin = float(blocks[0].start)
            samples = np.concatenate([block.data for block in blocks])
            magnitudes: npt.NDArray[np.float32] = np.exp(log_mel(samples, _SAMPLE_RATE, floor=_MEL_FLOOR)) - _MEL_FLOOR
            first, last = (max(0, round((edge - origin) * _SAMPLE_RATE)) for edge in (start, stop))
            inside = samples[first:last]
            heard = Heard(
                sound=Sound(origin, magnitudes),
                speech_seconds=float((speech_activity(inside, _SAMPLE_RATE) > 0.5).sum()) / SPEECH_ROW_RATE,
                bursts=find_bursts(inside, _SAMPLE_RATE, start=origin + first / _SAMPLE_RATE),
            )
        self.seconds["sound"] += time.perf_counter() - begin
        return heard

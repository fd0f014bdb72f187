"""Every face of a clip as a track: who is where, with the mouth's motion, from one cut to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.face.cuts import with_cuts
from engine.face.landmarks import INNER_LIPS, OUTER_LIPS, FaceShape, shape_of
from engine.face.mesh import CropMesh, FaceFinder, Image, Mesh, overlap
from engine.face.mouth import mouth_patch

LOOK_EVERY = 1.0
"""Seconds between looks for new faces while at least one is being followed."""
LOOK_EVERY_ALONE = 0.2
"""The same while there is none."""
LOST_AFTER = 0.5
"""A face not seen for this many seconds ends its track."""
MAX_FACES = 6
"""Faces followed at once: more than that is a crowd, whose mouths are too small to measure."""
MAX_RESIDUAL = 0.16
"""Misfit of the stable points (in eye distances) above which the mesh hangs on something that is no face."""

_OUTLINE = [
    *(OUTER_LIPS[place] for place in (0, 2, 3, 5, 7, 8, 10, 12, 13, 15, 17, 18)),
    *(INNER_LIPS[place] for place in (0, 2, 5, 8, 10, 12, 15, 18)),
]
"""The lips in few points: both corners, the middles and what lies between; the outer ring, then the inner one."""


@dataclass(frozen=True, slots=True)
class FaceTrack:
    """One face from its first to its last frame.

    Attributes:
        number: counts tracks from 0 in order of appearance.
        times: true presentation times of the frames in which the face was seen, seconds, shape ``(n,)``.
        points: mouth region in the face's own frame, shape ``(n, 61, 3)`` (see ``FaceShape.points``).
        patches: grey mouth pictures, shape ``(n, 32, 48)``.
        boxes: ``x0, y0, x1, y1`` as shares of the picture's width and height, shape ``(n, 4)``.
        lips: outline of the lips, as :attr:`engine.sync.result.FacePath.lips`, shape ``(n, 20, 2)``.
        eye_distance: pixels between the eyes as if seen from the front, in the frames given, shape ``(n,)``.
        yaw: degrees the head is turned to a side, shape ``(n,)``.
        residual: misfit of the mesh, shape ``(n,)``; see ``FaceShape.residual``.
        missed: frames between first and last in which the face was not found.
    """

    number: int
    times: npt.NDArray[np.float64]
    points: npt.NDArray[np.float32]
    patches: npt.NDArray[np.uint8]
    boxes: npt.NDArray[np.float32]
    lips: npt.NDArray[np.uint16]
    eye_distance: npt.NDArray[np.float32]
    yaw: npt.NDArray[np.float32]
    residual: npt.NDArray[np.float32]
    missed: int

    def __len__(self) -> int:
        return len(self.times)

    def without_shapes(self) -> FaceTrack:
        """Return the track without points and patches, which are most of its memory."""
        return replace(self, points=self.points[:0], patches=self.patches[:0])

    @property
    def seconds(self) -> float:
        """From the first to the last sighting."""
        return float(self.times[-1] - self.times[0]) if len(self.times) else 0.0


@dataclass(slots=True)
class _Follower:
    """A track in the making."""

    number: int
    mesh: Mesh
    box: npt.NDArray[np.float32]
    last_seen: float
    times: list[float] = field(default_factory=list)
    shapes: list[FaceShape] = field(default_factory=list)
    patches: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    boxes: list[npt.NDArray[np.float32]] = field(default_factory=list)
    lips: list[npt.NDArray[np.uint16]] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    missed: int = 0
    pending_misses: int = 0

    def see(self, image: Image, time: float) -> None:
        found = self.mesh.follow(image, self.box)
        shape = None if found is None else shape_of(found.points)
        if found is None or shape is None or shape.residual > MAX_RESIDUAL:
            self.pending_misses += 1
            return
        self.box = found.box()
        height, width = image.shape[:2]
        self.times.append(time)
        self.shapes.append(shape)
        self.patches.append(mouth_patch(found.crop, shape))
        self.lips.append(_lips_of(found, self.box))
        self.boxes.append(self.box / np.array([width, height, width, height], np.float32))
        self.scales.append(shape.scale * found.zoom)
        self.missed += self.pending_misses
        self.pending_misses = 0
        self.last_seen = time

    def finished(self) -> FaceTrack:
        return FaceTrack(
            number=self.number,
            times=np.array(self.times),
            points=np.stack([shape.points for shape in self.shapes]),
            patches=np.stack(self.patches),
            boxes=np.stack(self.boxes),
            lips=np.stack(self.lips),
            eye_distance=np.array(self.scales, np.float32),
            yaw=np.array([shape.yaw_degrees for shape in self.shapes], np.float32),
            residual=np.array([shape.residual for shape in self.shapes], np.float32),
            missed=self.missed,
        )


def _lips_of(found: CropMesh, box: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """Return the outline of the lips in 65535ths of the face's box, shape ``(20, 2)``."""
    shares = (found.in_picture()[_OUTLINE, :2] - box[:2]) / np.maximum(box[2:] - box[:2], 1e-6)
    return np.asarray(np.round(np.clip(shares, 0, 1) * np.iinfo(np.uint16).max), np.uint16)


class FaceTracker:
    """Follows every face through a run of frames; a new track (and a fresh mesh) per face and per cut.

    The native graphs are made once and reused; one tracker may follow many clips one after another.
    """

    def __init__(self) -> None:
        self._finder = FaceFinder()
        self._idle: list[Mesh] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the native graphs."""
        self._finder.close()
        for mesh in self._idle:
            mesh.close()
        self._idle.clear()

    def follow(self, frames: Iterable[tuple[float, Image]]) -> Iterator[FaceTrack]:
        """Yield tracks as they end, the last ones when the frames do.

        Args:
            frames: presentation time in seconds and RGB picture, in display order.
        """
        for track in self.steps(frames):
            if track is not None:
                yield track

    def steps(self, frames: Iterable[tuple[float, Image]]) -> Iterator[FaceTrack | None]:
        """Follow faces as :meth:`follow` does, and yield ``None`` after each picture: a place to stop."""
        live: list[_Follower] = []
        try:
            next_number, next_look = 0, -np.inf
            for time, image, cut in with_cuts(frames):
                if cut:
                    yield from self._end(live)
                    live, next_look = [], -np.inf
                for follower in live:
                    follower.see(image, time)
                kept = [follower for follower in live if time - follower.last_seen < LOST_AFTER]
                kept = _without_doubles(kept)
                yield from self._end([follower for follower in live if follower not in kept])
                live = kept
                if time >= next_look and len(live) < MAX_FACES:
                    for box in self._finder.find(image, tiles=not live):
                        if len(live) < MAX_FACES and all(overlap(box, follower.box) < 0.2 for follower in live):
                            follower = _Follower(next_number, self._fresh_mesh(), box, time)
                            follower.see(image, time)
                            live.append(follower)
                            next_number += 1
                    next_look = time + (LOOK_EVERY if live else LOOK_EVERY_ALONE)
                yield None
            yield from self._end(live)
        finally:
            # Whoever stops on the way gives the graphs back, too.
            self._idle += [follower.mesh for follower in live if follower.mesh not in self._idle]

    def _fresh_mesh(self) -> Mesh:
        if not self._idle:
            return Mesh()
        mesh = self._idle.pop()
        mesh.restart()
        return mesh

    def _end(self, followers: list[_Follower]) -> Iterator[FaceTrack]:
        for follower in followers:
            self._idle.append(follower.mesh)
            if follower.times:
                yield follower.finished()


def _without_doubles(followers: list[_Follower]) -> list[_Follower]:
    """Drop the younger of two followers that have slid onto the same face."""
    kept: list[_Follower] = []
    for follower in followers:
        if all(overlap(follower.box, other.box) < 0.5 for other in kept):
            kept.append(follower)
    return kept

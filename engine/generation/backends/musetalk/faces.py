"""The chosen face, picture after picture.

What is found in a picture depends on the pictures before it, but only back to the beginning of its *block*, where the
mesh starts afresh: so a render that is taken up again in the middle finds what an unbroken one found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.face.cuts import with_cuts
from engine.face.mesh import CropMesh
from engine.generation.backend import Picture, RenderJob, SourceKind
from engine.generation.backends.chosen_face import FaceFollower
from engine.generation.backends.musetalk.blending import Mask, outline_mask
from engine.generation.backends.musetalk.boxes import Box, FacePoints
from engine.generation.backends.musetalk.parsing import SIDE

_BLOCK = 256
"""Pictures of a block: about ten seconds."""
_CUT_CONTEXT = 3
"""Pictures before a block that decide whether it begins with a cut."""
_HALF_WIDTH, _NOSE, _CHIN = 1.0, 0.42, 0.65
"""Of an average adult face, in distances between eyes and mouth, rounded: half its width, the nose's middle below the
eyes, the chin below the mouth."""

Points = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face in a picture.

    Attributes:
        points: what decides its box.
        mesh: MediaPipe's mesh in pixels, shape ``(478, 3)``; ``None`` for a face that was pointed out by hand.
    """

    points: FacePoints
    mesh: Points | None = None

    @classmethod
    def of(cls, found: CropMesh | None) -> FoundFace | None:
        """Return a face that was found, if one was."""
        if found is None:
            return None
        mesh = found.in_picture()
        return cls(FacePoints.of_mesh(mesh), mesh)

    def outline(self, square: Box) -> Mask:
        """Return the face in the square around it, less the nose, 0 or 255, shape ``(512, 512)``."""
        if self.mesh is not None:
            return outline_mask(self.mesh, square)
        scale = SIDE / (square[2] - square[0])
        middle = ((self.points.left + self.points.right) / 2 - square[0], self.points.middle - square[1])
        sides = ((self.points.right - self.points.left) / 2, self.points.bottom - self.points.middle)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        centre, axes = ((round(a * scale), round(b * scale)) for a, b in (middle, sides))
        return np.asarray(cv2.ellipse(mask, centre, axes, 0, 0, 360, (255,), -1))


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """One picture of the clip with the face in it.

    Attributes:
        frame: its number in the clip.
        number: of the source's picture that is shown.
        image: RGB, shape ``(h, w, 3)``.
        face: ``None`` where there is none that can be drawn on.
    """

    frame: int
    number: int
    image: Picture
    face: FoundFace | None


def by_hand(points: tuple[tuple[float, float], ...], size: tuple[int, int]) -> FoundFace:
    """Return a face that the user pointed out: eyes and mouth corners, as shares of width and height.

    Args:
        points: both eyes, both corners of the mouth.
        size: width and height of the picture.
    """
    pixels = np.array(points) * np.array(size)
    eyes, mouth = pixels[:2].mean(0), pixels[2:].mean(0)
    length = float(np.linalg.norm(mouth - eyes))
    return FoundFace(
        FacePoints(
            left=max(0, int(eyes[0] - _HALF_WIDTH * length)),
            right=min(size[0], int(eyes[0] + _HALF_WIDTH * length)),
            bottom=min(size[1], int(mouth[1] + _CHIN * length)),
            bridge=int(eyes[1]),
            middle=int(eyes[1] + _NOSE * length),
            tip=int(eyes[1] + 2 * _NOSE * length),
        )
    )


def pointed_out(job: RenderJob) -> FoundFace | None:
    """Return the face that the user pointed out in a picture, if so."""
    if job.spec.face_points and job.source.kind is SourceKind.PICTURE:
        return by_hand(job.spec.face_points, job.source.size)
    return None


def pictures_from(job: RenderJob, first: int) -> Iterator[tuple[int, Picture]]:
    """Yield number and picture of all frames that decide what is found from a picture on, to the end of the clip."""
    for frame in range(max(0, first // _BLOCK * _BLOCK - _CUT_CONTEXT), job.plan.frame_count):
        yield frame, job.source.frame_at(frame)


def seen_pictures(pictures: Iterable[tuple[int, Picture]], job: RenderJob, first: int) -> Iterator[SeenPicture]:
    """Yield the pictures of the clip with the chosen face, from ``first`` to the end.

    Args:
        pictures: what :func:`pictures_from` yields for the same ``first``.
        job: what is wanted.
        first: number of the first picture that is wanted.
    """
    given = pointed_out(job)
    begin = first // _BLOCK * _BLOCK
    follower = FaceFollower(job.spec.face) if given is None else None
    try:
        last: tuple[int, FoundFace | None] | None = None
        for time, image, cut in with_cuts((float(frame), image) for frame, image in pictures):
            frame = round(time)
            if frame < begin:
                continue
            number = job.source.picture_number(frame)
            if follower is not None and (cut or frame % _BLOCK == 0):
                follower.restart()
                last = None
            # The same picture again (a still, a slow video) has the same face.
            if follower is None:
                last = (number, given)
            elif last is None or last[0] != number:
                last = (number, FoundFace.of(follower.find(image)))
            assert last is not None
            if frame >= first:
                yield SeenPicture(frame, number, image, last[1])
    finally:
        if follower is not None:
            follower.close()

"""Which face of the source speaks, and its landmarks, also where they are hard to see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.face.landmarks import shape_of
from engine.face.mesh import CropMesh, FaceFinder, Image, Mesh
from engine.face.tracks import MAX_RESIDUAL
from engine.refusal import Refused

Floats = npt.NDArray[np.float32]

_LOOKS = 5
"""How often a still picture is shown to the mesh network, which goes on from its last answer."""
_SAME_PERSON = 1.0
"""Faces of different moments are one person's when they are at most so many face widths apart."""
_LARGEST_SIDE = 1600
"""Faces are looked for in a picture no larger than this: the network sees 192 pixels anyway."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A face in one picture; each is equal to itself only.

    Attributes:
        frame: number of the picture in the clip.
        box: ``x0, y0, x1, y1`` in pixels.
    """

    frame: int
    box: Floats

    @property
    def middle(self) -> Floats:
        """Its middle, shape ``(2,)``."""
        return np.asarray((self.box[:2] + self.box[2:]) / 2, np.float32)

    @property
    def width(self) -> float:
        """Its width in pixels."""
        return float(self.box[2] - self.box[0])


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One person's places over a video.

    Attributes:
        sightings: in order of time, at least one.
    """

    sightings: tuple[Sighting, ...]

    def near(self, frame: int) -> Floats:
        """Return the box in which to expect the face in a frame, shape ``(4,)``."""
        frames = [each.frame for each in self.sightings]
        boxes = np.stack([each.box for each in self.sightings])
        return np.array([np.interp(frame, frames, boxes[:, side]) for side in range(4)], np.float32)


def boxes_in(finder: FaceFinder, image: Image) -> list[Floats]:
    """Return the boxes of all faces of a picture, best first; pictures of any size, also painted ones."""
    scale = min(1.0, _LARGEST_SIDE / max(image.shape[:2]))
    small = image
    if scale < 1:
        small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    for version in _versions(small):
        boxes = finder.find(version)
        if boxes:
            return [np.asarray(box / scale, np.float32) for box in boxes]
    return []


def _versions(image: Image) -> Iterator[Image]:
    """Yield a picture, then what may be seen better: smoothed brush strokes, evened light, a margin around the head."""
    yield image
    smooth = np.asarray(cv2.bilateralFilter(image, 9, 60, 9), np.uint8)
    yield smooth
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(2.0, (4, 4)).apply(lab[..., 0])
    yield np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def chosen_face(people: Sequence[Sequence[Sighting]], number: int | None) -> Sequence[Sighting]:
    """Return the person who is to speak.

    Args:
        people: sightings of each person, one list each, not empty.
        number: counted from the left beginning with 1; ``None`` is the one that takes most of the picture.

    Raises:
        Refused: ``draft.no_such_face``.
    """
    ordered = sorted(people, key=lambda each: float(np.mean([sighting.middle[0] for sighting in each])))
    if number is None:
        return max(ordered, key=lambda each: sum(sighting.width**2 for sighting in each))
    if number > len(ordered):
        raise Refused.because("draft.no_such_face", face=number, count=len(ordered))
    return ordered[number - 1]


def grouped(sightings: Sequence[Sequence[Sighting]]) -> list[list[Sighting]]:
    """Put sightings of successive pictures together by person; each inner sequence is one picture's."""
    people: list[list[Sighting]] = []
    for together in sightings:
        free = list(people)
        for face in together:
            near = [
                (float(np.linalg.norm(face.middle - person[-1].middle)) / max(face.width, person[-1].width), number)
                for number, person in enumerate(free)
            ]
            distance, number = min(near, default=(np.inf, -1))
            if distance <= _SAME_PERSON:
                free.pop(number).append(face)
            else:
                people.append([face])
    return people


def still_mesh(mesh: Mesh, image: Image, box: Floats) -> Floats | None:
    """Return the landmarks of a face in a still picture in pixels, shape ``(478, 3)``, or ``None``."""
    for version in _versions(image):
        mesh.restart()
        found: CropMesh | None = None
        for _ in range(_LOOKS):
            found = mesh.follow(version, box) or found
        if found is not None and shape_of(found.points).residual <= MAX_RESIDUAL:
            return found.in_picture()
    return None

"""The face that is to speak: found among those of a picture, followed, and told when nobody could draw on it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.face.landmarks import shape_of
from engine.face.mesh import CropMesh, FaceFinder, Mesh, overlap
from engine.generation.backend import Picture, Source
from engine.refusal import Refused

SMALLEST_WIDTH = 50.0
"""Pixels: a narrower face has no mouth to speak of (LatentSync's own limit)."""
LARGEST_YAW = 60.0
"""Degrees: further to the side the brows that LatentSync's alignment needs hide behind each other."""
_WORST_MISFIT = 0.16
"""Misfit of the mesh, in eye distances, above which it hangs on something that is no face."""
_LOOK_EVERY = 5
"""Pictures between looks for a face while there is none."""
_SAME_FACE = 0.2
"""Overlap from which on a face that is found again is the one that was lost."""
_SURVEYED = 12

Box = npt.NDArray[np.float32]
"""``x0, y0, x1, y1`` in pixels, shape ``(4,)``."""


class FaceFollower:
    """Follows one face from picture to picture.

    Args:
        number: which face, counted from the left beginning with 1; ``None`` takes the largest.
    """

    def __init__(self, number: int | None) -> None:
        self._number = number
        self._finder = FaceFinder()
        self._mesh = Mesh()
        self.restart()

    def close(self) -> None:
        """Free the native graphs."""
        self._finder.close()
        self._mesh.close()

    def restart(self) -> None:
        """Forget everything: another shot, or a place where a render may be taken up again."""
        self._mesh.restart()
        self._box: Box | None = None
        self._last_box: Box | None = None
        self._until_look = 0

    def find(self, image: Picture) -> CropMesh | None:
        """Return the face in the next picture, or ``None`` where there is none that can be drawn on."""
        found = None if self._box is None else self._follow(image, self._box)
        if found is None:
            found = self._look(image)
        if found is None:
            self._box = None
            return None
        self._box = self._last_box = found.box()
        return found

    def _look(self, image: Picture) -> CropMesh | None:
        if self._until_look > 0:
            self._until_look -= 1
            return None
        boxes, last = self._finder.find(image), self._last_box
        # Within a shot the face that was followed is taken up again, whoever else has come in meanwhile.
        same = [] if last is None else [box for box in boxes if overlap(box, last) > _SAME_FACE]
        box = chosen(same, None) if same else chosen(boxes, self._number)
        found = None
        if box is not None:
            self._mesh.restart()
            found = self._follow(image, box)
        self._until_look = 0 if found is not None else _LOOK_EVERY - 1
        return found

    def _follow(self, image: Picture, box: Box) -> CropMesh | None:
        found = self._mesh.follow(image, box)
        return found if found is not None and problem_of(found) is None else None


def chosen(boxes: list[Box], number: int | None) -> Box | None:
    """Return the face that is to move among those of a picture, or ``None`` if it is not there.

    Args:
        boxes: of all faces.
        number: which one, counted from the left beginning with 1; ``None`` takes the largest.
    """
    if number is None:
        return max(boxes, key=lambda box: float((box[2:] - box[:2]).prod()), default=None)
    ordered = sorted(boxes, key=lambda box: float(box[0] + box[2]))
    return ordered[number - 1] if number <= len(ordered) else None


def problem_of(found: CropMesh) -> str | None:
    """Return why nothing can be drawn on a face: ``no_face``, ``tiny_face`` or ``side_face``; ``None`` if it can."""
    shape = shape_of(found.points)
    points = found.in_picture()
    if shape.residual > _WORST_MISFIT:
        return "no_face"
    if float(np.ptp(points[:, 0])) < SMALLEST_WIDTH:
        return "tiny_face"
    return "side_face" if abs(shape.yaw_degrees) > LARGEST_YAW else None


def survey(source: Source, frame_count: int, number: int | None, *, engine: str) -> None:
    """Look at a few pictures of the whole clip, so that a face that nobody could draw on is told at once.

    Args:
        source: the face.
        frame_count: pictures of the clip.
        number: which face, as for :class:`FaceFollower`.
        engine: whose sentences say what is wrong.

    Raises:
        Refused: ``no_face``, ``fewer_faces``, ``tiny_face`` or ``side_face`` of the engine if none of the pictures has
            a face that can be drawn on.
    """
    problems: list[str] = []
    finder, mesh = FaceFinder(), Mesh()
    try:
        frames = sorted({round(place) for place in np.linspace(0, frame_count - 1, _SURVEYED)})
        pictures = {source.picture_number(frame): frame for frame in reversed(frames)}
        for frame in sorted(pictures.values()):
            image = source.frame_at(frame)
            boxes = finder.find(image)
            box = chosen(boxes, number)
            if box is None:
                problems.append("fewer_faces" if boxes else "no_face")
                continue
            mesh.restart()
            found = mesh.follow(image, box)
            problem = "no_face" if found is None else problem_of(found)
            if problem is None:
                return
            problems.append(problem)
    finally:
        finder.close()
        mesh.close()
    # What came nearest to a face that can be drawn on says most.
    nearest = next(each for each in ("side_face", "tiny_face", "fewer_faces", "no_face") if each in problems)
    raise Refused.because(
        f"{engine}.{nearest}", path=source.path, pixels=round(SMALLEST_WIDTH), number=number or 1, looked=len(problems)
    )

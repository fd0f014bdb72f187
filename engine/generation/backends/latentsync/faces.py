"""The chosen face, picture after picture: where it is, and what the network is shown of it.

What is found in a picture depends on the pictures before it, but only back to the beginning of its *block*: there the
mesh and the smoothing start afresh. So a render that is taken up again in the middle finds what an unbroken one found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.face.cuts import with_cuts
from engine.face.landmarks import fit_similarity, shape_of
from engine.face.mesh import CropMesh, FaceFinder, Mesh, overlap
from engine.generation.backend import Source
from engine.generation.backends.latentsync.align import Aligner, Image, Matrix, box_size, cut_out, three_points
from engine.generation.backends.latentsync.windows import Grid
from engine.refusal import Refused

BLOCK = 256
"""Drawn frames of a block: about ten seconds."""

SMALLEST_WIDTH = 50.0
"""Pixels: a narrower face has no mouth to speak of (LatentSync's own limit)."""
LARGEST_YAW = 60.0
"""Degrees: further to the side the brows that the alignment needs hide behind each other."""
_WORST_MISFIT = 0.16
"""Misfit of the mesh, in eye distances, above which it hangs on something that is no face."""
_LOOK_EVERY = 5
"""Pictures between looks for a face while there is none."""
_SAME_FACE = 0.2
"""Overlap from which on a face that is found again is the one that was lost."""
_CUT_CONTEXT = 3
"""Pictures before a block that decide whether it begins with a cut."""
_SURVEYED = 12
_MARKS = np.array([(0.308, 0.288), (0.697, 0.288), (0.365, 0.610), (0.659, 0.610)])
"""Where eyes and mouth corners lie in the face box, as shares of it: medians of 14 people, aligned as here."""

Box = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """One picture of the clip with what was found in it.

    Attributes:
        frame: its number in the clip.
        image: RGB, shape ``(h, w, 3)``.
        matrix: where the face is, ``None`` without one.
        begins_shot: whether a cut lies between the drawn frame before and the first one of this picture.
        crops: the face as the network sees it, by the number of the drawn frame; shape ``(resolution, resolution, 3)``
            each.
    """

    frame: int
    image: Image
    matrix: Matrix | None
    begins_shot: bool
    crops: dict[int, Image | None] = field(default_factory=dict)


class Finder(Protocol):
    """Says where the face is, picture after picture."""

    def find(self, image: Image) -> Matrix | None:
        """Return where the face is in the next picture, or ``None``."""
        ...

    def restart(self) -> None:
        """Forget everything: another shot, or another block."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class MarkedFace:
    """A face that the user has marked in a still picture, because none is found in it.

    Args:
        marks: right eye, left eye, right and left mouth corner (the person's right), as shares of width and height.
        size: width and height of the picture.
        resolution: side of the network's square.
    """

    def __init__(self, marks: tuple[tuple[float, float], ...], size: tuple[int, int], resolution: int) -> None:
        places: npt.NDArray[np.float64] = np.array(marks, np.float64) * np.array(size, np.float64)
        wanted: npt.NDArray[np.float64] = np.asarray(_MARKS * box_size(resolution), np.float64)
        scale, rotation, shift = fit_similarity(places, wanted)
        self._matrix = np.hstack([scale * rotation, shift[:, None]])

    def find(self, image: Image) -> Matrix | None:  # noqa: ARG002 - it does not move
        """Return where the face is."""
        return self._matrix

    def restart(self) -> None:
        """Do nothing: there is nothing to forget."""

    def close(self) -> None:
        """Do nothing: nothing is held."""


class ChosenFace:
    """Follows one face from picture to picture.

    Args:
        resolution: side of the network's square.
        number: which face, counted from the left beginning with 1; ``None`` takes the largest.
        calibration: see :class:`~engine.generation.backends.latentsync.align.Aligner`.
    """

    def __init__(self, resolution: int, number: int | None, calibration: float) -> None:
        self._number = number
        self._aligner = Aligner(resolution, calibration=calibration)
        self._finder = FaceFinder()
        self._mesh = Mesh()
        self.restart()

    def close(self) -> None:
        """Free the native graphs."""
        self._finder.close()
        self._mesh.close()

    def restart(self) -> None:
        """Forget everything: another shot, or another block."""
        self._mesh.restart()
        self._aligner.restart()
        self._box: Box | None = None
        self._last_box: Box | None = None
        self._until_look = 0

    def find(self, image: Image) -> Matrix | None:
        """Return where the face is in the next picture, or ``None``."""
        mesh = None if self._box is None else self._follow(image, self._box)
        if mesh is None:
            mesh = self._look(image)
        if mesh is None:
            self._aligner.restart()
            self._box = None
            return None
        points = mesh.in_picture()[:, :2]
        self._box = self._last_box = np.concatenate([points.min(0), points.max(0)])
        return self._aligner.matrix(three_points(points))

    def _look(self, image: Image) -> CropMesh | None:
        if self._until_look > 0:
            self._until_look -= 1
            return None
        boxes, last = self._finder.find(image), self._last_box
        # Within a shot the face that was followed is taken up again, whoever else has come in meanwhile.
        same = [] if last is None else [box for box in boxes if overlap(box, last) > _SAME_FACE]
        box = chosen(same, None) if same else chosen(boxes, self._number)
        mesh = None
        if box is not None:
            self._mesh.restart()
            mesh = self._follow(image, box)
        self._until_look = 0 if mesh is not None else _LOOK_EVERY - 1
        return mesh

    def _follow(self, image: Image, box: Box) -> CropMesh | None:
        found = self._mesh.follow(image, box)
        return found if found is not None and problem_of(found) is None else None


def chosen(boxes: list[Box], number: int | None) -> Box | None:
    """Return the face that is to move among those of a picture, or ``None`` if it is not there.

    Args:
        boxes: ``x0, y0, x1, y1`` each.
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


def survey(source: Source, frame_count: int, number: int | None, *, engine: str = "latentsync") -> None:
    """Look at a few pictures of the whole clip, so that a face that nobody could draw on is told at once.

    Args:
        source: the face.
        frame_count: pictures of the clip.
        number: which face, as for :class:`ChosenFace`.
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
    worst = next(each for each in ("side_face", "tiny_face", "fewer_faces", "no_face") if each in problems)
    raise Refused.because(
        f"{engine}.{worst}", path=source.path, pixels=round(SMALLEST_WIDTH), number=number or 1, looked=len(problems)
    )


def pictures_from(source: Source, grid: Grid, first: int) -> Iterator[tuple[int, Image]]:
    """Yield number and picture of all frames that decide what is found from a picture on, to the end of the clip.

    Args:
        source: the face.
        grid: rate and length of the clip.
        first: number of the first picture that is wanted; its block, and what says whether that begins with a cut,
            comes before it.
    """
    for frame in range(max(0, _block_begin(grid, first) - _CUT_CONTEXT), grid.frame_count):
        yield frame, source.frame_at(frame)


def seen_pictures(
    pictures: Iterable[tuple[int, Image]],
    source: Source,
    grid: Grid,
    resolution: int,
    make_face: Callable[[], Finder],
    first: int,
) -> Iterator[SeenPicture]:
    """Yield the pictures of the clip with the chosen face, from ``first`` on.

    Args:
        pictures: what :func:`pictures_from` yields for the same ``first``.
        source: says which pictures are the same one again.
        grid: rate and length of the clip.
        resolution: side of the network's square.
        make_face: returns a follower; it is closed when the pictures end or this generator is closed.
        first: number of the first picture that is wanted.
    """
    begin = _block_begin(grid, first)
    face = make_face()
    try:
        last: tuple[int, Matrix | None] | None = None
        begins_shot = False
        for time, image, cut in with_cuts((float(frame), image) for frame, image in pictures):
            frame = round(time)
            if frame < begin:
                continue
            if cut or frame == _block_begin(grid, frame):
                face.restart()
                last = None
            number = source.picture_number(frame)
            # The same picture again (a still, a slow video) has the same face.
            matrix = last[1] if last is not None and last[0] == number else face.find(image)
            last = (number, matrix)
            drawn = grid.drawn_from(frame)
            begins_shot = begins_shot or cut
            if frame >= first:
                crop = cut_out(image, matrix, resolution) if drawn and matrix is not None else None
                yield SeenPicture(frame, image, matrix, begins_shot, dict.fromkeys(drawn, crop))
            begins_shot = begins_shot and not drawn
    finally:
        face.close()


def _block_begin(grid: Grid, frame: int) -> int:
    """Return the first picture of the block that a picture belongs to."""
    block = grid.drawn_for(frame) // BLOCK * BLOCK
    first = max(0, grid.picture_for(block) - 1)
    while grid.drawn_for(first) < block:
        first += 1
    return first

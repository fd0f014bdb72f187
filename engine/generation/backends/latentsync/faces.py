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
from engine.face.landmarks import fit_similarity
from engine.generation.backend import Source
from engine.generation.backends.chosen_face import FaceFollower
from engine.generation.backends.latentsync.align import Aligner, Image, Matrix, box_size, cut_out, three_points
from engine.generation.backends.latentsync.windows import Grid

BLOCK = 256
"""Drawn frames of a block: about ten seconds."""

_CUT_CONTEXT = 3
"""Pictures before a block that decide whether it begins with a cut."""
_MARKS = np.array([(0.308, 0.288), (0.697, 0.288), (0.365, 0.610), (0.659, 0.610)])
"""Where eyes and mouth corners lie in the face box, as shares of it: medians of 14 people, aligned as here."""


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
    """Aligns one face from picture to picture.

    Args:
        resolution: side of the network's square.
        number: which face, counted from the left beginning with 1; ``None`` takes the largest.
        calibration: see :class:`~engine.generation.backends.latentsync.align.Aligner`.
    """

    def __init__(self, resolution: int, number: int | None, calibration: float) -> None:
        self._follower = FaceFollower(number)
        self._aligner = Aligner(resolution, calibration=calibration)

    def close(self) -> None:
        """Free the native graphs."""
        self._follower.close()

    def restart(self) -> None:
        """Forget everything: another shot, or another block."""
        self._follower.restart()
        self._aligner.restart()

    def find(self, image: Image) -> Matrix | None:
        """Return where the face is in the next picture, or ``None``."""
        found = self._follower.find(image)
        if found is None:
            self._aligner.restart()
            return None
        return self._aligner.matrix(three_points(found.in_picture()))


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

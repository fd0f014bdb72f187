"""A render on its way: pictures are read, faces found, windows drawn and mouths put in, all at the same time.

Pictures flow through; nothing but the ones between the reader and the encoder is held: those of the windows that are
being drawn, and of the one that is being got ready meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from engine.generation.backend import Picture, Source
from engine.generation.backends.latentsync.align import Image, paste_box, paste_mouth
from engine.generation.backends.latentsync.audio import Hearing
from engine.generation.backends.latentsync.drawing import Face, WindowPart
from engine.generation.backends.latentsync.faces import Finder, SeenPicture, pictures_from, seen_pictures
from engine.generation.backends.latentsync.windows import MODEL_FPS, Grid, unbroken
from engine.generation.device_pool import Pool
from engine.generation.drawn_ahead import PICTURES_READ, PICTURES_READY, DrawnAhead, Shown, awaited
from engine.generation.pipeline import Pipeline, Shelf
from engine.generation.plan import Segment
from engine.jobs import Progress


@dataclass(frozen=True, slots=True)
class Manner:
    """How a render treats the picture.

    Attributes:
        resolution: side of the network's square.
        make_finder: returns what finds the face.
        whole_box: paste the whole face box, as the published program does, instead of the mouth region.
        batch: windows that a device draws together.
    """

    resolution: int
    make_finder: Callable[[], Finder]
    whole_box: bool
    batch: int = 1


@dataclass(frozen=True, slots=True)
class _Batch:
    """Windows that are drawn together.

    Attributes:
        parts: what of them has to be drawn.
        windows: the window that each part belongs to.
        pictures: of the clip, for which everything is drawn after this batch; emptied as they are put together.
        answer: the drawn faces of each part, ``None`` where nothing has to be drawn.
    """

    parts: list[WindowPart]
    windows: list[int]
    pictures: deque[SeenPicture]
    answer: Future[list[Face]] | None


class Rendering:
    """Draws segment after segment of one clip.

    Args:
        source: the face.
        grid: rate, length and windows of the clip.
        hearing: what is said.
        shares: how much of each drawn frame is shown, shape ``(drawn frames,)``.
        pool: draws parts of windows.
        manner: how the picture is treated.
    """

    def __init__(
        self,
        source: Source,
        grid: Grid,
        hearing: Hearing,
        shares: npt.NDArray[np.float32],
        pool: Pool[Sequence[WindowPart], list[Face]],
        manner: Manner,
    ) -> None:
        self._source = source
        self._grid = grid
        self._hearing = hearing
        self._shares = shares
        self._pool = pool
        self._manner = manner
        self._ahead = DrawnAhead(self._started, pool)

    def close(self) -> None:
        """Stop everything, and give back what draws."""
        self._ahead.close()

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """Yield the pictures of a segment; what was prepared for it by the one before is used."""
        yield from self._ahead.render(segment)

    def _started(self, pipeline: Pipeline, segment: Segment) -> Shelf[Shown]:
        """Set up the stages for the rest of the clip."""
        window = self._grid.windows_for(segment)[0]
        first = min(self._grid.picture_for(self._grid.window(window)[0]), segment.first_frame)
        resolution, make_finder = self._manner.resolution, self._manner.make_finder
        decoded = pipeline.stage(pictures_from(self._source, self._grid, first), PICTURES_READ, "decoding")
        found = seen_pictures(decoded, self._source, self._grid, resolution, make_finder, first)
        seen = pipeline.stage(found, PICTURES_READ, "faces")
        batches = pipeline.stage(self._batches(seen, window, segment.first_frame), self._pool.devices, "windows")
        return pipeline.stage(self._shown(batches, pipeline), PICTURES_READY, "pasting")

    def _batches(self, seen: Iterator[SeenPicture], window: int, first_shown: int) -> Iterator[_Batch]:
        """Hand windows in to be drawn, as many at a time as a device draws together.

        Args:
            seen: the pictures from the first one that any of the windows needs.
            window: the first one that is drawn.
            first_shown: number of the first picture that is wanted.
        """
        grid, last = self._grid, self._grid.last_window
        crops: dict[int, tuple[Image | None, bool]] = {}
        pictures: deque[SeenPicture] = deque()
        reached = -1
        while window <= last:
            windows = range(window, min(window + self._manner.batch, last + 1))
            window = windows.stop
            # Everything before the next batch's first frame is drawn after this one.
            stop = grid.drawn_count if window > last else grid.window(window)[0]
            while grid.window(windows[-1])[-1] not in crops or (
                reached < grid.frame_count - 1 and grid.drawn_for(reached + 1) < stop
            ):
                each = next(seen)
                reached = each.frame
                _take_crops(each, crops)
                if reached >= first_shown:
                    pictures.append(each)
            parts, owners = [], []
            for number in windows:
                for part in self._parts(grid.window(number), crops):
                    parts.append(part)
                    owners.append(number)
            for old in [drawn for drawn in crops if drawn < stop]:
                del crops[old]
            ready: deque[SeenPicture] = deque()
            while pictures and grid.drawn_for(pictures[0].frame) < stop:
                ready.append(pictures.popleft())
            yield _Batch(parts, owners, ready, self._pool.submit(parts) if parts else None)

    def _parts(self, window: range, crops: Mapping[int, tuple[Image | None, bool]]) -> Iterator[WindowPart]:
        """Yield what of a window has to be drawn."""
        shown = [crops[drawn] for drawn in window]
        for part in unbroken(window, [crop is not None for crop, _ in shown], [cut for _, cut in shown]):
            if not self._shares[part.start : part.stop].any():
                continue
            faces = [crop for crop, _ in shown[part.start - window.start : part.stop - window.start]]
            audio = self._hearing.tokens([Fraction(drawn) / MODEL_FPS for drawn in part])
            yield WindowPart(part.start, np.stack([face for face in faces if face is not None]), audio.numpy())

    def _shown(self, batches: Iterator[_Batch], pipeline: Pipeline) -> Iterator[Shown]:
        """Put drawn mouths into the pictures."""
        faces: dict[int, Face] = {}
        for batch in batches:
            drawn_parts = awaited(batch.answer, pipeline) if batch.answer is not None else []
            for window, part, drawn in zip(batch.windows, batch.parts, drawn_parts, strict=True):
                self._add(faces, window, part.first, drawn)
            while batch.pictures:
                seen = batch.pictures.popleft()
                number = self._grid.drawn_for(seen.frame)
                image = self._pasted(seen, faces.get(number), float(self._shares[number]))
                for old in [each for each in faces if each < number]:
                    del faces[old]
                yield Shown(image, is_untouched=seen.matrix is None)

    def _add(self, faces: dict[int, Face], window: int, first: int, drawn: Face) -> None:
        """Take drawn faces in; where windows overlap, they fade into each other."""
        for number, face in enumerate(drawn, start=first):
            share = dict(self._grid.shares(number))[window]
            before = faces.get(number)
            faded = face if share == 1 else face * np.float32(share)
            faces[number] = faded if before is None else before + faded

    def _pasted(self, seen: SeenPicture, face: Face | None, share: float) -> Picture:
        if seen.matrix is None or face is None or share == 0:
            return seen.image
        paste = paste_box if self._manner.whole_box else paste_mouth
        return paste(seen.image, face, seen.matrix, share)


def _take_crops(seen: SeenPicture, crops: dict[int, tuple[Image | None, bool]]) -> None:
    """Take what the network is shown out of a picture; only the first crop after a cut begins a shot."""
    begins = seen.begins_shot
    for drawn, crop in seen.crops.items():
        crops[drawn] = (crop, begins)
        begins = False
    seen.crops.clear()

"""All of it, picture by picture: read, faces found, drawn in batches, put back, all at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from engine.generation.backend import Picture, RenderJob
from engine.generation.backends.device_memory import memory_of
from engine.generation.backends.musetalk.audio import Hearing
from engine.generation.backends.musetalk.blending import (
    MANNERS,
    Image,
    SoftMask,
    blended,
    face_mask,
    for_parser,
    parts_mask,
)
from engine.generation.backends.musetalk.boxes import Box, around, with_margin, within
from engine.generation.backends.musetalk.drawing import Faces
from engine.generation.backends.musetalk.faces import FoundFace, SeenPicture, pictures_from, seen_pictures
from engine.generation.backends.musetalk.kept import Kept
from engine.generation.backends.musetalk.network import cropped
from engine.generation.backends.musetalk.parsing import BiSeNet
from engine.generation.backends.musetalk.settings import Settings, Version
from engine.generation.device_pool import Pool
from engine.generation.drawn_ahead import PICTURES_READ, PICTURES_READY, DrawnAhead, Shown, awaited
from engine.generation.pipeline import Pipeline, Shelf
from engine.generation.plan import Segment
from engine.jobs import Progress

_NOTHING = 1e-3


@dataclass(frozen=True, slots=True)
class _Batch:
    """Successive pictures whose faces are drawn together.

    Attributes:
        seen: the pictures.
        boxes: where each face is drawn, ``None`` where nothing is.
        answer: the drawn faces, ``None`` if there is none to draw.
    """

    seen: list[SeenPicture]
    boxes: list[Box | None]
    answer: Future[Image] | None


class Rendering:
    """Draws segment after segment of one clip.

    Args:
        job: what is wanted.
        settings: the engine's own.
        version: of MuseTalk, never ``AUTO``.
        hearing: what is said.
        shares: how much of each frame is shown, shape ``(frames,)``.
        pool: draws faces.
        parser: says which pixel is skin; ``None`` takes the face's outline instead.
        batch: frames drawn at a time.
    """

    def __init__(
        self,
        job: RenderJob,
        settings: Settings,
        version: Version,
        hearing: Hearing,
        shares: npt.NDArray[np.float32],
        pool: Pool[Faces, Image],
        parser: BiSeNet | None,
        batch: int,
    ) -> None:
        self._job, self._settings, self._version = job, settings, version
        self._hearing, self._shares, self._parser, self._batch = hearing, shares, parser, batch
        self._pool = pool
        self._masks = Kept[SoftMask]()
        self._ahead = DrawnAhead(self._started, pool)

    def close(self) -> None:
        """Stop everything, and give back what draws."""
        self._ahead.close()

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """Yield the pictures of a segment; what was prepared for it by the one before is used."""
        yield from self._ahead.render(segment)

    def _started(self, pipeline: Pipeline, segment: Segment) -> Shelf[Shown]:
        """Set up the stages for the rest of the clip."""
        first = segment.first_frame
        decoded = pipeline.stage(pictures_from(self._job, first), PICTURES_READ, "decoding")
        seen = pipeline.stage(seen_pictures(decoded, self._job, first), PICTURES_READ, "faces")
        batches = pipeline.stage(self._batches(seen, segment.index), self._pool.devices, "batches")
        return pipeline.stage(self._shown(batches, pipeline), PICTURES_READY, "blending")

    def _batches(self, seen: Iterator[SeenPicture], first_segment: int) -> Iterator[_Batch]:
        """Hand faces in to be drawn; a batch ends with its segment, so that it is the same wherever a render begins."""
        for segment in self._job.plan.segments[first_segment:]:
            pictures = islice(seen, segment.frame_count)
            while batch := list(islice(pictures, self._batch)):
                boxes = [self._box(each) for each in batch]
                chosen = [(each, box) for each, box in zip(batch, boxes, strict=True) if box is not None]
                yield _Batch(batch, boxes, self._pool.submit(self._faces(chosen)) if chosen else None)

    def _box(self, seen: SeenPicture) -> Box | None:
        """Return where a face is drawn, ``None`` if nowhere."""
        if seen.face is None or self._shares[seen.frame] <= _NOTHING:
            return None
        height, width = seen.image.shape[:2]
        # Where the points make no box in the picture, the visible part of the face is taken.
        points = seen.face.points
        visible = within((points.left, 0, points.right, points.bottom), width, height)
        box = points.shifted(self._settings.bbox_shift).box(visible)
        if box is not None and self._version is Version.V1_5:
            box = with_margin(box, self._settings.extra_margin, height)
        return None if box is None else within(box, width, height)

    def _faces(self, chosen: list[tuple[SeenPicture, Box]]) -> Faces:
        keys = tuple((seen.number, box) for seen, box in chosen)
        crops = np.stack([cropped(seen.image, box) for seen, box in chosen])
        return Faces(keys, crops, self._hearing.tokens([seen.frame for seen, _ in chosen]).numpy())

    def _shown(self, batches: Iterator[_Batch], pipeline: Pipeline) -> Iterator[Shown]:
        """Blend drawn faces into the pictures."""
        for batch in batches:
            faces = iter(awaited(batch.answer, pipeline) if batch.answer is not None else ())
            for seen, box in zip(batch.seen, batch.boxes, strict=True):
                image = seen.image if box is None else self._pasted(seen, box, next(faces))
                yield Shown(image, is_untouched=seen.face is None)

    def _pasted(self, seen: SeenPicture, box: Box, face: Image) -> Picture:
        assert seen.face is not None
        mask = self._mask(seen, seen.face, box)
        share = float(self._shares[seen.frame])
        if share < 1:
            mask = SoftMask(mask.square, np.rint(mask.share * share).astype(np.uint8))
        return blended(seen.image, face, box, mask)

    def _mask(self, seen: SeenPicture, face: FoundFace, box: Box) -> SoftMask:
        key = (seen.number, box)
        mask = self._masks.get(key)
        if mask is None:
            manner = MANNERS[self._version]
            square = around(box, manner.expand)
            mask = SoftMask.of(self._hard(seen.image, face, square), box, manner)
            self._masks.put(key, mask, mask.share.nbytes)
        return mask

    def _hard(self, image: Picture, face: FoundFace, square: Box) -> Image:
        if self._parser is None:
            return face.outline(square)
        with memory_of(self._parser.device):
            classes = self._parser.classes(for_parser(image, square))
        if self._version is Version.V1_0:
            return face_mask(classes)
        return parts_mask(classes, self._settings.area, self._settings.left_cheek, self._settings.right_cheek)

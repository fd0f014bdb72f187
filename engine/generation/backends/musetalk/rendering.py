"""All of it, picture by picture: faces are found ahead, drawn in batches on one card or several, and put back."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from threading import Event, Lock
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.generation.backend import Picture, RenderJob
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
from engine.generation.backends.musetalk.faces import FoundFace, SeenPicture, seen_pictures
from engine.generation.backends.musetalk.network import Networks, cropped
from engine.generation.backends.musetalk.parsing import BiSeNet
from engine.generation.backends.musetalk.settings import Settings, Version
from engine.generation.events import Notice
from engine.generation.plan import Segment
from engine.jobs import Progress
from engine.refusal import Refused
from engine.sync.ahead import read_ahead
from engine.words import Message

_KEPT_BYTES = 64 << 20
"""Latents and masks of pictures that come again, as in a loop or a still, are kept up to this much each."""
_LATENT_SIDE = 32
_READ_AHEAD_BYTES = 128 << 20
_MOST_AHEAD = 16
_NOTHING = 1e-3

_PATIENCE = 0.3
"""Seconds between signs of life while a batch is drawn."""

Key = tuple[int, Box]
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What is drawn on one picture.

    Attributes:
        key: the source's picture and the box in it.
        crop: the face as the network sees it.
        frame: the clip's, whose sound is heard.
    """

    key: Key
    crop: Image
    frame: int


class Rendering:
    """Draws segment after segment of one clip.

    Args:
        job: what is wanted.
        settings: the engine's own.
        version: of MuseTalk, never ``AUTO``.
        hearing: what is said.
        shares: how much of each frame is shown, shape ``(frames,)``.
        networks: one per device; with several, batches are drawn at the same time, and the pictures stay the same.
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
        networks: Sequence[Networks],
        parser: BiSeNet | None,
        batch: int,
    ) -> None:
        self._job, self._settings, self._version = job, settings, version
        self._hearing, self._shares, self._parser, self._batch = hearing, shares, parser, batch
        self._networks = list(networks)
        # A thread for each: networks that take turns on a card must not be asked for two batches at once.
        self._threads = [ThreadPoolExecutor(1, thread_name_prefix="musetalk") for _ in self._networks]
        self._closed = Event()
        self._latents = _Kept[Tensor]()
        self._masks = _Kept[SoftMask]()
        self._seen: Iterator[SeenPicture] = iter(())
        self._next_frame = -1

    def close(self) -> None:
        """Stop reading ahead and drawing."""
        self._stop()
        self._closed.set()
        for thread in self._threads:
            thread.shutdown(wait=False, cancel_futures=True)
        self._networks.clear()

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """Yield the pictures of a segment; what was prepared for it by the one before is used."""
        if segment.first_frame != self._next_frame:
            self._stop()
            width, height = self._job.source.size
            ahead = max(2, min(_MOST_AHEAD, _READ_AHEAD_BYTES // (3 * width * height)))
            self._seen = read_ahead(seen_pictures(self._job, segment.first_frame), ahead)
        self._next_frame = -1  # until this segment is finished, nobody knows how far the reader will have come
        pictures = islice(self._seen, segment.frame_count)
        waiting: deque[tuple[list[SeenPicture], list[_Drawing | None], Future[Image] | None]] = deque()
        done, untouched, turn = 0, 0, 0
        while done < segment.frame_count:
            # One batch more than there are devices, so that none waits while pictures are put back.
            while len(waiting) <= len(self._networks) and (seen := list(islice(pictures, self._batch))):
                drawings = [self._drawing(each) for each in seen]
                wanted = [each for each in drawings if each is not None]
                future = self._submitted(turn % len(self._networks), wanted) if wanted else None
                waiting.append((seen, drawings, future))
                turn += 1
            seen, drawings, future = waiting.popleft()
            yield Progress("drawing", done / segment.frame_count)
            while future is not None and not wait([future], _PATIENCE).done:
                yield Progress("drawing", done / segment.frame_count)
            faces = iter(future.result() if future is not None else ())
            for each, drawing in zip(seen, drawings, strict=True):
                untouched += each.face is None
                done += 1
                yield each.image if drawing is None else self._pasted(each, drawing.key[1], next(faces))
        self._next_frame = segment.stop_frame
        if untouched:
            note = Message("musetalk.note.untouched", count=untouched, all=segment.frame_count)
            yield Progress("drawing", 1.0, Notice(note))

    def _stop(self) -> None:
        if isinstance(self._seen, Generator):
            self._seen.close()
        self._seen = iter(())

    def _drawing(self, seen: SeenPicture) -> _Drawing | None:
        box = None if seen.face is None else self._box(seen.face, seen.image)
        if box is None or self._shares[seen.frame] <= _NOTHING:
            return None
        return _Drawing((seen.number, box), cropped(seen.image, box), seen.frame)

    def _box(self, face: FoundFace, image: Picture) -> Box | None:
        height, width = image.shape[:2]
        # Where the points make no box in the picture, the visible part of the face is taken.
        points = face.points
        visible = within((points.left, 0, points.right, points.bottom), width, height)
        box = points.shifted(self._settings.bbox_shift).box(visible)
        if box is not None and self._version is Version.V1_5:
            box = with_margin(box, self._settings.extra_margin, height)
        return None if box is None else within(box, width, height)

    def _submitted(self, device: int, drawings: list[_Drawing]) -> Future[Image]:
        tokens = self._hearing.tokens([each.frame for each in drawings])
        return self._threads[device].submit(self._draw, self._networks[device], drawings, tokens)

    def _draw(self, networks: Networks, drawings: list[_Drawing], tokens: Tensor) -> Image:
        """Return the drawn faces, shape ``(n, 256, 256, 3)``; runs in a thread of its own."""
        latents = torch.stack([self._encoded(networks, each) for each in drawings])
        predicted = networks.predict(latents, tokens)
        if not bool(torch.isfinite(predicted).all()):
            if networks.is_single_precision:
                raise Refused.because("musetalk.not_a_number")
            # Half precision overflows on some cards; what was computed with it is not to be trusted.
            networks.in_single_precision()
            self._latents.clear()
            return self._draw(networks, drawings, tokens)
        return networks.decode(predicted)

    def _encoded(self, networks: Networks, drawing: _Drawing) -> Tensor:
        if self._closed.is_set():
            raise CancelledError
        latents = self._latents.get(drawing.key)
        if latents is None:
            # Of the picture's number alone: the same on any card, in any order, after any interruption.
            generator = torch.Generator().manual_seed((self._job.spec.seed * 1_000_003 + drawing.key[0]) % 2**63)
            noise = torch.randn(2, 4, _LATENT_SIDE, _LATENT_SIDE, generator=generator)
            latents = networks.encode(drawing.crop, noise).float().cpu()
            self._latents.put(drawing.key, latents, latents.nbytes)
        return latents

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
        classes = self._parser.classes(for_parser(image, square))
        if self._version is Version.V1_0:
            return face_mask(classes)
        return parts_mask(classes, self._settings.area, self._settings.left_cheek, self._settings.right_cheek)


class _Kept(Generic[Thing]):
    """Things by picture, the ones used last being kept; several threads may use it."""

    def __init__(self) -> None:
        self._things: OrderedDict[Key, tuple[Thing, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Key) -> Thing | None:
        with self._lock:
            if key not in self._things:
                return None
            self._things.move_to_end(key)
            return self._things[key][0]

    def put(self, key: Key, thing: Thing, size: int) -> None:
        with self._lock:
            self._bytes += size - self._things.pop(key, (thing, 0))[1]
            self._things[key] = thing, size
            while self._bytes > _KEPT_BYTES and len(self._things) > 1:
                self._bytes -= self._things.popitem(last=False)[1][1]

    def clear(self) -> None:
        with self._lock:
            self._things.clear()
            self._bytes = 0

"""From blocks of latents to pictures in order: one thread denoises, one decodes, both can be stopped at any time."""

from __future__ import annotations

import json
import shutil
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.generation.backends.liveavatar.config import BLOCK_FRAMES
from engine.generation.backends.liveavatar.denoiser import Denoiser
from engine.generation.backends.liveavatar.schedule import Finished
from engine.generation.backends.liveavatar.vae import Picture, StreamDecoder, launched
from engine.jobs import Progress

_AHEAD = 2
"""Blocks that may wait for the decoder; then the network waits, too."""
_PATIENCE = 0.4
"""Seconds between two chances to stop."""
_SAVED = "rings-"
_DECODER = "decoder.safetensors"
_PICTURES = "pictures.npy"
_WRITING_RATE = 5e8
"""Bytes per second that a disk is thought to write."""
_WRITING_SHARE = 0.05
"""Share of the time that may go into saving."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a drawing stands, and from where it can go on.

    Attributes:
        saved: name of the folder with rings and the rest; empty if nothing was saved.
        first: number of the first picture that is in that folder or comes after it.
        kind: of what was saved, see :class:`Drawing`.
    """

    saved: str = ""
    first: int = 0
    kind: str = ""


class _Made(NamedTuple):
    """What the decoder is given."""

    latents: Tensor
    ready: torch.cuda.Event | None


class Drawing:
    """Pictures of a clip, in order.

    Args:
        denoiser: makes blocks of latents.
        decoder: primed with the past.
        lead_in: pictures at the beginning that nobody is shown.
        folder: where to save what the next blocks depend on.
        weight: bytes of that; 0 to save nothing.
        kind: says what is saved; it can only be taken up by a drawing of the same kind. Where memory has become
            scarcer, the network may remember less than before.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        decoder: StreamDecoder,
        lead_in: int,
        folder: Path,
        weight: int = 0,
        kind: str = "",
    ) -> None:
        self._denoiser = denoiser
        self._decoder = decoder
        self._folder = folder
        self._weight = weight
        self._kind = kind
        self._blocks: Iterator[Finished] | None = None
        self._making: Future[_Made | None] | None = None
        self._ended = False
        self._decoding: deque[Future[list[Picture]]] = deque()
        self._ready: deque[Picture] = deque()
        self._next = -lead_in
        self._threads = ThreadPoolExecutor(1, "denoising"), ThreadPoolExecutor(1, "decoding")
        self._position = Position()
        self._saved_at = time.monotonic()

    def pictures(self, first: int, count: int) -> Iterator[Picture | Progress]:
        """Yield pictures of the clip; those before ``first`` that are not made yet are made and thrown away.

        Raises:
            ValueError: if they were asked for already.
        """
        if first < self._next:
            raise ValueError(f"picture {first} is gone, {self._next} is next")
        given = 0
        while given < count:
            yield from self._fill()
            picture = self._ready.popleft()
            self._next += 1
            if self._next > first:
                given += 1
                yield picture

    def _fill(self) -> Iterator[Progress]:
        """Wait until a picture is ready; meanwhile the next block is made."""
        while not self._ready:
            if self._making is None and not self._ended:
                self._make()
            if self._may_take():
                self._take()
            elif self._decoding and self._decoding[0].done():
                self._ready.extend(self._decoding.popleft().result())
            else:
                futures = (self._making, *self._decoding)
                yield from _until([future for future in futures if future is not None and not future.done()])

    def _may_take(self) -> bool:
        """Return whether a block is made, and the decoder near enough; if making it failed, when all else is given."""
        if self._making is None or not self._making.done():
            return False
        return not self._decoding or (len(self._decoding) < _AHEAD and self._making.exception() is None)

    def _make(self) -> None:
        if self._blocks is None:
            self._blocks = self._denoiser.blocks()
        self._making = self._threads[0].submit(_next, self._blocks)

    def _take(self) -> None:
        """Hand a block that is made to the decoder, and begin the next one."""
        assert self._making is not None
        made = self._making.result()
        self._making = None
        if made is None:
            self._ended = True
            if not self._decoding:
                raise RuntimeError("more pictures are wanted than blocks were planned")
            return
        self._decoding.append(self._threads[1].submit(self._decoder.pictures, *made))
        self._make()

    # --- going on later ----------------------------------------------------------------------------------------------

    def state(self) -> bytes:
        """Return where the drawing can be taken up; saves what that needs when it is time to."""
        due = time.monotonic() - self._saved_at > self._weight / _WRITING_RATE / _WRITING_SHARE
        if self._weight and due:
            with suppress(OSError, SafetensorError):  # a full disk only means that more has to be made again
                self._save()
        return json.dumps(asdict(self._position)).encode()

    def _save(self) -> None:
        if self._making is not None and self._making.exception() is not None:
            return  # told when the block is wanted; what is drawn already is not lost by it
        if self._making is not None:
            made = self._making.result()
            self._making = None
            if made is not None:
                self._decoding.append(self._threads[1].submit(self._decoder.pictures, *made))
        while self._decoding:
            self._ready.extend(self._decoding.popleft().result())
        name = f"{_SAVED}{self._next:08d}"
        partial = self._folder / f"{name}.part"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            self._denoiser.save(partial)
            save_file({key: value.contiguous() for key, value in self._decoder.state().items()}, partial / _DECODER)
            np.save(partial / _PICTURES, np.array(self._ready, np.uint8))
            shutil.rmtree(self._folder / name, ignore_errors=True)
            partial.replace(self._folder / name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        for old in self._folder.glob(f"{_SAVED}*"):
            if old.name != name:
                shutil.rmtree(old, ignore_errors=True)
        self._position = Position(name, self._next, self._kind)
        self._saved_at = time.monotonic()

    def restore(self, state: bytes) -> None:
        """Go on from :meth:`state`.

        Where what it saved is gone, or of another kind, all is made again from the beginning, unseen.
        """
        position = Position(**json.loads(state))
        folder = self._folder / position.saved
        if not position.saved or not folder.is_dir() or position.kind != self._kind:
            return
        self._denoiser.restore(folder)
        self._decoder.restore(load_file(folder / _DECODER))
        self._ready.extend(np.load(folder / _PICTURES))
        self._next = position.first
        self._position = position

    def close(self) -> None:
        """Stop at once and give everything back."""
        self._denoiser.stop()
        for thread in self._threads:
            thread.shutdown(cancel_futures=True)
        self._denoiser.close()


def _next(blocks: Iterator[Finished]) -> _Made | None:
    """Return the next block's latents, and what says on a card that they are made; the thread does not wait for it."""
    finished = next(blocks, None)
    return None if finished is None else _Made(finished.latents, launched(finished.latents))


def blocks_for(frames: int, lead_in: int) -> int:
    """Return how many blocks a clip takes: no more than it shows."""
    return -(-(frames + lead_in) // BLOCK_FRAMES)


def _until(futures: Sequence[Future[Any]]) -> Iterator[Progress]:
    """Yield until one of them is done: every yield is a place to stop."""
    while not wait(futures, timeout=_PATIENCE, return_when=FIRST_COMPLETED).done:
        yield Progress("rendering", 0.0)


def empty_cache(device: str) -> None:
    """Give memory that nothing uses back to the card."""
    if device.startswith("cuda"):
        torch.cuda.empty_cache()

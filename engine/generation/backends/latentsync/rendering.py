"""A render on its way: pictures are read and faces found ahead in a thread, windows drawn, mouths put in.

Pictures flow through; nothing but the ones between the reader and the current window is held.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from engine.generation.backend import Picture, Source
from engine.generation.backends.latentsync.align import Image, paste_box, paste_mouth
from engine.generation.backends.latentsync.audio import SpeechStates
from engine.generation.backends.latentsync.drawing import Drawer, Face, WindowPart
from engine.generation.backends.latentsync.faces import Finder, SeenPicture, seen_pictures
from engine.generation.backends.latentsync.windows import MODEL_FPS, Grid, unbroken
from engine.generation.events import Notice
from engine.generation.plan import Segment
from engine.jobs import Progress
from engine.sync.ahead import read_ahead
from engine.words import Message


@dataclass(frozen=True, slots=True)
class Manner:
    """How a render treats the picture.

    Attributes:
        resolution: side of the network's square.
        make_finder: returns what finds the face.
        whole_box: paste the whole face box, as the published program does, instead of the mouth region.
        read_ahead: pictures that are prepared before they are needed.
        batch: windows that are drawn at once.
    """

    resolution: int
    make_finder: Callable[[], Finder]
    whole_box: bool
    read_ahead: int
    batch: int


class Rendering:
    """Draws segment after segment of one clip.

    Args:
        source: the face.
        grid: rate, length and windows of the clip.
        speech: what is said.
        shares: how much of each drawn frame is shown, shape ``(drawn frames,)``.
        drawer: draws parts of windows.
        manner: how the picture is treated.
    """

    def __init__(
        self,
        source: Source,
        grid: Grid,
        speech: SpeechStates,
        shares: npt.NDArray[np.float32],
        drawer: Drawer,
        manner: Manner,
    ) -> None:
        self._source = source
        self._grid = grid
        self._speech = speech
        self._shares = shares
        self._drawer = drawer
        self._manner = manner
        self._seen: Iterator[SeenPicture] = iter(())
        self._next_frame = -1
        self._forget()

    def close(self) -> None:
        """Stop reading ahead, and give back what draws."""
        self._stop()
        self._drawer.close()

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """Yield the pictures of a segment; what was prepared for it by the one before is used."""
        if segment.first_frame != self._next_frame:
            self._begin(segment)
        # Until this segment is finished, nobody knows how far the reader will have come.
        self._next_frame = -1
        untouched = 0
        for frame in range(segment.first_frame, segment.stop_frame):
            drawn = self._grid.drawn_for(frame)
            for share in self._draw_until(drawn):
                yield Progress("drawing", (frame - segment.first_frame + share) / segment.frame_count)
            seen = self._picture(frame)
            face = self._faces.get(drawn)
            untouched += seen.matrix is None
            yield self._pasted(seen, face, float(self._shares[drawn]))
            for old in [number for number in self._faces if number < drawn]:
                del self._faces[old]
        self._next_frame = segment.stop_frame
        if untouched:
            note = Message("latentsync.note.untouched", count=untouched, all=segment.frame_count)
            yield Progress("drawing", 1.0, Notice(note))

    def _begin(self, segment: Segment) -> None:
        self._stop()
        self._forget()
        manner = self._manner
        self._next_window = self._grid.windows_for(segment)[0]
        first = self._grid.picture_for(self._grid.window(self._next_window)[0])
        self._first_shown = segment.first_frame
        self._seen = read_ahead(
            seen_pictures(
                self._source,
                self._grid,
                manner.resolution,
                manner.make_finder,
                min(first, segment.first_frame),
            ),
            manner.read_ahead,
        )

    def _stop(self) -> None:
        if isinstance(self._seen, Generator):
            self._seen.close()
        self._seen = iter(())

    def _forget(self) -> None:
        self._first_shown = 0
        self._next_window = 0
        self._pictures: dict[int, SeenPicture] = {}
        self._crops: dict[int, tuple[Image | None, bool]] = {}
        self._faces: dict[int, Face] = {}

    def _pull(self) -> None:
        """Take the next picture from the reader."""
        seen = next(self._seen)
        begins = seen.begins_shot
        for drawn, crop in seen.crops.items():
            self._crops[drawn] = (crop, begins)
            begins = False
        if seen.frame >= self._first_shown:
            seen.crops.clear()
            self._pictures[seen.frame] = seen

    def _picture(self, frame: int) -> SeenPicture:
        while frame not in self._pictures:
            self._pull()
        return self._pictures.pop(frame)

    def _draw_until(self, drawn: int) -> Iterator[float]:
        """Draw all windows that a drawn frame lies in, and as many after them as are drawn at once."""
        last = self._grid.windows_of(drawn)[-1]
        while self._next_window <= last:
            stop = min(self._next_window + self._manner.batch, self._grid.last_window + 1)
            batch = range(self._next_window, stop)
            parts, windows = [], []
            for window in batch:
                for part in self._parts(self._grid.window(window)):
                    parts.append(part)
                    windows.append(window)
            if parts:
                faces = yield from self._drawer.draw(parts)
                for part, window, each in zip(parts, windows, faces, strict=True):
                    self._add(window, part.first, each)
            self._next_window = stop
            first_needed = self._grid.window(stop)[0] if stop <= self._grid.last_window else self._grid.drawn_count
            for old in [number for number in self._crops if number < first_needed]:
                del self._crops[old]

    def _parts(self, window: range) -> Iterator[WindowPart]:
        """Yield what of a window has to be drawn."""
        while window[-1] not in self._crops:
            self._pull()
        crops = [self._crops[drawn] for drawn in window]
        for part in unbroken(window, [crop is not None for crop, _ in crops], [cut for _, cut in crops]):
            if not self._shares[part.start : part.stop].any():
                continue
            faces = [crop for crop, _ in crops[part.start - window.start : part.stop - window.start]]
            audio = self._speech.tokens([Fraction(drawn) / MODEL_FPS for drawn in part])
            yield WindowPart(part.start, np.stack([face for face in faces if face is not None]), audio)

    def _add(self, window: int, first: int, faces: Face) -> None:
        """Take drawn faces in; where windows overlap, they fade into each other."""
        for drawn, face in enumerate(faces, start=first):
            share = dict(self._grid.shares(drawn))[window]
            before = self._faces.get(drawn)
            faded = face if share == 1 else face * np.float32(share)
            self._faces[drawn] = faded if before is None else before + faded

    def _pasted(self, seen: SeenPicture, face: Face | None, share: float) -> Picture:
        if seen.matrix is None or face is None or share == 0:
            return seen.image
        paste = paste_box if self._manner.whole_box else paste_mouth
        return paste(seen.image, face, seen.matrix, share)

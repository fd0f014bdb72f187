"""Small pictures along a clip: key frames at once, the true frames after.

A key frame costs a seek and one decoded frame, a few milliseconds, so nothing is kept on disk.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from engine.jobs import Job, Progress
from engine.media.frames import Converter, FrameReader, VideoSource
from engine.media.opening import MediaPath
from engine.timing import Timecode

_MOST_REQUESTS = 512


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One small picture.

    Attributes:
        asked: the time that was asked for, in seconds on the file's clock.
        time: presentation time of the frame that is shown.
        image: upright, shape ``(h, w, 3)``, RGB.
        is_exact: whether this is the frame on screen at ``asked``, rather than a key frame before it.
    """

    asked: Fraction
    time: Timecode
    image: npt.NDArray[np.uint8]
    is_exact: bool


class ThumbnailRequests:
    """The times for which pictures are wanted, the newest first; may be asked from any thread.

    At most 512 are kept: what has scrolled away long ago is dropped.
    """

    def __init__(self, times: Iterable[Fraction | float] = ()) -> None:
        self._lock = threading.Lock()
        self._coarse: OrderedDict[Fraction, None] = OrderedDict()
        self._exact: OrderedDict[Fraction, None] = OrderedDict()
        self.ask(*times)

    def ask(self, *times: Fraction | float) -> None:
        """Want these before everything asked so far, the first of them first."""
        with self._lock:
            for time in reversed(times):
                for queue in (self._coarse, self._exact):
                    queue[Fraction(time)] = None
                    queue.move_to_end(Fraction(time))
                    if len(queue) > _MOST_REQUESTS:
                        queue.popitem(last=False)

    @property
    def waiting(self) -> int:
        """How many pictures are still to be made, key frames and true frames counted apart."""
        with self._lock:
            return len(self._coarse) + len(self._exact)

    def take(self) -> tuple[Fraction, bool] | None:
        """Return the next ``(time, whether the true frame is wanted)``: all key frames go first."""
        with self._lock:
            for queue, exact in ((self._coarse, False), (self._exact, True)):
                if queue:
                    return queue.popitem(last=True)[0], exact
            return None

    def satisfy(self, time: Fraction) -> None:
        """Take a time off the list of true frames: its key frame was the true one."""
        with self._lock:
            self._exact.pop(time, None)


def make_thumbnails(
    path: MediaPath, wanted: ThumbnailRequests | Iterable[Fraction | float], *, height: int = 90
) -> Job[int]:
    """Make pictures until nothing is wanted any more; each progress carries a :class:`Thumbnail`.

    Args:
        path: a local file.
        wanted: times, or requests that may grow while the job runs.
        height: greatest height of the pictures.

    Returns:
        How many were made.

    Raises:
        Refused: as :func:`~engine.media.frames.read_frames`.
    """
    requests = wanted if isinstance(wanted, ThumbnailRequests) else ThumbnailRequests(wanted)
    made = 0
    with closing(_Eye(path, height)) as eye:
        while (request := requests.take()) is not None:
            asked, exact = request
            thumbnail = eye.exact(asked) if exact else eye.coarse(asked)
            if not exact and thumbnail.is_exact:
                requests.satisfy(asked)
            made += 1
            yield Progress("thumbnails", made / (made + requests.waiting), thumbnail)
    return made


class _Eye:
    """Finds pictures, with the file open once only: an open file of three hours takes 28 MB for its index alone."""

    def __init__(self, path: MediaPath, height: int) -> None:
        self._path, self._height = path, height
        self._keys: VideoSource | None = VideoSource(path, None, "slice", keys_only=True)
        self._convert = Converter(height, "rgb24", self._keys.sample_aspect)
        self._reader: FrameReader | None = None

    def close(self) -> None:
        """Close the file."""
        for source in (self._keys, self._reader):
            if source is not None:
                source.close()
        self._keys = self._reader = None

    def coarse(self, asked: Fraction) -> Thumbnail:
        """Return the key frame before a time."""
        if self._keys is None:
            self.close()
            self._keys = VideoSource(self._path, None, "slice", keys_only=True)
        pts, picture = next(self._keys.pictures(asked))
        time = Timecode(pts, self._keys.time_base)
        return Thumbnail(asked, time, self._convert(picture), is_exact=time.seconds == asked)

    def exact(self, asked: Fraction) -> Thumbnail:
        """Return the frame on screen at a time."""
        if self._reader is None:
            self.close()
            # Thumbnails are asked for in any order: nothing that was decoded is worth keeping.
            self._reader = FrameReader(self._path, max_height=self._height, history_bytes=0)
        frame = self._reader.frame_at(asked)
        return Thumbnail(asked, frame.time, frame.image, is_exact=True)

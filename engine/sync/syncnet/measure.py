"""Measure a clip with SyncNet v2 or another judge like it: a second opinion for users who have the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.face.people import people_of
from engine.face.tracks import FaceTrack, FaceTracker
from engine.jobs import Job, Progress
from engine.media.frames import Frame, read_frames
from engine.media.probe import MediaInfo, probe
from engine.media.samples import read_samples
from engine.models.finder import library
from engine.refusal import Refusal, Refused
from engine.sync.look import LOOK_HEIGHT
from engine.sync.result import Kind, Reason
from engine.sync.stretches import Stretch, consecutive
from engine.sync.syncnet.features import SAMPLE_RATE
from engine.sync.syncnet.judges import Image, Judge, SyncNetJudge
from engine.sync.syncnet.network import load_syncnet
from engine.sync.syncnet.offsets import FRAME_MS, REACH, Floats, conclude, distances
from engine.sync.syncnet.result import SyncNetMeasurement
from engine.sync.verdict import IN_SYNC_MS, verdict
from engine.timing import FrameGrid, Offset

_RATE = Fraction(25)
"""Frames per second that SyncNet was trained with; any clip is looked at on this grid, by time."""
_SAMPLES_PER_FRAME = 640
_SHORTEST_TRACK = 2.0
"""Seconds; a third of the windows of a shorter one would look past its ends."""
_MOST_TRACKS = 3
_EVERYTHING = 60.0
"""Seconds of clip up to which all of it is looked at."""
_LENGTH = 20.0
"""Seconds looked at together, so that memory does not grow with the clip."""
_SAMPLED = 3
_SMOOTHING = 13
"""Width of the median filter over a face's places, in frames of the grid."""


def measure_syncnet(
    path: str | Path,
    *,
    weights: Path | None = None,
    audio: str | Path | None = None,
    thorough: bool = False,
    face: int | None = None,
) -> Job[SyncNetMeasurement | Refusal]:
    """Measure one clip.

    Args:
        path: the clip.
        weights: ``syncnet_v2.model``; by default it is looked for among the user's models.
        audio: another file whose sound is measured against the clip's picture; its time zero is the clip's.
        thorough: look at everything, also in a clip of more than a minute.
        face: which face to measure, counted from the left beginning with 1; by default the one that fits the sound
            best.

    Returns:
        The measurement, also when nothing can be measured (``kind`` says so), or a refusal when a file cannot be read
        or the weights are not there.
    """
    return measure_with_file(
        "SyncNet v2",
        ("syncnet-v2",),
        lambda file: SyncNetJudge(load_syncnet(file)),
        path,
        weights=weights,
        audio=audio,
        thorough=thorough,
        face=face,
    )


def measure_with_file(
    title: str,
    names: Sequence[str],
    load: Callable[[Path], Judge],
    path: str | Path,
    *,
    weights: Path | None,
    audio: str | Path | None,
    thorough: bool,
    face: int | None,
) -> Job[SyncNetMeasurement | Refusal]:
    """Measure one clip with the judge that a file holds; the rest is as for :func:`measure_syncnet`.

    Args:
        title: what the judge is called where its file is missing.
        names: of its file in the catalog, the best first.
        load: makes the judge.
        path: the clip.
        weights: the file; by default it is looked for among the user's models.
        audio: see :func:`measure_syncnet`.
        thorough: see there.
        face: see there.
    """
    try:
        yield Progress("opening", 0.0)
        found = weights or library().path(*names)
        if found is None:
            raise Refused.because("models.needed", title=title, name=names[0])
        return (yield from measure_with(load(found), path, audio=audio, thorough=thorough, face=face))
    except Refused as refused:
        return refused.refusal


def measure_with(
    judge: Judge, path: str | Path, *, audio: str | Path | None = None, thorough: bool = False, face: int | None
) -> Job[SyncNetMeasurement]:
    """Measure one clip with a given judge, which is closed at the end; the rest is as for :func:`measure_syncnet`.

    Raises:
        Refused: if a file cannot be read.
    """
    with closing(judge):
        return (yield from _measured(judge, path, audio=audio, thorough=thorough, face=face))


def _measured(
    judge: Judge, path: str | Path, *, audio: str | Path | None, thorough: bool, face: int | None
) -> Job[SyncNetMeasurement]:
    sound = Path(audio or path)
    info = probe(Path(path))
    heard = info if audio is None else probe(sound)
    if info.video is None or info.is_picture:
        return _unmeasurable(judge, str(path), Reason.NO_PICTURE)
    if heard.audio is None:
        return _unmeasurable(judge, str(path), Reason.NO_SOUND)
    stretches = _stretches(info, thorough=thorough)
    rows: list[Floats] = []
    with closing(FaceTracker()) as tracker:
        for number, stretch in enumerate(stretches):
            yield Progress("looking", number / len(stretches))
            look = _Look(judge, Path(path), sound, stretch)
            rows += yield from look.best(tracker, face, number / len(stretches), 1 / len(stretches))
    if not rows:
        return _unmeasurable(judge, str(path), Reason.NO_FACE)
    matrix = np.concatenate(rows)
    answer = conclude(matrix.mean(0))
    seconds = len(matrix) * judge.stride / float(_RATE)
    if answer.confidence < judge.enough:
        return _unmeasurable(judge, str(path), Reason.UNCERTAIN, answer.confidence, answer.distance, seconds)
    offset = Offset(answer.offset_ms, FRAME_MS / 2)
    kind = Kind.IN_SYNC if abs(offset.ms) <= IN_SYNC_MS else Kind.CONSTANT
    return SyncNetMeasurement(
        str(path),
        kind,
        verdict(kind, offset),
        offset.ms,
        offset.uncertainty_ms,
        answer.confidence,
        answer.distance,
        seconds,
        judge.name,
    )


def _unmeasurable(
    judge: Judge,
    file: str,
    reason: Reason,
    confidence: float | None = None,
    distance: float | None = None,
    seconds: float = 0.0,
) -> SyncNetMeasurement:
    said = verdict(Kind.UNMEASURABLE, None, reason=reason)
    return SyncNetMeasurement(
        file,
        Kind.UNMEASURABLE,
        said,
        confidence=confidence,
        distance=distance,
        seconds_analysed=seconds,
        detector=judge.name,
    )


def _stretches(info: MediaInfo, *, thorough: bool) -> list[Stretch]:
    """Return what to look at: everything, or three places of a long clip."""
    assert info.video is not None
    start = float(info.video.start)
    stop = start + float(info.video.duration or _EVERYTHING)
    if thorough or stop - start <= _EVERYTHING:
        return consecutive(start, stop, _LENGTH)
    middles = np.linspace(start, stop, 2 * _SAMPLED + 1)[1::2]
    return [Stretch(float(middle) - _LENGTH / 2, float(middle) + _LENGTH / 2) for middle in middles]


@dataclass(frozen=True, slots=True)
class _Crop:
    """Where one face is on the 25 fps grid.

    Attributes:
        first: number of the first frame of the grid.
        places: ``x, y`` of the middle and half of the larger side, in heights of the picture, shape ``(frames, 3)``.
    """

    first: int
    places: npt.NDArray[np.float64]


class _Look:
    """One stretch of the clip."""

    def __init__(self, judge: Judge, picture: Path, sound: Path, stretch: Stretch) -> None:
        self._judge = judge
        self._picture = picture
        self._sound = sound
        self._stretch = stretch
        self._grid = FrameGrid(_RATE)

    def best(self, tracker: FaceTracker, face: int | None, start: float, share: float) -> Job[list[Floats]]:
        """Return the distances of the face that fits the sound best, no rows if there is none."""
        frames = read_frames(
            self._picture,
            start=Fraction(self._stretch.start),
            stop=Fraction(self._stretch.stop),
            max_height=LOOK_HEIGHT,
        )
        shapes: list[tuple[int, int]] = []

        def pictures() -> Iterator[tuple[float, Image]]:
            for frame in frames:
                shapes[:] = [(frame.image.shape[0], frame.image.shape[1])]
                yield float(frame.time), frame.image

        tracks = [track for track in tracker.follow(pictures()) if track.seconds >= _SHORTEST_TRACK]
        yield Progress("looking", start + share / 3)
        if face is not None:
            people = people_of(tracks)
            tracks = list(people[face - 1].tracks) if face <= len(people) else []
        tracks = sorted(tracks, key=lambda track: -track.seconds)[:_MOST_TRACKS]
        answers: list[Floats] = []
        for number, track in enumerate(tracks):
            done = start + share * (1 + 2 * number / len(tracks)) / 3
            matrix = yield from self._distances(track, shapes[0], done)
            if matrix is not None:
                answers.append(matrix)
        if face is not None:
            return answers
        return sorted(answers, key=lambda matrix: -conclude(matrix.mean(0)).confidence)[:1]

    def _distances(self, track: FaceTrack, shape: tuple[int, int], done: float) -> Job[Floats | None]:
        crop = self._crop(track, shape)
        points: list[Floats] = []
        windows = self._windows(crop)
        while batch := list(islice(windows, self._judge.batch)):
            points.append(self._judge.see(batch))
            yield Progress("looking", done)
        if not points:
            return None
        seen = np.concatenate(points)
        heard = self._hear(crop.first, (len(seen) - 1) * self._judge.stride + 1)
        return distances(seen, heard, self._judge.stride)

    def _crop(self, track: FaceTrack, shape: tuple[int, int]) -> _Crop:
        from scipy.ndimage import median_filter

        first = math.ceil(float(track.times[0]) * float(_RATE))
        last = math.floor(float(track.times[-1]) * float(_RATE))
        times = np.arange(first, last + 1) / float(_RATE)
        boxes = track.boxes.astype(np.float64) * np.array([shape[1], shape[0]] * 2)
        width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        columns = (
            (boxes[:, 0] + boxes[:, 2]) / 2,
            (boxes[:, 1] + boxes[:, 3]) / 2,
            np.maximum(width, height) / 2,
        )
        places = np.stack([np.interp(times, track.times, column) for column in columns], axis=1) / shape[0]
        return _Crop(first, median_filter(places, size=(_SMOOTHING, 1), mode="nearest"))

    def _windows(self, crop: _Crop) -> Iterator[list[Image]]:
        """Yield windows of faces."""
        waiting: list[Image] = []
        for face in self._faces(crop):
            waiting.append(face)
            if len(waiting) == self._judge.pictures:
                yield list(waiting)
                del waiting[: self._judge.stride]

    def _faces(self, crop: _Crop) -> Iterator[Image]:
        """Yield the face for every frame of the grid: from the picture on screen in the middle of the frame."""
        start, half = self._grid.time(crop.first), Fraction(1, 2) / _RATE
        stop = self._grid.time(crop.first + len(crop.places))
        frames = read_frames(self._picture, start=start - 1, stop=stop, max_height=LOOK_HEIGHT)
        number = 0
        self._judge.restart()
        for frame, following in _with_next(frames):
            while number < len(crop.places):
                middle = self._grid.time(crop.first + number) + half
                if following is not None and following <= middle:
                    break
                yield self._judge.cut(frame, crop.places[number] * frame.shape[0])
                number += 1

    def _hear(self, first: int, windows: int) -> Floats:
        """Return the points of the sound of so many windows, and of :data:`REACH` before and after them."""
        begin, count = first - REACH, windows + 2 * REACH
        start = begin * _SAMPLES_PER_FRAME
        samples = np.zeros((count + self._judge.pictures) * _SAMPLES_PER_FRAME, np.float32)
        stop = start + len(samples)
        for block in read_samples(
            self._sound,
            sample_rate=SAMPLE_RATE,
            start=Fraction(start, SAMPLE_RATE),
            stop=Fraction(stop, SAMPLE_RATE),
        ):
            at = round(block.start * SAMPLE_RATE) - start
            low, high = max(at, 0), min(at + len(block.data), len(samples))
            if low < high:
                samples[low:high] = block.data[low - at : high - at]
        return self._judge.hear(samples, count)


def _with_next(frames: Iterator[Frame]) -> Iterator[tuple[Image, Fraction | None]]:
    """Yield pictures with the time at which the next one replaces them, ``None`` for the last."""
    waiting: Frame | None = None
    for frame in frames:
        if waiting is not None:
            yield waiting.image, frame.time.seconds
        waiting = frame
    if waiting is not None:
        yield waiting.image, None

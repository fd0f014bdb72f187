"""Talking clips as records: what the product itself sees and hears in them, computed once and cached."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from engine.face.people import people_of
from engine.face.tracks import FaceTrack, FaceTracker
from engine.media.frames import read_frames
from engine.media.samples import read_samples

SAMPLE_RATE = 16_000
TRAINED_ROLES = ("main", "short", "container", "gen")
FOLDS = 6
_TRACK_FIELDS = ("times", "points", "patches", "boxes", "eye_distance", "yaw", "residual")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Record:
    """One clip.

    Attributes:
        name: file name.
        speaker: clips of one speaker never stand on both sides of a split.
        role: as in the manifest.
        studio: one person before a plain background, filmed by one source.
        real: not made by a talking-head generator.
        label_ms: how late the sound of the clip itself is, or ``None`` if unknown.
        tracks: the main person's face tracks, ascending in time.
        alone: whether only one person is visible.
        sound_start: time of the first sample, seconds on the picture's clock.
        samples: mono sound at 16 kHz, shape ``(n,)``.
    """

    name: str
    speaker: str
    role: str
    studio: bool
    real: bool
    label_ms: float | None
    tracks: tuple[FaceTrack, ...]
    alone: bool
    sound_start: float
    samples: Floats

    @property
    def start(self) -> float:
        """First sighting, seconds."""
        return float(self.tracks[0].times[0])

    @property
    def stop(self) -> float:
        """Last sighting, seconds."""
        return float(self.tracks[-1].times[-1])

    @property
    def seconds(self) -> float:
        """From first to last sighting."""
        return self.stop - self.start


def clips_folder() -> Path:
    """Return the folder of clips: ``PLOSIVE_CLIPS``, by default ``../shared/clips``."""
    return Path(os.environ.get("PLOSIVE_CLIPS", "../shared/clips"))


def load_records(cache: Path, clips: Path | None = None, processes: int = 2) -> list[Record]:
    """Return a record per clip of the manifest in which a face was seen, made now unless cached.

    Args:
        cache: folder for the made records.
        clips: folder with ``manifest.json``; by default :func:`clips_folder`.
        processes: how many to make at a time.
    """
    folder = clips or clips_folder()
    cache.mkdir(parents=True, exist_ok=True)
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    jobs = [(folder / entry["file"], _cache_file(cache, folder / entry["file"])) for entry in entries]
    with Pool(processes) as pool:
        pool.starmap(_make, [job for job in jobs if not job[1].exists()], chunksize=1)
    records = [_read(entry, made) for entry, (_, made) in zip(entries, jobs, strict=True)]
    return [record for record in records if record is not None]


def _cache_file(cache: Path, clip: Path) -> Path:
    status = clip.stat()
    key = hashlib.sha256(f"{clip.name}|{status.st_size}|3".encode()).hexdigest()[:12]
    return cache / f"{clip.stem}-{key}.npz"


def shrunk(
    records: Sequence[Record], eyes: float, cache: Path, clips: Path | None = None, jobs: int = 2
) -> list[Record]:
    """Return the records as they are when the picture is reduced to ``eyes`` pixels between the eyes.

    Clips whose faces are already about that small or smaller are left out.
    """
    folder, tasks, kept = clips or clips_folder(), [], []
    cache.mkdir(parents=True, exist_ok=True)
    for record in records:
        size = float(np.median(np.concatenate([track.eye_distance for track in record.tracks])))
        if size > 1.1 * eyes:
            made = cache / f"{Path(record.name).stem}-{eyes:g}px.npz"
            tasks.append((folder / record.name, made, eyes / size))
            kept.append(record)
    with Pool(jobs) as pool:
        pool.starmap(_make, [task for task in tasks if not task[1].exists()], chunksize=1)
    small = []
    for record, (_, made, _) in zip(kept, tasks, strict=True):
        with np.load(made) as stored:
            tracks = _tracks(dict(stored))
        if tracks:
            small.append(replace(record, tracks=tracks))
    return small


def _make(clip: Path, target: Path, scale: float = 1.0) -> None:
    def pictures() -> Iterator[tuple[float, npt.NDArray[np.uint8]]]:
        for frame in read_frames(clip):
            image = frame.image
            if scale != 1:
                image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
            yield float(frame.time), image

    with FaceTracker() as tracker:
        tracks = [track for track in tracker.follow(pictures()) if len(track) >= 10]
    blocks = list(read_samples(clip, sample_rate=SAMPLE_RATE))
    people = people_of(tracks)
    kept = max(people, key=lambda person: person.sightings).tracks if people else ()
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "samples": (np.concatenate([block.data for block in blocks]) * 32767).astype(np.int16),
        "sound_start": np.array(float(blocks[0].start)),
        "people": np.array(len(people)),
    }
    for number, track in enumerate(kept):
        for field in _TRACK_FIELDS:
            arrays[f"{number}.{field}"] = getattr(track, field)
    part = target.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.replace(target)


def _read(entry: dict[str, object], made: Path) -> Record | None:
    with np.load(made) as stored:
        arrays = dict(stored)
    tracks = _tracks(arrays)
    if not tracks:
        return None
    label = entry["own_offset_ms_estimate"]
    return Record(
        name=str(entry["file"]),
        speaker=str(entry["speaker"]),
        role=str(entry["role"]),
        studio="websitetalkingheads" in str(entry["source_repository"]),
        real=bool(entry["real"]),
        label_ms=None if label is None else float(label),  # type: ignore[arg-type]
        tracks=tracks,
        alone=int(arrays["people"]) == 1,
        sound_start=float(arrays["sound_start"]),
        samples=arrays["samples"].astype(np.float32) / 32767,
    )


def _tracks(arrays: dict[str, npt.NDArray[np.generic]]) -> tuple[FaceTrack, ...]:
    tracks: list[FaceTrack] = []
    while f"{len(tracks)}.times" in arrays:
        number = len(tracks)
        stored = {field: arrays[f"{number}.{field}"] for field in _TRACK_FIELDS}
        outlines = np.zeros((len(stored["times"]), 0, 2), np.uint16)  # for drawing only, not kept
        tracks.append(FaceTrack(number=number, missed=0, lips=outlines, **stored))  # type: ignore[arg-type]
    return tuple(tracks)


def folds_of(records: Sequence[Record], count: int = FOLDS) -> dict[str, int]:
    """Deal speakers into folds of about equal length, the longest first; the same records give the same folds."""
    seconds: dict[str, float] = {}
    for record in records:
        seconds[record.speaker] = seconds.get(record.speaker, 0.0) + record.seconds
    filled = [0.0] * count
    fold_of = {}
    for speaker, length in sorted(seconds.items(), key=lambda item: (-item[1], item[0])):
        fold_of[speaker] = int(np.argmin(filled))
        filled[fold_of[speaker]] += length
    return fold_of


def trainable(records: Sequence[Record]) -> Iterator[Record]:
    """Yield the records a model may learn from: one clear speaker and a known, usual offset."""
    for record in records:
        if record.role in TRAINED_ROLES and record.label_ms is not None and abs(record.label_ms) < 400:
            yield record


def relabelled(records: Sequence[Record], labels_ms: dict[str, float]) -> list[Record]:
    """Return the records with new labels where there are any."""
    return [replace(record, label_ms=labels_ms.get(record.name, record.label_ms)) for record in records]
